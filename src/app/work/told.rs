//! That pools, queues and deployments have become ready, or are so no longer.
//!
//! Whether they are follows from who was heard of when. What was told of it last is stored, so that
//! each change is told once, whoever notices it: a request, or the foreman some seconds later.

use std::sync::Arc;

use crate::app::App;
use crate::app::deployments::tell;
use crate::app::events::emit;
use crate::app::tx::Tx;
use crate::domain::deployment::Deployment;
use crate::domain::error::Result;
use crate::domain::event::lifecycle;
use crate::domain::ids::{DeploymentId, WorkPoolId, WorkQueueId};
use crate::domain::time::Span;
use crate::domain::work::{PoolStatus, QueueStatus, Service, WorkPool, WorkQueue};
use crate::storage::{Connection, Job, deployments, rows, work_pools, work_queues};

/// What is told of a pool within this time is told to follow each other.
const CLOSE: Span = Span::from_micros(600 * 1_000_000);
/// For how long a deployment is ready whose runs somebody has asked for.
const READY_FOR: Span = Span::from_micros(60 * 1_000_000);
/// How many deployments one transaction tells of.
const AT_ONCE: i64 = 50;

impl App {
    /// Tells what has become of pools, queues and deployments, as far as nobody has yet.
    pub async fn tell_statuses(&self) -> Result<()> {
        let service = self.service();
        let (pools, queues) = self
            .scan(move |db| Ok((work_pools::all(db)?, work_queues::all(db)?)))
            .await?;
        let is_other = |pool: &&WorkPool| {
            let status = service.of_pool(pool);
            status.is_some() && status != pool.told
        };
        let pools: Vec<_> = { pools.iter().filter(is_other) }
            .map(|pool| pool.id)
            .collect();
        let is_other = |queue: &&WorkQueue| Some(service.of_queue(queue)) != queue.told;
        let others: Vec<_> = { queues.iter().filter(is_other) }
            .map(|queue| queue.id)
            .collect();
        if !pools.is_empty() || !others.is_empty() {
            self.write_as(Job::bulk(0), move |tx| {
                pools.iter().try_for_each(|id| tell_pool(tx, *id))?;
                others.iter().try_for_each(|id| tell_queue(tx, *id))
            })
            .await?;
        }
        self.tell_of_deployments(queues, service).await
    }

    async fn tell_of_deployments(&self, queues: Vec<WorkQueue>, service: Service) -> Result<()> {
        let queues = Arc::new(queues);
        loop {
            let queues = Arc::clone(&queues);
            let found = self.scan(move |db| others(db, &queues, service)).await?;
            if found.is_empty() {
                return Ok(());
            }
            self.write_as(Job::bulk(0), move |tx| {
                found.into_iter().try_for_each(|id| tell_deployment(tx, id))
            })
            .await?;
        }
    }
}

/// Some of the deployments of which something else was told last than they are.
fn others(db: &Connection, queues: &[WorkQueue], service: Service) -> Result<Vec<DeploymentId>> {
    let mut found = deployments::unasked(db, service.now - READY_FOR, AT_ONCE)?;
    for queue in queues {
        let is_ready = service.watches(queue);
        for id in deployments::told(db, queue.id, !is_ready, AT_ONCE)? {
            // Somebody may ask for its runs by its own id.
            let deployment: Option<Deployment> = rows::by_id(db, id)?;
            if deployment.is_some_and(|it| service.is_ready(&it) == is_ready) {
                found.push(id);
            }
        }
        if found.len() as i64 >= AT_ONCE {
            break;
        }
    }
    Ok(found)
}

fn service(tx: &Tx<'_>) -> Service {
    Service {
        now: tx.now,
        has_agent: tx.has_agent,
    }
}

/// Tells of a pool, where it is in another status than was told last.
pub(super) fn tell_pool(tx: &mut Tx<'_>, id: WorkPoolId) -> Result<()> {
    let Some(pool): Option<WorkPool> = rows::by_id(tx.db, id)? else {
        return Ok(());
    };
    match service(tx).of_pool(&pool) {
        Some(status) if Some(status) != pool.told => tell_pool_is(tx, &pool, status),
        _ => Ok(()),
    }
}

/// Tells of a pool in any case.
pub(super) fn tell_pool_anew(tx: &mut Tx<'_>, pool: &WorkPool) -> Result<()> {
    match service(tx).of_pool(pool) {
        Some(status) => tell_pool_is(tx, pool, status),
        None => Ok(()),
    }
}

fn tell_pool_is(tx: &mut Tx<'_>, pool: &WorkPool, status: PoolStatus) -> Result<()> {
    let id = pool.id;
    let before = work_pools::last_told(tx.db, id)?;
    let follows = before.filter(|(_, at)| tx.now - *at < CLOSE);
    let follows = follows.map(|(event, _)| event);
    let event = lifecycle::work_pool_status(pool, status.kebab(), follows, tx.now);
    // As on the reference nothing follows the first.
    let noted = pool.told.map(|_| event.id);
    work_pools::set_told(tx.db, id, status, noted, tx.now)?;
    emit(tx, event)
}

/// The same of a queue. That one is not ready of which nothing was told goes without saying.
pub(super) fn tell_queue(tx: &mut Tx<'_>, id: WorkQueueId) -> Result<()> {
    let Some(queue): Option<WorkQueue> = rows::by_id(tx.db, id)? else {
        return Ok(());
    };
    let status = service(tx).of_queue(&queue);
    if Some(status) == queue.told {
        return Ok(());
    }
    work_queues::set_told(tx.db, id, status)?;
    match (queue.told, status) {
        (None, QueueStatus::NotReady) => Ok(()),
        _ => emit(tx, lifecycle::work_queue(status.kebab(), &queue, tx.now)),
    }
}

/// Tells of the first of a queue's deployments that they are ready, now that somebody asks for its
/// runs. The foreman tells of the others.
pub(super) fn tell_deployments(tx: &mut Tx<'_>, queue: WorkQueueId) -> Result<()> {
    for id in deployments::told(tx.db, queue, false, AT_ONCE)? {
        tell_deployment(tx, id)?;
    }
    Ok(())
}

/// Tells of a deployment, where something else was told last.
pub(in crate::app) fn tell_deployment(tx: &mut Tx<'_>, id: DeploymentId) -> Result<()> {
    let Some(deployment): Option<Deployment> = rows::by_id(tx.db, id)? else {
        return Ok(());
    };
    let is_ready = service(tx).is_ready(&deployment);
    if is_ready == deployments::is_told_ready(tx.db, id)? {
        return Ok(());
    }
    deployments::set_told(tx.db, id, is_ready)?;
    let word = match is_ready {
        true => "ready",
        false => "not-ready",
    };
    tell(tx, word, &deployment)
}
