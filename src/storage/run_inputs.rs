//! What is handed to runs.

use rusqlite::{Connection, Row, named_params};

use super::column::Json;
use super::query::{self, Columns};
use crate::domain::error::Result;
use crate::domain::ids::{FlowRunId, RunInputId};
use crate::domain::run_input::{NewRunInput, RunInput};
use crate::domain::time::Timestamp;

const INSERT: &str = include_str!("../../sql/queries/run_inputs/insert.sql");
const BY_KEY: &str = include_str!("../../sql/queries/run_inputs/by_key.sql");
const WITH_PREFIX: &str = include_str!("../../sql/queries/run_inputs/with_prefix.sql");
const DELETE: &str = include_str!("../../sql/queries/run_inputs/delete.sql");
const COUNT: &str = include_str!("../../sql/queries/run_inputs/count.sql");

/// Keeps an input; false where the run has one of that key.
pub fn insert(db: &Connection, of: FlowRunId, new: &NewRunInput, now: Timestamp) -> Result<bool> {
    let params = named_params! {
        ":id": RunInputId::new(),
        ":now": now,
        ":flow_run_id": of,
        ":key": new.key,
        ":value": new.value,
        ":sender": new.sender,
    };
    Ok(query::change(db, INSERT, params)? > 0)
}

/// A run's input of that key.
pub fn by_key(db: &Connection, of: FlowRunId, key: &str) -> Result<Option<RunInput>> {
    let params = named_params! {":flow_run_id": of, ":key": key};
    query::one(db, BY_KEY, params, read)
}

/// Up to `limit` inputs of a run whose keys begin so, but for some, oldest first.
pub fn with_prefix(
    db: &Connection,
    of: FlowRunId,
    prefix: &str,
    except: &[String],
    limit: u64,
) -> Result<Vec<RunInput>> {
    let params = named_params! {
        ":flow_run_id": of,
        ":prefix": prefix,
        ":except": Json(&except),
        ":limit": i64::try_from(limit).unwrap_or(i64::MAX),
    };
    query::all(db, WITH_PREFIX, params, read)
}

/// Removes a run's input of that key; false where there is none.
pub fn delete(db: &Connection, of: FlowRunId, key: &str) -> Result<bool> {
    let params = named_params! {":flow_run_id": of, ":key": key};
    Ok(query::change(db, DELETE, params)? > 0)
}

/// How many inputs a run has.
pub fn count(db: &Connection, of: FlowRunId) -> Result<u64> {
    query::count(db, COUNT, named_params! {":flow_run_id": of})
}

fn read(row: &Row<'_>) -> rusqlite::Result<RunInput> {
    let mut columns = Columns::of(row);
    Ok(RunInput {
        id: columns.next()?,
        created: columns.next()?,
        updated: columns.next()?,
        flow_run_id: columns.next()?,
        key: columns.next()?,
        value: columns.text()?,
        sender: columns.next()?,
    })
}
