//! Histories: runs by bucket and state.

use rusqlite::{Connection, Row};
use sea_query::{Condition, Expr, ExprTrait, JoinType, Query, SelectStatement};

use super::super::query::Columns;
use super::{all, column, flow_runs, task_runs};
use crate::domain::error::Result;
use crate::domain::filter::Filters;
use crate::domain::history::{Buckets, Tally};
use crate::domain::state::StateType;
use crate::domain::time::Timestamp;

/// The tallies of flow runs.
pub fn of_flow_runs(
    db: &Connection,
    filters: &Filters,
    buckets: Buckets,
    now: Timestamp,
) -> Result<Vec<Tally>> {
    all(db, &statement_of_flow_runs(filters, buckets, now), read)
}

/// The question itself.
pub(super) fn statement_of_flow_runs(
    filters: &Filters,
    buckets: Buckets,
    now: Timestamp,
) -> SelectStatement {
    let condition = flow_runs::condition(filters);
    tallies(flow_runs::TABLE, "flow_run_states", condition, buckets, now)
}

/// The tallies of task runs.
pub fn of_task_runs(
    db: &Connection,
    filters: &Filters,
    buckets: Buckets,
    now: Timestamp,
) -> Result<Vec<Tally>> {
    let condition = task_runs::condition(filters);
    let statement = tallies(task_runs::TABLE, "task_run_states", condition, buckets, now);
    all(db, &statement, read)
}

fn tallies(
    table: &'static str,
    states: &'static str,
    condition: Condition,
    buckets: Buckets,
    now: Timestamp,
) -> SelectStatement {
    let expected = || column(table, "expected_start_time");
    let start = buckets.start().micros();
    let bucket = format!("(\"{table}\".\"expected_start_time\" - ?) / ?");
    let bucket = Expr::cust_with_values(bucket, [start, buckets.step().micros()]);
    let ended: Vec<_> = StateType::ALL
        .into_iter()
        .filter(|kind| kind.is_terminal())
        .collect();
    let ended: Vec<_> = ended
        .iter()
        .map(|kind| format!("'{}'", kind.word()))
        .collect();
    // As RunBooks::estimated_run_time and RunBooks::lateness; negative ones count as none.
    let run_time = format!(
        "sum(max(0, \"{table}\".\"total_run_time\" + \
         CASE \"{table}\".\"state_type\" WHEN 'RUNNING' THEN ? - s.timestamp ELSE 0 END))"
    );
    let lateness = format!(
        "sum(max(0, CASE \
         WHEN start_time > expected_start_time THEN start_time - expected_start_time \
         WHEN start_time IS NULL AND state_type NOT IN ({}) AND expected_start_time < ? \
         THEN ? - expected_start_time ELSE 0 END))",
        ended.join(", ")
    );
    Query::select()
        .expr_as(bucket, "bucket")
        .column((table, "state_type"))
        .column((table, "state_name"))
        .expr(Expr::cust("count(*)"))
        .expr(Expr::cust_with_values(run_time, [now.micros()]))
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
