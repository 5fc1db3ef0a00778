//! Verbs that take something away with all that belongs to it, however much that is.
//!
//! It goes in slices, so that no other write waits long, and the thing itself goes last. What
//! does not fit into the first slice is noted in the database: when the daemon dies before all
//! is gone, the next one goes on with it.

mod automations;
mod blocks;
mod work_pools;

use std::time::Duration;

use uuid::Uuid;

use crate::app::App;
use crate::app::budget::Budget;
use crate::app::deployments;
use crate::app::events::emit;
use crate::app::request::{self, Repeat};
use crate::app::tx::{Effect, Tx};
use crate::domain::deployment::Deployment;
use crate::domain::error::{Error, Result};
use crate::domain::event::{Happened, lifecycle};
use crate::domain::flow::Flow;
use crate::domain::ids::{DeploymentId, FlowId, FlowRunId, TaskRunId, WorkPoolId};
use crate::domain::time::Timestamp;
use crate::storage::removal::{self, Removal};
use crate::storage::{self, Connection, Job, artifacts, leases, retention, rows};

/// For how long a slice occupies the writer.
const SLICE: Duration = Duration::from_millis(10);
/// Rows of one kind that go between two looks at the time.
const CHUNK: i64 = 32;

impl App {
    /// Takes `what` away; answers once all of it is gone, and goes on when the caller leaves.
    /// Fails as not found when it is not there.
    pub(in crate::app) async fn remove(&self, what: Removal) -> Result<()> {
        self.remove_if(what, |_| Ok(())).await
    }

    /// The same, unless `may` refuses it.
    pub(in crate::app) async fn remove_if(
        &self,
        what: Removal,
        may: impl FnOnce(&Connection) -> Result<()> + Send + 'static,
    ) -> Result<()> {
        let app = self.clone();
        let removing = async move {
            match app.remove_first_slice(what, may).await?.0 {
                true => Ok(()),
                false => app.remove_rest(what).await,
            }
        };
        let removing = tokio::spawn(request::under(request::current(), removing));
        removing.await.map_err(Error::internal)?
    }

    /// The same for the pool that `find` finds: callers know it by its name.
    pub(in crate::app) async fn remove_pool(
        &self,
        find: impl FnOnce(&Connection) -> Result<WorkPoolId> + Send + 'static,
    ) -> Result<()> {
        let app = self.clone();
        let removing = async move {
            let first = app.write(move |tx| {
                let pool = find(tx.db)?;
                let is_gone = begin(tx, Removal::WorkPool(pool))?;
                Ok(Left((!is_gone).then_some(pool)))
            });
            match first.await? {
                Left(Some(pool)) => app.remove_rest(Removal::WorkPool(pool)).await,
                Left(None) => Ok(()),
            }
        };
        let removing = tokio::spawn(request::under(request::current(), removing));
        removing.await.map_err(Error::internal)?
    }

    /// Goes on with what an earlier daemon, or a full disk, left half gone.
    pub async fn finish_removals(&self) -> Result<()> {
        for what in self.read(removal::unfinished).await? {
            self.remove_rest(what).await?;
        }
        Ok(())
    }

    async fn remove_rest(&self, what: Removal) -> Result<()> {
        while !self.remove_slice(what).await? {}
        Ok(())
    }

    async fn remove_first_slice(
        &self,
        what: Removal,
        may: impl FnOnce(&Connection) -> Result<()> + Send + 'static,
    ) -> Result<IsGone> {
        self.write(move |tx| {
            check(tx.db, what)?;
            may(tx.db)?;
            begin(tx, what).map(IsGone)
        })
        .await
    }

    async fn remove_slice(&self, what: Removal) -> Result<bool> {
        self.write_as(Job::bulk(0), move |tx| {
            let is_gone = remove_some(tx, what)?;
            if is_gone {
                removal::done(tx.db, what)?;
            }
            Ok(is_gone)
        })
        .await
    }
}

/// Whether all of it is gone.
struct IsGone(bool);

impl Repeat for IsGone {
    fn made(&self) -> Option<Vec<Uuid>> {
        Some(Vec::new())
    }

    /// The first slice is gone; whether all is, is seen by going on.
    fn again(_: &mut Tx<'_>, _: &[Uuid]) -> Result<Self> {
        Ok(Self(false))
    }
}

/// The pool of which something is left.
struct Left(Option<WorkPoolId>);

impl Repeat for Left {
    fn made(&self) -> Option<Vec<Uuid>> {
        Some(self.0.iter().map(|pool| pool.uuid()).collect())
    }

    /// The first slice is gone; whether all is, is seen by going on.
    fn again(_: &mut Tx<'_>, made: &[Uuid]) -> Result<Self> {
        let pool = made.first().copied().map(WorkPoolId::from_uuid);
        Ok(Self(pool))
    }
}

/// The first slice; true when that was all, and else it is noted that there is more.
fn begin(tx: &mut Tx<'_>, what: Removal) -> Result<bool> {
    let is_gone = remove_some(tx, what)?;
    if !is_gone {
        removal::note(tx.db, what)?;
    }
    Ok(is_gone)
}

/// One slice; true once all of it is gone.
fn remove_some(tx: &mut Tx<'_>, what: Removal) -> Result<bool> {
    // What an agent works for may have gone.
    tx.entail(Effect::WakeAgents);
    // What it held may be over.
    tx.entail(Effect::WakeDeadlines);
    // Not of all that goes there is an event.
    tx.entail(Effect::TellNews);
    take_away(tx, what, &Budget::of(SLICE))
}

fn check(db: &Connection, what: Removal) -> Result<()> {
    let found = match what {
        Removal::Flow(id) => rows::exists(db, id)?.then_some(()).ok_or("Flow"),
        Removal::Deployment(id) => rows::exists(db, id)?.then_some(()).ok_or("Deployment"),
        Removal::FlowRun(id) => rows::exists(db, id)?.then_some(()).ok_or("Flow run"),
        // The 2.0a7 server's word for it.
        Removal::TaskRun(id) => rows::exists(db, id)?.then_some(()).ok_or("Task"),
        Removal::BlockType(id) => rows::exists(db, id)?.then_some(()).ok_or("Block type"),
        Removal::BlockSchema(id) => rows::exists(db, id)?.then_some(()).ok_or("Block schema"),
        Removal::Automation(id) => rows::exists(db, id)?.then_some(()).ok_or("Automation"),
        Removal::WorkPool(id) => rows::exists(db, id)?.then_some(()).ok_or("Work pool"),
        Removal::Everything => Ok(()),
    };
    found.map_err(Error::not_found)
}

/// True once all of it is gone; false when the time was up before.
fn take_away(tx: &mut Tx<'_>, what: Removal, budget: &Budget) -> Result<bool> {
    match what {
        Removal::Flow(id) => flow(tx, id, budget),
        Removal::Deployment(id) => deployment(tx, id, budget),
        Removal::FlowRun(id) => {
            let (db, now) = (tx.db, tx.now);
            // Of a run that goes with its flow they stay, as on the reference.
            Ok(
                all_rows(budget, || retention::delete_some_logs(db, id, CHUNK))?
                    && flow_run(db, id, now, budget)?,
            )
        }
        Removal::TaskRun(id) => {
            let (db, now) = (tx.db, tx.now);
            Ok(all_rows(budget, || {
                retention::delete_some_logs_of_task(db, id, CHUNK)
            })? && task_run(db, id, now, budget)?)
        }
        Removal::BlockType(id) => blocks::block_type(tx, id, budget),
        Removal::BlockSchema(id) => blocks::schema(tx.db, id, budget),
        Removal::Automation(id) => automations::automation(tx, id, budget),
        Removal::WorkPool(id) => work_pools::pool(tx, id, budget),
        Removal::Everything => everything(tx, budget),
    }
}

/// Takes away each of what `some` finds until it finds nothing more.
fn each<T>(
    budget: &Budget,
    mut some: impl FnMut() -> Result<Vec<T>>,
    mut one: impl FnMut(T) -> Result<bool>,
) -> Result<bool> {
    loop {
        let found = some()?;
        if found.is_empty() {
            return Ok(true);
        }
        for id in found {
            if !one(id)? || budget.is_spent() {
                return Ok(false);
            }
        }
    }
}

/// Has rows taken away until there are no more.
fn all_rows(budget: &Budget, mut some: impl FnMut() -> Result<usize>) -> Result<bool> {
    while some()? > 0 {
        if budget.is_spent() {
            return Ok(false);
        }
    }
    Ok(true)
}

/// What is told of it goes last, with all that was told.
fn everything(tx: &mut Tx<'_>, budget: &Budget) -> Result<bool> {
    let db = tx.db;
    let flows = || removal::some_flows(db, CHUNK);
    let left = || artifacts::some(db, CHUNK);
    let forget = |id| artifacts::delete(db, id).map(|_| true);
    Ok(each(budget, flows, |id| flow(tx, id, budget))?
        && each(budget, left, forget)?
        && all_rows(budget, || removal::some_of_the_rest(db, CHUNK))?)
}

fn flow(tx: &mut Tx<'_>, id: FlowId, budget: &Budget) -> Result<bool> {
    let (db, now) = (tx.db, tx.now);
    // First, for they make runs.
    let deployments = || removal::some_deployments(db, id, CHUNK);
    let runs = || removal::some_runs_of_flow(db, id, CHUNK);
    let is_bare = each(budget, deployments, |id| deployment(tx, id, budget))?
        && each(budget, runs, |id| flow_run(db, id, now, budget))?;
    if is_bare {
        let known: Option<Flow> = rows::by_id(db, id)?;
        rows::delete(db, id)?;
        if let Some(flow) = known {
            emit(tx, lifecycle::flow(Happened::Deleted, &flow, now))?;
        }
    }
    Ok(is_bare)
}

/// Runs that have begun stay, as runs of no deployment. Nothing would ever begin the others.
fn deployment(tx: &mut Tx<'_>, id: DeploymentId, budget: &Budget) -> Result<bool> {
    let (db, now) = (tx.db, tx.now);
    storage::deployments::set_schedule_active(db, id, false, now)?;
    let runs = || removal::some_runs_of_deployment(db, id, CHUNK);
    let is_bare = each(budget, runs, |(run, is_to_come)| match is_to_come {
        true => flow_run(db, run, now, budget),
        false => leave_deployment(db, run, id, now).map(|()| true),
    })?;
    if is_bare {
        let known: Option<Deployment> = rows::by_id(db, id)?;
        rows::delete(db, id)?;
        if let Some(deployment) = known {
            deployments::tell(tx, Happened::Deleted.word(), &deployment)?;
        }
    }
    Ok(is_bare)
}

/// The slot that a run holds by its deployment is over, and goes to others by itself: no step of a
/// run without a deployment gives it back.
fn leave_deployment(
    db: &Connection,
    run: FlowRunId,
    id: DeploymentId,
    now: Timestamp,
) -> Result<()> {
    if let Some((lease, _)) = leases::of_run(db, run, id)? {
        leases::renew(db, lease, Some(now), now)?;
    }
    removal::leave_deployment(db, run)
}

/// What it holds is over, and goes to others by itself. The artifacts that it left for people to
/// look at stay, as on the reference.
fn flow_run(db: &Connection, id: FlowRunId, now: Timestamp, budget: &Budget) -> Result<bool> {
    leases::end_of_holder(db, id.uuid(), now)?;
    let tasks = || retention::some_task_runs(db, id, CHUNK);
    let is_bare = each(budget, tasks, |task| task_run(db, task, now, budget))?
        && all_rows(budget, || removal::some_flow_run_inputs(db, id, CHUNK))?
        && all_rows(budget, || removal::some_flow_run_states(db, id, CHUNK))?;
    if is_bare {
        rows::delete(db, id)?;
    }
    Ok(is_bare)
}

pub(super) fn task_run(
    db: &Connection,
    id: TaskRunId,
    now: Timestamp,
    budget: &Budget,
) -> Result<bool> {
    leases::end_of_holder(db, id.uuid(), now)?;
    let is_bare = all_rows(budget, || removal::leave_some_sub_flows(db, id, CHUNK))?
        && all_rows(budget, || removal::some_task_run_states(db, id, CHUNK))?;
    if is_bare {
        rows::delete(db, id)?;
    }
    Ok(is_bare)
}

#[cfg(test)]
mod tests;
