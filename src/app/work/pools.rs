//! Verbs on work pools.

use uuid::Uuid;

use super::queues;
use super::told::{tell_pool, tell_pool_anew};
use crate::app::App;
use crate::app::events::emit;
use crate::app::request::Repeat;
use crate::app::tx::{Effect, Tx};
use crate::domain::error::{Error, Kind, Result};
use crate::domain::event::{Happened, lifecycle};
use crate::domain::filter::{Filters, Page, Sort};
use crate::domain::ids::WorkPoolId;
use crate::domain::template::check_base;
use crate::domain::weight;
use crate::domain::work::{
    AGENT_POOL, DEFAULT_QUEUE, NewWorkPool, NewWorkQueue, Service, WorkPool, WorkPoolUpdate,
    check_name, check_not_reserved, is_reserved,
};
use crate::storage::{Connection, Job, rows, work_pools};

impl App {
    /// Creates a pool with its default queue.
    ///
    /// Fails as a conflict when there is one of that name, and as forbidden when the name is one
    /// that Prefect keeps for itself; as invalid when the defaults of its template do not fit it.
    pub async fn create_work_pool(&self, new: NewWorkPool) -> Result<WorkPool> {
        check_not_reserved(&new.name, "").map_err(forbidden)?;
        check_name(&new.name).map_err(Error::invalid)?;
        check_base(&new.base_job_template).map_err(Error::invalid)?;
        self.check_template(&new.base_job_template).await?;
        let job = Job::prompt(weight::of_map(&new.base_job_template));
        self.write_as(job, move |tx| {
            if work_pools::by_name(tx.db, &new.name)?.is_some() {
                return Err(Error::conflict(
                    "A work pool with this name already exists.",
                ));
            }
            let made = insert(tx, &new)?;
            tell_pool(tx, made.id)?;
            Ok(made)
        })
        .await
    }

    /// The pool of that name.
    pub async fn work_pool(&self, name: &str) -> Result<WorkPool> {
        let name = name.to_owned();
        self.read(move |db| by_name(db, &name)).await
    }

    /// A page of pools, by name.
    pub async fn work_pools(&self, filters: Filters, page: Page) -> Result<Vec<WorkPool>> {
        self.scan(move |db| rows::page(db, &filters, Sort::NAME, page))
            .await
    }

    /// How many pools match.
    pub async fn count_work_pools(&self, filters: Filters) -> Result<u64> {
        self.scan(move |db| rows::count::<WorkPool>(db, &filters))
            .await
    }

    /// Changes what the update names. Of the pools that Prefect keeps for itself only the
    /// delivery of runs can be changed.
    pub async fn update_work_pool(&self, name: &str, update: WorkPoolUpdate) -> Result<()> {
        if is_reserved(name) && !update.is_of_delivery() {
            let but = " and can only be updated to set concurrency limits or pause";
            check_not_reserved(name, but).map_err(forbidden)?;
        }
        if let Some(template) = &update.base_job_template {
            check_base(template).map_err(Error::invalid)?;
        }
        let name = name.to_owned();
        self.write(move |tx| {
            let known = by_name(tx.db, &name)?;
            change(tx, known, update)?;
            tx.entail(Effect::WakeAgents);
            Ok(())
        })
        .await
    }

    /// Removes a pool with its queues and workers; their runs and deployments stay, and have none.
    pub async fn delete_work_pool(&self, name: &str) -> Result<()> {
        check_not_reserved(name, " and can not be deleted").map_err(forbidden)?;
        let name = name.to_owned();
        self.remove_pool(move |db| Ok(by_name(db, &name)?.id)).await
    }

    /// What is known of who serves pools, at present.
    pub fn service(&self) -> Service {
        Service {
            now: self.now(),
            has_agent: self.inner.agents.has_embedded(),
        }
    }
}

impl Repeat for WorkPool {
    fn made(&self) -> Option<Vec<Uuid>> {
        Some(vec![self.id.uuid()])
    }

    fn again(tx: &mut Tx<'_>, made: &[Uuid]) -> Result<Self> {
        let id = made.first().copied().map(WorkPoolId::from_uuid);
        let pool = id.map(|id| rows::by_id(tx.db, id)).transpose()?;
        pool.flatten().ok_or_else(|| Error::not_found("Work pool"))
    }
}

/// Stores a pool that is not there yet, with its default queue.
pub(super) fn insert(tx: &mut Tx<'_>, new: &NewWorkPool) -> Result<WorkPool> {
    let (id, queue) = work_pools::insert(tx.db, new, tx.now)?;
    let default = NewWorkQueue {
        description: Some("The work pool's default queue.".to_owned()),
        ..NewWorkQueue::named(DEFAULT_QUEUE)
    };
    queues::insert(tx, (queue, id), &default)?;
    let made = rows::by_id(tx.db, id)?.ok_or_else(|| unknown(&new.name))?;
    emit(tx, lifecycle::work_pool(Happened::Created, &made, tx.now))?;
    Ok(made)
}

/// Stores what an update names of a pool.
pub(super) fn change(tx: &mut Tx<'_>, known: WorkPool, update: WorkPoolUpdate) -> Result<()> {
    let before = known.clone();
    let is_said = update.is_paused.is_some();
    work_pools::update(tx.db, known, update, tx.now)?;
    let after = by_name(tx.db, &before.name)?;
    let changes = lifecycle::work_pool_changes(&before, &after);
    if !changes.is_empty() {
        emit(tx, lifecycle::work_pool_updated(&after, changes, tx.now))?;
    }
    if is_said {
        tell_pool_anew(tx, &after)?;
    }
    Ok(())
}

/// The pool of that name.
pub(in crate::app) fn by_name(db: &Connection, name: &str) -> Result<WorkPool> {
    work_pools::by_name(db, name)?.ok_or_else(|| unknown(name))
}

/// The pool of queues that name none, which is made when it is first asked for.
pub(super) fn for_agents(tx: &mut Tx<'_>) -> Result<WorkPool> {
    match work_pools::by_name(tx.db, AGENT_POOL)? {
        Some(known) => Ok(known),
        None => insert(tx, &NewWorkPool::for_agents()),
    }
}

fn unknown(name: &str) -> Error {
    Error::new(Kind::NotFound, format!("Work pool {name:?} not found."))
}

fn forbidden(why: String) -> Error {
    Error::new(Kind::Forbidden, why)
}
