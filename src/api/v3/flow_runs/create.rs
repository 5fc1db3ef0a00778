//! Flow runs to be created, and changes to them.

use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::settings::{FlowRunPolicy, labels, parameters, some_parameters};
use crate::api::v3::extract::AimedBody;
use crate::api::v3::wire::{FlowRunner, StateCreate, said};
use crate::domain::JsonMap;
use crate::domain::deployment::QueueNames;
use crate::domain::error::Error;
use crate::domain::flow_run::{self, NewFlowRun};
use crate::domain::ids::{DeploymentId, FlowId, TaskRunId};
use crate::domain::names;
use crate::domain::patch::Patch;

/// A flow run to be created.
#[derive(Debug, Deserialize, ToSchema)]
pub struct FlowRunCreate {
    flow_id: Uuid,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    deployment_id: Option<Uuid>,
    #[serde(default)]
    flow_version: Option<String>,
    #[serde(default, deserialize_with = "parameters")]
    #[schema(value_type = Object)]
    parameters: JsonMap,
    #[serde(default)]
    #[schema(value_type = Object)]
    context: JsonMap,
    #[serde(default)]
    empirical_policy: FlowRunPolicy,
    #[serde(default)]
    tags: Vec<String>,
    #[serde(default, deserialize_with = "labels")]
    #[schema(value_type = Option<Object>)]
    labels: JsonMap,
    #[serde(default)]
    idempotency_key: Option<String>,
    #[serde(default)]
    parent_task_run_id: Option<Uuid>,
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    job_variables: Option<JsonMap>,
    #[serde(default)]
    work_pool_name: Option<String>,
    #[serde(default)]
    work_queue_name: Option<String>,
    // Infrastructure blocks have gone from the modern generation; clients send null.
    #[serde(default)]
    #[schema(ignore)]
    infrastructure_document_id: Option<Uuid>,
    #[serde(default)]
    flow_runner: FlowRunner,
    #[serde(default)]
    state: Option<StateCreate>,
}

impl AimedBody for FlowRunCreate {
    type Meaning = NewFlowRun;

    fn meaning(self) -> Result<NewFlowRun, Error> {
        let Self {
            flow_id,
            name,
            deployment_id,
            flow_version,
            parameters,
            context,
            empirical_policy,
            tags,
            labels,
            idempotency_key,
            parent_task_run_id,
            job_variables,
            work_pool_name,
            work_queue_name,
            infrastructure_document_id,
            flow_runner,
            state,
        } = self;
        if infrastructure_document_id.is_some() {
            return Err(Error::invalid("A run has no infrastructure document."));
        }
        Ok(NewFlowRun {
            name,
            flow_id: FlowId::from_uuid(flow_id),
            deployment_id: deployment_id.map(DeploymentId::from_uuid),
            flow_version,
            parameters,
            idempotency_key,
            context,
            policy: empirical_policy.meaning()?,
            tags,
            labels,
            parent_task_run_id: parent_task_run_id.map(TaskRunId::from_uuid),
            infrastructure: flow_runner.into(),
            job_variables,
            work_queue_id: None,
            // As on the reference, a queue without its pool is not looked for.
            queue_names: work_pool_name.map(|pool| QueueNames {
                pool: Some(pool),
                queue: work_queue_name,
            }),
            deployment_version: None,
            auto_scheduled: false,
            created_by: None,
            state: state.map(TryInto::try_into).transpose()?,
            is_told: true,
        })
    }
}

/// Labels to lay over those of a flow run.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(value_type = Object)]
pub struct LabelsUpdate(#[serde(deserialize_with = "labels")] JsonMap);

impl AimedBody for LabelsUpdate {
    type Meaning = JsonMap;

    fn meaning(self) -> Result<JsonMap, Error> {
        Ok(self.0)
    }
}

/// Changes to a flow run; absent fields stay.
#[derive(Debug, Deserialize, ToSchema)]
pub struct FlowRunUpdate {
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = Option<String>)]
    name: Patch<String>,
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = Option<String>)]
    flow_version: Patch<String>,
    #[serde(default, deserialize_with = "some_parameters")]
    #[schema(value_type = Option<Object>)]
    parameters: Option<JsonMap>,
    #[serde(default)]
    empirical_policy: Option<FlowRunPolicy>,
    #[serde(default)]
    tags: Option<Vec<String>>,
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = Option<String>)]
    infrastructure_pid: Patch<String>,
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = Option<Object>)]
    job_variables: Patch<JsonMap>,
    // Known so that a run is told that it may not choose; nobody can yet.
    #[serde(default)]
    #[schema(ignore)]
    flow_runner: Option<FlowRunner>,
}

impl AimedBody for FlowRunUpdate {
    type Meaning = flow_run::FlowRunUpdate;

    fn meaning(self) -> Result<flow_run::FlowRunUpdate, Error> {
        let Self {
            name,
            flow_version,
            parameters,
            empirical_policy,
            tags,
            infrastructure_pid,
            job_variables,
            flow_runner,
        } = self;
        let name = match name {
            Patch::Keep => None,
            Patch::Set(name) if !name.is_empty() => Some(name),
            // Null asks for a random one, as a run that is created without a name.
            Patch::Set(_) | Patch::Clear => Some(names::random()),
        };
        Ok(flow_run::FlowRunUpdate {
            flow_version,
            parameters,
            name,
            tags,
            infrastructure: flow_runner.map(Into::into),
            job_variables,
            policy: empirical_policy.map(FlowRunPolicy::meaning).transpose()?,
            infrastructure_pid,
        })
    }
}
