//! Flows in the store.

use rusqlite::{Connection, Row as SqlRow, named_params};

use super::column::Json;
use super::query::{self, Columns};
use super::rows::{Filtered, Row, key};
use super::sql::{self, Statement, statement};
use crate::domain::error::Result;
use crate::domain::filter::Noun;
use crate::domain::flow::{Created, Flow, NewFlow};
use crate::domain::ids::FlowId;
use crate::domain::time::Timestamp;

const INSERT: &str = include_str!("../../sql/queries/flows/insert.sql");
static BY_NAME: Statement = statement!("flows/by_name.sql");
const UPDATE_TAGS: &str = include_str!("../../sql/queries/flows/update_tags.sql");
const COUNT_DEPLOYMENTS: &str = include_str!("../../sql/queries/flows/count_deployments.sql");
const COUNT_RUNS: &str = include_str!("../../sql/queries/flows/count_runs.sql");

/// Registers a flow; one of that name that is there already stays as it is.
pub fn upsert(db: &Connection, flow: &NewFlow, now: Timestamp) -> Result<Created<Flow>> {
    if let Some(known) = by_name(db, &flow.name)? {
        return Ok(Created::Known(known));
    }
    let id = FlowId::new();
    let params = named_params! {
        ":id": id, ":now": now, ":name": flow.name, ":tags": Json(&flow.tags),
        ":labels": Json(&flow.labels),
    };
    query::change(db, INSERT, params)?;
    Ok(Created::New(Flow {
        id,
        created: now,
        updated: now,
        name: flow.name.clone(),
        tags: flow.tags.clone(),
        labels: flow.labels.clone(),
    }))
}

/// The flow with that name.
pub fn by_name(db: &Connection, name: &str) -> Result<Option<Flow>> {
    query::one(db, &BY_NAME, named_params! {":name": name}, read)
}

/// Replaces a flow's tags; false when there is no such flow.
pub fn update_tags(db: &Connection, id: FlowId, tags: &[String], now: Timestamp) -> Result<bool> {
    let params = named_params! {":id": id, ":tags": Json(&tags), ":now": now};
    Ok(query::change(db, UPDATE_TAGS, params)? > 0)
}

/// How many deployments a flow has.
pub fn count_deployments(db: &Connection, id: FlowId) -> Result<u64> {
    query::count(db, COUNT_DEPLOYMENTS, named_params! {":id": id})
}

/// How many runs a flow has. For readers: it takes as long as there are many.
pub fn count_runs(db: &Connection, id: FlowId) -> Result<u64> {
    query::count(db, COUNT_RUNS, named_params! {":id": id})
}

key!(FlowId, Flow);

impl Row for Flow {
    const TABLE: &'static str = "flows";

    fn columns() -> &'static str {
        &sql::FLOW
    }

    fn read(row: &SqlRow<'_>) -> rusqlite::Result<Self> {
        read(row)
    }
}

impl Filtered for Flow {
    const NOUN: Noun = Noun::Flow;
}

fn read(row: &SqlRow<'_>) -> rusqlite::Result<Flow> {
    let mut columns = Columns::of(row);
    Ok(Flow {
        id: columns.next()?,
        created: columns.next()?,
        updated: columns.next()?,
        name: columns.next()?,
        tags: columns.json()?,
        labels: columns.json()?,
    })
}
