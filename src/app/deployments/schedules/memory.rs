//! What the scheduler need not look at again yet.
//!
//! Only a saving: what is forgotten, at the latest when the daemon ends, is found again.

use std::collections::HashMap;

use parking_lot::Mutex;

use crate::domain::deployment::Deployment;
use crate::domain::ids::ScheduleId;
use crate::domain::time::Timestamp;
use crate::storage::schedules::Active;

/// Of each schedule, when a look at it can bring something new.
#[derive(Debug, Default)]
pub(in crate::app) struct Memory {
    known: Mutex<HashMap<ScheduleId, Known>>,
}

#[derive(Clone, Copy, Debug)]
struct Known {
    /// When the deployment had last changed.
    updated: Timestamp,
    /// From when on; `None` when never.
    look_at: Option<Timestamp>,
}

impl Memory {
    /// Those that should be looked at now.
    pub fn due(&self, all: Vec<Active>, now: Timestamp) -> Vec<Active> {
        let known = self.known.lock();
        let is_due = |schedule: &Active| {
            known.get(&schedule.id).is_none_or(|known| {
                known.updated != schedule.updated || known.look_at.is_some_and(|at| at <= now)
            })
        };
        all.into_iter().filter(is_due).collect()
    }

    /// Keeps when to look again at a schedule; `true` when nothing was known of it as it is now.
    pub fn keep(&self, schedule: &Active, look_at: Option<Timestamp>) -> bool {
        let updated = schedule.updated;
        let known = Known { updated, look_at };
        let before = self.known.lock().insert(schedule.id, known);
        before.is_none_or(|before| before.updated != updated)
    }

    /// Forgets a deployment's schedules.
    pub fn forget(&self, deployment: &Deployment) {
        let mut known = self.known.lock();
        for schedule in &deployment.schedules {
            known.remove(&schedule.id);
        }
    }

    /// Forgets all but these.
    pub fn retain(&self, is_there: impl Fn(&ScheduleId) -> bool) {
        self.known.lock().retain(|id, _| is_there(id));
    }
}
