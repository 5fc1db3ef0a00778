//! What the scheduler need not look at again yet.
//!
//! Only a saving: what is forgotten, at the latest when the daemon ends, is found again.

use std::collections::HashMap;
use std::sync::Mutex;

use crate::domain::ids::DeploymentId;
use crate::domain::time::Timestamp;

/// Of each deployment, when a look at its schedule can bring something new.
#[derive(Debug, Default)]
pub(in crate::app) struct Memory {
    known: Mutex<HashMap<DeploymentId, Known>>,
}

#[derive(Clone, Copy, Debug)]
struct Known {
    /// When the deployment had last changed.
    updated: Timestamp,
    /// From when on; `None` when never.
    look_at: Option<Timestamp>,
}

impl Memory {
    /// Those that should be looked at now, each given with when it last changed.
    pub fn due(
        &self,
        all: Vec<(DeploymentId, Timestamp)>,
        now: Timestamp,
    ) -> Vec<(DeploymentId, Timestamp)> {
        let known = self.lock();
        let is_due = |(id, updated): &(DeploymentId, Timestamp)| {
            known.get(id).is_none_or(|known| {
                known.updated != *updated || known.look_at.is_some_and(|at| at <= now)
            })
        };
        all.into_iter().filter(is_due).collect()
    }

    /// Keeps when to look again at a deployment that had last changed at `updated`; `true`
    /// when nothing was known of it as it is now.
    pub fn keep(&self, id: DeploymentId, updated: Timestamp, look_at: Option<Timestamp>) -> bool {
        let before = self.lock().insert(id, Known { updated, look_at });
        before.is_none_or(|before| before.updated != updated)
    }

    /// Forgets a deployment.
    pub fn forget(&self, id: DeploymentId) {
        self.lock().remove(&id);
    }

    /// Forgets all but these.
    pub fn retain(&self, is_there: impl Fn(&DeploymentId) -> bool) {
        self.lock().retain(|id, _| is_there(id));
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<DeploymentId, Known>> {
        self.known
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}
