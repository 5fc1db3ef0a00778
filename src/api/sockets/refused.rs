//! Which messages were refused lately.

use std::collections::VecDeque;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, LazyLock};

use parking_lot::Mutex;

/// How many are remembered.
const MOST: usize = 256;

/// Messages that were refused, by their digests; clones share them.
#[derive(Clone, Debug, Default)]
pub(super) struct Refusals(Arc<Mutex<VecDeque<u64>>>);

impl Refusals {
    /// Whether that one was refused before; from here on it was.
    pub fn is_known(&self, digest: u64) -> bool {
        let mut all = self.0.lock();
        if all.contains(&digest) {
            return true;
        }
        if all.len() >= MOST {
            all.pop_front();
        }
        all.push_back(digest);
        false
    }
}

/// A message's digest, which nobody outside can foresee.
pub(super) fn digest(text: &str) -> u64 {
    static KEYS: LazyLock<RandomState> = LazyLock::new(RandomState::new);
    KEYS.hash_one(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_known_the_second_time_while_it_is_remembered() {
        let refusals = Refusals::default();
        assert!(!refusals.is_known(1));
        assert!(refusals.is_known(1));
        (2..2 + MOST as u64).for_each(|other| assert!(!refusals.is_known(other)));
        assert!(!refusals.is_known(1));
    }
}
