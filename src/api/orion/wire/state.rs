//! States and what becomes of proposals.

use std::borrow::Cow;
use std::collections::HashSet;

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use super::super::read::{Fields, JsonValue, ReadContext, choice, id, string, timestamp};
use super::time::Iso;
use crate::api::redaction::{Mask, Reader, Redact};
use crate::app::{Decision, Outcome};
use crate::domain::ids::{FlowRunId, TaskRunId};
use crate::domain::state::{ProposedState, State, StateDetails, StateType};

/// The words for types of state that this generation knows.
pub const STATE_TYPES: &[(&str, StateType)] = &[
    ("SCHEDULED", StateType::Scheduled),
    ("PENDING", StateType::Pending),
    ("RUNNING", StateType::Running),
    ("COMPLETED", StateType::Completed),
    ("FAILED", StateType::Failed),
    ("CANCELLED", StateType::Cancelled),
];

/// How this generation is told of a type: those that it does not know pass for the one
/// that asks the same of it.
pub fn told(kind: StateType) -> &'static str {
    match kind {
        StateType::Crashed => StateType::Failed.word(),
        StateType::Cancelling => StateType::Running.word(),
        StateType::Paused => StateType::Pending.word(),
        known => known.word(),
    }
}

/// A state.
#[derive(Serialize, ToSchema)]
#[schema(as = orion::State)]
pub struct StateOut<'a> {
    id: Uuid,
    #[serde(rename = "type")]
    kind: &'static str,
    name: Cow<'a, str>,
    timestamp: Iso,
    message: Option<Cow<'a, str>>,
    data: Option<Cow<'a, Value>>,
    state_details: DetailsOut<'a>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = orion::Details)]
struct DetailsOut<'a> {
    flow_run_id: Option<Uuid>,
    task_run_id: Option<Uuid>,
    child_flow_run_id: Option<Uuid>,
    scheduled_time: Option<Iso>,
    cache_key: Option<Cow<'a, str>>,
    cache_expiration: Option<Iso>,
}

impl<'a> From<&'a State> for StateOut<'a> {
    fn from(state: &'a State) -> Self {
        let State {
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
            kind: told(*kind),
            name: name.into(),
            timestamp: Iso(*timestamp),
            message: message.as_deref().map(Cow::Borrowed),
            data: data
                .as_ref()
                .filter(|data| is_document(data))
                .map(Cow::Borrowed),
            state_details: details.into(),
        }
    }
}

impl<'a> From<&'a StateDetails> for DetailsOut<'a> {
    fn from(details: &'a StateDetails) -> Self {
        let StateDetails {
            flow_run_id,
            task_run_id,
            child_flow_run_id,
            scheduled_time,
            cache_key,
            cache_expiration,
            // Unknown keys are refused by these clients.
            pause_timeout: _,
            pause_reschedule: _,
            pause_key: _,
            run_input_keyset: _,
            refresh_cache: _,
            retriable: _,
            transition_id: _,
            lease: _,
            extra: _,
        } = details;
        Self {
            flow_run_id: flow_run_id.map(FlowRunId::uuid),
            task_run_id: task_run_id.map(TaskRunId::uuid),
            child_flow_run_id: child_flow_run_id.map(FlowRunId::uuid),
            scheduled_time: scheduled_time.map(Iso),
            cache_key: cache_key.as_deref().map(Cow::Borrowed),
            cache_expiration: cache_expiration.map(Iso),
        }
    }
}

impl StateOut<'_> {
    /// The flow run whose state it is, where its details say so.
    fn flow_run(&self) -> Option<FlowRunId> {
        self.state_details.flow_run_id.map(FlowRunId::from_uuid)
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
        let DetailsOut {
            flow_run_id: _,
            task_run_id: _,
            child_flow_run_id: _,
            scheduled_time: _,
            cache_key,
            cache_expiration: _,
        } = state_details;
        mask.over(name);
        mask.over(message);
        mask.over(data);
        mask.over(cache_key);
    }
}

impl Redact for StateOut<'_> {
    fn runs(&self, noted: &mut HashSet<FlowRunId>) {
        noted.extend(self.flow_run());
    }

    fn redact(&mut self, reader: &Reader<'_>) {
        let mask = reader.within_flow_run(self.flow_run());
        self.redact_by(&mask);
    }
}

/// Results that other generations store have another shape; these clients get none of it.
pub(super) fn is_document(data: &Value) -> bool {
    data.as_object().is_some_and(|map| {
        map.len() == 2
            && ["encoding", "blob"]
                .iter()
                .all(|key| map.get(*key).is_some_and(Value::is_string))
    })
}

/// What became of a proposal.
#[derive(Serialize, ToSchema)]
#[schema(as = orion::Decision)]
pub struct DecisionOut<'a> {
    state: Option<StateOut<'a>>,
    status: &'static str,
    details: OutcomeOut<'a>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = orion::Outcome)]
#[serde(tag = "type")]
enum OutcomeOut<'a> {
    #[serde(rename = "accept_details")]
    Accept,
    #[serde(rename = "reject_details")]
    Reject { reason: Cow<'a, str> },
    #[serde(rename = "wait_details")]
    Wait {
        delay_seconds: i64,
        reason: Cow<'a, str>,
    },
    #[serde(rename = "abort_details")]
    Abort { reason: Cow<'a, str> },
}

impl<'a> From<&'a Decision> for DecisionOut<'a> {
    fn from(decision: &'a Decision) -> Self {
        let (status, details) = match &decision.outcome {
            Outcome::Accepted => ("ACCEPT", OutcomeOut::Accept),
            Outcome::Rejected { why } => ("REJECT", OutcomeOut::Reject { reason: why.into() }),
            Outcome::Refused { why, .. } => ("REJECT", OutcomeOut::Reject { reason: why.into() }),
            Outcome::Wait {
                delay_secs, why, ..
            } => (
                "WAIT",
                OutcomeOut::Wait {
                    delay_seconds: *delay_secs,
                    reason: why.into(),
                },
            ),
            Outcome::Aborted { why, .. } => ("ABORT", OutcomeOut::Abort { reason: why.into() }),
        };
        // What waits and what is aborted is told without a state.
        let shown = match decision.outcome {
            Outcome::Wait { .. } | Outcome::Aborted { .. } => None,
            _ => decision.shown(),
        };
        Self {
            state: shown.map(StateOut::from),
            status,
            details,
        }
    }
}

impl Redact for DecisionOut<'_> {
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
        match details {
            OutcomeOut::Accept => {}
            OutcomeOut::Reject { reason }
            | OutcomeOut::Wait { reason, .. }
            | OutcomeOut::Abort { reason } => reader.of_nobody().over(reason),
        }
    }
}

/// A proposed state.
pub fn proposal(value: &JsonValue<'_>, context: &mut ReadContext) -> Option<ProposedState> {
    let mut fields = Fields::of_row(value, context);
    let kind = fields.required("type", choice(STATE_TYPES));
    let name = fields.optional("name", string);
    let message = fields.optional("message", string);
    let data = fields.optional("data", document);
    let details = fields.default("state_details", details, StateDetails::default);
    fields.finish();
    Some(ProposedState {
        id: None,
        kind: kind?,
        name: name?,
        message: message?,
        data: data?,
        details: details?,
        worker: None,
    })
}

fn details(value: &JsonValue<'_>, context: &mut ReadContext) -> Option<StateDetails> {
    let mut fields = Fields::of(value, context)?;
    let flow_run_id = fields.optional("flow_run_id", id(FlowRunId::from_uuid));
    let task_run_id = fields.optional("task_run_id", id(TaskRunId::from_uuid));
    let child_flow_run_id = fields.optional("child_flow_run_id", id(FlowRunId::from_uuid));
    let scheduled_time = fields.optional("scheduled_time", timestamp);
    let cache_key = fields.optional("cache_key", string);
    let cache_expiration = fields.optional("cache_expiration", timestamp);
    fields.finish();
    Some(StateDetails {
        flow_run_id: flow_run_id?,
        task_run_id: task_run_id?,
        child_flow_run_id: child_flow_run_id?,
        scheduled_time: scheduled_time?,
        cache_key: cache_key?,
        cache_expiration: cache_expiration?,
        ..StateDetails::default()
    })
}

/// A data document: how something is encoded, and the encoded thing.
pub fn document(value: &JsonValue<'_>, context: &mut ReadContext) -> Option<Value> {
    let mut fields = Fields::of(value, context)?;
    let encoding = fields.required("encoding", string);
    let blob = fields.required("blob", string);
    fields.finish();
    Some(serde_json::json!({ "encoding": encoding?, "blob": blob? }))
}
