//! What clients say of a deployment. Whatever they do not say stays as it is.

use serde_json::Value;
use uuid::Uuid;

use super::{Concurrency, ConcurrencyOptions, Deployment, Infrastructure};
use super::{NewSchedule, ScheduleChange};
use crate::domain::JsonMap;
use crate::domain::actor::Actor;
use crate::domain::ids::{FlowId, LimitId, WorkQueueId};
use crate::domain::patch::Patch;
use crate::domain::schedule::Ahead;
use crate::domain::time::Timestamp;

/// What a client says of a deployment that it creates or creates again.
#[derive(Clone, Debug, PartialEq)]
pub struct NewDeployment {
    /// Unique among the deployments of its flow.
    pub name: String,
    /// The flow that it deploys.
    pub flow_id: FlowId,
    /// When to run it by itself; those that a known deployment has are replaced.
    pub schedules: Vec<NewSchedule>,
    /// Whether it enforces its schema, which is an empty one, if it is new and nothing is said of
    /// that.
    pub enforces_schema: bool,
    /// All else.
    pub changes: DeploymentChanges,
    /// Who asks.
    pub by: Option<Actor>,
}

impl NewDeployment {
    /// One of which nothing is said but its name.
    pub fn named(flow_id: FlowId, name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            flow_id,
            schedules: Vec::new(),
            enforces_schema: false,
            changes: DeploymentChanges::default(),
            by: None,
        }
    }
}

/// What a client says of a deployment that it changes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DeploymentUpdate {
    /// When to run it by itself.
    pub schedules: Option<Vec<ScheduleChange>>,
    /// All else.
    pub changes: DeploymentChanges,
    /// Who asks.
    pub by: Option<Actor>,
}

/// The names of a queue and of the pool that it belongs to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QueueNames {
    /// The pool; absent: that of agents.
    pub pool: Option<String>,
    /// The queue; absent: the pool's default.
    pub queue: Option<String>,
}

/// What is said of a deployment; see [`Deployment`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DeploymentChanges {
    /// The version.
    pub version: Patch<String>,
    /// The description.
    pub description: Patch<String>,
    /// The document that leads to the flow's code.
    pub flow_data: Patch<Value>,
    /// Where the flow's code is.
    pub path: Patch<String>,
    /// The file and the function that are the flow.
    pub entrypoint: Patch<String>,
    /// What a run does to get the flow's code.
    pub pull_steps: Patch<Value>,
    /// Whether its schedules are followed.
    pub is_schedule_active: Option<bool>,
    /// Default parameters.
    pub parameters: Option<JsonMap>,
    /// The JSON Schema of parameters.
    pub parameter_schema: Patch<JsonMap>,
    /// Whether they have to conform to it.
    pub enforces_schema: Option<bool>,
    /// Tags.
    pub tags: Option<Vec<String>>,
    /// Labels of its own.
    pub labels: Option<JsonMap>,
    /// What its runs run on.
    pub infrastructure: Option<Infrastructure>,
    /// The variables of its pool's template.
    pub job_variables: Option<JsonMap>,
    /// The queue whose workers take its runs, by its names.
    pub queue: Patch<QueueNames>,
    /// How many of its runs are executed at once, by a limit of its own.
    pub concurrency_limit: Patch<i64>,
    /// The limit that it shares with others.
    pub shared_limit: Patch<LimitId>,
    /// What becomes of the others.
    pub concurrency_options: Patch<ConcurrencyOptions>,
    /// The block document of the storage where its code is.
    pub storage_document_id: Patch<Uuid>,
    /// The block document that its runs run on.
    pub infrastructure_document_id: Patch<Uuid>,
}

impl DeploymentChanges {
    /// How far ahead runs are made of a new deployment of which this is said.
    pub fn ahead(&self) -> Ahead {
        match &self.flow_data {
            Patch::Set(_) => Ahead::ORION,
            Patch::Keep | Patch::Clear => Ahead::V3,
        }
    }
}

impl Deployment {
    /// The same after changes that somebody makes. `queue` is what the changes say of the queue,
    /// once that is found; its names are those of before.
    #[must_use]
    pub fn changed(
        self,
        changes: DeploymentChanges,
        queue: Patch<WorkQueueId>,
        by: Option<Actor>,
        now: Timestamp,
    ) -> Self {
        Self {
            id: self.id,
            created: self.created,
            updated: now,
            name: self.name,
            flow_id: self.flow_id,
            version: changes.version.over(self.version),
            description: changes.description.over(self.description),
            flow_data: changes.flow_data.over(self.flow_data),
            path: changes.path.over(self.path),
            entrypoint: changes.entrypoint.over(self.entrypoint),
            pull_steps: changes.pull_steps.over(self.pull_steps),
            schedules: self.schedules,
            is_schedule_active: changes
                .is_schedule_active
                .unwrap_or(self.is_schedule_active),
            parameters: changes.parameters.unwrap_or(self.parameters),
            parameter_schema: changes.parameter_schema.over(self.parameter_schema),
            enforces_schema: changes.enforces_schema.unwrap_or(self.enforces_schema),
            tags: changes.tags.unwrap_or(self.tags),
            labels: changes.labels.unwrap_or(self.labels),
            infrastructure: changes.infrastructure.unwrap_or(self.infrastructure),
            job_variables: changes.job_variables.unwrap_or(self.job_variables),
            work_queue_id: queue.over(self.work_queue_id),
            work_queue_name: self.work_queue_name,
            work_pool_name: self.work_pool_name,
            concurrency: Concurrency {
                options: changes.concurrency_options.over(self.concurrency.options),
                ..limited(
                    self.concurrency,
                    changes.concurrency_limit,
                    changes.shared_limit,
                )
            },
            shared_limit: self.shared_limit,
            storage_document_id: changes.storage_document_id.over(self.storage_document_id),
            infrastructure_document_id: changes
                .infrastructure_document_id
                .over(self.infrastructure_document_id),
            created_by: self.created_by,
            updated_by: by,
            last_polled: self.last_polled,
            served: self.served,
        }
    }
}

/// One limit goes by the other: a deployment has one of its own, one of several, or none. That it
/// has none of its own, as clients say by every deployment, takes no shared one away.
fn limited(before: Concurrency, own: Patch<i64>, shared: Patch<LimitId>) -> Concurrency {
    let (limit, shared) = match (own, shared) {
        (Patch::Keep, Patch::Keep) => (before.limit, before.shared),
        (_, Patch::Set(shared)) => (None, Some(shared)),
        (Patch::Set(limit), _) => (Some(limit), None),
        (Patch::Clear, Patch::Keep) => (None, before.shared),
        (_, Patch::Clear) => (None, None),
    };
    Concurrency {
        limit,
        shared,
        ..before
    }
}
