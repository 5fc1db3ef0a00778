//! Workers of work pools in the store.

use rusqlite::{Connection, Row as SqlRow, named_params};

use super::query::{self, Columns};
use super::rows::{Row, key};
use super::sql::{self, Statement, statement};
use crate::domain::error::Result;
use crate::domain::ids::{FlowRunId, WorkPoolId, WorkerId};
use crate::domain::time::Timestamp;
use crate::domain::work::{MOST_WORKERS, Worker};

const HEARTBEAT: &str = include_str!("../../sql/queries/workers/heartbeat.sql");
const COUNT: &str = include_str!("../../sql/queries/workers/count.sql");
const DELETE_SILENT: &str = include_str!("../../sql/queries/workers/delete_silent.sql");
const ABANDONED: &str = include_str!("../../sql/queries/workers/abandoned.sql");
const FELL_SILENT: &str = include_str!("../../sql/queries/workers/fell_silent.sql");
const NEXT_SILENCE: &str = include_str!("../../sql/queries/workers/next_silence.sql");
static BY_NAME: Statement = statement!("workers/by_name.sql");
static OF_POOL: Statement = statement!("workers/of_pool.sql");

/// Notes that a worker's heart has beaten.
pub fn heartbeat(
    db: &Connection,
    (pool, name): (WorkPoolId, &str),
    heartbeat_secs: Option<i64>,
    online_until: Timestamp,
    now: Timestamp,
) -> Result<()> {
    let params = named_params! {
        ":id": WorkerId::new(),
        ":now": now,
        ":work_pool_id": pool,
        ":name": name,
        ":heartbeat_secs": heartbeat_secs,
        ":online_until": online_until,
    };
    query::change(db, HEARTBEAT, params)?;
    Ok(())
}

/// The worker of that name in a pool.
pub fn by_name(db: &Connection, pool: WorkPoolId, name: &str) -> Result<Option<Worker>> {
    let params = named_params! {":work_pool_id": pool, ":name": name};
    query::one(db, &BY_NAME, params, Worker::read)
}

/// The workers of a pool, the last that was heard of first.
pub fn of_pool(db: &Connection, pool: WorkPoolId) -> Result<Vec<Worker>> {
    let limit = i64::try_from(MOST_WORKERS).unwrap_or(i64::MAX);
    let params = named_params! {":work_pool_id": pool, ":limit": limit};
    query::all(db, &OF_POOL, params, Worker::read)
}

/// How many workers are known of a pool.
pub fn count(db: &Connection, pool: WorkPoolId) -> Result<u64> {
    query::count(db, COUNT, named_params! {":work_pool_id": pool})
}

/// Forgets the worker of a pool that is silent for the longest time; false where none is.
pub fn forget_silent(db: &Connection, pool: WorkPoolId, now: Timestamp) -> Result<bool> {
    let params = named_params! {":work_pool_id": pool, ":now": now};
    Ok(query::change(db, DELETE_SILENT, params)? > 0)
}

/// When the next worker is given up that is believed to be there at `now`, unless it is heard of.
pub fn next_silence(db: &Connection, now: Timestamp) -> Result<Option<Timestamp>> {
    query::one(db, NEXT_SILENCE, named_params! {":now": now}, |row| {
        row.get(0)
    })
}

/// Whether a worker was given up between two moments.
pub fn fell_silent(db: &Connection, since: Timestamp, now: Timestamp) -> Result<bool> {
    query::any(
        db,
        FELL_SILENT,
        named_params! {":since": since, ":now": now},
    )
}

/// Up to `limit` runs that were taken by workers which are not there at `now`, and for which these
/// told of nothing that they made.
pub fn abandoned(db: &Connection, now: Timestamp, limit: u64) -> Result<Vec<FlowRunId>> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let params = named_params! {":now": now, ":limit": limit};
    query::all(db, ABANDONED, params, |row| row.get(0))
}

key!(WorkerId, Worker);

impl Row for Worker {
    const TABLE: &'static str = "workers";

    fn columns() -> &'static str {
        &sql::WORKER
    }

    fn read(row: &SqlRow<'_>) -> rusqlite::Result<Self> {
        let mut columns = Columns::of(row);
        Ok(Self {
            id: columns.next()?,
            created: columns.next()?,
            updated: columns.next()?,
            work_pool_id: columns.next()?,
            name: columns.next()?,
            last_heartbeat: columns.next()?,
            heartbeat_secs: columns.next()?,
            online_until: columns.next()?,
        })
    }
}
