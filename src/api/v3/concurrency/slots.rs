//! Slots of concurrency limits: asked for, and given back.

use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::app::{Asked, Holder, Mode};
use crate::domain::concurrency_limit::LEASE_SECS;
use crate::domain::error::{Error, Result};
use crate::domain::time::Span;

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
