//! Why a run is not further than it is.

use super::flow_runs::read;
use crate::app::App;
use crate::domain::agent::KnownAgent;
use crate::domain::error::Result;
use crate::domain::flow_run::FlowRun;
use crate::domain::ids::FlowRunId;
use crate::domain::time::Timestamp;
use crate::domain::why::{Holder, Waiting, Why, WhyFacts, why};
use crate::domain::work::POLLED_WITHIN;
use crate::storage::{Connection, claims, rows, workers};

impl App {
    /// The one reason that counts now; see [`crate::domain::why`].
    pub async fn why(&self, id: FlowRunId) -> Result<Why> {
        let agents = self.live_agents();
        let now = self.now();
        self.read(move |db| {
            let run = read(db, id)?;
            let waiting = waiting(db, &run, now)?;
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
    Ok(Some(Waiting {
        has_agent: polled.is_some(),
        foreign: claims::foreign_block(db, run.id)?,
        workers: there.map(|worker| worker.name).collect(),
        pool,
        queue,
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
        holders.extend(held.into_iter().map(|run| holder(run, &agent.name)));
        counted.push((agent, used));
    }
    Ok((counted, holders))
}

fn holder(run: FlowRun, agent: &str) -> Holder {
    Holder {
        id: run.id,
        name: run.name,
        agent: agent.to_owned(),
    }
}
