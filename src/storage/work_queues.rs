//! Queues of work pools in the store.

use rusqlite::{Connection, Row as SqlRow, named_params};

use super::column::Json;
use super::query::{self, Columns};
use super::rows::{Filtered, Row, key};
use super::sql::{self, Statement, statement};
use crate::domain::error::Result;
use crate::domain::filter::Noun;
use crate::domain::ids::{WorkPoolId, WorkQueueId};
use crate::domain::time::Timestamp;
use crate::domain::work::{
    MOST_QUEUES, NewWorkQueue, PoolKind, QueueStatus, WorkQueue, WorkQueueUpdate,
};

const INSERT: &str = include_str!("../../sql/queries/work_queues/insert.sql");
const UPDATE: &str = include_str!("../../sql/queries/work_queues/update.sql");
const PRIORITIES: &str = include_str!("../../sql/queries/work_queues/priorities.sql");
const SET_PRIORITY: &str = include_str!("../../sql/queries/work_queues/set_priority.sql");
const NOTE_POLL: &str = include_str!("../../sql/queries/work_queues/note_poll.sql");
static BY_NAME: Statement = statement!("work_queues/by_name.sql");
const SET_TOLD: &str = include_str!("../../sql/queries/work_queues/set_told.sql");
static ALL: Statement = statement!("work_queues/all.sql");
static OF_POOL: Statement = statement!("work_queues/of_pool.sql");

/// Stores a queue of a pool that has none of that name.
pub fn insert(
    db: &Connection,
    (id, pool): (WorkQueueId, WorkPoolId),
    new: &NewWorkQueue,
    priority: i64,
    now: Timestamp,
) -> Result<()> {
    let params = named_params! {
        ":id": id,
        ":now": now,
        ":work_pool_id": pool,
        ":name": new.name,
        ":description": new.description,
        ":is_paused": new.is_paused,
        ":concurrency_limit": new.concurrency_limit,
        ":priority": priority,
        ":filter": new.filter.as_ref().map(Json),
    };
    query::change(db, INSERT, params)?;
    Ok(())
}

/// Changes what the update names, but for the priority.
pub fn update(
    db: &Connection,
    known: WorkQueue,
    update: WorkQueueUpdate,
    now: Timestamp,
) -> Result<()> {
    let WorkQueueUpdate {
        name,
        description,
        is_paused,
        concurrency_limit,
        priority: _,
        filter,
        last_polled,
    } = update;
    let filter = filter.over(known.filter);
    let params = named_params! {
        ":id": known.id,
        ":now": now,
        ":name": name.unwrap_or(known.name),
        ":description": description.over(known.description),
        ":is_paused": is_paused.unwrap_or(known.is_paused),
        ":concurrency_limit": concurrency_limit.over(known.concurrency_limit),
        ":filter": filter.as_ref().map(Json),
        ":last_polled": last_polled.over(known.last_polled),
    };
    query::change(db, UPDATE, params)?;
    Ok(())
}

/// The queues of a pool with their priorities, the first first.
pub fn priorities(db: &Connection, pool: WorkPoolId) -> Result<Vec<(WorkQueueId, i64)>> {
    let params = named_params! {":work_pool_id": pool};
    query::all(db, PRIORITIES, params, |row| Ok((row.get(0)?, row.get(1)?)))
}

/// Gives a queue its priority.
pub fn set_priority(db: &Connection, id: WorkQueueId, priority: i64) -> Result<()> {
    let params = named_params! {":id": id, ":priority": priority};
    query::change(db, SET_PRIORITY, params)?;
    Ok(())
}

/// Notes that a worker asked for the runs of a queue.
pub fn note_poll(db: &Connection, id: WorkQueueId, now: Timestamp) -> Result<()> {
    query::change(db, NOTE_POLL, named_params! {":id": id, ":now": now})?;
    Ok(())
}

/// The queue of that name in a pool.
pub fn by_name(db: &Connection, pool: WorkPoolId, name: &str) -> Result<Option<WorkQueue>> {
    let params = named_params! {":work_pool_id": pool, ":name": name};
    query::one(db, &BY_NAME, params, read)
}

/// All queues of a pool, by priority.
pub fn of_pool(db: &Connection, pool: WorkPoolId) -> Result<Vec<WorkQueue>> {
    let limit = i64::try_from(MOST_QUEUES).unwrap_or(i64::MAX);
    let params = named_params! {":work_pool_id": pool, ":limit": limit};
    query::all(db, &OF_POOL, params, read)
}

/// All queues of all pools.
pub fn all(db: &Connection) -> Result<Vec<WorkQueue>> {
    query::all(db, &ALL, [], read)
}

/// Notes what is told of a queue.
pub fn set_told(db: &Connection, id: WorkQueueId, told: QueueStatus) -> Result<()> {
    query::change(
        db,
        SET_TOLD,
        named_params! {":id": id, ":told": told.word()},
    )?;
    Ok(())
}

key!(WorkQueueId, WorkQueue);

impl Row for WorkQueue {
    const TABLE: &'static str = "work_queues";

    fn columns() -> &'static str {
        &sql::WORK_QUEUE
    }

    fn read(row: &SqlRow<'_>) -> rusqlite::Result<Self> {
        read(row)
    }
}

impl Filtered for WorkQueue {
    const NOUN: Noun = Noun::WorkQueue;
    const TIES_BY_ID: bool = true;
}

fn read(row: &SqlRow<'_>) -> rusqlite::Result<WorkQueue> {
    let mut columns = Columns::of(row);
    Ok(WorkQueue {
        id: columns.next()?,
        created: columns.next()?,
        updated: columns.next()?,
        work_pool_id: columns.next()?,
        name: columns.next()?,
        description: columns.next()?,
        is_paused: columns.next()?,
        concurrency_limit: columns.next()?,
        priority: columns.next()?,
        filter: columns.next::<Option<Json<_>>>()?.map(|json| json.0),
        last_polled: columns.next()?,
        pool_name: columns.next()?,
        pool_kind: columns.next().map(|word: String| PoolKind::from(word))?,
        online_until: columns.next()?,
        active_slots: columns.next()?,
        told: columns
            .next::<Option<String>>()?
            .as_deref()
            .and_then(QueueStatus::from_word),
    })
}
