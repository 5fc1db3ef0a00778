//! A flow run: one execution of a flow, from its creation to its terminal state.

use super::JsonMap;
use super::actor::Actor;
use super::deployment::{Infrastructure, QueueNames};
use super::flow_run_policy::FlowRunPolicy;
use super::ids::{DeploymentId, FlowId, FlowRunId, TaskRunId, WorkPoolId, WorkQueueId};
use super::names;
use super::patch::Patch;
use super::run::RunStatistics;
use super::state::{ProposedState, State, StateType};
use super::time::Timestamp;
use super::work::WORKER_LABEL;

/// A flow run as it is stored.
#[derive(Clone, Debug, PartialEq)]
pub struct FlowRun {
    /// Its id.
    pub id: FlowRunId,
    /// When it was created.
    pub created: Timestamp,
    /// When it last changed.
    pub updated: Timestamp,
    /// Its name; a container is named after it.
    pub name: String,
    /// The flow that it runs.
    pub flow_id: FlowId,
    /// The deployment that it came from; absent for a run that a script started.
    pub deployment_id: Option<DeploymentId>,
    /// The version of the flow, told by the engine that runs it.
    pub flow_version: Option<String>,
    /// The parameters that it runs with.
    pub parameters: JsonMap,
    /// Creating a run with the same key in the same flow answers this run.
    pub idempotency_key: Option<String>,
    /// Free context given by the creator.
    pub context: JsonMap,
    /// How it retries, and what is known of its pauses.
    pub policy: FlowRunPolicy,
    /// Settings that the infrastructure saw.
    pub empirical_config: JsonMap,
    /// Tags.
    pub tags: Vec<String>,
    /// Labels of its own and of its deployment; see [`Self::all_labels`].
    pub labels: JsonMap,
    /// On a sub-flow's run: the task run that stands for it in the parent.
    pub parent_task_run_id: Option<TaskRunId>,
    /// Whether a schedule made it.
    pub auto_scheduled: bool,
    /// What it runs on.
    pub infrastructure: Infrastructure,
    /// Laid over its deployment's variables of the job that it runs as.
    pub job_variables: Option<JsonMap>,
    /// The queue whose workers take it.
    pub work_queue_id: Option<WorkQueueId>,
    /// What that queue is called; absent where it has none, or one that has gone.
    pub queue: Option<RunQueue>,
    /// The version of its deployment when it was created.
    pub deployment_version: Option<String>,
    /// What a worker that speaks the API made for it, as that calls it.
    pub infrastructure_pid: Option<String>,
    /// Who created it; `None` when nobody can tell.
    pub created_by: Option<Actor>,
    /// What the agent that took it knows of it.
    pub claim: Option<Claim>,
    /// Counts and times.
    pub statistics: RunStatistics,
    /// Where it stands; absent only between two steps of one transaction.
    pub state: Option<State>,
}

impl FlowRun {
    /// Whether agents and workers take it when its time has come: a run of a deployment, or one
    /// that was put into a work pool by itself.
    pub fn is_for_agents(&self) -> bool {
        self.deployment_id.is_some() || self.work_queue_id.is_some()
    }

    /// The worker that took it last, if it is a run of a work pool.
    pub fn taker(&self) -> Option<&str> {
        self.work_queue_id?;
        self.labels.get(WORKER_LABEL)?.as_str()
    }

    /// Its labels as the reference has them.
    pub fn all_labels(&self) -> JsonMap {
        let origin = Origin {
            flow_id: self.flow_id,
            deployment_id: self.deployment_id,
            labels: self.labels.clone(),
        };
        origin.all_labels()
    }

    /// A run that begins now, and the state that it should enter first.
    pub fn create(new: NewFlowRun, now: Timestamp) -> (Self, ProposedState) {
        let name = new.name.filter(|name| !name.is_empty());
        let run = Self {
            id: FlowRunId::new(),
            created: now,
            updated: now,
            name: name.unwrap_or_else(names::random),
            flow_id: new.flow_id,
            deployment_id: new.deployment_id,
            flow_version: new.flow_version,
            parameters: new.parameters,
            idempotency_key: new.idempotency_key,
            context: new.context,
            policy: new.policy,
            empirical_config: JsonMap::new(),
            tags: new.tags,
            labels: new.labels,
            parent_task_run_id: new.parent_task_run_id,
            auto_scheduled: new.auto_scheduled,
            infrastructure: new.infrastructure,
            job_variables: new.job_variables,
            work_queue_id: new.work_queue_id,
            queue: None,
            deployment_version: new.deployment_version,
            infrastructure_pid: None,
            created_by: new.created_by,
            claim: None,
            statistics: RunStatistics::default(),
            state: None,
        };
        let pending = || ProposedState::new(StateType::Pending);
        (run, new.state.unwrap_or_else(pending))
    }
}

/// What a run came from.
#[derive(Clone, Debug, PartialEq)]
pub struct Origin {
    /// Its flow.
    pub flow_id: FlowId,
    /// Its deployment.
    pub deployment_id: Option<DeploymentId>,
    /// Its own labels.
    pub labels: JsonMap,
}

impl Origin {
    /// The run's labels as the reference has them: its own over those that say what it came from.
    pub fn all_labels(self) -> JsonMap {
        let mut all = JsonMap::new();
        let mut put = |key: &str, id: String| all.insert(key.to_owned(), id.into());
        put("prefect.flow.id", self.flow_id.to_string());
        if let Some(id) = self.deployment_id {
            put("prefect.deployment.id", id.to_string());
        }
        all.extend(self.labels);
        all
    }
}

/// What a run's queue is called.
#[derive(Clone, Debug, PartialEq)]
pub struct RunQueue {
    /// Its name within its pool.
    pub name: String,
    /// The pool.
    pub pool_id: WorkPoolId,
    /// The pool's name.
    pub pool_name: String,
}

/// An agent's hold on a run that it took.
#[derive(Clone, Debug, PartialEq)]
pub struct Claim {
    /// The agent's name; the daemon's own is `embedded`.
    pub agent: String,
    /// When it took the run.
    pub at: Timestamp,
    /// What it made for the run: `docker:<container id>` or `process:<pid>:<start ticks>`.
    /// Absent until the infrastructure exists.
    pub infrastructure_id: Option<String>,
}

/// What a client says of a flow run that it creates.
#[derive(Clone, Debug, PartialEq)]
pub struct NewFlowRun {
    /// Its name; absent: two random words.
    pub name: Option<String>,
    /// The flow that it runs.
    pub flow_id: FlowId,
    /// The deployment that it came from.
    pub deployment_id: Option<DeploymentId>,
    /// The version of the flow.
    pub flow_version: Option<String>,
    /// Parameters.
    pub parameters: JsonMap,
    /// See [`FlowRun::idempotency_key`].
    pub idempotency_key: Option<String>,
    /// Free context.
    pub context: JsonMap,
    /// How it retries.
    pub policy: FlowRunPolicy,
    /// Tags.
    pub tags: Vec<String>,
    /// Its own labels.
    pub labels: JsonMap,
    /// See [`FlowRun::parent_task_run_id`].
    pub parent_task_run_id: Option<TaskRunId>,
    /// What it runs on.
    pub infrastructure: Infrastructure,
    /// See [`FlowRun::job_variables`].
    pub job_variables: Option<JsonMap>,
    /// See [`FlowRun::work_queue_id`].
    pub work_queue_id: Option<WorkQueueId>,
    /// The names of that, where the client says them instead.
    pub queue_names: Option<QueueNames>,
    /// The version of the deployment.
    pub deployment_version: Option<String>,
    /// Whether a schedule made it.
    pub auto_scheduled: bool,
    /// Who created it.
    pub created_by: Option<Actor>,
    /// Its first state; absent: Pending.
    pub state: Option<ProposedState>,
    /// Whether an event tells of its first state, as of those of deployments and in the modern
    /// generation of all that clients create.
    pub is_told: bool,
}

/// What a client says of a run that it wants of a deployment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DeploymentRunRequest {
    /// Its name; absent: two random words.
    pub name: Option<String>,
    /// Laid over the deployment's parameters.
    pub parameters: JsonMap,
    /// Free context.
    pub context: JsonMap,
    /// Added to the deployment's tags.
    pub tags: Vec<String>,
    /// See [`FlowRun::idempotency_key`].
    pub idempotency_key: Option<String>,
    /// See [`FlowRun::parent_task_run_id`].
    pub parent_task_run_id: Option<TaskRunId>,
    /// Replaces the deployment's infrastructure.
    pub infrastructure: Option<Infrastructure>,
    /// See [`FlowRun::job_variables`].
    pub job_variables: Option<JsonMap>,
    /// How it retries.
    pub policy: FlowRunPolicy,
    /// Its own labels.
    pub labels: JsonMap,
    /// Whether its parameters have to conform to the deployment's schema; absent: as the
    /// deployment says.
    pub enforces_schema: Option<bool>,
    /// The queue of the deployment's pool that takes it; absent: the deployment's.
    pub work_queue_name: Option<String>,
    /// Its first state; absent: Pending.
    pub state: Option<ProposedState>,
    /// Who asks.
    pub created_by: Option<Actor>,
    /// Whether it is asked for in the modern generation, in which parameters may say how their
    /// values are made, and job variables have to fit those of the pool.
    pub is_modern: bool,
}

/// The fields of a run that may be changed after its creation; absent ones stay.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FlowRunUpdate {
    /// The version of the flow.
    pub flow_version: Patch<String>,
    /// Parameters.
    pub parameters: Option<JsonMap>,
    /// The name.
    pub name: Option<String>,
    /// Tags.
    pub tags: Option<Vec<String>>,
    /// What it runs on.
    pub infrastructure: Option<Infrastructure>,
    /// Variables of its job; only of a run of a deployment that is scheduled.
    pub job_variables: Patch<JsonMap>,
    /// How it retries, and what is known of its pauses.
    pub policy: Option<FlowRunPolicy>,
    /// See [`FlowRun::infrastructure_pid`].
    pub infrastructure_pid: Patch<String>,
}
