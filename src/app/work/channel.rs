//! How a worker that keeps a connection begins.

use super::pools;
use super::workers::{check_heartbeat, note_heartbeat};
use crate::app::App;
use crate::app::request::comes_to_the_same;
use crate::app::tx::Effect;
use crate::domain::JsonMap;
use crate::domain::error::{Error, Kind, Result};
use crate::domain::template::check_base;
use crate::domain::weight;
use crate::domain::work::{
    MOST_QUEUES, NewWorkPool, PoolKind, WorkPool, WorkPoolUpdate, WorkQueue, check_name,
    check_not_reserved,
};
use crate::storage::{Job, work_pools, work_queues};

/// What a worker says of itself.
#[derive(Clone, Debug, PartialEq)]
pub struct WorkerHello {
    /// Its name.
    pub name: String,
    /// Its type.
    pub kind: PoolKind,
    /// Every so many seconds its heart beats.
    pub heartbeat_secs: i64,
    /// The queues whose runs it takes; none: those of all.
    pub queues: Vec<String>,
    /// Whether the pool is made where it is not there.
    pub creates_pool: bool,
    /// What the pool's jobs are made of, where it does not say so itself.
    pub template: JsonMap,
}

/// What it works for.
#[derive(Clone, Debug, PartialEq)]
pub struct ConnectedWorker {
    /// The pool.
    pub pool: WorkPool,
    /// The queues.
    pub queues: Vec<WorkQueue>,
}

comes_to_the_same!(ConnectedWorker);

impl App {
    /// Notes that a worker of a pool is there, and answers what it works for.
    ///
    /// # Errors
    /// Not found where a queue is not there, or the pool is not and may not be made.
    pub async fn connect_worker(&self, pool: &str, hello: WorkerHello) -> Result<ConnectedWorker> {
        check_heartbeat(&hello.name, Some(hello.heartbeat_secs))?;
        check_base(&hello.template).map_err(Error::invalid)?;
        if hello.queues.len() > MOST_QUEUES {
            let words = format!("A work pool has at most {MOST_QUEUES} queues.");
            return Err(Error::invalid(words));
        }
        let pool = pool.to_owned();
        let job = Job::prompt(weight::of_map(&hello.template));
        self.write_as(job, move |tx| {
            let pool = match work_pools::by_name(tx.db, &pool)? {
                Some(known) if known.base_job_template.is_empty() && !hello.template.is_empty() => {
                    let update = WorkPoolUpdate {
                        base_job_template: Some(hello.template.clone()),
                        ..WorkPoolUpdate::default()
                    };
                    pools::change(tx, known, update)?;
                    tx.entail(Effect::WakeAgents);
                    pools::by_name(tx.db, &pool)?
                }
                Some(known) => known,
                None if hello.creates_pool => pools::insert(tx, &pool_for(&hello, pool)?)?,
                None => return Err(Error::not_found("Work pool")),
            };
            let queues = match hello.queues.is_empty() {
                true => work_queues::of_pool(tx.db, pool.id)?,
                false => hello
                    .queues
                    .iter()
                    .map(|name| {
                        let queue = work_queues::by_name(tx.db, pool.id, name)?;
                        queue.ok_or_else(|| Error::not_found("Work queue"))
                    })
                    .collect::<Result<_>>()?,
            };
            note_heartbeat(tx, pool.id, &hello.name, Some(hello.heartbeat_secs))?;
            let pool = pools::by_name(tx.db, &pool.name)?;
            Ok(ConnectedWorker { pool, queues })
        })
        .await
    }
}

/// The pool that a worker would have.
fn pool_for(hello: &WorkerHello, name: String) -> Result<NewWorkPool> {
    check_not_reserved(&name, "").map_err(|why| Error::new(Kind::Forbidden, why))?;
    check_name(&name).map_err(Error::invalid)?;
    Ok(NewWorkPool {
        name,
        description: None,
        kind: hello.kind.clone(),
        base_job_template: hello.template.clone(),
        is_paused: false,
        concurrency_limit: None,
        storage: JsonMap::new(),
    })
}
