//! Why a run is not further than it is. Ours, not Prefect's.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::api::redaction::{Reader, Redact};
use crate::api::v3::wire::Instant;
use crate::domain::why;

/// The one reason that counts now.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Why {
    /// `not_due`, `slots_taken`, … for programs.
    pub code: String,
    /// For people.
    pub reason: String,
    /// When the run may start, where that is known.
    pub may_start: Option<Instant>,
    /// Who uses the slots that it waits for.
    pub holders: Vec<Holder>,
    /// How many more do than these.
    #[serde(default)]
    pub more_holders: u64,
    /// How many runs are served before it.
    pub ahead: u64,
}

/// A run that uses a slot.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Holder {
    /// Its id.
    pub id: Uuid,
    /// Its name.
    pub name: String,
    /// The agent that holds it; null where it is none of prefectd's.
    pub agent: Option<String>,
}

impl From<why::Why> for Why {
    fn from(why: why::Why) -> Self {
        let holders = why.holders.into_iter().map(|holder| Holder {
            id: holder.id.uuid(),
            name: holder.name,
            agent: holder.agent,
        });
        Self {
            code: why.code.word().to_owned(),
            reason: why.reason,
            may_start: why.may_start.map(Into::into),
            holders: holders.collect(),
            more_holders: why.more_holders,
            ahead: why.ahead,
        }
    }
}

impl Redact for Why {
    fn redact(&mut self, reader: &Reader<'_>) {
        let Self {
            code: _,
            reason,
            may_start: _,
            holders,
            more_holders: _,
            ahead: _,
        } = self;
        let mask = reader.of_nobody();
        mask.over(reason);
        for Holder { id: _, name, agent } in holders {
            mask.over(name);
            mask.over(agent);
        }
    }
}
