//! What the daemon says of itself.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use crate::domain::time::{Span, Timestamp};

/// Facts about this daemon that handlers tell; clones share them.
#[derive(Clone)]
pub struct About {
    inner: Arc<Inner>,
}

struct Inner {
    started: Timestamp,
    running: Instant,
    state_dir: PathBuf,
    socket: PathBuf,
    listeners: Mutex<Vec<String>>,
    instance: String,
}

impl About {
    /// At start, before any listener is bound. `instance` names the state directory.
    pub fn new(started: Timestamp, state_dir: PathBuf, socket: PathBuf, instance: String) -> Self {
        Self {
            inner: Arc::new(Inner {
                started,
                running: Instant::now(),
                state_dir,
                socket,
                listeners: Mutex::default(),
                instance,
            }),
        }
    }

    /// This program's version.
    pub fn version(&self) -> &'static str {
        env!("CARGO_PKG_VERSION")
    }

    /// When the daemon started.
    pub fn started(&self) -> Timestamp {
        self.inner.started
    }

    /// How far the machine's clock was set forward since then; negative: back.
    pub fn clock_jump(&self, now: Timestamp) -> Span {
        let passed = self.inner.running.elapsed().as_secs_f64();
        (now - self.inner.started) + Span::from_secs_f64(-passed)
    }

    /// Where its database is.
    pub fn state_dir(&self) -> &PathBuf {
        &self.inner.state_dir
    }

    /// Its Unix socket.
    pub fn socket(&self) -> &PathBuf {
        &self.inner.socket
    }

    /// The URLs on which it listens by TCP.
    pub fn listeners(&self) -> Vec<String> {
        self.lock().clone()
    }

    /// Adds a listener that was bound.
    pub fn add_listener(&self, url: String) {
        let mut listeners = self.lock();
        if !listeners.contains(&url) {
            listeners.push(url);
        }
    }

    /// Names its state directory among all others; containers are labelled with it.
    pub fn instance(&self) -> &str {
        &self.inner.instance
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<String>> {
        // A list of strings cannot be left half-written.
        self.inner
            .listeners
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}
