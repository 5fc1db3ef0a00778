//! Histories: runs by bucket and state.

use rusqlite::Connection;
use sea_query::{Expr, ExprTrait, JoinType, SelectStatement};

use super::counts::Countable;
use super::select::{run_time, selecting_among};
use super::{Filtered, all, column, counts};
use crate::domain::error::Result;
use crate::domain::filter::Filters;
use crate::domain::flow_run::FlowRun;
use crate::domain::history::{Buckets, Tally};
use crate::domain::state::StateType;
use crate::domain::time::{Span, Timestamp};
use crate::storage::sql;

/// The tallies of runs of either kind, by bucket, type and name of state.
pub fn of<R: Filtered>(
    db: &Connection,
    filters: &Filters,
    buckets: Buckets,
    now: Timestamp,
) -> Result<Vec<Tally>> {
    let among = |few| {
        all(
            db,
            &statement::<R>(filters, buckets, now, few),
            counts::read,
        )
    };
    let Some(countable) = Countable::of::<R>(filters) else {
        return among(None);
    };
    match countable.few::<R>(db, Some(buckets))? {
        Some(few) => among(Some(few)),
        None => countable.tallies::<R>(db, buckets, now),
    }
}

/// The question, put to the runs themselves, or to some of them.
pub(super) fn statement<R: Filtered>(
    filters: &Filters,
    buckets: Buckets,
    now: Timestamp,
    among: Option<SelectStatement>,
) -> SelectStatement {
    let (table, states) = (R::TABLE, R::STATES.unwrap_or_default());
    let expected = || column(table, "expected_start_time");
    let start = buckets.start().micros();
    let bucket = format!("(\"{table}\".\"expected_start_time\" - ?) / ?");
    let bucket = Expr::cust_with_values(bucket, [start, buckets.step().micros()]);
    // As RunStatistics::estimated_run_time and lateness; negative ones count as none.
    // Of more than the largest number that is told.
    let run_time =
        Expr::cust_with_exprs("CAST(total(max(0, ?)) AS INTEGER)", [run_time(table, now)]);
    selecting_among::<R>(filters, among)
        .expr_as(bucket, "bucket")
        .column((table, "state_type"))
        .column((table, "state_name"))
        .expr(Expr::cust("count(*)"))
        .expr(run_time)
        .expr(total_lateness(now))
        .join_as(
            JoinType::InnerJoin,
            states,
            "s",
            Expr::col(("s", "id")).equals((table, "state_id")),
        )
        .and_where(expected().gte(start))
        .and_where(expected().lt(buckets.end().micros()))
        .add_group_by([
            Expr::col("bucket"),
            column(table, "state_type"),
            column(table, "state_name"),
        ])
        .take()
}

/// How late runs started, or are, together; of each as [`RunStatistics::lateness`].
///
/// [`RunStatistics::lateness`]: crate::domain::run::RunStatistics::lateness
fn total_lateness(now: Timestamp) -> Expr {
    let total = format!(
        "CAST(total(max(0, CASE \
         WHEN start_time > expected_start_time THEN start_time - expected_start_time \
         WHEN start_time IS NULL AND state_type NOT IN ({}) AND expected_start_time < ? \
         THEN ? - expected_start_time ELSE 0 END)) AS INTEGER)",
        sql::words(StateType::is_terminal)
    );
    Expr::cust_with_values(total, [now.micros(), now.micros()])
}

/// How late flow runs started, or are, on average; nothing where there are none.
pub fn average_lateness(
    db: &Connection,
    filters: &Filters,
    now: Timestamp,
) -> Result<Option<Span>> {
    let (count, late) = lateness(db, filters, now)?;
    Ok((count > 0).then(|| Span::from_micros(late.micros() / count)))
}

/// How many runs there are, and how late they started, or are, together.
fn lateness(db: &Connection, filters: &Filters, now: Timestamp) -> Result<(i64, Span)> {
    let among = |few| {
        let told = all(db, &late::<FlowRun>(filters, now, few), counts::read_late)?;
        Ok(told.into_iter().next().unwrap_or_default())
    };
    let Some(countable) = Countable::of::<FlowRun>(filters) else {
        return among(None);
    };
    match countable.few::<FlowRun>(db, None)? {
        Some(few) => among(Some(few)),
        None => countable.lateness::<FlowRun>(db, now),
    }
}

/// The same as a question that is put to the runs themselves, or to some of them.
pub(super) fn late<R: Filtered>(
    filters: &Filters,
    now: Timestamp,
    among: Option<SelectStatement>,
) -> SelectStatement {
    selecting_among::<R>(filters, among)
        .expr(Expr::cust("count(*)"))
        .expr(total_lateness(now))
        .take()
}
