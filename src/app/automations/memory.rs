//! The automations that look at events, read once and kept, by the names of the events.
//!
//! A transaction that changes automations makes what is kept doubtful until it is committed; what
//! is doubtful is read anew each time that it is needed. So a transaction that fails, and others
//! that share its commit, never go by what is not stored.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use parking_lot::Mutex;

use crate::app::bell::Bell;
use crate::domain::automation::{Automation, EventTrigger};
use crate::domain::error::Result;
use crate::domain::ids::AutomationId;
use crate::domain::time::Timestamp;
use crate::storage::{Connection, automations};

/// What is kept.
pub(in crate::app) struct Memory {
    kept: Mutex<Kept>,
    /// When the next window passes that somebody wakes for, in microseconds.
    wakes: AtomicI64,
    /// Rung whenever there is something to do.
    pub actions: Bell,
    /// Rung whenever a window passes before all others.
    pub windows: Bell,
}

impl Default for Memory {
    fn default() -> Self {
        Self {
            kept: Mutex::default(),
            wakes: AtomicI64::new(i64::MAX),
            actions: Bell::default(),
            windows: Bell::default(),
        }
    }
}

#[derive(Default)]
enum Kept {
    /// Not read yet.
    #[default]
    Nothing,
    /// Others than before, and whether that lasts is not known.
    Doubtful,
    /// These.
    All(Arc<Active>),
}

/// Automations that look at events.
#[derive(Default)]
pub(super) struct Active {
    automations: Vec<Automation>,
    /// Which triggers look at the event of a name.
    by_name: HashMap<String, Vec<At>>,
    /// Which look at those whose names begin so.
    by_beginning: Vec<(String, At)>,
}

/// A trigger: its automation, and its place among the event triggers of that.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct At(usize, usize);

impl Memory {
    /// What is committed now, as far as this transaction knows.
    pub(super) fn active(&self, db: &Connection) -> Result<Arc<Active>> {
        let mut kept = self.kept.lock();
        if let Kept::All(all) = &*kept {
            return Ok(Arc::clone(all));
        }
        let all = Arc::new(Active::of(automations::enabled(db)?));
        if matches!(*kept, Kept::Nothing) {
            *kept = Kept::All(Arc::clone(&all));
        }
        Ok(all)
    }

    /// Notes that the running transaction changes automations.
    pub(super) fn doubt(&self) {
        *self.kept.lock() = Kept::Doubtful;
    }

    /// Whether what is kept is doubtful.
    pub(super) fn is_doubtful(&self) -> bool {
        matches!(*self.kept.lock(), Kept::Doubtful)
    }

    /// Notes that what was doubtful is committed.
    pub fn keep(&self) {
        let mut kept = self.kept.lock();
        if matches!(*kept, Kept::Doubtful) {
            *kept = Kept::Nothing;
        }
    }

    /// Whether a window passes before anybody wakes for one.
    pub(super) fn is_early(&self, end: Timestamp) -> bool {
        end.micros() < self.wakes.load(Ordering::Relaxed)
    }

    /// Notes when somebody wakes.
    pub(super) fn wakes_at(&self, next: Option<Timestamp>) {
        let next = next.map_or(i64::MAX, Timestamp::micros);
        self.wakes.store(next, Ordering::Relaxed);
    }
}

impl Active {
    fn of(automations: Vec<Automation>) -> Self {
        let mut by_name: HashMap<String, Vec<At>> = HashMap::new();
        let mut by_beginning = Vec::new();
        for (index, automation) in automations.iter().enumerate() {
            let triggers = automation.plan.trigger.event_triggers().into_iter();
            for (place, trigger) in triggers.enumerate() {
                let at = At(index, place);
                for name in trigger.names() {
                    match beginning(name) {
                        Some(beginning) => by_beginning.push((beginning.to_owned(), at)),
                        None => by_name.entry(name.to_owned()).or_default().push(at),
                    }
                }
            }
        }
        Self {
            automations,
            by_name,
            by_beginning,
        }
    }

    /// The triggers that may look at an event of that name, each once.
    pub fn interested(&self, name: &str) -> Vec<(&Automation, &EventTrigger)> {
        if self.automations.is_empty() {
            return Vec::new();
        }
        let exactly = self.by_name.get(name).into_iter().flatten().copied();
        let begins = { self.by_beginning.iter() }
            .filter(|(beginning, _)| name.starts_with(beginning.as_str()))
            .map(|(_, at)| *at);
        let mut found: Vec<At> = exactly.chain(begins).collect();
        found.sort_unstable();
        found.dedup();
        found.into_iter().filter_map(|at| self.at(at)).collect()
    }

    fn at(&self, At(index, place): At) -> Option<(&Automation, &EventTrigger)> {
        let automation = self.automations.get(index)?;
        let trigger = *automation.plan.trigger.event_triggers().get(place)?;
        Some((automation, trigger))
    }

    /// The automation of that id.
    pub fn get(&self, id: AutomationId) -> Option<&Automation> {
        self.automations
            .iter()
            .find(|automation| automation.id == id)
    }
}

/// What comes before the first part of a pattern that stands for others; `None` for a plain name.
fn beginning(pattern: &str) -> Option<&str> {
    match pattern.starts_with('!') {
        true => Some(""),
        false => pattern.find(['*', '?']).and_then(|end| pattern.get(..end)),
    }
}
