//! Verbs on queues of work pools.

use uuid::Uuid;

use super::pools;
use super::told::tell_queue;
use crate::app::App;
use crate::app::events::emit;
use crate::app::request::Repeat;
use crate::app::tx::{Effect, Tx};
use crate::domain::deployment::Deployment;
use crate::domain::error::{Error, Kind, Result};
use crate::domain::event::{Happened, lifecycle};
use crate::domain::filter::{Criteria, Filters, Page, Sort, work_queue};
use crate::domain::ids::{DeploymentId, WorkPoolId, WorkQueueId};
use crate::domain::work::{
    AGENT_POOL, MOST_QUEUES, NewWorkQueue, WorkQueue, WorkQueueUpdate, check_name, first_free,
    reordered,
};
use crate::storage::{Connection, rows, work_pools, work_queues};

/// How a request names a queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum QueueName {
    /// By its id.
    Id(WorkQueueId),
    /// By its pool's name and its own.
    InPool(String, String),
}

impl App {
    /// Creates a queue in the pool of that name; without one, in that of agents, which is made
    /// when it is first needed.
    ///
    /// Fails as a conflict when the pool has a queue of that name, or too many.
    pub async fn create_work_queue(
        &self,
        pool: Option<String>,
        new: NewWorkQueue,
    ) -> Result<WorkQueue> {
        check_name(&new.name).map_err(Error::invalid)?;
        self.write(move |tx| {
            let pool = match pool {
                Some(name) => pools::by_name(tx.db, &name)?.id,
                None => {
                    let is_there = work_pools::by_name(tx.db, AGENT_POOL)?.is_some();
                    let pool = pools::for_agents(tx)?;
                    // With the pool comes its default queue.
                    let made = work_queues::by_name(tx.db, pool.id, &new.name)?;
                    if let Some(made) = made.filter(|_| !is_there) {
                        return Ok(made);
                    }
                    pool.id
                }
            };
            if work_queues::by_name(tx.db, pool, &new.name)?.is_some() {
                return Err(taken());
            }
            insert(tx, (WorkQueueId::new(), pool), &new)
        })
        .await
    }

    /// One queue.
    pub async fn work_queue(&self, name: QueueName) -> Result<WorkQueue> {
        self.read(move |db| read(db, &name)).await
    }

    /// The queue of that name in the pool of agents, or else in any: as on the reference until its
    /// pool of agents is first used.
    pub async fn agent_queue(&self, name: &str) -> Result<WorkQueue> {
        let name = name.to_owned();
        self.scan(move |db| {
            if let Some(pool) = work_pools::by_name(db, AGENT_POOL)?
                && let Some(queue) = work_queues::by_name(db, pool.id, &name)?
            {
                return Ok(queue);
            }
            let named = Criteria::One(work_queue::NAME.is_one_of([name.clone()]));
            let filters = Filters {
                work_queues: Some(named),
                ..Filters::default()
            };
            let first = Page {
                limit: 1,
                offset: 0,
            };
            let found = rows::page(db, &filters, Sort::up("id"), first)?;
            found.into_iter().next().ok_or_else(unknown)
        })
        .await
    }

    /// A page of queues, by name.
    pub async fn work_queues(&self, filters: Filters, page: Page) -> Result<Vec<WorkQueue>> {
        self.scan(move |db| rows::page(db, &filters, Sort::NAME, page))
            .await
    }

    /// The queues that would take a deployment's runs, whatever it says itself.
    pub async fn queues_for(&self, id: DeploymentId) -> Result<Vec<WorkQueue>> {
        self.scan(move |db| {
            let deployment: Option<Deployment> = rows::by_id(db, id)?;
            let deployment = deployment.ok_or_else(|| Error::not_found("Deployment"))?;
            let mut queues = work_queues::all(db)?;
            queues.retain(|queue| queue.would_take(&deployment));
            queues.truncate(MOST_QUEUES);
            Ok(queues)
        })
        .await
    }

    /// A page of the queues of a pool, by priority.
    pub async fn queues_of_pool(
        &self,
        pool: &str,
        asked: Criteria,
        page: Page,
    ) -> Result<Vec<WorkQueue>> {
        let pool = pool.to_owned();
        self.scan(move |db| {
            let pool = pools::by_name(db, &pool)?;
            let of_pool = work_queue::WORK_POOL_ID.is_one_of_ids([pool.id.uuid()]);
            let criteria = Criteria::All(vec![asked.clone(), Criteria::One(of_pool)]);
            let filters = Filters {
                work_queues: Some(criteria),
                ..Filters::default()
            };
            rows::page(db, &filters, work_queue::BY_PRIORITY, page)
        })
        .await
    }

    /// Changes what the update names. A queue that has the new priority gives way.
    pub async fn update_work_queue(&self, name: QueueName, update: WorkQueueUpdate) -> Result<()> {
        if let Some(name) = &update.name {
            check_name(name).map_err(Error::invalid)?;
        }
        self.write(move |tx| {
            let known = read(tx.db, &name)?;
            let (id, pool) = (known.id, known.work_pool_id);
            if let Some(name) = update.name.as_ref().filter(|name| **name != known.name)
                && work_queues::by_name(tx.db, pool, name)?.is_some()
            {
                return Err(taken());
            }
            let priority = update.priority;
            let before = known.clone();
            work_queues::update(tx.db, known, update, tx.now)?;
            if let Some(priority) = priority {
                reorder(tx, pool, (id, priority))?;
            }
            tx.entail(Effect::WakeAgents);
            tell_changes(tx, &before)
        })
        .await
    }

    /// Removes a queue; its runs and deployments stay, and have none. A pool's default queue
    /// goes only with the pool.
    pub async fn delete_work_queue(&self, name: QueueName) -> Result<()> {
        self.write(move |tx| {
            let known = read(tx.db, &name)?;
            let pool = rows::by_id(tx.db, known.work_pool_id)?;
            if pool.is_some_and(|pool| pool.default_queue_id == known.id) {
                return Err(Error::conflict("Can't delete a pool's default queue."));
            }
            rows::delete(tx.db, known.id)?;
            tx.entail(Effect::WakeAgents);
            let word = Happened::Deleted.word();
            emit(tx, lifecycle::work_queue(word, &known, tx.now))
        })
        .await
    }
}

impl Repeat for WorkQueue {
    fn made(&self) -> Option<Vec<Uuid>> {
        Some(vec![self.id.uuid()])
    }

    fn again(tx: &mut Tx<'_>, made: &[Uuid]) -> Result<Self> {
        let id = made.first().copied().map(WorkQueueId::from_uuid);
        let queue = id.map(|id| rows::by_id(tx.db, id)).transpose()?;
        queue.flatten().ok_or_else(unknown)
    }
}

/// The queue that is meant by the names of a pool and a queue, as deployments and runs say them:
/// a pool's default queue where only the pool is named, a queue in the pool of agents where only
/// the queue is, and none where nothing is. A queue that is not there is made.
///
/// # Errors
/// Not found when there is no such pool.
pub(in crate::app) fn named(
    tx: &mut Tx<'_>,
    pool: Option<&str>,
    queue: Option<&str>,
) -> Result<Option<WorkQueueId>> {
    let pool = match (pool, queue) {
        (None, None) => return Ok(None),
        (Some(pool), _) => pools::by_name(tx.db, pool)?,
        (None, Some(_)) => pools::for_agents(tx)?,
    };
    let Some(name) = queue else {
        return Ok(Some(pool.default_queue_id));
    };
    if let Some(known) = work_queues::by_name(tx.db, pool.id, name)? {
        return Ok(Some(known.id));
    }
    check_name(name).map_err(Error::invalid)?;
    let id = WorkQueueId::new();
    insert(tx, (id, pool.id), &NewWorkQueue::named(name))?;
    Ok(Some(id))
}

/// The queue of that name in a pool, or the pool's default one.
///
/// # Errors
/// Not found when there is no such pool or queue.
pub(in crate::app) fn in_pool(
    db: &Connection,
    pool: String,
    queue: Option<String>,
) -> Result<WorkQueue> {
    match queue {
        Some(queue) => read(db, &QueueName::InPool(pool, queue)),
        None => {
            let pool = pools::by_name(db, &pool)?;
            read(db, &QueueName::Id(pool.default_queue_id))
        }
    }
}

/// Stores a queue of a pool that has none of that name.
pub(super) fn insert(
    tx: &mut Tx<'_>,
    (id, pool): (WorkQueueId, WorkPoolId),
    new: &NewWorkQueue,
) -> Result<WorkQueue> {
    let known = work_queues::priorities(tx.db, pool)?;
    if known.len() >= MOST_QUEUES {
        return Err(Error::conflict(format!(
            "A work pool has at most {MOST_QUEUES} queues."
        )));
    }
    let taken: Vec<_> = known.iter().map(|(_, priority)| *priority).collect();
    let priority = new.priority.unwrap_or_else(|| first_free(&taken));
    work_queues::insert(tx.db, (id, pool), new, priority, tx.now)?;
    if new.priority.is_some() {
        reorder(tx, pool, (id, priority))?;
    }
    let made = rows::by_id(tx.db, id)?.ok_or_else(unknown)?;
    let word = Happened::Created.word();
    emit(tx, lifecycle::work_queue(word, &made, tx.now))?;
    Ok(made)
}

/// Tells what of a queue is not as before, and what has become of it.
fn tell_changes(tx: &mut Tx<'_>, before: &WorkQueue) -> Result<()> {
    let after: WorkQueue = rows::by_id(tx.db, before.id)?.ok_or_else(unknown)?;
    let changes = lifecycle::work_queue_changes(before, &after);
    if !changes.is_empty() {
        let event = lifecycle::work_queue(Happened::Updated.word(), &after, tx.now);
        emit(tx, lifecycle::updated(event, changes))?;
    }
    tell_queue(tx, after.id)
}

/// Gives a queue its priority, and others theirs that give way.
fn reorder(tx: &Tx<'_>, pool: WorkPoolId, moved: (WorkQueueId, i64)) -> Result<()> {
    let known = work_queues::priorities(tx.db, pool)?;
    for (id, priority) in reordered(&known, Some(moved)) {
        if !known.contains(&(id, priority)) {
            work_queues::set_priority(tx.db, id, priority)?;
        }
    }
    Ok(())
}

pub(super) fn read(db: &Connection, name: &QueueName) -> Result<WorkQueue> {
    match name {
        QueueName::Id(id) => rows::by_id(db, *id)?.ok_or_else(unknown),
        QueueName::InPool(pool, name) => {
            let known = pools::by_name(db, pool)?;
            work_queues::by_name(db, known.id, name)?.ok_or_else(|| {
                let words = format!("Work pool queue '{pool}/{name}' not found.");
                Error::new(Kind::NotFound, words)
            })
        }
    }
}

fn unknown() -> Error {
    Error::new(Kind::NotFound, "work queue not found")
}

fn taken() -> Error {
    Error::conflict("A work queue with this name already exists.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::testing::{Ahead, app};
    use crate::domain::work::{DEFAULT_QUEUE, NewWorkPool};

    fn pool(name: &str) -> NewWorkPool {
        NewWorkPool {
            name: name.to_owned(),
            ..NewWorkPool::for_agents()
        }
    }

    #[tokio::test]
    async fn a_queue_is_found_by_what_deployments_say_and_made_where_it_is_not_there() {
        let dir = tempfile::tempdir().unwrap();
        let app = app(dir.path(), Ahead::default());
        let made = app.create_work_pool(pool("p")).await.unwrap();
        let of = async |pool: Option<&'static str>, queue: Option<&'static str>| {
            app.write(move |tx| Ok(named(tx, pool, queue)?.is_some()))
                .await
                .unwrap();
            let found = app
                .write(move |tx| Ok(u64::from(named(tx, pool, queue)?.is_some())))
                .await;
            assert!(found.is_ok());
            match (pool, queue) {
                (Some(pool), None) => Some(app.work_pool(pool).await.unwrap().default_queue_id),
                (Some(pool), Some(queue)) => {
                    let name = QueueName::InPool(pool.to_owned(), queue.to_owned());
                    Some(app.work_queue(name).await.unwrap().id)
                }
                (None, Some(queue)) => Some(app.agent_queue(queue).await.unwrap().id),
                (None, None) => None,
            }
        };
        assert_eq!(of(None, None).await, None);
        assert_eq!(of(Some("p"), None).await, Some(made.default_queue_id));
        let default = of(Some("p"), Some(DEFAULT_QUEUE)).await;
        assert_eq!(default, Some(made.default_queue_id));
        let fresh = of(Some("p"), Some("fresh")).await;
        assert!(fresh.is_some() && fresh != default);
        assert!(of(None, Some("other")).await.is_some());
        let agents = app.work_pool(AGENT_POOL).await.unwrap();
        assert_eq!(
            of(None, Some(DEFAULT_QUEUE)).await,
            Some(agents.default_queue_id)
        );
        let unknown = app
            .write(|tx| Ok(named(tx, Some("q"), None)?.is_some()))
            .await;
        assert_eq!(unknown.unwrap_err().kind(), Kind::NotFound);
    }

    #[tokio::test]
    async fn a_pool_has_so_many_queues_and_no_more() {
        let dir = tempfile::tempdir().unwrap();
        let app = app(dir.path(), Ahead::default());
        app.create_work_pool(pool("p")).await.unwrap();
        let filled = app.write(|tx| {
            for number in 1..MOST_QUEUES {
                named(tx, Some("p"), Some(&format!("q{number}")))?;
            }
            Ok(())
        });
        filled.await.unwrap();
        let more = app
            .create_work_queue(Some("p".to_owned()), NewWorkQueue::named("more"))
            .await;
        assert_eq!(more.unwrap_err().kind(), Kind::Conflict);
    }
}
