//! What workers that speak the API are handed of their pools' queues. They take it by setting its
//! state.

use super::pools;
use super::queues::{self, QueueName};
use super::tagged;
use super::told::{tell_deployments, tell_queue};
use crate::app::App;
use crate::domain::error::{Error, Kind, Result};
use crate::domain::flow_run::FlowRun;
use crate::domain::ids::{FlowRunId, WorkPoolId, WorkQueueId};
use crate::domain::time::Timestamp;
use crate::domain::work::WorkQueue;
use crate::domain::work::turn::of_pools;
use crate::storage::claims::{self, Taker};
use crate::storage::{Connection, Job, rows, work_queues};

/// The most queues that one question names.
const MOST_NAMED: usize = 200;

/// Which runs a worker asks for.
#[derive(Clone, Debug, PartialEq)]
pub struct ScheduledAsked {
    /// Of these queues of the pool; none: of all.
    pub queues: Vec<String>,
    /// Due then or earlier.
    pub before: Option<Timestamp>,
    /// Due then or later.
    pub after: Option<Timestamp>,
    /// At most so many.
    pub limit: u64,
}

/// A run that is handed out.
#[derive(Clone, Debug, PartialEq)]
pub struct Scheduled {
    /// Its pool.
    pub pool: WorkPoolId,
    /// Its queue.
    pub queue: WorkQueueId,
    /// The run.
    pub run: FlowRun,
}

impl App {
    /// The scheduled runs of a pool that its workers may take, by the priorities of its queues
    /// and within the limits of both. Notes that they were asked for.
    pub async fn scheduled_runs(
        &self,
        pool: &str,
        asked: ScheduledAsked,
    ) -> Result<Vec<Scheduled>> {
        if asked.queues.len() > MOST_NAMED {
            return Err(Error::invalid(format!(
                "work_queue_names must have at most {MOST_NAMED} items."
            )));
        }
        let pool = pool.to_owned();
        let (found, polled) = self
            .find(move |db| {
                let pool = pools::by_name(db, &pool)?;
                let named = named(db, &pool.name, pool.id, &asked.queues)?;
                let found = scheduled(db, pool.id, &named, &asked)?;
                Ok((found, named))
            })
            .await?;
        self.note_polls(polled).await?;
        Ok(found)
    }

    /// The scheduled runs of a queue that may be taken, as [`Self::scheduled_runs`]; of one that says
    /// by a filter which are its own, those.
    pub async fn runs_of_queue(
        &self,
        id: WorkQueueId,
        before: Option<Timestamp>,
        limit: u64,
    ) -> Result<Vec<FlowRun>> {
        let asked = ScheduledAsked {
            queues: Vec::new(),
            before,
            after: None,
            limit,
        };
        let found = self
            .find(move |db| {
                let queue = queues::read(db, &QueueName::Id(id))?;
                if let Some(filter) = &queue.filter {
                    return tagged::runs(db, (&queue, filter), before, limit);
                }
                let found = scheduled(db, queue.work_pool_id, &[id], &asked)?;
                Ok(found.into_iter().map(|found| found.run).collect())
            })
            .await?;
        self.note_polls(vec![id]).await?;
        Ok(found)
    }

    /// A queue, and how many of its runs are late.
    pub async fn late_in_queue(&self, id: WorkQueueId) -> Result<(WorkQueue, u64)> {
        self.read(move |db| {
            let queue = queues::read(db, &QueueName::Id(id))?;
            Ok((queue, claims::late_in_queue(db, id)?))
        })
        .await
    }

    async fn note_polls(&self, polled: Vec<WorkQueueId>) -> Result<()> {
        self.write_as(Job::prompt(0), move |tx| {
            for id in polled {
                work_queues::note_poll(tx.db, id, tx.now)?;
                tell_queue(tx, id)?;
                tell_deployments(tx, id)?;
            }
            Ok(())
        })
        .await
    }
}

/// The queues of these names in a pool; without names, all of it.
fn named(
    db: &Connection,
    pool_name: &str,
    pool: WorkPoolId,
    names: &[String],
) -> Result<Vec<WorkQueueId>> {
    if names.is_empty() {
        let all = work_queues::priorities(db, pool)?;
        return Ok(all.into_iter().map(|(id, _)| id).collect());
    }
    let find = |name: &String| {
        let found = work_queues::by_name(db, pool, name)?;
        found.map(|queue| queue.id).ok_or_else(|| {
            let words = format!("Work pool queue '{pool_name}/{name}' not found.");
            Error::new(Kind::NotFound, words)
        })
    };
    names.iter().map(find).collect()
}

fn scheduled(
    db: &Connection,
    pool: WorkPoolId,
    of: &[WorkQueueId],
    asked: &ScheduledAsked,
) -> Result<Vec<Scheduled>> {
    let mut open = claims::open_queues(db, pool)?;
    open.retain(|queue| of.contains(&queue.queue));
    let after = asked.after.unwrap_or(Timestamp::from_micros(i64::MIN));
    let before = asked.before.unwrap_or(Timestamp::from_micros(i64::MAX));
    let due = of_pools(&open, asked.limit, |queue, most| {
        let due = claims::due_of_queue(db, (queue, Taker::Anybody), (after, before), most)?;
        let due = due.into_iter().map(|(id, _)| (queue, id));
        Ok::<_, Error>(due.collect::<Vec<_>>())
    })?;
    let runs = due
        .into_iter()
        .flatten()
        .map(|(queue, id): (_, FlowRunId)| {
            let run = rows::by_id(db, id)?;
            Ok(run.map(|run| Scheduled { pool, queue, run }))
        });
    runs.filter_map(Result::transpose).collect()
}
