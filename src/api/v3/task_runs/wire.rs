//! Task runs.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::api::redaction::{Reader, Redact};
use crate::api::v3::extract::AimedBody;
use crate::api::v3::wire::{Instant, State, StateCreate};
use crate::domain::JsonMap;
use crate::domain::error::Error;
use crate::domain::ids::FlowRunId;
use crate::domain::names;
use crate::domain::task_run::{self, NewTaskRun, RetryPolicy, TaskRunSpec};
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
    /// The flow run that it is part of.
    pub flow_run_id: Uuid,
    /// Names the task within the flow's code.
    pub task_key: String,
    /// Tells apart the runs of one task within one flow run.
    pub dynamic_key: String,
    /// Tags.
    pub tags: Vec<String>,
    /// Where its arguments come from.
    #[schema(value_type = Object)]
    pub task_inputs: JsonMap,
    /// How often it ran.
    pub run_count: i64,
    /// When it first ran.
    pub start_time: Option<Instant>,
    /// When it ended.
    pub end_time: Option<Instant>,
    /// How long it ran.
    pub total_run_time: f64,
    /// How long it has run up to now.
    pub estimated_run_time: f64,
    /// Its current state's type.
    pub state_type: Option<String>,
    /// Its current state's name.
    pub state_name: Option<String>,
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
            statistics,
            state,
        } = run;
        let estimated = statistics.estimated_run_time(state.as_ref(), now);
        let state = state.as_ref().map(State::from);
        Self {
            id: id.uuid(),
            created: created.into(),
            updated: updated.into(),
            name: spec.name,
            flow_run_id: spec.flow_run_id.uuid(),
            task_key: spec.task_key,
            dynamic_key: spec.dynamic_key,
            tags: spec.tags,
            task_inputs: spec.task_inputs,
            run_count: statistics.run_count,
            start_time: statistics.start_time.map(Into::into),
            end_time: statistics.end_time.map(Into::into),
            total_run_time: statistics.total_run_time.as_secs_f64(),
            estimated_run_time: estimated.as_secs_f64(),
            state_type: state.as_ref().map(|state| state.kind.clone()),
            state_name: state.as_ref().map(|state| state.name.clone()),
            state,
        }
    }
}

impl Redact for TaskRun {
    fn runs(&self, noted: &mut HashSet<FlowRunId>) {
        noted.insert(FlowRunId::from_uuid(self.flow_run_id));
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
            tags,
            task_inputs,
            run_count: _,
            start_time: _,
            end_time: _,
            total_run_time: _,
            estimated_run_time: _,
            state_type: _,
            state_name,
            state,
        } = self;
        let mask = reader.within_flow_run(Some(FlowRunId::from_uuid(*flow_run_id)));
        for text in [name, task_key, dynamic_key] {
            mask.over(text);
        }
        mask.over(tags);
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
    flow_run_id: Uuid,
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
    empirical_policy: Policy,
    #[serde(default)]
    tags: Vec<String>,
    #[serde(default)]
    #[schema(value_type = Object)]
    task_inputs: JsonMap,
    #[serde(default)]
    state: Option<StateCreate>,
}

#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default)]
struct Policy {
    retries: Option<i64>,
    retry_delay: Option<f64>,
}

impl AimedBody for TaskRunCreate {
    type Meaning = NewTaskRun;

    fn meaning(self) -> Result<NewTaskRun, Error> {
        let delay = self.empirical_policy.retry_delay.unwrap_or_default();
        let delay = Span::of_secs(delay).ok_or_else(|| {
            Error::invalid("retry_delay must be at most a thousand years, in seconds.")
        })?;
        Ok(NewTaskRun {
            spec: TaskRunSpec {
                name: self.name.unwrap_or_else(names::random),
                flow_run_id: FlowRunId::from_uuid(self.flow_run_id),
                task_key: self.task_key,
                dynamic_key: self.dynamic_key,
                cache_key: self.cache_key,
                cache_expiration: self.cache_expiration.map(Into::into),
                task_version: self.task_version,
                policy: RetryPolicy {
                    max_retries: self.empirical_policy.retries.unwrap_or_default(),
                    retry_delay: delay,
                },
                tags: self.tags,
                task_inputs: self.task_inputs,
            },
            state: self.state.map(TryInto::try_into).transpose()?,
        })
    }
}
