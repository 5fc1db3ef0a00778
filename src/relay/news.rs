//! What a relay has to tell its daemon, for somebody to hear of.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// How many things are kept that the daemon has not been told.
const MOST: usize = 32;

/// What has not been told yet.
#[derive(Default)]
pub(super) struct News(Mutex<Vec<String>>);

impl News {
    /// Adds something, while there is room for it.
    pub fn add(&self, news: String) {
        let mut all = self.all();
        if all.len() < MOST {
            all.push(news);
        }
    }

    /// Takes all, to be told.
    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.all())
    }

    /// Puts back what could not be told.
    pub fn put_back(&self, news: Vec<String>) {
        let mut all = self.all();
        all.extend(news);
        all.truncate(MOST);
    }

    fn all(&self) -> MutexGuard<'_, Vec<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
