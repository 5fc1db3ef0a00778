//! How many connections there are at once. When there is no slot left, the connection on which
//! nothing has been asked for the longest time leaves its slot to the newcomer. One address
//! takes half of the slots at most.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

/// How long nothing was asked at least on a connection that has to leave: clients take one up
/// again soon after an answer, or not.
const QUIET: Duration = Duration::from_secs(1);
/// How long a newcomer waits for one that leaves.
const TIMEOUT: Duration = Duration::from_millis(500);

/// The slots of one kind of listener; clones share them.
#[derive(Clone)]
pub(super) struct ConnectionSlots(Arc<Inner>);

struct Inner {
    most: usize,
    free: Arc<Semaphore>,
    began: Instant,
    taken: Mutex<Taken>,
}

#[derive(Default)]
struct Taken {
    next: u64,
    by: BTreeMap<u64, Arc<Use>>,
    /// What each address may still take.
    shares: HashMap<IpAddr, Weak<Semaphore>>,
}

/// What a connection is doing.
#[derive(Debug)]
pub(super) struct Use {
    from: Option<IpAddr>,
    began: Instant,
    /// Since when nothing is asked, in milliseconds; [`BUSY`] while something is.
    quiet_since: AtomicU64,
    wanted: Notify,
    /// Whether it was told to leave.
    is_told: AtomicBool,
}

const BUSY: u64 = u64::MAX;

/// A slot that is taken until this is dropped.
pub(super) struct ConnectionSlot {
    slots: ConnectionSlots,
    number: u64,
    used: Arc<Use>,
    _permit: OwnedSemaphorePermit,
    _share: Option<OwnedSemaphorePermit>,
}

impl ConnectionSlots {
    /// So many.
    pub fn new(most: usize) -> Self {
        Self(Arc::new(Inner {
            most,
            free: Arc::new(Semaphore::new(most)),
            began: Instant::now(),
            taken: Mutex::default(),
        }))
    }

    /// A slot, once there is one; `None` when nobody leaves his. `from` is the address of who
    /// comes, where that is not this machine.
    pub fn take(
        &self,
        from: Option<IpAddr>,
    ) -> impl Future<Output = Option<ConnectionSlot>> + Send + use<> {
        let from = from.map(network);
        let share = from.map(|from| self.one_of(self.share(from), Some(from)));
        let slot = self.one_of(Arc::clone(&self.0.free), None);
        let slots = self.clone();
        async move {
            let share = match share {
                Some(share) => Some(share.await?),
                None => None,
            };
            Some(slots.seat(from, slot.await?, share))
        }
    }

    /// One of those, at once if one is free; otherwise once the quietest one has left, of those
    /// from that address.
    fn one_of(
        &self,
        all: Arc<Semaphore>,
        of: Option<IpAddr>,
    ) -> impl Future<Output = Option<OwnedSemaphorePermit>> + Send + use<> {
        let at_once = Arc::clone(&all).try_acquire_owned().ok();
        let slots = self.clone();
        async move {
            if at_once.is_some() {
                return at_once;
            }
            // One may have been left meanwhile.
            if let Ok(permit) = Arc::clone(&all).try_acquire_owned() {
                return Some(permit);
            }
            slots.quietest(of)?.wanted.notify_one();
            let free = all.acquire_owned();
            tokio::time::timeout(TIMEOUT, free).await.ok()?.ok()
        }
    }

    /// What that address may take.
    fn share(&self, from: IpAddr) -> Arc<Semaphore> {
        let mut taken = self.lock();
        if let Some(share) = taken.shares.get(&from).and_then(Weak::upgrade) {
            return share;
        }
        taken.shares.retain(|_, share| share.strong_count() > 0);
        let share = Arc::new(Semaphore::new(self.0.most.div_ceil(2)));
        taken.shares.insert(from, Arc::downgrade(&share));
        share
    }

    fn seat(
        self,
        from: Option<IpAddr>,
        permit: OwnedSemaphorePermit,
        share: Option<OwnedSemaphorePermit>,
    ) -> ConnectionSlot {
        let used = Arc::new(Use {
            from,
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
        ConnectionSlot {
            slots: self,
            number,
            used,
            _permit: permit,
            _share: share,
        }
    }

    /// The connection that has been quiet for the longest time, of those from that address. It
    /// is not chosen twice.
    fn quietest(&self, of: Option<IpAddr>) -> Option<Arc<Use>> {
        let taken = self.lock();
        let stays = taken
            .by
            .values()
            .filter(|used| of.is_none() || used.from == of)
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

impl ConnectionSlot {
    /// For telling what is done on the connection.
    pub fn use_of(&self) -> Arc<Use> {
        Arc::clone(&self.used)
    }

    /// Waits until the slot is wanted by another, while nothing is asked.
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

impl Drop for ConnectionSlot {
    fn drop(&mut self) {
        self.slots.lock().by.remove(&self.number);
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

/// Who is behind an address: whoever has one of IPv6 has its whole network.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::from([a, b, c, d, 0, 0, 0, 0])
        }
        address => address,
    }
}

fn millis(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap_or(BUSY - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn who_has_asked_nothing_for_long_leaves_and_who_works_stays() {
        let slots = ConnectionSlots::new(2);
        let working = slots.take(None).await.unwrap();
        working.use_of().begins();
        let idle = slots.take(None).await.unwrap();
        assert!(slots.take(None).await.is_none(), "it came just now");
        tokio::time::sleep(QUIET).await;
        let leaves = tokio::spawn(async move {
            idle.wanted().await;
            drop(idle);
        });
        let third = slots.take(None).await.unwrap();
        leaves.await.unwrap();
        third.use_of().begins();
        tokio::time::sleep(QUIET).await;
        assert!(slots.take(None).await.is_none(), "all of them work");
        drop(working);
        assert!(slots.take(None).await.is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn one_address_leaves_half_to_others() {
        let slots = ConnectionSlots::new(4);
        let from = |text: &str| -> Option<IpAddr> { Some(text.parse().unwrap()) };
        let other = slots.take(from("192.0.2.2")).await.unwrap();
        let working = slots.take(from("192.0.2.1")).await.unwrap();
        working.use_of().begins();
        let idle = slots.take(from("192.0.2.1")).await.unwrap();
        assert!(slots.take(from("192.0.2.1")).await.is_none());
        assert!(slots.take(from("::ffff:192.0.2.1")).await.is_none());
        tokio::time::sleep(QUIET).await;
        // It is one of the address's own that leaves, not the quieter one of another.
        let leaves = tokio::spawn(async move {
            idle.wanted().await;
            drop(idle);
        });
        let third = slots.take(from("192.0.2.1")).await.unwrap();
        leaves.await.unwrap();
        assert!(slots.take(from("2001:db8::1")).await.is_some());
        drop((working, other, third));
        let whole = [from("2001:db8::1"), from("2001:db8::2:0:0:1")];
        let held = [slots.take(whole[0]).await, slots.take(whole[1]).await];
        assert!(held.iter().all(Option::is_some));
        assert!(slots.take(from("2001:db8::3")).await.is_none());
        drop(held);
        assert!(slots.take(from("2001:db8::3")).await.is_some());
        assert_eq!(slots.lock().shares.len(), 1);
    }
}
