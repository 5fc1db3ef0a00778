//! A run that is wanted of a deployment.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::FlowRunner;
use crate::api::v3::extract::AimedBody;
use crate::api::v3::flow_runs::settings::FlowRunPolicy;
use crate::api::v3::wire::{Labels, StateCreate};
use crate::domain::JsonMap;
use crate::domain::deployment::Infrastructure;
use crate::domain::error::Error;
use crate::domain::flow_run::DeploymentRunRequest;
use crate::domain::ids::TaskRunId;

/// A run wanted of a deployment.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct RunRequest {
    /// The run's name.
    pub name: Option<String>,
    /// Laid over the deployment's parameters.
    #[schema(value_type = Object)]
    pub parameters: JsonMap,
    /// Free context.
    #[schema(value_type = Object)]
    pub context: JsonMap,
    /// Added to the deployment's tags.
    pub tags: Vec<String>,
    /// The same key answers the same run.
    pub idempotency_key: Option<String>,
    /// The task run that stands for it in a parent.
    pub parent_task_run_id: Option<Uuid>,
    /// How it retries.
    #[serde(skip_serializing)]
    #[schema(ignore)]
    pub empirical_policy: FlowRunPolicy,
    /// Its own labels.
    #[serde(skip_serializing)]
    pub labels: Option<Labels>,
    /// Known; there are no infrastructure documents.
    #[serde(skip_serializing)]
    #[schema(ignore)]
    pub infrastructure_document_id: Option<Uuid>,
    /// Its first state; absent: Scheduled for now.
    pub state: Option<StateCreate>,
    /// Whether the parameters have to conform to the deployment's schema.
    pub enforce_parameter_schema: Option<bool>,
    /// The queue of the deployment's pool that takes it.
    pub work_queue_name: Option<String>,
    /// What it would run on. Known so that a run is told that it may not choose; nobody can yet.
    #[serde(skip_serializing)]
    #[schema(ignore)]
    pub flow_runner: Option<FlowRunner>,
    /// Laid over the deployment's variables of the job that it runs as.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub job_variables: Option<JsonMap>,
}

/// Lets a request pass that chooses nothing.
///
/// # Errors
/// [`Kind::Invalid`](crate::domain::error::Kind::Invalid) otherwise.
pub fn refuse_choice(chosen: Option<&Infrastructure>) -> Result<(), Error> {
    match chosen {
        Some(_) => Err(Error::invalid("flow_runner cannot be chosen here.")),
        None => Ok(()),
    }
}

impl AimedBody for RunRequest {
    type Meaning = DeploymentRunRequest;

    fn meaning(self) -> Result<DeploymentRunRequest, Error> {
        // The modern server schedules such a run for now; the 2.0a7 one leaves it Pending.
        let state = self.state.unwrap_or_else(|| StateCreate {
            kind: "SCHEDULED".to_owned(),
            ..StateCreate::default()
        });
        Ok(DeploymentRunRequest {
            name: self.name,
            parameters: self.parameters,
            context: self.context,
            tags: self.tags,
            idempotency_key: self.idempotency_key,
            parent_task_run_id: self.parent_task_run_id.map(TaskRunId::from_uuid),
            infrastructure: self.flow_runner.map(Infrastructure::from),
            job_variables: self.job_variables,
            policy: self.empirical_policy.meaning()?,
            labels: self.labels.unwrap_or_default().into(),
            enforces_schema: self.enforce_parameter_schema,
            work_queue_name: self.work_queue_name,
            state: Some(state.try_into()?),
            created_by: None,
            is_modern: true,
        })
    }
}
