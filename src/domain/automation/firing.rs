//! That a trigger has fired, and what becomes of it where that is part of another one.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::trigger::Composite;
use crate::domain::JsonMap;
use crate::domain::time::Timestamp;

/// One firing of a trigger.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Firing {
    /// Its id. Ids grow, so that they say which of two came first.
    pub id: Uuid,
    /// The trigger.
    pub trigger: Uuid,
    /// When, in microseconds.
    triggered: i64,
    /// The labels that the trigger goes by, with their values.
    pub labels: JsonMap,
    /// The place of the event that it is because of, or of the last one that had to do with it.
    pub event: Option<i64>,
    /// Those of its parts that it is because of.
    pub firings: Vec<Firing>,
}

impl Firing {
    /// That of an event trigger.
    pub fn of_events(
        trigger: Uuid,
        labels: JsonMap,
        event: Option<i64>,
        triggered: Timestamp,
    ) -> Self {
        Self {
            id: Uuid::now_v7(),
            trigger,
            triggered: triggered.micros(),
            labels,
            event,
            firings: Vec::new(),
        }
    }

    /// That of a trigger that is made of others, because of theirs, the last of which is because
    /// of an event.
    pub fn of_parts(
        trigger: Uuid,
        firings: Vec<Firing>,
        event: Option<i64>,
        triggered: Timestamp,
    ) -> Self {
        Self {
            firings,
            ..Self::of_events(trigger, JsonMap::new(), event, triggered)
        }
    }

    /// When.
    pub fn triggered(&self) -> Timestamp {
        Timestamp::from_micros(self.triggered)
    }

    /// It and all that it is because of.
    pub fn all(&self) -> Vec<&Firing> {
        let parts = self.firings.iter().flat_map(Firing::all);
        std::iter::once(self).chain(parts).collect()
    }
}

impl Composite<'_> {
    /// Whether it fires, now that the latest firings of its parts are these.
    pub fn is_ready(&self, firings: &[Firing]) -> bool {
        if !self.is_ordered {
            return firings.len() >= self.wanted();
        }
        let mut order: Vec<_> = firings.iter().collect();
        order.sort_by_key(|firing| (firing.triggered, firing.id));
        let wanted = self.triggers.iter().map(super::Trigger::id);
        wanted.eq(order.into_iter().map(|firing| firing.trigger))
    }
}
