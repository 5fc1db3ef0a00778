//! What the daemon says of itself.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use crate::domain::time::Timestamp;

/// Facts about this daemon that handlers tell; clones share them.
#[derive(Clone)]
pub struct About {
    inner: Arc<Inner>,
}

struct Inner {
    started: Timestamp,
    state_dir: PathBuf,
    socket: PathBuf,
    listeners: Mutex<Vec<String>>,
    agent: Option<Box<dyn Fn() -> AgentView + Send + Sync>>,
}

/// The embedded agent as `status` shows it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AgentView {
    /// Its name.
    pub name: String,
    /// How many runs it may hold at once.
    pub slots: u64,
    /// When it last looked for work.
    pub last_activation: Option<Timestamp>,
    /// What went wrong then, if anything did.
    pub last_error: Option<String>,
}

impl About {
    /// At start, before any listener is bound. `agent` is asked for its state on demand;
    /// absent when the daemon runs without one.
    pub fn new(
        started: Timestamp,
        state_dir: PathBuf,
        socket: PathBuf,
        agent: Option<Box<dyn Fn() -> AgentView + Send + Sync>>,
    ) -> Self {
        Self {
            inner: Arc::new(Inner {
                started,
                state_dir,
                socket,
                listeners: Mutex::default(),
                agent,
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

    /// The embedded agent, when there is one.
    pub fn agent(&self) -> Option<AgentView> {
        self.inner.agent.as_ref().map(|view| view())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<String>> {
        // A list of strings cannot be left half-written.
        self.inner
            .listeners
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}
