//! Flow runs.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::api::redaction::{Reader, Redact};
use crate::api::v3::deployments::wire::chosen;
use crate::api::v3::extract::AimedBody;
use crate::api::v3::wire::{FlowRunner, Instant, State, StateCreate};
use crate::domain::JsonMap;
use crate::domain::access::Actor;
use crate::domain::error::Error;
use crate::domain::flow_run::{self, NewFlowRun};
use crate::domain::ids::{DeploymentId, FlowId, FlowRunId, TaskRunId};
use crate::domain::patch::Patch;
use crate::domain::run::RunStatistics;
use crate::domain::time::{Span, Timestamp};

/// Who created something, as modern servers tell it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CreatedBy {
    /// The id of a run.
    pub id: Option<Uuid>,
    /// `USER` for a local user, `FLOW_RUN` for a run.
    #[serde(rename = "type")]
    pub kind: String,
    /// A user's name, or a run's id.
    pub display_value: String,
}

impl From<Actor> for CreatedBy {
    fn from(actor: Actor) -> Self {
        match actor {
            Actor::User(name) => Self {
                id: None,
                kind: "USER".to_owned(),
                display_value: name,
            },
            Actor::FlowRun(id) => Self {
                id: Some(id.uuid()),
                kind: "FLOW_RUN".to_owned(),
                display_value: id.to_string(),
            },
        }
    }
}

impl CreatedBy {
    fn into_domain(self) -> Option<Actor> {
        match (self.kind.as_str(), self.id) {
            ("USER", _) => Some(Actor::User(self.display_value)),
            ("FLOW_RUN", Some(id)) => Some(Actor::FlowRun(FlowRunId::from_uuid(id))),
            _ => None,
        }
    }
}

/// A flow run. Times of length are seconds.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct FlowRun {
    /// Its id.
    pub id: Uuid,
    /// When it was created.
    pub created: Instant,
    /// When it last changed.
    pub updated: Instant,
    /// Its name.
    pub name: String,
    /// Its flow.
    pub flow_id: Uuid,
    /// Its deployment.
    pub deployment_id: Option<Uuid>,
    /// The flow's version.
    pub flow_version: Option<String>,
    /// Its parameters.
    #[schema(value_type = Object)]
    pub parameters: JsonMap,
    /// Its idempotency key.
    pub idempotency_key: Option<String>,
    /// Free context.
    #[schema(value_type = Object)]
    pub context: JsonMap,
    /// Tags.
    pub tags: Vec<String>,
    /// The task run that stands for it in a parent.
    pub parent_task_run_id: Option<Uuid>,
    /// Whether a schedule made it.
    pub auto_scheduled: bool,
    /// What it runs on.
    pub flow_runner: FlowRunner,
    /// Who created it.
    pub created_by: Option<CreatedBy>,
    /// The agent that took it.
    pub work_queue_name: Option<String>,
    /// What that agent made for it.
    pub infrastructure_pid: Option<String>,
    /// How often it ran.
    pub run_count: i64,
    /// When it was expected to start.
    pub expected_start_time: Option<Instant>,
    /// When it is due next.
    pub next_scheduled_start_time: Option<Instant>,
    /// When it first ran.
    pub start_time: Option<Instant>,
    /// When it ended.
    pub end_time: Option<Instant>,
    /// How long it ran, up to its last change of state.
    pub total_run_time: f64,
    /// How long it has run up to now.
    pub estimated_run_time: f64,
    /// How late it started, or is.
    pub estimated_start_time_delta: f64,
    /// Its current state's id.
    pub state_id: Option<Uuid>,
    /// Its current state's type.
    pub state_type: Option<String>,
    /// Its current state's name.
    pub state_name: Option<String>,
    /// Its current state.
    pub state: Option<State>,
}

impl FlowRun {
    /// A run as it is at `now`.
    pub fn new(run: flow_run::FlowRun, now: Timestamp) -> Self {
        let flow_run::FlowRun {
            id,
            created,
            updated,
            name,
            flow_id,
            deployment_id,
            flow_version,
            parameters,
            idempotency_key,
            context,
            empirical_policy: _, // the modern shape of it differs and is not stored yet
            empirical_config: _,
            tags,
            parent_task_run_id,
            auto_scheduled,
            infrastructure,
            created_by,
            claim,
            statistics,
            state,
        } = run;
        let estimated_run_time = statistics.estimated_run_time(state.as_ref(), now);
        let lateness = statistics.lateness(state.as_ref(), now);
        let RunStatistics {
            run_count,
            expected_start_time,
            next_scheduled_start_time,
            start_time,
            end_time,
            total_run_time,
        } = statistics;
        let state = state.as_ref().map(State::from);
        let (work_queue_name, infrastructure_pid) = match claim {
            Some(claim) => (Some(claim.agent), claim.infrastructure_id),
            None => (None, None),
        };
        Self {
            id: id.uuid(),
            created: created.into(),
            updated: updated.into(),
            name,
            flow_id: flow_id.uuid(),
            deployment_id: deployment_id.map(DeploymentId::uuid),
            flow_version,
            parameters,
            idempotency_key,
            context,
            tags,
            parent_task_run_id: parent_task_run_id.map(TaskRunId::uuid),
            auto_scheduled,
            flow_runner: infrastructure.into(),
            created_by: created_by.map(CreatedBy::from),
            work_queue_name,
            infrastructure_pid,
            run_count,
            expected_start_time: expected_start_time.map(Into::into),
            next_scheduled_start_time: next_scheduled_start_time.map(Into::into),
            start_time: start_time.map(Into::into),
            end_time: end_time.map(Into::into),
            total_run_time: total_run_time.as_secs_f64(),
            estimated_run_time: estimated_run_time.as_secs_f64(),
            estimated_start_time_delta: lateness.as_secs_f64(),
            state_id: state.as_ref().map(|state| state.id),
            state_type: state.as_ref().map(|state| state.kind.clone()),
            state_name: state.as_ref().map(|state| state.name.clone()),
            state,
        }
    }
}

impl Redact for FlowRun {
    fn runs(&self, noted: &mut HashSet<FlowRunId>) {
        noted.insert(FlowRunId::from_uuid(self.id));
    }

    fn redact(&mut self, reader: &Reader<'_>) {
        let Self {
            id,
            created: _,
            updated: _,
            name,
            flow_id: _,
            deployment_id,
            flow_version,
            parameters,
            idempotency_key,
            context,
            tags,
            parent_task_run_id: _,
            auto_scheduled: _,
            flow_runner,
            created_by: _,
            work_queue_name,
            infrastructure_pid,
            run_count: _,
            expected_start_time: _,
            next_scheduled_start_time: _,
            start_time: _,
            end_time: _,
            total_run_time: _,
            estimated_run_time: _,
            estimated_start_time_delta: _,
            state_id: _,
            state_type: _,
            state_name,
            state,
        } = self;
        let mask = reader.of_flow_run(FlowRunId::from_uuid(*id), deployment_id.is_some());
        for text in [
            flow_version,
            idempotency_key,
            work_queue_name,
            infrastructure_pid,
            state_name,
        ] {
            mask.over(text);
        }
        mask.over(name);
        mask.over(parameters);
        mask.over(context);
        mask.over(tags);
        flow_runner.redact(&mask);
        if let Some(state) = state {
            state.redact_by(&mask);
        }
    }
}

impl From<FlowRun> for flow_run::FlowRun {
    /// The run as far as the wire tells of it: without its claim, whose time it does not say.
    fn from(run: FlowRun) -> Self {
        Self {
            id: FlowRunId::from_uuid(run.id),
            created: run.created.into(),
            updated: run.updated.into(),
            name: run.name,
            flow_id: FlowId::from_uuid(run.flow_id),
            deployment_id: run.deployment_id.map(DeploymentId::from_uuid),
            flow_version: run.flow_version,
            parameters: run.parameters,
            idempotency_key: run.idempotency_key,
            context: run.context,
            empirical_policy: JsonMap::new(),
            empirical_config: JsonMap::new(),
            tags: run.tags,
            parent_task_run_id: run.parent_task_run_id.map(TaskRunId::from_uuid),
            auto_scheduled: run.auto_scheduled,
            infrastructure: run.flow_runner.into(),
            created_by: run.created_by.and_then(CreatedBy::into_domain),
            claim: None,
            statistics: RunStatistics {
                run_count: run.run_count,
                expected_start_time: run.expected_start_time.map(Into::into),
                next_scheduled_start_time: run.next_scheduled_start_time.map(Into::into),
                start_time: run.start_time.map(Into::into),
                end_time: run.end_time.map(Into::into),
                total_run_time: Span::from_secs_f64(run.total_run_time),
            },
            state: run.state.and_then(State::into_domain),
        }
    }
}

/// A flow run to be created.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FlowRunCreate {
    flow_id: Uuid,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    deployment_id: Option<Uuid>,
    #[serde(default)]
    flow_version: Option<String>,
    #[serde(default)]
    #[schema(value_type = Object)]
    parameters: JsonMap,
    #[serde(default)]
    #[schema(value_type = Object)]
    context: JsonMap,
    #[serde(default)]
    tags: Vec<String>,
    #[serde(default)]
    idempotency_key: Option<String>,
    #[serde(default)]
    parent_task_run_id: Option<Uuid>,
    #[serde(default)]
    flow_runner: FlowRunner,
    #[serde(default)]
    state: Option<StateCreate>,
}

impl AimedBody for FlowRunCreate {
    type Meaning = NewFlowRun;

    fn meaning(self) -> Result<NewFlowRun, Error> {
        Ok(NewFlowRun {
            name: self.name,
            flow_id: FlowId::from_uuid(self.flow_id),
            deployment_id: self.deployment_id.map(DeploymentId::from_uuid),
            flow_version: self.flow_version,
            parameters: self.parameters,
            idempotency_key: self.idempotency_key,
            context: self.context,
            tags: self.tags,
            parent_task_run_id: self.parent_task_run_id.map(TaskRunId::from_uuid),
            infrastructure: self.flow_runner.into(),
            auto_scheduled: false,
            created_by: None,
            state: self.state.map(TryInto::try_into).transpose()?,
        })
    }
}

/// Changes to a flow run; absent fields stay.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct FlowRunUpdate {
    name: Option<String>,
    flow_version: Option<String>,
    #[schema(value_type = Option<Object>)]
    parameters: Option<JsonMap>,
    tags: Option<Vec<String>>,
    // Known so that a run is told that it may not choose; nobody can yet.
    #[schema(ignore)]
    flow_runner: Option<FlowRunner>,
    #[schema(ignore)]
    job_variables: Option<JsonMap>,
}

impl AimedBody for FlowRunUpdate {
    type Meaning = flow_run::FlowRunUpdate;

    fn meaning(self) -> Result<flow_run::FlowRunUpdate, Error> {
        Ok(flow_run::FlowRunUpdate {
            flow_version: self.flow_version.map_or(Patch::Keep, Patch::Set),
            parameters: self.parameters,
            name: self.name,
            tags: self.tags,
            infrastructure: chosen(self.flow_runner, self.job_variables),
        })
    }
}
