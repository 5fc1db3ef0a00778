//! Flow runs.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::settings::{CreatedBy, FlowRunPolicy};
use crate::api::redaction::{Reader, Redact};
use crate::api::v3::wire::{FlowRunner, Instant, State};
use crate::domain::JsonMap;
use crate::domain::flow_run::{self, Claim, RunQueue};
use crate::domain::ids::{DeploymentId, FlowId, FlowRunId, TaskRunId, WorkPoolId, WorkQueueId};
use crate::domain::run::RunStatistics;
use crate::domain::time::{Span, Timestamp};

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
    /// Its current state's id.
    pub state_id: Option<Uuid>,
    /// Its deployment.
    pub deployment_id: Option<Uuid>,
    /// The version of that when the run was created.
    pub deployment_version: Option<String>,
    /// The queue whose workers take it.
    pub work_queue_id: Option<Uuid>,
    /// That queue's name.
    pub work_queue_name: Option<String>,
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
    /// How it retries, and what is known of its pauses.
    #[serde(default)]
    pub empirical_policy: FlowRunPolicy,
    /// Tags.
    pub tags: Vec<String>,
    /// Labels.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub labels: JsonMap,
    /// The task run that stands for it in a parent.
    pub parent_task_run_id: Option<Uuid>,
    /// Its current state's type.
    pub state_type: Option<String>,
    /// Its current state's name.
    pub state_name: Option<String>,
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
    /// Whether a schedule made it.
    pub auto_scheduled: bool,
    /// Always null: infrastructure blocks have gone from the modern generation.
    #[schema(value_type = Option<Uuid>)]
    pub infrastructure_document_id: Option<Uuid>,
    /// What was made for it: by a worker, as that calls it, or by the agent that took it.
    pub infrastructure_pid: Option<String>,
    /// Who created it.
    pub created_by: Option<CreatedBy>,
    /// The pool of its queue.
    pub work_pool_id: Option<Uuid>,
    /// That pool's name.
    pub work_pool_name: Option<String>,
    /// Its current state.
    pub state: Option<State>,
    /// Laid over its deployment's variables of the job.
    #[schema(value_type = Option<Object>)]
    pub job_variables: Option<JsonMap>,
    /// What it runs on, where that is a flow runner of the 2.0a7 generation.
    #[serde(default, skip_serializing_if = "FlowRunner::is_unset")]
    pub flow_runner: FlowRunner,
    /// The agent that took it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// What that agent made for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_made: Option<String>,
}

impl FlowRun {
    /// A run as it is at `now`.
    pub fn new(run: flow_run::FlowRun, now: Timestamp) -> Self {
        let labels = run.all_labels();
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
            policy,
            empirical_config: _, // nobody of this generation knows it
            tags,
            labels: _, // all of them
            parent_task_run_id,
            auto_scheduled,
            infrastructure,
            job_variables,
            work_queue_id,
            queue,
            deployment_version,
            infrastructure_pid,
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
        let (agent, agent_made) = match claim {
            Some(Claim {
                agent,
                at: _,
                infrastructure_id,
            }) => (Some(agent), infrastructure_id),
            None => (None, None),
        };
        let (work_queue_name, pool) = match queue {
            Some(RunQueue {
                name,
                pool_id,
                pool_name,
            }) => (Some(name), Some((pool_id.uuid(), pool_name))),
            None => (None, None),
        };
        let (work_pool_id, work_pool_name) = pool.unzip();
        Self {
            id: id.uuid(),
            created: created.into(),
            updated: updated.into(),
            name,
            flow_id: flow_id.uuid(),
            state_id: state.as_ref().map(|state| state.id),
            deployment_id: deployment_id.map(DeploymentId::uuid),
            deployment_version,
            work_queue_id: work_queue_id.map(WorkQueueId::uuid),
            work_queue_name,
            flow_version,
            parameters,
            idempotency_key,
            context,
            empirical_policy: policy.into(),
            tags,
            labels,
            parent_task_run_id: parent_task_run_id.map(TaskRunId::uuid),
            state_type: state.as_ref().map(|state| state.kind.clone()),
            state_name: state.as_ref().map(|state| state.name.clone()),
            run_count,
            expected_start_time: expected_start_time.map(Into::into),
            next_scheduled_start_time: next_scheduled_start_time.map(Into::into),
            start_time: start_time.map(Into::into),
            end_time: end_time.map(Into::into),
            total_run_time: total_run_time.as_secs_f64(),
            estimated_run_time: estimated_run_time.as_secs_f64(),
            estimated_start_time_delta: lateness.as_secs_f64(),
            auto_scheduled,
            infrastructure_document_id: None,
            infrastructure_pid: infrastructure_pid.or_else(|| agent_made.clone()),
            created_by: created_by.map(CreatedBy::from),
            work_pool_id,
            work_pool_name,
            state,
            job_variables: Some(job_variables.unwrap_or_default()),
            flow_runner: infrastructure.into(),
            agent,
            agent_made,
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
            state_id: _,
            deployment_id,
            deployment_version,
            work_queue_id: _,
            work_queue_name,
            flow_version,
            parameters,
            idempotency_key,
            context,
            empirical_policy: _,
            tags,
            labels,
            parent_task_run_id: _,
            state_type: _,
            state_name,
            run_count: _,
            expected_start_time: _,
            next_scheduled_start_time: _,
            start_time: _,
            end_time: _,
            total_run_time: _,
            estimated_run_time: _,
            estimated_start_time_delta: _,
            auto_scheduled: _,
            infrastructure_document_id: _,
            infrastructure_pid,
            created_by: _,
            work_pool_id: _,
            work_pool_name,
            state,
            job_variables,
            flow_runner,
            agent,
            agent_made,
        } = self;
        let mask = reader.of_flow_run(FlowRunId::from_uuid(*id), deployment_id.is_some());
        for text in [
            deployment_version,
            flow_version,
            idempotency_key,
            work_queue_name,
            work_pool_name,
            infrastructure_pid,
            state_name,
            agent,
            agent_made,
        ] {
            mask.over(text);
        }
        mask.over(name);
        for map in [parameters, context, labels] {
            mask.over(map);
        }
        mask.over(tags);
        mask.over_infrastructure(job_variables);
        flow_runner.redact(&mask);
        if let Some(state) = state {
            state.redact_by(&mask);
        }
    }

    fn leave_out_ours(&mut self) {
        self.flow_runner = FlowRunner::default();
        (self.agent, self.agent_made) = (None, None);
    }
}

fn queue(name: Option<String>, pool: Option<Uuid>, pool_name: Option<String>) -> Option<RunQueue> {
    Some(RunQueue {
        name: name?,
        pool_id: WorkPoolId::from_uuid(pool?),
        pool_name: pool_name?,
    })
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
            policy: run.empirical_policy.meaning().unwrap_or_default(),
            empirical_config: JsonMap::new(),
            tags: run.tags,
            labels: run.labels,
            parent_task_run_id: run.parent_task_run_id.map(TaskRunId::from_uuid),
            auto_scheduled: run.auto_scheduled,
            infrastructure: run.flow_runner.into(),
            job_variables: run.job_variables,
            work_queue_id: run.work_queue_id.map(WorkQueueId::from_uuid),
            queue: queue(run.work_queue_name, run.work_pool_id, run.work_pool_name),
            deployment_version: run.deployment_version,
            infrastructure_pid: None,
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
