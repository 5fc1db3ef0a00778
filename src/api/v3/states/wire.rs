//! States, and what becomes of proposals.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use super::details::{DetailsIn, details_out};
use crate::api::redaction::{Mask, Reader, Redact};
use crate::api::v3::extract::AimedBody;
use crate::api::v3::wire::{Instant, or_default};
use crate::app::{self, Outcome};
use crate::domain::JsonMap;
use crate::domain::error::Error;
use crate::domain::ids::{FlowRunId, StateId};
use crate::domain::rules::{Generation, Policy};
use crate::domain::state::{self, ProposedState, StateType};

/// A state.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct State {
    /// Its id.
    pub id: Uuid,
    /// Its type: `SCHEDULED`, `PENDING`, …
    #[serde(rename = "type")]
    pub kind: String,
    /// Its name.
    pub name: String,
    /// When the run came here.
    pub timestamp: Instant,
    /// Why, for people.
    pub message: Option<String>,
    /// The result document.
    pub data: Option<Value>,
    /// The rest.
    #[schema(value_type = Object)]
    pub state_details: JsonMap,
}

impl From<&state::State> for State {
    fn from(state: &state::State) -> Self {
        let state::State {
            id,
            kind,
            name,
            timestamp,
            message,
            data,
            details,
        } = state;
        Self {
            id: id.uuid(),
            kind: kind.word().to_owned(),
            name: name.clone(),
            timestamp: (*timestamp).into(),
            message: message.clone(),
            data: data.clone(),
            state_details: details_out(details),
        }
    }
}

impl State {
    /// The state; none when its type or its details are not known here.
    pub fn into_domain(self) -> Option<state::State> {
        // By way of text: flattened shapes take no number of more than 64 bits from a value.
        let details = Value::from(self.state_details).to_string();
        let details: DetailsIn = serde_json::from_str(&details).ok()?;
        Some(state::State {
            id: StateId::from_uuid(self.id),
            kind: StateType::from_word(&self.kind)?,
            name: self.name,
            timestamp: self.timestamp.into(),
            message: self.message,
            data: self.data,
            details: details.into(),
        })
    }
}

impl State {
    /// The flow run whose state it is, where its details say so.
    fn flow_run(&self) -> Option<FlowRunId> {
        self.state_details
            .get("flow_run_id")?
            .as_str()?
            .parse()
            .ok()
    }

    /// Masks the secrets in it.
    pub fn redact_by(&mut self, mask: &Mask<'_>) {
        let Self {
            id: _,
            kind: _,
            name,
            timestamp: _,
            message,
            data,
            state_details,
        } = self;
        mask.over(name);
        mask.over(message);
        mask.over(data);
        for (name, value) in state_details.iter_mut() {
            match name == "cache_key" {
                // Only its name looks like a secret's.
                true => mask.over(value),
                false => mask.over_member(name, value),
            }
        }
    }
}

impl Redact for State {
    fn runs(&self, noted: &mut HashSet<FlowRunId>) {
        noted.extend(self.flow_run());
    }

    fn redact(&mut self, reader: &Reader<'_>) {
        let mask = reader.within_flow_run(self.flow_run());
        self.redact_by(&mask);
    }
}

impl From<ProposedState> for StateCreate {
    fn from(proposed: ProposedState) -> Self {
        Self {
            kind: proposed.kind.word().to_owned(),
            name: proposed.name,
            message: proposed.message,
            data: proposed.data,
            state_details: proposed.details.into(),
        }
    }
}

/// A proposed state.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
pub struct StateCreate {
    /// Its type.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its name; absent: the type's own.
    #[serde(default)]
    pub name: Option<String>,
    /// Why, for people.
    #[serde(default)]
    pub message: Option<String>,
    /// The result document.
    #[serde(default)]
    pub data: Option<Value>,
    /// The rest.
    #[serde(default)]
    pub state_details: DetailsIn,
}

impl StateCreate {
    /// Scheduled for an instant.
    pub fn scheduled(at: chrono::DateTime<chrono::Utc>) -> Self {
        Self {
            kind: StateType::Scheduled.word().to_owned(),
            state_details: DetailsIn {
                scheduled_time: Some(at.into()),
                ..DetailsIn::default()
            },
            ..Self::default()
        }
    }
}

impl TryFrom<StateCreate> for ProposedState {
    type Error = Error;

    fn try_from(create: StateCreate) -> Result<Self, Error> {
        let kind = StateType::from_word(&create.kind)
            .ok_or_else(|| Error::invalid(format!("There is no state type {:?}.", create.kind)))?;
        Ok(Self {
            id: None,
            kind,
            name: create.name,
            message: create.message,
            data: create.data,
            details: create.state_details.into(),
            worker: None,
        })
    }
}

/// The body of `set_state`.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct SetState {
    /// The proposed state.
    pub state: StateCreate,
    /// Whether to skip the rules.
    #[serde(default, deserialize_with = "or_default")]
    pub force: bool,
}

impl AimedBody for SetState {
    /// What is proposed, and how firmly.
    type Meaning = (ProposedState, Policy);

    fn meaning(self) -> Result<(ProposedState, Policy), Error> {
        let policy = Policy::of(Generation::V3, self.force);
        Ok((self.state.try_into()?, policy))
    }
}

/// What became of a proposal.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Decision {
    /// The state that was entered.
    pub state: Option<State>,
    /// `ACCEPT`, `REJECT`, `WAIT` or `ABORT`.
    pub status: String,
    /// Why, and how long to wait.
    #[schema(value_type = Object)]
    pub details: JsonMap,
}

impl From<&app::Decision> for Decision {
    fn from(decision: &app::Decision) -> Self {
        let (status, reason, delay) = match &decision.outcome {
            Outcome::Accepted => ("accept", None, None),
            Outcome::Rejected { why } | Outcome::Refused { why, .. } => ("reject", Some(why), None),
            Outcome::Wait {
                delay_secs, why, ..
            } => ("wait", Some(why), Some(*delay_secs)),
            Outcome::Aborted { why, .. } => ("abort", Some(why), None),
        };
        let mut details = JsonMap::new();
        details.insert("type".to_owned(), format!("{status}_details").into());
        if let Some(secs) = delay {
            details.insert("delay_seconds".to_owned(), secs.into());
        }
        if let Some(why) = reason {
            details.insert("reason".to_owned(), why.as_str().into());
        }
        Self {
            state: decision.shown().map(State::from),
            status: status.to_uppercase(),
            details,
        }
    }
}

impl Decision {
    /// The answer where a pause waits for other input. As on the reference the details are those
    /// of what is aborted, though it is a refusal.
    pub fn unfit(why: &str, paused: &state::State) -> Self {
        let mut details = JsonMap::new();
        details.insert("type".to_owned(), "abort_details".into());
        details.insert("reason".to_owned(), why.into());
        Self {
            state: Some(State::from(paused)),
            status: "REJECT".to_owned(),
            details,
        }
    }
}

impl Redact for Decision {
    fn runs(&self, noted: &mut HashSet<FlowRunId>) {
        self.state.runs(noted);
    }

    fn redact(&mut self, reader: &Reader<'_>) {
        let Self {
            state,
            status: _,
            details,
        } = self;
        state.redact(reader);
        reader.of_nobody().over(details);
    }
}
