//! Why a run is not further than it is.

use super::flow_runs::read;
use super::slots::room;
use crate::app::App;
use crate::domain::agent::KnownAgent;
use crate::domain::error::Result;
use crate::domain::flow_run::FlowRun;
use crate::domain::ids::FlowRunId;
use crate::domain::time::Timestamp;
use crate::domain::why::{Full, Holder, MOST_NAMED, Waiting, Why, WhyFacts, Within, why};
use crate::domain::work::POLLED_WITHIN;
use crate::storage::{Connection, claims, leases, rows, workers};

impl App {
    /// The one reason that counts now; see [`crate::domain::why`].
    pub async fn why(&self, id: FlowRunId) -> Result<Why> {
        let agents = self.live_agents();
        let now = self.now();
        self.read(move |db| {
            let run = read(db, id)?;
            let waiting = waiting(db, &run, now)?;
            let deployment = of_deployment(db, &run, now)?;
            let (agents, holders) = with_runs(db, agents)?;
            let due = run.statistics.next_scheduled_start_time;
            let ahead = due.map(|due| claims::due_before(db, due));
            Ok(why(&WhyFacts {
                run: &run,
                now,
                agents: &agents,
                holders: &holders,
                ahead: ahead.transpose()?.unwrap_or_default(),
                waiting,
                deployment,
            }))
        })
        .await
    }
}

/// The queue that a run waits in, with its pool and who serves that.
fn waiting(db: &Connection, run: &FlowRun, now: Timestamp) -> Result<Option<Waiting>> {
    let queue = run.work_queue_id.map(|id| rows::by_id(db, id));
    let Some(queue) = queue.transpose()?.flatten() else {
        return Ok(None);
    };
    let Some(pool) = rows::by_id(db, queue.work_pool_id)? else {
        return Ok(None);
    };
    let workers = workers::of_pool(db, pool.id)?.into_iter();
    let there = workers.filter(|worker| worker.online_until >= now);
    let polled = queue.last_polled.filter(|at| now - *at <= POLLED_WITHIN);
    let mut waiting = Waiting {
        has_agent: polled.is_some(),
        foreign: claims::foreign_block(db, run.id)?,
        workers: there.map(|worker| worker.name).collect(),
        pool,
        queue,
        holders: Vec::new(),
    };
    let (pool, queue) = (waiting.pool.id, waiting.queue.id);
    let under_way = match waiting.full() {
        Some(Within::Pool) => claims::under_way(db, Some(pool), None, MOST_NAMED)?,
        Some(Within::Queue) => claims::under_way(db, None, Some(queue), MOST_NAMED)?,
        None => Vec::new(),
    };
    waiting.holders = under_way.into_iter().map(holder).collect();
    Ok(Some(waiting))
}

/// The limit of a run's deployment, where it is reached.
fn of_deployment(db: &Connection, run: &FlowRun, now: Timestamp) -> Result<Option<Full>> {
    let Some(deployment) = run.deployment_id else {
        return Ok(None);
    };
    let room = room(db, deployment, run.id, now)?;
    let Some(room) = room.filter(|room| room.taken >= room.slots) else {
        return Ok(None);
    };
    let leases = leases::holders(db, room.of, now, MOST_NAMED as i64)?;
    let mut holders = Vec::new();
    for (_, by) in leases {
        let holding: Option<FlowRun> = rows::by_id(db, FlowRunId::from_uuid(by.id))?;
        holders.extend(holding.filter(|holding| holding.id != run.id).map(holder));
    }
    Ok(Some(Full {
        shared: room.shared,
        slots: room.slots,
        taken: room.taken.unsigned_abs(),
        holders,
    }))
}

type Counted = Vec<(KnownAgent, u64)>;

/// Each agent with the number of its runs, and all of those.
fn with_runs(db: &Connection, agents: Vec<KnownAgent>) -> Result<(Counted, Vec<Holder>)> {
    let mut holders = Vec::new();
    let mut counted = Vec::new();
    for agent in agents {
        let held = claims::in_hand(db, &agent.name)?;
        let used = held.len() as u64;
        holders.extend(held.into_iter().map(holder));
        counted.push((agent, used));
    }
    Ok((counted, holders))
}

fn holder(run: FlowRun) -> Holder {
    Holder {
        id: run.id,
        name: run.name,
        agent: run.claim.map(|claim| claim.agent),
    }
}
