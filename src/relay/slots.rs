//! How many connections there may be: all together, and from one address.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// All together, where the limit of descriptors permits it. Those beyond that wait to be
/// accepted.
const MOST: usize = 1024;
/// Descriptors for each connection: the client's, its journal, the daemon's, and a file.
const EACH: u64 = 4;
/// Descriptors for everything else.
const OTHERS: u64 = 64;
/// The share of all that one address may have; one machine's processes have one address.
const OF_ONE: usize = 4;
const OF_THIS_MACHINE: usize = 2;

/// The slots.
pub(super) struct ConnectionSlots {
    free: Arc<Semaphore>,
    most: usize,
    taken: Mutex<HashMap<IpAddr, usize>>,
}

/// A slot, until it is dropped.
pub(super) struct ConnectionSlot {
    slots: Arc<ConnectionSlots>,
    from: IpAddr,
    _permit: OwnedSemaphorePermit,
}

impl ConnectionSlots {
    /// For a process that may have so many descriptors.
    pub fn new(descriptors: u64) -> Arc<Self> {
        let fit = descriptors.saturating_sub(OTHERS) / EACH;
        let most = usize::try_from(fit).unwrap_or(MOST).clamp(OF_ONE, MOST);
        Arc::new(Self {
            free: Arc::new(Semaphore::new(most)),
            most,
            taken: Mutex::default(),
        })
    }

    /// Waits until there is a slot for anybody.
    pub async fn any(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.free).acquire_owned().await.ok()
    }

    /// That slot for one that came from there; none where that one has its share already.
    pub fn take(
        self: &Arc<Self>,
        permit: OwnedSemaphorePermit,
        from: IpAddr,
    ) -> Option<ConnectionSlot> {
        let share = if from.to_canonical().is_loopback() {
            self.most / OF_THIS_MACHINE
        } else {
            self.most / OF_ONE
        };
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let held = taken.entry(from).or_default();
        if *held >= share {
            return None;
        }
        *held += 1;
        Some(ConnectionSlot {
            slots: Arc::clone(self),
            from,
            _permit: permit,
        })
    }
}

impl Drop for ConnectionSlot {
    fn drop(&mut self) {
        let taken = &self.slots.taken;
        let mut taken = taken.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(held) = taken.get_mut(&self.from) {
            *held -= 1;
            if *held == 0 {
                taken.remove(&self.from);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn one_address_leaves_places_to_others() {
        let slots = ConnectionSlots::new(OTHERS + 8 * EACH);
        let from = |last| IpAddr::from([172, 17, 0, last]);
        let mut held = Vec::new();
        for _ in 0..2 {
            let permit = slots.any().await.unwrap();
            held.push(slots.take(permit, from(2)).unwrap());
        }
        let permit = slots.any().await.unwrap();
        assert!(slots.take(permit, from(2)).is_none());
        let permit = slots.any().await.unwrap();
        held.push(slots.take(permit, from(3)).unwrap());
        held.remove(0);
        let permit = slots.any().await.unwrap();
        held.push(slots.take(permit, from(2)).unwrap());
        drop(held);
        assert_eq!(slots.free.available_permits(), 8);
        assert!(slots.taken.lock().unwrap().is_empty());
    }
}
