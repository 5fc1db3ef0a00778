//! How many connections there are at once. When there is no place left, the connection on which
//! nothing has been asked for the longest time leaves its place to the newcomer.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

/// How long nothing was asked at least on a connection that has to leave: clients take one up
/// again soon after an answer, or not.
const QUIET: Duration = Duration::from_secs(1);
/// How long a newcomer waits for one that leaves.
const PATIENCE: Duration = Duration::from_millis(500);

/// The places of one kind of listener; clones share them.
#[derive(Clone)]
pub(super) struct Places(Arc<Inner>);

struct Inner {
    free: Arc<Semaphore>,
    began: Instant,
    taken: Mutex<Taken>,
}

#[derive(Default)]
struct Taken {
    next: u64,
    by: BTreeMap<u64, Arc<Use>>,
}

/// What a connection is doing.
#[derive(Debug)]
pub(super) struct Use {
    began: Instant,
    /// Since when nothing is asked, in milliseconds; [`BUSY`] while something is.
    quiet_since: AtomicU64,
    wanted: Notify,
    /// Whether it was told to leave.
    is_told: AtomicBool,
}

const BUSY: u64 = u64::MAX;

/// A place that is taken until this is dropped.
pub(super) struct Place {
    places: Places,
    number: u64,
    used: Arc<Use>,
    _permit: OwnedSemaphorePermit,
}

impl Places {
    /// So many.
    pub fn new(most: usize) -> Self {
        Self(Arc::new(Inner {
            free: Arc::new(Semaphore::new(most)),
            began: Instant::now(),
            taken: Mutex::default(),
        }))
    }

    /// A place, once there is one; `None` when nobody leaves his.
    pub fn take(&self) -> impl Future<Output = Option<Place>> + Send + use<> {
        let at_once = Arc::clone(&self.0.free).try_acquire_owned().ok();
        let places = self.clone();
        async move {
            let permit = match at_once {
                Some(permit) => permit,
                None => {
                    places.quietest()?.wanted.notify_one();
                    let free = Arc::clone(&places.0.free).acquire_owned();
                    tokio::time::timeout(PATIENCE, free).await.ok()?.ok()?
                }
            };
            Some(places.seat(permit))
        }
    }

    fn seat(self, permit: OwnedSemaphorePermit) -> Place {
        let used = Arc::new(Use {
            began: self.0.began,
            quiet_since: AtomicU64::new(millis(self.0.began)),
            wanted: Notify::new(),
            is_told: AtomicBool::new(false),
        });
        let mut taken = self.lock();
        let number = taken.next;
        taken.next += 1;
        taken.by.insert(number, Arc::clone(&used));
        drop(taken);
        Place {
            places: self,
            number,
            used,
            _permit: permit,
        }
    }

    /// The connection that has been quiet for the longest time. It is not chosen twice.
    fn quietest(&self) -> Option<Arc<Use>> {
        let taken = self.lock();
        let stays = taken
            .by
            .values()
            .filter(|used| !used.is_told.load(Ordering::Relaxed));
        let quiet = stays.min_by_key(|used| used.quiet_since.load(Ordering::Relaxed))?;
        let since = quiet.quiet_since.load(Ordering::Relaxed);
        let quiet_for = millis(self.0.began).checked_sub(since)?;
        if u128::from(quiet_for) < QUIET.as_millis() {
            return None;
        }
        quiet.is_told.store(true, Ordering::Relaxed);
        Some(Arc::clone(quiet))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Taken> {
        self.0.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    /// For telling what is done on the connection.
    pub fn use_of(&self) -> Arc<Use> {
        Arc::clone(&self.used)
    }

    /// Waits until the place is wanted by another, while nothing is asked.
    pub async fn wanted(&self) {
        loop {
            self.used.wanted.notified().await;
            if self.used.quiet_since.load(Ordering::Relaxed) != BUSY {
                return;
            }
            self.used.is_told.store(false, Ordering::Relaxed);
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.places.lock().by.remove(&self.number);
    }
}

impl Use {
    /// Something is asked.
    pub fn begins(&self) {
        self.quiet_since.store(BUSY, Ordering::Relaxed);
    }

    /// It is answered.
    pub fn ends(&self) {
        let now = millis(self.began);
        self.quiet_since.store(now, Ordering::Relaxed);
    }
}

fn millis(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap_or(BUSY - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_has_asked_nothing_for_long_leaves_and_who_works_stays() {
        let places = Places::new(2);
        let working = places.take().await.unwrap();
        working.use_of().begins();
        let idle = places.take().await.unwrap();
        assert!(places.take().await.is_none(), "it came just now");
        tokio::time::sleep(QUIET).await;
        let leaves = tokio::spawn(async move {
            idle.wanted().await;
            drop(idle);
        });
        let third = places.take().await.unwrap();
        leaves.await.unwrap();
        third.use_of().begins();
        tokio::time::sleep(QUIET).await;
        assert!(places.take().await.is_none(), "all of them work");
        drop(working);
        assert!(places.take().await.is_some());
    }
}
