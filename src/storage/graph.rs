//! What a flow run did and left, for its graph.

use rusqlite::{Connection, Row, named_params};

use super::column::Json;
use super::query::{self, Columns};
use crate::domain::error::Result;
use crate::domain::graph::{Child, Left, Step, Times};
use crate::domain::ids::FlowRunId;

const TASK_RUNS: &str = include_str!("../../sql/queries/graph/task_runs.sql");
const ARTIFACTS: &str = include_str!("../../sql/queries/graph/artifacts.sql");

/// Up to `limit` task runs of a flow run.
pub fn steps(db: &Connection, id: FlowRunId, limit: usize) -> Result<Vec<Step>> {
    let params = named_params! {":id": id, ":limit": bound(limit)};
    query::all(db, TASK_RUNS, params, |row| {
        let mut columns = Columns::of(row);
        Ok(Step {
            id: columns.next()?,
            name: columns.next()?,
            times: times(&mut columns)?,
            inputs: columns.json()?,
            child: child(&mut columns)?,
        })
    })
}

fn bound(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

fn times(columns: &mut Columns<'_, '_>) -> rusqlite::Result<Times> {
    Ok(Times {
        kind: columns.next()?,
        start_time: columns.next()?,
        expected_start_time: columns.next()?,
        end_time: columns.next()?,
    })
}

fn child(columns: &mut Columns<'_, '_>) -> rusqlite::Result<Option<Child>> {
    let Some(id) = columns.next()? else {
        return Ok(None);
    };
    Ok(Some(Child {
        id,
        name: columns.next()?,
        flow: columns.next()?,
        times: times(columns)?,
    }))
}

/// Up to `limit` artifacts of a flow run but for results, the oldest first.
pub fn left(db: &Connection, id: FlowRunId, limit: usize) -> Result<Vec<Left>> {
    let params = named_params! {":id": id, ":limit": bound(limit)};
    query::all(db, ARTIFACTS, params, |row: &Row<'_>| {
        let mut columns = Columns::of(row);
        Ok(Left {
            id: columns.next()?,
            created: columns.next()?,
            key: columns.next()?,
            kind: columns.next()?,
            task_run_id: columns.next()?,
            data: columns.next::<Option<Json<_>>>()?.map(|Json(data)| data),
            is_latest: columns.next()?,
        })
    })
}
