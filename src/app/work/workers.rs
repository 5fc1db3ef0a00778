//! Verbs of workers, and about them.

use std::time::Duration;

use super::pools;
use super::told::tell_pool;
use crate::app::App;
use crate::app::tx::{Effect, Tx};
use crate::domain::error::{Error, Kind, Result};
use crate::domain::filter::Page;
use crate::domain::ids::{WorkPoolId, WorkerId};
use crate::domain::time::Timestamp;
use crate::domain::work::{
    LONGEST_HEARTBEAT, LONGEST_NAME, MOST_WORKERS, Service, WorkPool, Worker, WorkerStatus,
    online_until,
};
use crate::storage::{rows, workers};

/// Which workers of a pool are asked for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct WorkersAsked {
    /// Of one of these statuses.
    pub status: Option<Vec<WorkerStatus>>,
    /// Of none of these.
    pub not_status: Option<Vec<WorkerStatus>>,
    /// Whose heart last beat then or earlier.
    pub before: Option<Timestamp>,
    /// Whose heart last beat then or later.
    pub after: Option<Timestamp>,
}

impl WorkersAsked {
    fn is_met(&self, worker: &Worker, service: Service) -> bool {
        let status = service.of_worker(worker);
        let Self {
            status: one_of,
            not_status: none_of,
            before,
            after,
        } = self;
        one_of.as_ref().is_none_or(|these| these.contains(&status))
            && none_of
                .as_ref()
                .is_none_or(|these| !these.contains(&status))
            && before.is_none_or(|at| worker.last_heartbeat <= at)
            && after.is_none_or(|at| worker.last_heartbeat >= at)
    }
}

impl App {
    /// Notes that the heart of a worker of a pool has beaten, and that it does so every so many
    /// seconds.
    pub async fn worker_heartbeat(
        &self,
        pool: &str,
        name: &str,
        heartbeat_secs: Option<i64>,
    ) -> Result<()> {
        check_heartbeat(name, heartbeat_secs)?;
        let (pool, name) = (pool.to_owned(), name.to_owned());
        self.write(move |tx| {
            let pool = pools::by_name(tx.db, &pool)?;
            note_heartbeat(tx, pool.id, &name, heartbeat_secs)
        })
        .await
    }

    /// A page of the workers of a pool, the last that was heard of first; this daemon's agent is
    /// one of them where it serves the pool.
    pub async fn workers(
        &self,
        pool: &str,
        asked: WorkersAsked,
        page: Page,
    ) -> Result<Vec<Worker>> {
        let service = self.service();
        let host = self.embedded_report().map(|report| report.host);
        let pool = pool.to_owned();
        self.scan(move |db| {
            let pool = pools::by_name(db, &pool)?;
            let ours = host.clone().and_then(|host| own(&pool, host, service));
            let known = workers::of_pool(db, pool.id)?;
            let all = ours.into_iter().chain(known);
            let met = all.filter(|worker| asked.is_met(worker, service));
            let bound = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
            Ok(met
                .skip(bound(page.offset))
                .take(bound(page.limit))
                .collect())
        })
        .await
    }

    /// Forgets a worker of a pool.
    pub async fn delete_worker(&self, pool: &str, name: &str) -> Result<()> {
        let (pool, name) = (pool.to_owned(), name.to_owned());
        self.write(move |tx| {
            let pool = pools::by_name(tx.db, &pool)?;
            let known = workers::by_name(tx.db, pool.id, &name)?;
            let known = known.ok_or_else(|| Error::new(Kind::NotFound, "Worker not found."))?;
            rows::delete(tx.db, known.id)?;
            // Its pool's runs may be for this daemon's agent from here on.
            tx.entail(Effect::WakeAgents);
            Ok(())
        })
        .await
    }

    /// Whether a worker was given up between two moments.
    pub async fn fell_silent(&self, since: Timestamp, now: Timestamp) -> Result<bool> {
        self.read(move |db| workers::fell_silent(db, since, now))
            .await
    }

    /// How long until a worker is given up that is believed to be there, unless it is heard of
    /// meanwhile.
    pub async fn silent_in(&self) -> Result<Option<Duration>> {
        let now = self.now();
        let next = self.read(move |db| workers::next_silence(db, now)).await?;
        let left = |at: Timestamp| u64::try_from((at - now).micros()).unwrap_or(0);
        Ok(next.map(|at| Duration::from_micros(left(at) + 1)))
    }
}

/// This daemon's agent as a worker of a pool that it serves: named after the host, and with the
/// pool's own id.
fn own(pool: &WorkPool, host: String, service: Service) -> Option<Worker> {
    let serves = service.is_ours(&pool.kind, pool.online_until);
    serves.then(|| Worker {
        id: WorkerId::from_uuid(pool.id.uuid()),
        created: pool.created,
        updated: service.now,
        work_pool_id: pool.id,
        name: host,
        last_heartbeat: service.now,
        heartbeat_secs: None,
        online_until: online_until(service.now, None),
    })
}

/// Refuses what is no worker's name, or no time between two beats of its heart.
pub(super) fn check_heartbeat(name: &str, secs: Option<i64>) -> Result<()> {
    if name.is_empty() || name.chars().count() > LONGEST_NAME {
        return Err(Error::invalid(format!(
            "A worker's name has 1 to {LONGEST_NAME} characters."
        )));
    }
    if secs.is_some_and(|secs| !(1..=LONGEST_HEARTBEAT).contains(&secs)) {
        return Err(Error::invalid(format!(
            "A worker's heart beats every 1 to {LONGEST_HEARTBEAT} seconds."
        )));
    }
    Ok(())
}

/// Notes that a worker's heart has beaten; `secs`: how often it does, if it says so.
pub(super) fn note_heartbeat(
    tx: &mut Tx<'_>,
    pool: WorkPoolId,
    name: &str,
    secs: Option<i64>,
) -> Result<()> {
    let known = workers::by_name(tx.db, pool, name)?;
    if known.is_none() {
        make_room(tx, pool)?;
    }
    let secs = secs.or(known.and_then(|known| known.heartbeat_secs));
    let until = online_until(tx.now, secs);
    workers::heartbeat(tx.db, (pool, name), secs, until, tx.now)?;
    tell_pool(tx, pool)
}

/// Forgets the workers of a pool that were silent for longest, where too many are known.
fn make_room(tx: &Tx<'_>, pool: WorkPoolId) -> Result<()> {
    while workers::count(tx.db, pool)? >= MOST_WORKERS {
        if !workers::forget_silent(tx.db, pool, tx.now)? {
            return Err(Error::conflict(format!(
                "A work pool has at most {MOST_WORKERS} workers."
            )));
        }
    }
    Ok(())
}
