//! Which agent holds which run.

use std::sync::Arc;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use rusqlite::{Connection, Row, named_params};
use serde_json::{Value, json};

use super::seal::Seal;
use super::sql::{Statement, statement};
use super::{query, rows};
use crate::domain::JsonMap;
use crate::domain::deployment::Infrastructure;
use crate::domain::error::{Error, Result};
use crate::domain::flow_run::FlowRun;
use crate::domain::ids::{FlowRunId, WorkPoolId, WorkQueueId};
use crate::domain::time::Timestamp;
use crate::domain::work::POLLED_WITHIN;
use crate::domain::work::job::SEALED;
use crate::domain::work::turn::{DueQueue, room};

const DUE: &str = include_str!("../../sql/queries/claims/due.sql");
static DUE_QUEUES: Statement = statement!("claims/due_queues.sql");
const OPEN_QUEUES: &str = include_str!("../../sql/queries/claims/open_queues.sql");
const LATE_IN_QUEUE: &str = include_str!("../../sql/queries/claims/late_in_queue.sql");
static DUE_OF_QUEUE: Statement = statement!("claims/due_of_queue.sql");
static NEXT_DUE_OF_QUEUES: Statement = statement!("claims/next_due_of_queues.sql");
const FOREIGN_BLOCK: &str = include_str!("../../sql/queries/claims/foreign_block.sql");
const SETTLE_JOB: &str = include_str!("../../sql/queries/claims/settle_job.sql");
const DUE_BEFORE: &str = include_str!("../../sql/queries/claims/due_before.sql");
const NEXT_DUE: &str = include_str!("../../sql/queries/claims/next_due.sql");
const TAKE: &str = include_str!("../../sql/queries/claims/take.sql");
const RELEASE: &str = include_str!("../../sql/queries/claims/release.sql");
const RECORD: &str = include_str!("../../sql/queries/claims/record_infrastructure.sql");
static COUNT: Statement = statement!("claims/count.sql");
static CONTAINERS: Statement = statement!("claims/containers.sql");
static HOLDERS: Statement = statement!("claims/holders.sql");
static OPEN_OUTPUTS: Statement = statement!("claims/open_outputs.sql");
const CLOSE_OUTPUT: &str = include_str!("../../sql/queries/claims/close_output.sql");
static UNDER_WAY: Statement = statement!("claims/under_way.sql");
static IN_HAND: Statement = statement!("claims/in_hand.sql");

/// Scheduled runs of deployments that are due at `now` and wait in no queue, longest due first,
/// each with the time at which it became due; those in containers only when asked for.
pub fn due(
    db: &Connection,
    now: Timestamp,
    containers: bool,
    limit: u64,
) -> Result<Vec<(FlowRunId, Timestamp)>> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let params = named_params! {":now": now, ":containers": containers, ":limit": limit};
    query::all(db, DUE, params, |row| Ok((row.get(0)?, row.get(1)?)))
}

/// The queues of which something is due that this daemon's agent serves, pool by pool and by
/// priority; those of containers only when asked for.
pub fn due_queues(
    db: &Connection,
    now: Timestamp,
    containers: bool,
) -> Result<Vec<DueQueue<WorkPoolId, WorkQueueId>>> {
    let params = named_params! {
        ":now": now, ":containers": containers, ":polled_since": now - POLLED_WITHIN,
    };
    query::all(db, &DUE_QUEUES, params, |row| {
        Ok(DueQueue {
            pool: row.get(0)?,
            pool_room: room(row.get(1)?, row.get(2)?),
            queue: row.get(3)?,
            room: room(row.get(4)?, row.get(5)?),
        })
    })
}

/// The queues of a pool that hand out runs, by priority, with the room in them.
pub fn open_queues(
    db: &Connection,
    pool: WorkPoolId,
) -> Result<Vec<DueQueue<WorkPoolId, WorkQueueId>>> {
    let params = named_params! {":work_pool_id": pool};
    query::all(db, OPEN_QUEUES, params, |row| {
        Ok(DueQueue {
            pool: row.get(0)?,
            pool_room: room(row.get(1)?, row.get(2)?),
            queue: row.get(3)?,
            room: room(row.get(4)?, row.get(5)?),
        })
    })
}

/// How many runs of a queue are late.
pub fn late_in_queue(db: &Connection, queue: WorkQueueId) -> Result<u64> {
    query::count(db, LATE_IN_QUEUE, named_params! {":queue": queue})
}

/// Whose the runs are that are looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taker {
    /// This daemon's agent's.
    Ours,
    /// Some worker's or agent's.
    Anybody,
}

/// Scheduled runs of a queue that are due between two moments, longest due first.
pub fn due_of_queue(
    db: &Connection,
    (queue, taker): (WorkQueueId, Taker),
    (after, before): (Timestamp, Timestamp),
    limit: u64,
) -> Result<Vec<(FlowRunId, Timestamp)>> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let params = named_params! {
        ":queue": queue, ":after": after, ":before": before, ":limit": limit,
        ":ours": taker == Taker::Ours,
    };
    query::all(db, &DUE_OF_QUEUE, params, |row| {
        Ok((row.get(0)?, row.get(1)?))
    })
}

/// The slug of the type of the infrastructure block that a run needs, where this daemon's agent
/// makes nothing of such.
pub fn foreign_block(db: &Connection, id: FlowRunId) -> Result<Option<String>> {
    query::one(db, FOREIGN_BLOCK, named_params! {":id": id}, |row| {
        row.get(0)
    })
}

/// When the next run is due of a queue that this daemon's agent serves, past times included.
pub fn next_due_of_queues(db: &Connection, now: Timestamp) -> Result<Option<Timestamp>> {
    let params = named_params! {":now": now, ":polled_since": now - POLLED_WITHIN};
    let next: Option<Option<_>> = query::one(db, &NEXT_DUE_OF_QUEUES, params, |row| row.get(0))?;
    Ok(next.flatten())
}

/// What a run is made of, as it is stored: written down where nobody waits for that.
#[derive(Clone, Debug)]
pub struct SettledJob {
    kind: Option<String>,
    config: Option<String>,
}

impl From<Infrastructure> for SettledJob {
    fn from(job: Infrastructure) -> Self {
        Self {
            kind: job.kind.as_ref().map(|kind| kind.word().to_owned()),
            config: job.config.map(|config| Value::from(config).to_string()),
        }
    }
}

impl SettledJob {
    /// The same with its settings under seal, which belong to that run.
    pub fn sealed(self, seal: &Seal, run: FlowRunId) -> Result<Self> {
        let Some(config) = &self.config else {
            return Ok(self);
        };
        let sealed = seal.seal(config.as_bytes(), run.as_bytes())?;
        let config = json!({ SEALED: BASE64_STANDARD.encode(sealed) });
        Ok(Self {
            kind: self.kind,
            config: Some(config.to_string()),
        })
    }
}

/// The settings of a run's job that lie under seal, if they do.
pub fn unsealed(
    seal: impl FnOnce() -> Result<Arc<Seal>>,
    run: &FlowRun,
) -> Result<Option<JsonMap>> {
    let config = run.infrastructure.config.as_ref();
    let Some(sealed) = config.and_then(|config| config.get(SEALED)?.as_str()) else {
        return Ok(None);
    };
    let sealed = BASE64_STANDARD.decode(sealed).map_err(Error::internal)?;
    let text = seal()?.open(&sealed, run.id.as_bytes())?;
    serde_json::from_slice(&text)
        .map(Some)
        .map_err(Error::internal)
}

/// Notes what a run is made of.
pub fn settle_job(db: &Connection, id: FlowRunId, job: &SettledJob) -> Result<()> {
    let params = named_params! {":id": id, ":kind": job.kind, ":config": job.config};
    query::change(db, SETTLE_JOB, params)?;
    Ok(())
}

/// When the next run of a deployment is due that waits in no queue, past times included.
pub fn next_due(db: &Connection) -> Result<Option<Timestamp>> {
    query::one(db, NEXT_DUE, [], |row| row.get(0))
}

/// How many runs of deployments wait that became due before `due`.
pub fn due_before(db: &Connection, due: Timestamp) -> Result<u64> {
    query::count(db, DUE_BEFORE, named_params! {":due": due})
}

/// Marks a run as taken by an agent that has made nothing for it yet.
pub fn take(db: &Connection, id: FlowRunId, agent: &str, now: Timestamp) -> Result<()> {
    query::change(
        db,
        TAKE,
        named_params! {":id": id, ":agent": agent, ":now": now},
    )?;
    Ok(())
}

/// Has a run be nobody's.
pub fn release(db: &Connection, id: FlowRunId) -> Result<()> {
    query::change(db, RELEASE, named_params! {":id": id})?;
    Ok(())
}

/// The runs of an agent that have ended, and whose output may not be stored whole.
pub fn open_outputs(db: &Connection, agent: &str) -> Result<Vec<FlowRun>> {
    rows::listed(db, &OPEN_OUTPUTS, named_params! {":agent": agent})
}

/// Notes that the output of an agent's run is stored whole.
pub fn close_output(db: &Connection, id: FlowRunId, agent: &str) -> Result<()> {
    query::change(db, CLOSE_OUTPUT, named_params! {":id": id, ":agent": agent})?;
    Ok(())
}

/// Notes what the agent made for the run; its output is open from here on.
pub fn record_infrastructure(
    db: &Connection,
    id: FlowRunId,
    infrastructure_id: &str,
    now: Timestamp,
) -> Result<()> {
    let params = named_params! {":id": id, ":infrastructure_id": infrastructure_id, ":now": now};
    query::change(db, RECORD, params)?;
    Ok(())
}

/// How many runs an agent holds that have not ended.
pub fn count(db: &Connection, agent: &str) -> Result<u64> {
    query::count(db, &COUNT, named_params! {":agent": agent})
}

/// For how many runs that have not ended each agent has a container.
pub fn containers(db: &Connection) -> Result<Vec<(String, u64)>> {
    let read = |row: &Row<'_>| Ok((row.get(0)?, row.get::<_, i64>(1)?.unsigned_abs()));
    query::all(db, &CONTAINERS, [], read)
}

/// The runs that an agent holds and that have not ended, oldest first.
pub fn in_hand(db: &Connection, agent: &str) -> Result<Vec<FlowRun>> {
    rows::listed(db, &IN_HAND, named_params! {":agent": agent})
}

/// Up to `most` of the runs that hold slots of a pool, or of one queue, oldest first.
pub fn under_way(
    db: &Connection,
    pool: Option<WorkPoolId>,
    queue: Option<WorkQueueId>,
    most: usize,
) -> Result<Vec<FlowRun>> {
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let params = named_params! {":pool": pool, ":queue": queue, ":limit": most};
    rows::listed(db, &UNDER_WAY, params)
}

/// Every run that an agent holds and that has begun and not ended, with the agent's name.
pub fn holders(db: &Connection) -> Result<Vec<(String, FlowRunId)>> {
    query::all(db, &HOLDERS, [], |row| Ok((row.get(0)?, row.get(1)?)))
}
