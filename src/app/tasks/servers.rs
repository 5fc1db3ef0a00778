//! Who serves background tasks: the connections that there are, so that nothing has to be kept.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use parking_lot::Mutex;
use uuid::Uuid;

use crate::domain::time::Timestamp;
use crate::storage::task_queue::Holder;

/// A client that serves tasks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskServer {
    /// What it calls itself.
    pub client: String,
    /// The tasks, by their keys.
    pub task_keys: BTreeSet<String>,
    /// When it was last seen.
    pub seen: Timestamp,
}

/// The connections on which tasks are served.
#[derive(Default)]
pub(in crate::app) struct Servers(Mutex<HashMap<Uuid, TaskServer>>);

impl Servers {
    /// That one is there.
    pub(super) fn note(&self, holder: &Holder, task_keys: &[String], now: Timestamp) {
        let mut all = self.0.lock();
        let entry = all.entry(holder.id).or_insert_with(|| TaskServer {
            client: holder.client.clone(),
            task_keys: task_keys.iter().cloned().collect(),
            seen: now,
        });
        entry.seen = now;
    }

    /// That one is gone.
    pub(super) fn forget(&self, id: Uuid) {
        self.0.lock().remove(&id);
    }

    /// Those that serve any of these tasks, or all where none is named; a client is told once,
    /// with what it serves on all its connections.
    pub(super) fn of(&self, task_keys: &[String]) -> Vec<TaskServer> {
        let mut found: BTreeMap<String, TaskServer> = BTreeMap::new();
        for server in self.0.lock().values() {
            match found.get_mut(&server.client) {
                Some(known) => {
                    known.task_keys.extend(server.task_keys.iter().cloned());
                    known.seen = known.seen.max(server.seen);
                }
                None => {
                    found.insert(server.client.clone(), server.clone());
                }
            }
        }
        let is_asked = |server: &TaskServer| {
            task_keys.is_empty() || task_keys.iter().any(|key| server.task_keys.contains(key))
        };
        found.into_values().filter(is_asked).collect()
    }
}
