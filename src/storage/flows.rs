//! Flows in the store.

use rusqlite::{Connection, Row, named_params};

use super::column::Json;
use super::filters::{self, flows as question};
use super::query::{self, Columns};
use crate::domain::error::Result;
use crate::domain::filter::{Filters, Page};
use crate::domain::flow::{Created, Flow, NewFlow};
use crate::domain::ids::FlowId;
use crate::domain::time::Timestamp;

const INSERT: &str = include_str!("../../sql/queries/flows/insert.sql");
const EXISTS: &str = include_str!("../../sql/queries/flows/exists.sql");
const BY_ID: &str = include_str!("../../sql/queries/flows/by_id.sql");
const BY_NAME: &str = include_str!("../../sql/queries/flows/by_name.sql");
const UPDATE_TAGS: &str = include_str!("../../sql/queries/flows/update_tags.sql");
const COUNT_DEPLOYMENTS: &str = include_str!("../../sql/queries/flows/count_deployments.sql");
const COUNT_RUNS: &str = include_str!("../../sql/queries/flows/count_runs.sql");
const DELETE: &str = include_str!("../../sql/queries/flows/delete.sql");

/// Registers a flow; one of that name that is there already stays as it is.
pub fn upsert(db: &Connection, flow: &NewFlow, now: Timestamp) -> Result<Created<Flow>> {
    if let Some(known) = by_name(db, &flow.name)? {
        return Ok(Created::Known(known));
    }
    let id = FlowId::new();
    let params = named_params! {
        ":id": id, ":now": now, ":name": flow.name, ":tags": Json(&flow.tags),
    };
    query::change(db, INSERT, params)?;
    Ok(Created::New(Flow {
        id,
        created: now,
        updated: now,
        name: flow.name.clone(),
        tags: flow.tags.clone(),
    }))
}

/// Whether there is a flow with that id.
pub fn exists(db: &Connection, id: FlowId) -> Result<bool> {
    query::any(db, EXISTS, named_params! {":id": id})
}

/// The flow with that id.
pub fn by_id(db: &Connection, id: FlowId) -> Result<Option<Flow>> {
    query::one(db, BY_ID, named_params! {":id": id}, read)
}

/// The flow with that name.
pub fn by_name(db: &Connection, name: &str) -> Result<Option<Flow>> {
    query::one(db, BY_NAME, named_params! {":name": name}, read)
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

/// Removes a flow with its deployments and runs; false when there is no such flow.
pub fn delete(db: &Connection, id: FlowId) -> Result<bool> {
    Ok(query::change(db, DELETE, named_params! {":id": id})? > 0)
}

/// A page of flows, by name.
pub fn page(db: &Connection, filters: &Filters, page: Page) -> Result<Vec<Flow>> {
    filters::all(db, &question::select(filters, page), read)
}

/// How many flows there are.
pub fn count(db: &Connection, filters: &Filters) -> Result<u64> {
    filters::count(db, &question::count(filters))
}

fn read(row: &Row<'_>) -> rusqlite::Result<Flow> {
    let mut columns = Columns::of(row);
    Ok(Flow {
        id: columns.next()?,
        created: columns.next()?,
        updated: columns.next()?,
        name: columns.next()?,
        tags: columns.next::<Json<_>>()?.0,
    })
}
