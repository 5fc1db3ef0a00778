//! Verbs on concurrency limits.

mod deployments;
mod ends;
mod holders;
#[cfg(test)]
mod model;
pub(super) mod slots;
pub(super) mod tags;
#[cfg(test)]
mod tests;

use uuid::Uuid;

use super::App;
use super::events::emit;
use super::request::{Repeat, comes_to_the_same};
use super::runs::slots::let_in_of_shared;
use super::tx::Tx;
use crate::domain::concurrency_limit::{ConcurrencyLimit, LimitUpdate, NewLimit, TAG};
use crate::domain::error::{Error, Kind, Result};
use crate::domain::event::{Happened, lifecycle};
use crate::domain::filter::Page;
use crate::domain::flow::Created;
use crate::domain::ids::LimitId;
use crate::domain::time::Timestamp;
use crate::storage::{Connection, Job, concurrency_limits, leases, rows};

pub use crate::storage::leases::Holder;
pub(super) use ends::{forget, release};
pub use holders::Held;
pub use slots::{Asked, Granted, Mode, Taken};

/// How many leases one transaction takes back.
const CHUNK: i64 = 64;
/// The most holders of a limit that are told.
const MOST_HOLDERS: i64 = 1000;

/// How a request names a limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LimitKey {
    /// By its id.
    Id(LimitId),
    /// By its name.
    Name(String),
}

impl LimitKey {
    /// That of the limit on the task runs of a tag.
    pub fn of_tag(tag: &str) -> Self {
        Self::Name(format!("{TAG}{tag}"))
    }
}

/// A limit and how it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct LimitNow {
    /// The limit.
    pub limit: ConcurrencyLimit,
    /// So many slots are taken.
    pub taken: i64,
    /// The task runs that hold one, as far as they said who they are.
    pub task_runs: Vec<Uuid>,
}

impl App {
    /// Creates a limit.
    ///
    /// Fails as a conflict where there is one of that name.
    pub async fn create_limit(&self, new: NewLimit) -> Result<LimitNow> {
        self.write(move |tx| insert(tx, new)).await
    }

    /// Has the task runs of a tag be limited to so many: by a new limit, or by the one that is
    /// there.
    pub async fn limit_tag(&self, tag: String, slots: i64) -> Result<Created<LimitNow>> {
        let key = LimitKey::of_tag(&tag);
        self.write(move |tx| match find(tx.db, &key)? {
            None => {
                let new = NewLimit::named(format!("{TAG}{tag}"), slots);
                insert(tx, new).map(Created::New)
            }
            Some(_) => {
                let update = LimitUpdate {
                    slots: Some(slots),
                    ..LimitUpdate::default()
                };
                update_one(tx, &key, update)?;
                standing(tx.db, read(tx.db, &key)?, tx.now).map(Created::Known)
            }
        })
        .await
    }

    /// One limit.
    pub async fn limit(&self, key: LimitKey) -> Result<LimitNow> {
        let now = self.now();
        self.read(move |db| {
            let limit = match find(db, &key)? {
                None => deployments::find(db, &key)?,
                found => found,
            };
            standing(db, limit.ok_or_else(missing)?, now)
        })
        .await
    }

    /// A page of limits by name: all, those of deployments included, or those of tags.
    pub async fn limits(&self, of_tags: bool, page: Page) -> Result<Vec<LimitNow>> {
        let now = self.now();
        let range = match of_tags {
            // What begins with the word comes before the word with its last letter's successor.
            true => (TAG, Some("tag;")),
            false => ("", None),
        };
        self.scan(move |db| {
            let found = concurrency_limits::page(db, range, page)?.into_iter();
            found.map(|limit| standing(db, limit, now)).collect()
        })
        .await
    }

    /// Changes what the update names.
    pub async fn update_limit(&self, key: LimitKey, update: LimitUpdate) -> Result<()> {
        if let Some(id) = self.limit_of_deployment(key.clone()).await? {
            return self.update_limit_of(id, update).await;
        }
        self.write(move |tx| update_one(tx, &key, update)).await
    }

    /// Removes a limit. Leases on it go on and hold nothing more.
    pub async fn delete_limit(&self, key: LimitKey) -> Result<()> {
        if let Some(id) = self.limit_of_deployment(key.clone()).await? {
            return self.delete_limit_of(id).await;
        }
        self.write(move |tx| {
            let known = read(tx.db, &key)?;
            // What waits for it need not any more.
            let_in_of_shared(tx, known.id, i64::MAX)?;
            rows::delete(tx.db, known.id)?;
            emit(tx, lifecycle::limit(Happened::Deleted, &known, tx.now))
        })
        .await
    }

    /// Takes back all slots of a limit, and gives some task runs one each until they give it
    /// back.
    pub async fn reset_limit(&self, key: LimitKey, holders: Vec<Uuid>) -> Result<()> {
        let known = self.limit(key.clone()).await?.limit.id;
        while !self.take_some_back(known).await? {}
        self.write(move |tx| tags::hold_by_tasks(tx, &key, &holders))
            .await
    }

    /// The id of the limit, where it is a deployment's.
    async fn limit_of_deployment(&self, key: LimitKey) -> Result<Option<LimitId>> {
        self.read(move |db| {
            let found = match find(db, &key)? {
                None => deployments::find(db, &key)?,
                Some(_) => None,
            };
            Ok(found.map(|limit| limit.id))
        })
        .await
    }

    /// Takes back some of the leases on a limit; true once there are none.
    async fn take_some_back(&self, id: LimitId) -> Result<bool> {
        self.write_as(Job::bulk(0), move |tx| {
            let some = leases::some_of_limit(tx.db, id.uuid(), CHUNK)?;
            for lease in &some {
                leases::delete(tx.db, *lease)?;
            }
            let_in_of_shared(tx, id, some.len() as i64)?;
            Ok(some.is_empty())
        })
        .await
    }
}

impl Repeat for LimitNow {
    fn made(&self) -> Option<Vec<Uuid>> {
        Some(vec![self.limit.id.uuid()])
    }

    fn again(tx: &mut Tx<'_>, made: &[Uuid]) -> Result<Self> {
        let id = made.first().copied().map(LimitId::from_uuid);
        let key = LimitKey::Id(id.unwrap_or_default());
        standing(tx.db, read(tx.db, &key)?, tx.now)
    }
}

comes_to_the_same!(Created<LimitNow>);

fn insert(tx: &mut Tx<'_>, new: NewLimit) -> Result<LimitNow> {
    let limit = new.made(LimitId::new(), tx.now)?;
    check_free(tx.db, &limit.name)?;
    concurrency_limits::insert(tx.db, &limit)?;
    emit(tx, lifecycle::limit(Happened::Created, &limit, tx.now))?;
    standing(tx.db, limit, tx.now)
}

fn update_one(tx: &mut Tx<'_>, key: &LimitKey, update: LimitUpdate) -> Result<()> {
    let known = read(tx.db, key)?;
    if let Some(name) = update.name.as_ref().filter(|name| **name != known.name) {
        check_free(tx.db, name)?;
    }
    let (leased, _) = leases::leased(tx.db, known.id.uuid(), tx.now)?;
    let changed = known.changed(update, leased, tx.now)?;
    concurrency_limits::update(tx.db, &changed, tx.now)?;
    let free = match changed.active {
        true => changed.slots - changed.all_taken(leased, tx.now),
        false => i64::MAX,
    };
    let_in_of_shared(tx, changed.id, free)?;
    emit(tx, lifecycle::limit(Happened::Updated, &changed, tx.now))
}

/// A limit and how it stands.
fn standing(db: &Connection, limit: ConcurrencyLimit, now: Timestamp) -> Result<LimitNow> {
    let (leased, _) = leases::leased(db, limit.id.uuid(), now)?;
    let holders = leases::holders(db, limit.id.uuid(), now, MOST_HOLDERS)?;
    let tasks = holders
        .into_iter()
        .filter(|(_, holder)| holder.kind == "task_run");
    Ok(LimitNow {
        taken: limit.all_taken(leased, now),
        task_runs: tasks.map(|(_, holder)| holder.id).collect(),
        limit,
    })
}

fn check_free(db: &Connection, name: &str) -> Result<()> {
    match concurrency_limits::by_name(db, name)? {
        Some(_) => Err(Error::conflict(format!(
            "A concurrency limit with the name '{name}' already exists."
        ))),
        None => Ok(()),
    }
}

fn find(db: &Connection, key: &LimitKey) -> Result<Option<ConcurrencyLimit>> {
    match key {
        LimitKey::Id(id) => rows::by_id(db, *id),
        LimitKey::Name(name) => concurrency_limits::by_name(db, name),
    }
}

fn read(db: &Connection, key: &LimitKey) -> Result<ConcurrencyLimit> {
    find(db, key)?.ok_or_else(missing)
}

fn missing() -> Error {
    Error::new(Kind::NotFound, "Concurrency Limit not found")
}
