//! Histories: runs by bucket and state.

use rusqlite::{Connection, Row};
use sea_query::{Expr, ExprTrait, JoinType, Query, SelectStatement};

use super::{Filtered, Row as _, all, column, condition, run_time};
use crate::domain::error::Result;
use crate::domain::filter::Filters;
use crate::domain::flow_run::FlowRun;
use crate::domain::history::{Buckets, Tally};
use crate::domain::state::StateType;
use crate::domain::time::{Span, Timestamp};
use crate::storage::query::Columns;
use crate::storage::sql;

/// The tallies of runs of either kind.
pub fn of<R: Filtered>(
    db: &Connection,
    filters: &Filters,
    buckets: Buckets,
    now: Timestamp,
) -> Result<Vec<Tally>> {
    all(db, &statement::<R>(filters, buckets, now), read)
}

/// The question itself.
pub(super) fn statement<R: Filtered>(
    filters: &Filters,
    buckets: Buckets,
    now: Timestamp,
) -> SelectStatement {
    let (table, states) = (R::TABLE, R::STATES.unwrap_or_default());
    let condition = condition::of(R::NOUN, filters);
    let expected = || column(table, "expected_start_time");
    let start = buckets.start().micros();
    let bucket = format!("(\"{table}\".\"expected_start_time\" - ?) / ?");
    let bucket = Expr::cust_with_values(bucket, [start, buckets.step().micros()]);
    // As RunStatistics::estimated_run_time and lateness; negative ones count as none.
    let run_time = Expr::cust_with_exprs("sum(max(0, ?))", [run_time(table, now)]);
    let lateness = format!("sum({})", lateness());
    Query::select()
        .expr_as(bucket, "bucket")
        .column((table, "state_type"))
        .column((table, "state_name"))
        .expr(Expr::cust("count(*)"))
        .expr(run_time)
        .expr(Expr::cust_with_values(
            lateness,
            [now.micros(), now.micros()],
        ))
        .from(table)
        .join_as(
            JoinType::InnerJoin,
            states,
            "s",
            Expr::col(("s", "id")).equals((table, "state_id")),
        )
        .cond_where(
            condition
                .add(expected().gte(start))
                .add(expected().lt(buckets.end().micros())),
        )
        .add_group_by([
            Expr::col("bucket"),
            column(table, "state_type"),
            column(table, "state_name"),
        ])
        .take()
}

/// How late one run started, or is, as [`RunStatistics::lateness`]; takes the present moment twice.
///
/// [`RunStatistics::lateness`]: crate::domain::run::RunStatistics::lateness
fn lateness() -> String {
    format!(
        "max(0, CASE \
         WHEN start_time > expected_start_time THEN start_time - expected_start_time \
         WHEN start_time IS NULL AND state_type NOT IN ({}) AND expected_start_time < ? \
         THEN ? - expected_start_time ELSE 0 END)",
        sql::words(StateType::is_terminal)
    )
}

/// How late flow runs started, or are, on average; nothing where there are none.
pub fn average_lateness(
    db: &Connection,
    filters: &Filters,
    now: Timestamp,
) -> Result<Option<Span>> {
    let average = format!("CAST(avg({}) AS INTEGER)", lateness());
    let statement = Query::select()
        .expr(Expr::cust_with_values(
            average,
            [now.micros(), now.micros()],
        ))
        .from(FlowRun::TABLE)
        .cond_where(condition::of(FlowRun::NOUN, filters))
        .take();
    let found = all(db, &statement, |row| row.get(0))?;
    Ok(found.into_iter().next().flatten())
}

fn read(row: &Row<'_>) -> rusqlite::Result<Tally> {
    let mut columns = Columns::of(row);
    Ok(Tally {
        bucket: columns.next()?,
        kind: columns.next()?,
        name: columns.next()?,
        count: columns.next()?,
        run_time: columns.next()?,
        lateness: columns.next()?,
    })
}
