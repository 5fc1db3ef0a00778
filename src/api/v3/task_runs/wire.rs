//! Task runs.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::api::redaction::{Reader, Redact};
use crate::api::v3::extract::AimedBody;
use crate::api::v3::wire::{Instant, State, StateCreate};
use crate::domain::JsonMap;
use crate::domain::error::Error;
use crate::domain::ids::{FlowRunId, TaskRunId};
use crate::domain::names;
use crate::domain::task_run::{
    self, LONGEST_CACHE_KEY, MOST_DELAYS, NewTaskRun, RetryPolicy, TaskRunSpec,
};
use crate::domain::time::{Span, Timestamp};

/// A task run. Times of length are seconds.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct TaskRun {
    /// Its id.
    pub id: Uuid,
    /// When it was created.
    pub created: Instant,
    /// When it last changed.
    pub updated: Instant,
    /// Its name.
    pub name: String,
    /// The flow run that it is part of; absent for a task that runs outside of any flow.
    pub flow_run_id: Option<Uuid>,
    /// Names the task within the flow's code.
    pub task_key: String,
    /// Tells apart the runs of one task within one flow run.
    pub dynamic_key: String,
    /// The key under which its result is cached.
    pub cache_key: Option<String>,
    /// Until when that holds.
    pub cache_expiration: Option<Instant>,
    /// The task's version.
    pub task_version: Option<String>,
    /// How it retries.
    #[schema(value_type = Object)]
    pub empirical_policy: JsonMap,
    /// Tags.
    pub tags: Vec<String>,
    /// Labels.
    #[schema(value_type = Object)]
    pub labels: JsonMap,
    /// Its current state's id.
    pub state_id: Option<Uuid>,
    /// Where its arguments come from.
    #[schema(value_type = Object)]
    pub task_inputs: JsonMap,
    /// Its current state's type.
    pub state_type: Option<String>,
    /// Its current state's name.
    pub state_name: Option<String>,
    /// How often it ran.
    pub run_count: i64,
    /// How often its flow run had run when it last began to.
    pub flow_run_run_count: i64,
    /// When it was first expected to start.
    pub expected_start_time: Option<Instant>,
    /// When it is due next.
    pub next_scheduled_start_time: Option<Instant>,
    /// When it first ran.
    pub start_time: Option<Instant>,
    /// When it ended.
    pub end_time: Option<Instant>,
    /// How long it ran.
    pub total_run_time: f64,
    /// How long it has run up to now.
    pub estimated_run_time: f64,
    /// How late it started, or is.
    pub estimated_start_time_delta: f64,
    /// Its current state.
    pub state: Option<State>,
}

impl TaskRun {
    /// A run as it is at `now`.
    pub fn new(run: task_run::TaskRun, now: Timestamp) -> Self {
        let task_run::TaskRun {
            id,
            created,
            updated,
            spec,
            flow_run_run_count,
            statistics,
            state,
        } = run;
        let estimated = statistics.estimated_run_time(state.as_ref(), now);
        let late = statistics.lateness(state.as_ref(), now);
        let empirical_policy = policy_out(&spec);
        let state = state.as_ref().map(State::from);
        Self {
            id: id.uuid(),
            created: created.into(),
            updated: updated.into(),
            name: spec.name,
            flow_run_id: spec.flow_run_id.map(FlowRunId::uuid),
            task_key: spec.task_key,
            dynamic_key: spec.dynamic_key,
            cache_key: spec.cache_key,
            cache_expiration: spec.cache_expiration.map(Into::into),
            task_version: spec.task_version,
            empirical_policy,
            tags: spec.tags,
            labels: spec.labels,
            state_id: state.as_ref().map(|state| state.id),
            task_inputs: spec.task_inputs,
            state_type: state.as_ref().map(|state| state.kind.clone()),
            state_name: state.as_ref().map(|state| state.name.clone()),
            run_count: statistics.run_count,
            flow_run_run_count,
            expected_start_time: statistics.expected_start_time.map(Into::into),
            next_scheduled_start_time: statistics.next_scheduled_start_time.map(Into::into),
            start_time: statistics.start_time.map(Into::into),
            end_time: statistics.end_time.map(Into::into),
            total_run_time: statistics.total_run_time.as_secs_f64(),
            estimated_run_time: estimated.as_secs_f64(),
            estimated_start_time_delta: late.as_secs_f64(),
            state,
        }
    }
}

/// The policy with all members that the reference gives it, and what is said in older words in
/// today's as well.
fn policy_out(spec: &TaskRunSpec) -> JsonMap {
    let mut policy = JsonMap::new();
    let mut put = |name: &str, value: Value| policy.insert(name.to_owned(), value);
    put("max_retries", json!(0));
    put("retry_delay_seconds", json!(0.0));
    for name in ["retries", "retry_delay", "retry_jitter_factor"] {
        put(name, Value::Null);
    }
    // What a client of 2.0a7 said.
    if spec.empirical_policy.is_empty() {
        put("max_retries", spec.policy.max_retries.into());
        let delay = spec.policy.retry_delay.as_secs_f64();
        put("retry_delay_seconds", json!(delay));
    }
    policy.extend(spec.empirical_policy.clone());
    let said = |name| policy.get(name).filter(|it| !is_nothing(it));
    let retries = said("retries").or_else(|| said("max_retries")).cloned();
    let delay = said("retry_delay").cloned();
    let delay = delay.or_else(|| said("retry_delay_seconds").and_then(whole_secs));
    policy.extend(retries.map(|it| ("retries".to_owned(), it)));
    policy.extend(delay.map(|it| ("retry_delay".to_owned(), it)));
    policy
}

/// Today's clients read no fraction of a second.
fn whole_secs(delay: &Value) -> Option<Value> {
    let delay = Span::of_secs(delay.as_f64()?)?;
    Some(((delay.micros() + 500_000) / 1_000_000).into())
}

/// No retries, or no delay.
fn is_nothing(value: &Value) -> bool {
    value.is_null() || value.as_f64() == Some(0.0)
}

impl Redact for TaskRun {
    fn runs(&self, noted: &mut HashSet<FlowRunId>) {
        noted.extend(self.flow_run_id.map(FlowRunId::from_uuid));
    }

    fn redact(&mut self, reader: &Reader<'_>) {
        let Self {
            id: _,
            created: _,
            updated: _,
            name,
            flow_run_id,
            task_key,
            dynamic_key,
            cache_key,
            cache_expiration: _,
            task_version,
            empirical_policy,
            tags,
            labels,
            state_id: _,
            task_inputs,
            state_type: _,
            state_name,
            run_count: _,
            flow_run_run_count: _,
            expected_start_time: _,
            next_scheduled_start_time: _,
            start_time: _,
            end_time: _,
            total_run_time: _,
            estimated_run_time: _,
            estimated_start_time_delta: _,
            state,
        } = self;
        let mask = reader.within_flow_run(flow_run_id.map(FlowRunId::from_uuid));
        for text in [name, task_key, dynamic_key] {
            mask.over(text);
        }
        mask.over(cache_key);
        mask.over(task_version);
        mask.over(empirical_policy);
        mask.over(tags);
        mask.over(labels);
        mask.over(task_inputs);
        mask.over(state_name);
        if let Some(state) = state {
            state.redact_by(&mask);
        }
    }
}

/// A task run to be created.
#[derive(Debug, Deserialize, ToSchema)]
pub struct TaskRunCreate {
    #[serde(default)]
    id: Option<Uuid>,
    #[serde(default)]
    flow_run_id: Option<Uuid>,
    task_key: String,
    dynamic_key: String,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    cache_key: Option<String>,
    #[serde(default)]
    cache_expiration: Option<Instant>,
    #[serde(default)]
    task_version: Option<String>,
    #[serde(default)]
    #[schema(value_type = Object)]
    empirical_policy: Option<JsonMap>,
    #[serde(default)]
    tags: Vec<String>,
    #[serde(default)]
    #[schema(value_type = Object)]
    labels: Option<JsonMap>,
    #[serde(default)]
    #[schema(value_type = Object)]
    task_inputs: JsonMap,
    #[serde(default)]
    state: Option<StateCreate>,
}

impl AimedBody for TaskRunCreate {
    type Meaning = NewTaskRun;

    fn meaning(self) -> Result<NewTaskRun, Error> {
        let policy = self.empirical_policy.unwrap_or_default();
        check_policy(&policy)?;
        check_cache_key(self.cache_key.as_deref().unwrap_or_default())?;
        let labels = self.labels.unwrap_or_default();
        check_labels(&labels)?;
        check_inputs(&self.task_inputs)?;
        Ok(NewTaskRun {
            id: self.id.map(TaskRunId::from_uuid),
            spec: TaskRunSpec {
                name: self.name.unwrap_or_else(names::random),
                flow_run_id: self.flow_run_id.map(FlowRunId::from_uuid),
                task_key: self.task_key,
                dynamic_key: self.dynamic_key,
                cache_key: self.cache_key,
                cache_expiration: self.cache_expiration.map(Into::into),
                task_version: self.task_version,
                policy: RetryPolicy::told(&policy),
                empirical_policy: policy,
                tags: self.tags,
                labels,
                task_inputs: self.task_inputs,
            },
            state: self.state.map(TryInto::try_into).transpose()?,
        })
    }
}

/// Refuses a key that is too long to cache anything under it.
fn check_cache_key(key: &str) -> Result<(), Error> {
    match key.chars().count() > LONGEST_CACHE_KEY {
        true => Err(Error::invalid(format!(
            "cache_key must have at most {LONGEST_CACHE_KEY} characters."
        ))),
        false => Ok(()),
    }
}

/// Refuses what is no policy: each member is a number, and the delay may be a list of numbers.
fn check_policy(policy: &JsonMap) -> Result<(), Error> {
    let is_delay = |value: &Value| match value {
        Value::Null => true,
        value => value
            .as_f64()
            .is_some_and(|secs| Span::of_secs(secs).is_some()),
    };
    let delay = "retry_delay must be at most a thousand years, in seconds.";
    for (name, value) in policy {
        let is_right = match (name.as_str(), value) {
            ("retries" | "max_retries", value) => value.is_null() || value.is_i64(),
            ("retry_delay", Value::Array(delays)) => {
                delays.len() <= MOST_DELAYS && delays.iter().all(is_delay)
            }
            ("retry_jitter_factor", value) => {
                is_delay(value) && value.as_f64().is_none_or(|factor| factor >= 0.0)
            }
            ("retry_delay" | "retry_delay_seconds", value) => is_delay(value),
            // The reference passes over what it does not know.
            _ => true,
        };
        if !is_right {
            let about = if name == "retry_delay" {
                delay
            } else {
                "It must be a number."
            };
            return Err(Error::invalid(format!("empirical_policy.{name}: {about}")));
        }
    }
    Ok(())
}

/// Refuses inputs that are not lists of runs, parameters and constants.
fn check_inputs(inputs: &JsonMap) -> Result<(), Error> {
    let is_text = |one: &Value, name: &str| one.get(name).is_some_and(Value::is_string);
    let is_input = |one: &Value| match one.get("input_type").and_then(Value::as_str) {
        Some("task_run" | "flow_run") => {
            let id = one.get("id").and_then(Value::as_str);
            id.is_some_and(|id| Uuid::parse_str(id).is_ok())
        }
        Some("parameter") => is_text(one, "name"),
        Some("constant") => is_text(one, "type"),
        _ => false,
    };
    let are_inputs = |all: &Value| all.as_array().is_some_and(|all| all.iter().all(is_input));
    match inputs.iter().find(|(_, all)| !are_inputs(all)) {
        None => Ok(()),
        Some((name, _)) => {
            let words = format!("task_inputs.{name} must be a list of inputs.");
            Err(Error::invalid(words))
        }
    }
}

/// Refuses labels that are not plain.
fn check_labels(labels: &JsonMap) -> Result<(), Error> {
    let is_plain = |value: &Value| value.is_string() || value.is_number() || value.is_boolean();
    match labels.iter().find(|(_, value)| !is_plain(value)) {
        None => Ok(()),
        Some((name, _)) => {
            let words = format!("labels.{name} must be a string, a number or a boolean.");
            Err(Error::invalid(words))
        }
    }
}

/// What may be changed of a task run.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default)]
pub struct TaskRunUpdate {
    name: Option<String>,
}

impl AimedBody for TaskRunUpdate {
    type Meaning = task_run::TaskRunUpdate;

    fn meaning(self) -> Result<task_run::TaskRunUpdate, Error> {
        Ok(task_run::TaskRunUpdate { name: self.name })
    }
}
