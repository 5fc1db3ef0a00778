//! The memory for what clients tell and no daemon has confirmed.
//!
//! Each conversation has a little of its own, so that small messages pass however much others
//! hold. What does not fit there comes out of what all have in common. Where neither has room the
//! client is not read, and its writes wait: nothing is lost. What is held goes without the client
//! being read, so nobody waits for ever.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::spool::{TIME, earned};

/// What all conversations have in common, in bytes.
const COMMON: usize = 64 * 1024 * 1024;
/// What each has of its own, in bytes.
const OWN: usize = 16 * 1024;

/// The memory of all conversations; clones share it.
#[derive(Clone)]
pub(super) struct Memory {
    common: Arc<Semaphore>,
    most: usize,
}

impl Default for Memory {
    fn default() -> Self {
        Self::of(COMMON)
    }
}

impl Memory {
    /// So many bytes in common.
    pub fn of(most: usize) -> Self {
        let common = Arc::new(Semaphore::new(most));
        Self { common, most }
    }

    /// What another conversation may take.
    pub fn room(&self) -> Room {
        Room {
            own: Arc::new(Semaphore::new(OWN)),
            all: self.clone(),
        }
    }
}

/// What one conversation may take.
pub(super) struct Room {
    own: Arc<Semaphore>,
    all: Memory,
}

impl Room {
    /// Waits until there is room for so many bytes, and takes it.
    pub async fn take(&self, bytes: usize) -> Share {
        let common = permits(&self.all.common, bytes.min(self.all.most));
        if bytes > OWN {
            return Share::Common(common.await, bytes);
        }
        tokio::select! {
            biased;
            own = permits(&self.own, bytes) => Share::Own(own),
            common = common => Share::Common(common, bytes),
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
        #[expect(dead_code, reason = "held")] Option<OwnedSemaphorePermit>,
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
    use futures_util::FutureExt;

    use super::*;

    #[tokio::test]
    async fn what_is_small_has_room_however_much_others_hold() {
        let memory = Memory::of(100_000);
        let (first, second) = (memory.room(), memory.room());
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
        // More than there is in all takes all there is.
        drop(first.take(100_001).await);
    }
}
