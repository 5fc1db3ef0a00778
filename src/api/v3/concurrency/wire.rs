//! Concurrency limits.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::api::redaction::{Reader, Redact};
use crate::api::v3::wire::{Instant, or_default, page};
use crate::app::{Asked, Granted, Holder, LimitNow, Mode};
use crate::domain::concurrency_limit::{ConcurrencyLimit, LEASE_SECS, LimitUpdate, NewLimit};
use crate::domain::error::{Error, Result};
use crate::domain::filter::Page;
use crate::domain::ids::LeaseId;
use crate::domain::time::Span;

/// A limit as its maker is told of it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct LimitV2 {
    id: Uuid,
    created: Instant,
    updated: Instant,
    active: bool,
    name: String,
    limit: i64,
    active_slots: i64,
    denied_slots: i64,
    slot_decay_per_second: f64,
    avg_slot_occupancy_seconds: f64,
}

impl From<LimitNow> for LimitV2 {
    fn from(now: LimitNow) -> Self {
        let LimitNow {
            limit,
            taken,
            task_runs: _,
        } = now;
        Self {
            id: limit.id.uuid(),
            created: limit.created.into(),
            updated: limit.updated.into(),
            active: limit.active,
            name: limit.name,
            limit: limit.slots,
            active_slots: taken,
            denied_slots: limit.denied,
            slot_decay_per_second: limit.decay,
            avg_slot_occupancy_seconds: limit.occupancy,
        }
    }
}

impl Redact for LimitV2 {
    fn redact(&mut self, reader: &Reader<'_>) {
        let Self {
            id: _,
            created: _,
            updated: _,
            active: _,
            name,
            limit: _,
            active_slots: _,
            denied_slots: _,
            slot_decay_per_second: _,
            avg_slot_occupancy_seconds: _,
        } = self;
        reader.of_nobody().over(name);
    }
}

/// A limit.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct GlobalLimit {
    id: Uuid,
    created: Instant,
    updated: Instant,
    active: bool,
    name: String,
    limit: i64,
    active_slots: i64,
    slot_decay_per_second: f64,
}

impl From<LimitNow> for GlobalLimit {
    fn from(now: LimitNow) -> Self {
        let LimitNow {
            limit,
            taken,
            task_runs: _,
        } = now;
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
    active_slots: Option<i64>,
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
            taken: changes.active_slots,
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

/// Slots that are wanted.
#[derive(Debug, Deserialize, ToSchema)]
pub struct SlotsWanted {
    /// Of which limits.
    names: Vec<String>,
    /// So many of each.
    slots: i64,
    /// `concurrency` or `rate_limit`.
    #[serde(default)]
    mode: For,
    /// For how many seconds they are held unless that is renewed; 300 where it is not said.
    #[serde(default)]
    lease_duration: Option<f64>,
    /// Who holds them.
    #[serde(default)]
    holder: Option<HeldBy>,
    /// Limits are made before something is taken of them.
    #[serde(default, rename = "create_if_missing")]
    _create_if_missing: Option<bool>,
}

/// What slots are wanted for.
#[derive(Clone, Copy, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum For {
    #[default]
    Concurrency,
    RateLimit,
}

/// Who holds slots.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
struct HeldBy {
    /// `flow_run`, `task_run` or `deployment`.
    #[serde(rename = "type")]
    kind: HolderKind,
    /// Its id.
    id: Uuid,
}

#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum HolderKind {
    FlowRun,
    TaskRun,
    Deployment,
}

impl From<HeldBy> for Holder {
    fn from(by: HeldBy) -> Self {
        let kind = match by.kind {
            HolderKind::FlowRun => "flow_run",
            HolderKind::TaskRun => "task_run",
            HolderKind::Deployment => "deployment",
        };
        Self {
            kind: kind.to_owned(),
            id: by.id,
        }
    }
}

impl SlotsWanted {
    /// What is asked.
    pub fn asked(self) -> Result<Asked> {
        let mode = match self.mode {
            For::Concurrency => Mode::Concurrency,
            For::RateLimit => Mode::RateLimit,
        };
        asked(self.names, self.slots, mode)
    }

    /// How long the slots are held, and by whom.
    pub fn lease(&self) -> Result<(Option<Span>, Option<Holder>)> {
        let time = lease_time(self.lease_duration)?;
        Ok((Some(time), self.holder.map(Holder::from)))
    }
}

fn asked(names: Vec<String>, slots: i64, mode: Mode) -> Result<Asked> {
    if names.is_empty() {
        return Err(Error::invalid("names: at least one is needed."));
    }
    match slots > 0 {
        true => Ok(Asked { names, slots, mode }),
        false => Err(Error::invalid("slots must be more than 0.")),
    }
}

fn lease_time(secs: Option<f64>) -> Result<Span> {
    let secs = secs.unwrap_or(300.0);
    let span = Span::of_secs(secs).filter(|_| LEASE_SECS.contains(&secs));
    span.ok_or_else(|| {
        Error::invalid(format!(
            "lease_duration must be {} to {} seconds.",
            LEASE_SECS.start(),
            LEASE_SECS.end()
        ))
    })
}

/// Slots that are given back.
#[derive(Debug, Deserialize, ToSchema)]
pub struct SlotsBack {
    /// Of which limits.
    names: Vec<String>,
    /// So many of each.
    slots: i64,
    /// For how many seconds they were taken.
    #[serde(default)]
    occupancy_seconds: Option<f64>,
    /// Limits are made before something is taken of them.
    #[serde(default, rename = "create_if_missing")]
    _create_if_missing: Option<bool>,
}

impl SlotsBack {
    /// What is given back, and for how long it was taken.
    pub fn parts(self) -> Result<(Asked, Option<Span>)> {
        let occupied = match self.occupancy_seconds {
            None => None,
            Some(secs) => {
                let span = Span::of_secs(secs).filter(|_| secs > 0.0);
                let why = "occupancy_seconds must be more than 0.";
                Some(span.ok_or_else(|| Error::invalid(why))?)
            }
        };
        Ok((asked(self.names, self.slots, Mode::Concurrency)?, occupied))
    }
}

/// A lease that is given back.
#[derive(Debug, Deserialize, ToSchema)]
pub struct Release {
    /// Its id.
    pub lease_id: Uuid,
}

/// How long a lease lasts from now on.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default)]
pub struct LeaseTime {
    /// In seconds; 300 where it is not said.
    lease_duration: Option<f64>,
}

impl LeaseTime {
    /// So long.
    pub fn span(&self) -> Result<Span> {
        lease_time(self.lease_duration)
    }
}
