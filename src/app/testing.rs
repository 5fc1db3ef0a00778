//! An app of a test's own, whose clock the test may set.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use super::App;
use crate::clock::{Clock, SystemClock};
use crate::domain::time::{Span, Timestamp};
use crate::storage::Store;
use crate::storage::blobs::Blobs;

/// A clock that is ahead of the machine's by so many microseconds.
#[derive(Clone, Default)]
pub struct Ahead(pub Arc<AtomicI64>);

impl Clock for Ahead {
    fn now(&self) -> Timestamp {
        SystemClock.now() + Span::from_micros(self.0.load(Ordering::SeqCst))
    }
}

/// An app on a new database in that folder.
pub fn app(folder: &Path, clock: Ahead) -> App {
    let store = Store::open(&folder.join("prefectd.db")).unwrap();
    let blobs = Blobs::open(&folder.join("blobs")).unwrap();
    App::new(store, blobs, Arc::new(clock), Duration::from_secs(30))
}
