//! Work pools in the store.

use rusqlite::{Connection, Row as SqlRow, named_params};

use super::column::Json;
use super::query::{self, Columns};
use super::rows::{Filtered, Row, key};
use super::sql::{self, Statement, statement};
use crate::domain::error::Result;
use crate::domain::filter::Noun;
use crate::domain::ids::{EventId, WorkPoolId, WorkQueueId};
use crate::domain::time::Timestamp;
use crate::domain::work::{NewWorkPool, PoolKind, PoolStatus, WorkPool, WorkPoolUpdate};

const INSERT: &str = include_str!("../../sql/queries/work_pools/insert.sql");
const UPDATE: &str = include_str!("../../sql/queries/work_pools/update.sql");
static BY_NAME: Statement = statement!("work_pools/by_name.sql");
static ALL: Statement = statement!("work_pools/all.sql");
const LAST_TOLD: &str = include_str!("../../sql/queries/work_pools/last_told.sql");
const SET_TOLD: &str = include_str!("../../sql/queries/work_pools/set_told.sql");

/// Stores a pool that is not there yet, whose default queue is stored next, with that id.
pub fn insert(
    db: &Connection,
    new: &NewWorkPool,
    now: Timestamp,
) -> Result<(WorkPoolId, WorkQueueId)> {
    let (id, default_queue_id) = (WorkPoolId::new(), WorkQueueId::new());
    let params = named_params! {
        ":id": id,
        ":now": now,
        ":name": new.name,
        ":description": new.description,
        ":type": new.kind.word(),
        ":base_job_template": Json(&new.base_job_template),
        ":is_paused": new.is_paused,
        ":concurrency_limit": new.concurrency_limit,
        ":storage": Json(&new.storage),
        ":default_queue_id": default_queue_id,
    };
    query::change(db, INSERT, params)?;
    Ok((id, default_queue_id))
}

/// Changes what the update names.
pub fn update(
    db: &Connection,
    known: WorkPool,
    update: WorkPoolUpdate,
    now: Timestamp,
) -> Result<()> {
    let WorkPoolUpdate {
        description,
        base_job_template,
        is_paused,
        concurrency_limit,
        storage,
    } = update;
    let params = named_params! {
        ":id": known.id,
        ":now": now,
        ":description": description.over(known.description),
        ":base_job_template": Json(&base_job_template.unwrap_or(known.base_job_template)),
        ":is_paused": is_paused.unwrap_or(known.is_paused),
        ":concurrency_limit": concurrency_limit.over(known.concurrency_limit),
        ":storage": Json(&storage.unwrap_or(known.storage)),
    };
    query::change(db, UPDATE, params)?;
    Ok(())
}

/// The pool of that name.
pub fn by_name(db: &Connection, name: &str) -> Result<Option<WorkPool>> {
    query::one(db, &BY_NAME, named_params! {":name": name}, read)
}

/// All pools.
pub fn all(db: &Connection) -> Result<Vec<WorkPool>> {
    query::all(db, &ALL, [], read)
}

/// The event that last told of a pool's status, and when.
pub fn last_told(db: &Connection, id: WorkPoolId) -> Result<Option<(EventId, Timestamp)>> {
    query::one(db, LAST_TOLD, named_params! {":id": id}, |row| {
        Ok((row.get(0)?, row.get(1)?))
    })
}

/// Notes what is told of a pool, by which event.
pub fn set_told(
    db: &Connection,
    id: WorkPoolId,
    told: PoolStatus,
    event: Option<EventId>,
    now: Timestamp,
) -> Result<()> {
    let params = named_params! {":id": id, ":told": told.word(), ":event": event, ":now": now};
    query::change(db, SET_TOLD, params)?;
    Ok(())
}

key!(WorkPoolId, WorkPool);

impl Row for WorkPool {
    const TABLE: &'static str = "work_pools";

    fn columns() -> &'static str {
        &sql::WORK_POOL
    }

    fn read(row: &SqlRow<'_>) -> rusqlite::Result<Self> {
        read(row)
    }
}

impl Filtered for WorkPool {
    const NOUN: Noun = Noun::WorkPool;
}

fn read(row: &SqlRow<'_>) -> rusqlite::Result<WorkPool> {
    let mut columns = Columns::of(row);
    Ok(WorkPool {
        id: columns.next()?,
        created: columns.next()?,
        updated: columns.next()?,
        name: columns.next()?,
        description: columns.next()?,
        kind: columns.next().map(|word: String| PoolKind::from(word))?,
        base_job_template: columns.next::<Json<_>>()?.0,
        is_paused: columns.next()?,
        concurrency_limit: columns.next()?,
        storage: columns.next::<Json<_>>()?.0,
        default_queue_id: columns.next()?,
        online_until: columns.next()?,
        active_slots: columns.next()?,
        told: columns
            .next::<Option<String>>()?
            .as_deref()
            .and_then(PoolStatus::from_word),
    })
}
