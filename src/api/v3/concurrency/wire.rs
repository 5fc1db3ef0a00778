//! Concurrency limits.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::api::redaction::{Reader, Redact};
use crate::api::v3::wire::{Instant, or_default, page};
use crate::app::{Granted, LimitNow};
use crate::domain::concurrency_limit::{ConcurrencyLimit, LimitUpdate, NewLimit};
use crate::domain::error::Result;
use crate::domain::filter::Page;
use crate::domain::ids::LeaseId;

/// A limit.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct GlobalLimit {
    /// Its id.
    pub id: Uuid,
    /// When it was created.
    pub created: Instant,
    /// When it last changed.
    pub updated: Instant,
    /// Whether it limits anything.
    pub active: bool,
    /// Its name.
    pub name: String,
    /// So many slots it has.
    pub limit: i64,
    /// So many are taken.
    pub active_slots: i64,
    /// How many come back by themselves, per second.
    pub slot_decay_per_second: f64,
}

impl GlobalLimit {
    /// A limit of which so many slots are taken.
    pub fn of(limit: ConcurrencyLimit, taken: i64) -> Self {
        Self {
            id: limit.id.uuid(),
            created: limit.created.into(),
            updated: limit.updated.into(),
            active: limit.active,
            name: limit.name,
            limit: limit.slots,
            active_slots: taken,
            slot_decay_per_second: limit.decay,
        }
    }
}

impl From<LimitNow> for GlobalLimit {
    fn from(now: LimitNow) -> Self {
        let LimitNow {
            limit,
            taken,
            task_runs: _,
        } = now;
        Self::of(limit, taken)
    }
}

impl Redact for GlobalLimit {
    fn redact(&mut self, reader: &Reader<'_>) {
        let Self {
            id: _,
            created: _,
            updated: _,
            active: _,
            name,
            limit: _,
            active_slots: _,
            slot_decay_per_second: _,
        } = self;
        reader.of_nobody().over(name);
    }
}

/// A limit as its maker is told of it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct LimitV2 {
    #[serde(flatten)]
    limit: GlobalLimit,
    denied_slots: i64,
    avg_slot_occupancy_seconds: f64,
}

impl From<LimitNow> for LimitV2 {
    fn from(now: LimitNow) -> Self {
        Self {
            denied_slots: now.limit.denied,
            avg_slot_occupancy_seconds: now.limit.occupancy,
            limit: now.into(),
        }
    }
}

impl Redact for LimitV2 {
    fn redact(&mut self, reader: &Reader<'_>) {
        let Self {
            limit,
            denied_slots: _,
            avg_slot_occupancy_seconds: _,
        } = self;
        limit.redact(reader);
    }
}

/// A limit in brief.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Brief {
    id: Uuid,
    name: String,
    limit: i64,
}

impl Brief {
    /// Each of these in brief.
    pub fn all(limits: Vec<ConcurrencyLimit>) -> Vec<Self> {
        let brief = |limit: ConcurrencyLimit| Self {
            id: limit.id.uuid(),
            name: limit.name,
            limit: limit.slots,
        };
        limits.into_iter().map(brief).collect()
    }
}

impl Redact for Brief {
    fn redact(&mut self, reader: &Reader<'_>) {
        let Self {
            id: _,
            name,
            limit: _,
        } = self;
        reader.of_nobody().over(name);
    }
}

/// Slots that are held by a lease.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Leased {
    lease_id: Uuid,
    limits: Vec<Brief>,
}

impl From<Granted> for Leased {
    fn from(granted: Granted) -> Self {
        let Granted { limits, lease } = granted;
        Self {
            lease_id: lease.map_or(Uuid::nil(), LeaseId::uuid),
            limits: Brief::all(limits),
        }
    }
}

impl Redact for Leased {
    fn redact(&mut self, reader: &Reader<'_>) {
        let Self {
            lease_id: _,
            limits,
        } = self;
        limits.redact(reader);
    }
}

/// A limit to be created.
#[derive(Debug, Deserialize, ToSchema)]
pub struct LimitCreate {
    /// Its name.
    name: String,
    /// So many slots it has.
    limit: i64,
    /// Whether it limits anything.
    #[serde(default = "yes")]
    active: bool,
    /// So many of them are taken.
    #[serde(default)]
    active_slots: i64,
    /// So many were refused.
    #[serde(default)]
    denied_slots: i64,
    /// How many taken slots come back by themselves, per second.
    #[serde(default)]
    slot_decay_per_second: f64,
}

fn yes() -> bool {
    true
}

impl From<LimitCreate> for NewLimit {
    fn from(create: LimitCreate) -> Self {
        Self {
            name: create.name,
            slots: create.limit,
            active: create.active,
            decay: create.slot_decay_per_second,
            taken: create.active_slots,
            denied: create.denied_slots,
        }
    }
}

/// Changes to a limit; absent fields stay.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default)]
pub struct LimitChanges {
    /// See `LimitCreate`.
    name: Option<String>,
    /// See `LimitCreate`.
    limit: Option<i64>,
    /// See `LimitCreate`.
    active: Option<bool>,
    /// See `LimitCreate`.
    #[schema(minimum = 0)]
    active_slots: Option<u32>,
    /// See `LimitCreate`.
    denied_slots: Option<i64>,
    /// See `LimitCreate`.
    slot_decay_per_second: Option<f64>,
}

impl From<LimitChanges> for LimitUpdate {
    fn from(changes: LimitChanges) -> Self {
        Self {
            name: changes.name,
            slots: changes.limit,
            active: changes.active,
            decay: changes.slot_decay_per_second,
            taken: changes.active_slots.map(i64::from),
            denied: changes.denied_slots,
        }
    }
}

/// Which part of the list.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default)]
pub struct LimitPage {
    /// At most so many.
    limit: Option<i64>,
    /// After skipping so many.
    #[serde(deserialize_with = "or_default")]
    offset: u64,
}

impl LimitPage {
    /// The page.
    pub fn page(&self) -> Result<Page> {
        page(self.limit, self.offset)
    }
}
