//! The memory for what clients tell and no daemon has confirmed.
//!
//! Each conversation has a little of its own, so that small messages pass however much others
//! hold. What does not fit there comes out of what all have in common. Where neither has room the
//! client is not read, and its writes wait: nothing is lost. No address takes more than a quarter of
//! what is common, so those that never let go of it hold up themselves alone.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Weak};
use std::time::Duration;

use parking_lot::Mutex;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::spool::{TIME, earned};

/// What all conversations have in common, in bytes.
const COMMON: usize = 64 * 1024 * 1024;
/// So many addresses can take all of it: nobody withholds it from the others.
const SHARES: usize = 4;
/// What each has of its own, in bytes.
const OWN: usize = 16 * 1024;

/// The memory of all conversations; clones share it.
#[derive(Clone)]
pub(super) struct Memory {
    common: Arc<Semaphore>,
    most: usize,
    /// The part of it that each address may take, of those with a conversation.
    addresses: Arc<Mutex<HashMap<IpAddr, Weak<Semaphore>>>>,
}

impl Default for Memory {
    fn default() -> Self {
        Self::of(COMMON)
    }
}

impl Memory {
    /// So many bytes in common.
    pub fn of(most: usize) -> Self {
        Self {
            common: Arc::new(Semaphore::new(most)),
            most,
            addresses: Arc::default(),
        }
    }

    /// What another conversation with that address may take.
    pub fn room(&self, from: IpAddr) -> Room {
        Room {
            own: Arc::new(Semaphore::new(OWN)),
            address: self.address(from),
            all: self.clone(),
        }
    }

    fn address(&self, from: IpAddr) -> Arc<Semaphore> {
        let mut addresses = self.addresses.lock();
        if let Some(known) = addresses.get(&from).and_then(Weak::upgrade) {
            return known;
        }
        addresses.retain(|_, known| known.strong_count() > 0);
        let new = Arc::new(Semaphore::new(self.most / SHARES));
        addresses.insert(from, Arc::downgrade(&new));
        new
    }
}

/// What one conversation may take.
pub(super) struct Room {
    own: Arc<Semaphore>,
    address: Arc<Semaphore>,
    all: Memory,
}

impl Room {
    /// Waits until there is room for so many bytes, and takes it.
    pub async fn take(&self, bytes: usize) -> Share {
        let common = async {
            let most = self.all.most;
            let of_address = permits(&self.address, bytes.min(most / SHARES)).await;
            let of_all = permits(&self.all.common, bytes.min(most)).await;
            Share::Common([of_address, of_all], bytes)
        };
        if bytes > OWN {
            return common.await;
        }
        tokio::select! {
            biased;
            own = permits(&self.own, bytes) => Share::Own(own),
            common = common => common,
        }
    }
}

/// Nothing where there are no more permits to wait for, which does not happen.
async fn permits(of: &Arc<Semaphore>, count: usize) -> Option<OwnedSemaphorePermit> {
    let count = u32::try_from(count).unwrap_or(u32::MAX);
    Arc::clone(of).acquire_many_owned(count).await.ok()
}

/// Room that is taken, until it is dropped.
#[derive(Debug)]
pub(super) enum Share {
    /// Of what is the conversation's own.
    Own(#[expect(dead_code, reason = "held")] Option<OwnedSemaphorePermit>),
    /// Of what all have in common, and how many bytes.
    Common(
        #[expect(dead_code, reason = "held")] [Option<OwnedSemaphorePermit>; 2],
        usize,
    ),
}

impl Share {
    /// How long the bytes may take to come for which others may be waiting; no bound where
    /// nobody is.
    pub fn time(&self) -> Option<Duration> {
        match self {
            Self::Own(_) => None,
            Self::Common(_, bytes) => Some(TIME + earned(*bytes)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use futures_util::FutureExt;

    use super::*;

    const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
    const THERE: IpAddr = IpAddr::V4(Ipv4Addr::BROADCAST);

    #[tokio::test]
    async fn what_is_small_has_room_however_much_others_hold() {
        let memory = Memory::of(400_000);
        let (first, second) = (memory.room(HERE), memory.room(HERE));
        let held = first.take(100_000).await;
        assert!(held.time().is_some());
        let small = second.take(OWN).await;
        assert!(small.time().is_none());
        assert!(second.take(1).now_or_never().is_none());
        assert!(second.take(OWN + 1).now_or_never().is_none());
        drop(small);
        assert!(second.take(1).now_or_never().is_some());
        drop(held);
        assert!(second.take(OWN + 1).now_or_never().is_some());
        // More than there is in all takes all that one may have.
        drop(first.take(400_001).await);
    }

    #[tokio::test]
    async fn one_address_leaves_room_for_others() {
        let memory = Memory::of(400_000);
        let greedy = memory.room(HERE);
        let _held = greedy.take(100_000).await;
        assert!(memory.room(HERE).take(20_000).now_or_never().is_none());
        let other = memory.room(THERE).take(100_000).now_or_never();
        assert!(other.is_some());
        drop(other);
        drop(memory.room(THERE));
        assert_eq!(memory.addresses.lock().len(), 2);
        memory.room(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
        assert_eq!(memory.addresses.lock().len(), 2);
    }
}
