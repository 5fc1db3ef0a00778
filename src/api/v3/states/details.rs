//! What a state says beyond its type, as the modern generation spells it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::api::v3::wire::Instant;
use crate::domain::JsonMap;
use crate::domain::ids::{FlowRunId, LeaseId, TaskRunId};
use crate::domain::state::StateDetails;

/// What a proposal says beyond the type; what the domain does not know is kept as it came.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct DetailsIn {
    /// The flow run it belongs to.
    pub flow_run_id: Option<Uuid>,
    /// The task run it belongs to.
    pub task_run_id: Option<Uuid>,
    /// The sub-flow's run.
    pub child_flow_run_id: Option<Uuid>,
    /// When a scheduled state is due.
    pub scheduled_time: Option<Instant>,
    /// The key of a cached result.
    pub cache_key: Option<String>,
    /// Until when that holds.
    pub cache_expiration: Option<Instant>,
    /// When a pause that nobody resumes is over.
    pub pause_timeout: Option<Instant>,
    /// Whether a paused run's process ends.
    pub pause_reschedule: bool,
    /// Names a pause within its attempt.
    pub pause_key: Option<String>,
    /// By which keys a paused run's input is kept.
    #[schema(value_type = Option<Object>)]
    pub run_input_keyset: Option<BTreeMap<String, String>>,
    /// Whether a task runs although its result is cached.
    pub refresh_cache: Option<bool>,
    /// Whether a failed task may be tried again.
    pub retriable: Option<bool>,
    /// Names a step, so that one that is told twice is taken once.
    pub transition_id: Option<Uuid>,
    /// The run's hold on a slot of its deployment.
    pub deployment_concurrency_lease_id: Option<Uuid>,
    /// Everything else.
    #[serde(flatten)]
    #[schema(value_type = Object)]
    pub extra: JsonMap,
}

/// Whether a detail that the domain does not look at says nothing, so that it is not kept.
fn says_nothing(name: &str, value: &Value) -> bool {
    match name {
        "task_parameters_id" | "traceparent" => value.is_null(),
        "untrackable_result" | "deferred" => *value == false,
        _ => false,
    }
}

impl From<DetailsIn> for StateDetails {
    fn from(details: DetailsIn) -> Self {
        let mut extra = details.extra;
        extra.retain(|name, value| !says_nothing(name, value));
        Self {
            flow_run_id: details.flow_run_id.map(FlowRunId::from_uuid),
            task_run_id: details.task_run_id.map(TaskRunId::from_uuid),
            child_flow_run_id: details.child_flow_run_id.map(FlowRunId::from_uuid),
            scheduled_time: details.scheduled_time.map(Into::into),
            cache_key: details.cache_key,
            cache_expiration: details.cache_expiration.map(Into::into),
            pause_timeout: details.pause_timeout.map(Into::into),
            pause_reschedule: details.pause_reschedule,
            pause_key: details.pause_key,
            run_input_keyset: details.run_input_keyset,
            refresh_cache: details.refresh_cache,
            retriable: details.retriable,
            transition_id: details.transition_id,
            lease: details
                .deployment_concurrency_lease_id
                .map(LeaseId::from_uuid),
            extra,
        }
    }
}

impl From<StateDetails> for DetailsIn {
    fn from(details: StateDetails) -> Self {
        let StateDetails {
            flow_run_id,
            task_run_id,
            child_flow_run_id,
            scheduled_time,
            cache_key,
            cache_expiration,
            pause_timeout,
            pause_reschedule,
            pause_key,
            run_input_keyset,
            refresh_cache,
            retriable,
            transition_id,
            lease,
            extra,
        } = details;
        Self {
            flow_run_id: flow_run_id.map(FlowRunId::uuid),
            task_run_id: task_run_id.map(TaskRunId::uuid),
            child_flow_run_id: child_flow_run_id.map(FlowRunId::uuid),
            scheduled_time: scheduled_time.map(Into::into),
            cache_key,
            cache_expiration: cache_expiration.map(Into::into),
            pause_timeout: pause_timeout.map(Into::into),
            pause_reschedule,
            pause_key,
            run_input_keyset,
            refresh_cache,
            retriable,
            transition_id,
            deployment_concurrency_lease_id: lease.map(LeaseId::uuid),
            extra,
        }
    }
}

/// The details as they are answered: all that the modern API knows, whether said or not, and then
/// the rest.
pub fn details_out(details: &StateDetails) -> JsonMap {
    let said = DetailsIn::from(details.clone());
    let mut rest = said.extra;
    let mut extra = |name: &str, unsaid: Value| rest.shift_remove(name).unwrap_or(unsaid);
    let all = json!({
        "flow_run_id": said.flow_run_id,
        "task_run_id": said.task_run_id,
        "child_flow_run_id": said.child_flow_run_id,
        "scheduled_time": said.scheduled_time,
        "cache_key": said.cache_key,
        "cache_expiration": said.cache_expiration,
        "deferred": extra("deferred", false.into()),
        "untrackable_result": extra("untrackable_result", false.into()),
        "pause_timeout": said.pause_timeout,
        "pause_reschedule": said.pause_reschedule,
        "pause_key": said.pause_key,
        "run_input_keyset": said.run_input_keyset,
        "refresh_cache": said.refresh_cache,
        "retriable": said.retriable,
        "transition_id": said.transition_id,
        "task_parameters_id": extra("task_parameters_id", Value::Null),
        "traceparent": extra("traceparent", Value::Null),
        "deployment_concurrency_lease_id": said.deployment_concurrency_lease_id,
    });
    let Value::Object(mut all) = all else {
        return rest;
    };
    all.extend(rest);
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As the 3.9 server answers the details of a state.
    const WIRE: &str = r#"{"flow_run_id":"104212f2-c0a9-465b-a300-490419706a90","task_run_id":null,
        "child_flow_run_id":null,"scheduled_time":null,"cache_key":null,"cache_expiration":null,
        "deferred":null,"untrackable_result":true,"pause_timeout":"2026-11-23T18:31:46.138837Z",
        "pause_reschedule":true,"pause_key":"1","run_input_keyset":{"response":"a","schema":"b"},
        "refresh_cache":null,"retriable":false,"transition_id":"23b4af9c-40d0-4f42-ac9e-7d3ec67b26b7",
        "task_parameters_id":null,"traceparent":null,"deployment_concurrency_lease_id":null}"#;

    #[test]
    fn details_are_answered_as_they_were_said() {
        let read: DetailsIn = serde_json::from_str(WIRE).unwrap();
        let told = details_out(&read.into());
        let expected: Value = serde_json::from_str(WIRE).unwrap();
        assert_eq!(
            serde_json::to_string(&told).unwrap(),
            serde_json::to_string(&expected).unwrap()
        );
    }

    #[test]
    fn what_says_nothing_is_not_kept_and_told_all_the_same() {
        let said =
            r#"{"untrackable_result":false,"traceparent":null,"deferred":false,"exit_code":1}"#;
        let read: DetailsIn = serde_json::from_str(said).unwrap();
        let kept = StateDetails::from(read);
        assert_eq!(kept.extra.len(), 1);
        let told = details_out(&kept);
        assert_eq!(told.len(), 19);
        assert_eq!(told["untrackable_result"], false);
        assert_eq!(told["exit_code"], 1);
    }
}
