//! Flow runs at a glance, and how many runs there are of each kind.

use rusqlite::{Connection, Row as SqlRow, named_params};
use sea_query::{Expr, Query};

use super::query::{self, Columns};
use super::rows::{self, Filtered, Row, asking};
use super::sql::{self, Statement, statement};
use crate::domain::error::Result;
use crate::domain::filter::{Filters, Noun};
use crate::domain::glance::{Glance, Outcomes};
use crate::domain::history::Buckets;
use crate::domain::ids::FlowId;
use crate::domain::observed::ObservedState;
use crate::domain::state::StateType;
use crate::domain::task_run::TaskRun;

static NEXT_OF_FLOW: Statement = statement!("flow_runs/next_of_flow.sql");
const OBSERVED: &str = include_str!("../../sql/queries/states/observed.sql");

impl Row for Glance {
    const TABLE: &'static str = "flow_runs";
    const STATES: Option<&'static str> = Some("flow_run_states");

    fn columns() -> &'static str {
        &sql::GLANCE
    }

    fn read(row: &SqlRow<'_>) -> rusqlite::Result<Self> {
        let mut columns = Columns::of(row);
        Ok(Self {
            id: columns.next()?,
            flow_id: columns.next()?,
            name: columns.next()?,
            kind: columns.next()?,
            state_name: columns.next()?,
            since: columns.next()?,
            expected_start_time: columns.next()?,
            next_scheduled_start_time: columns.next()?,
            start_time: columns.next()?,
            total_run_time: columns.next()?,
        })
    }
}

impl Filtered for Glance {
    const NOUN: Noun = Noun::FlowRun;
}

/// The run of a flow that is due next, where one is.
pub fn next_run_of_flow(db: &Connection, id: FlowId) -> Result<Option<Glance>> {
    let params = named_params! {":flow_id": id};
    query::one(db, &NEXT_OF_FLOW, params, Glance::read)
}

/// How many task runs there are of each type of state.
pub fn task_runs_by_state(db: &Connection, filters: &Filters) -> Result<Vec<(StateType, i64)>> {
    let statement = Query::select()
        .column(("task_runs", "state_type"))
        .expr(Expr::cust("count(*)"))
        .from(TaskRun::TABLE)
        .cond_where(asking::<TaskRun>(filters))
        .and_where(Expr::cust("task_runs.state_type IS NOT NULL"))
        .group_by_col(("task_runs", "state_type"))
        .take();
    rows::all(db, &statement, |row| Ok((row.get(0)?, row.get(1)?)))
}

/// The states that runs were in, of those that are kept.
pub fn observed_states(db: &Connection) -> Result<Vec<ObservedState>> {
    query::all(db, OBSERVED, [], |row| {
        let mut columns = Columns::of(row);
        Ok(ObservedState {
            kind: columns.next()?,
            name: columns.next()?,
            first: columns.next()?,
            last: columns.next()?,
        })
    })
}

/// How the task runs ended that began in each part of time.
pub fn outcomes(db: &Connection, filters: &Filters, buckets: Buckets) -> Result<Vec<Outcomes>> {
    let bucket = "(task_runs.start_time - ?) / ?";
    let times = [buckets.start().micros(), buckets.step().micros()];
    let failed = "sum(task_runs.state_type IN ('FAILED', 'CRASHED'))";
    let statement = Query::select()
        .expr_as(Expr::cust_with_values(bucket, times), "bucket")
        .expr(Expr::cust(failed))
        .expr(Expr::cust("count(*)"))
        .from(TaskRun::TABLE)
        .cond_where(asking::<TaskRun>(filters))
        .add_group_by([Expr::col("bucket")])
        .take();
    rows::all(db, &statement, |row| {
        let mut columns = Columns::of(row);
        let (bucket, failed, all): (i64, i64, i64) =
            (columns.next()?, columns.next()?, columns.next()?);
        Ok(Outcomes {
            bucket,
            failed,
            completed: all - failed,
        })
    })
}
