//! A deployment: a flow's code, its defaults, and the infrastructure that runs it.

mod changes;
pub mod schedules;

use serde_json::Value;
use uuid::Uuid;

use super::JsonMap;
use super::actor::Actor;
use super::concurrency_limit::ConcurrencyLimit;
use super::ids::{DeploymentId, FlowId, FlowRunId, LimitId, WorkQueueId};
use super::runner::RunnerKind;
use super::schedule::Ahead;
use super::state::StateType;
use super::time::Timestamp;
use super::work::PoolKind;

pub use changes::{DeploymentChanges, DeploymentUpdate, NewDeployment, QueueNames};
pub use schedules::{DeploymentSchedule, NewSchedule, ScheduleChange, ScheduleUpdate};

/// Where and how a run's process is made: the flow runner of the 2.0a7 generation.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Infrastructure {
    /// As what it is made. Absent: the agent's default, which is a subprocess.
    pub kind: Option<RunnerKind>,
    /// The settings of that kind, as the client wrote them.
    pub config: Option<JsonMap>,
}

impl Infrastructure {
    /// True when neither a type nor settings were given.
    pub fn is_unset(&self) -> bool {
        self.kind.is_none() && self.config.is_none()
    }
}

/// How many of a deployment's runs may be executed at once, and what becomes of those that come
/// when as many are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Concurrency {
    /// At most so many; absent: any number, but for what `shared` says.
    pub limit: Option<i64>,
    /// The limit that it shares with others in the place of one of its own.
    pub shared: Option<LimitId>,
    /// What the client said of the others, if anything.
    pub options: Option<ConcurrencyOptions>,
    /// How many of its slots are held, at the moment that it was read.
    pub taken: i64,
}

/// See [`Concurrency`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConcurrencyOptions {
    /// What becomes of a run for which there is no slot.
    pub collision_strategy: CollisionStrategy,
    /// How many seconds a run may hold its slot before it has begun.
    pub grace_period_seconds: Option<i64>,
}

/// What becomes of a run for which there is no slot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CollisionStrategy {
    /// It waits.
    #[default]
    Enqueue,
    /// It is cancelled.
    CancelNew,
}

impl CollisionStrategy {
    /// The word by which rows and the modern API know it.
    pub const fn word(self) -> &'static str {
        match self {
            CollisionStrategy::Enqueue => "ENQUEUE",
            CollisionStrategy::CancelNew => "CANCEL_NEW",
        }
    }

    /// What a word names; `None` for any other word.
    pub fn from_word(word: &str) -> Option<Self> {
        let all = [CollisionStrategy::Enqueue, CollisionStrategy::CancelNew];
        all.into_iter().find(|strategy| strategy.word() == word)
    }
}

/// A deployment as it is stored.
#[derive(Clone, Debug, PartialEq)]
pub struct Deployment {
    /// Its id.
    pub id: DeploymentId,
    /// When it was first created.
    pub created: Timestamp,
    /// When it was last created again or changed.
    pub updated: Timestamp,
    /// Unique among the deployments of its flow.
    pub name: String,
    /// The flow that it deploys.
    pub flow_id: FlowId,
    /// The version that its author gave it.
    pub version: Option<String>,
    /// What it is for, as its author writes it.
    pub description: Option<String>,
    /// The document that leads to the flow's code (`encoding` and `blob`), in the 2.0a7
    /// generation.
    pub flow_data: Option<Value>,
    /// Where the flow's code is, in the modern generation.
    pub path: Option<String>,
    /// The file and the function that are the flow.
    pub entrypoint: Option<String>,
    /// What a run does to get the flow's code.
    pub pull_steps: Option<Value>,
    /// When to run it by itself. Dialects that know of one schedule are told the first.
    pub schedules: Vec<DeploymentSchedule>,
    /// Whether its schedules are followed.
    pub is_schedule_active: bool,
    /// Parameters of each run, unless the run overrides them.
    pub parameters: JsonMap,
    /// The JSON Schema of those parameters.
    pub parameter_schema: Option<JsonMap>,
    /// Whether parameters have to conform to it.
    pub enforces_schema: bool,
    /// Tags of the deployment and of each of its runs.
    pub tags: Vec<String>,
    /// Labels: its own over those of its flow.
    pub labels: JsonMap,
    /// What its runs run on, in the 2.0a7 generation.
    pub infrastructure: Infrastructure,
    /// What its runs run on, in the modern generation: the variables of its pool's template.
    pub job_variables: JsonMap,
    /// The queue whose workers take its runs.
    pub work_queue_id: Option<WorkQueueId>,
    /// Its name, as the queue has it.
    pub work_queue_name: Option<String>,
    /// The name of the pool that it belongs to.
    pub work_pool_name: Option<String>,
    /// How many of its runs are executed at once.
    pub concurrency: Concurrency,
    /// The limit that it shares with others, as it stood when it was read.
    pub shared_limit: Option<ConcurrencyLimit>,
    /// The block document of the storage where its code is.
    pub storage_document_id: Option<Uuid>,
    /// The block document that its runs run on.
    pub infrastructure_document_id: Option<Uuid>,
    /// Who created it; `None` when nobody can tell.
    pub created_by: Option<Actor>,
    /// Who changed it last.
    pub updated_by: Option<Actor>,
    /// When somebody last asked for its runs.
    pub last_polled: Option<Timestamp>,
    /// Who serves its queue, where it has one.
    pub served: Option<Served>,
}

/// Who serves a queue.
#[derive(Clone, Debug, PartialEq)]
pub struct Served {
    /// When somebody last asked for the queue's runs.
    pub queue_polled: Option<Timestamp>,
    /// Of what type the pool is.
    pub pool_kind: PoolKind,
    /// See [`WorkPool::online_until`](super::work::WorkPool::online_until).
    pub online_until: Option<Timestamp>,
}

impl Deployment {
    /// What its runs run on that wait in that queue. Without a queue the runs of a modern
    /// deployment are for the process that serves it, and for no agent.
    pub fn infrastructure_in(&self, queue: Option<WorkQueueId>) -> Infrastructure {
        let is_modern = self.flow_data.is_none()
            && (self.entrypoint.is_some() || self.path.is_some() || self.pull_steps.is_some());
        match is_modern && queue.is_none() && self.infrastructure.is_unset() {
            true => Infrastructure {
                kind: Some(RunnerKind::Served),
                config: None,
            },
            false => self.infrastructure.clone(),
        }
    }

    /// A deployment of which nothing is said but its name. As on the reference its parameters
    /// have to conform to a schema that takes anything.
    pub fn new(id: DeploymentId, flow_id: FlowId, name: String, now: Timestamp) -> Self {
        Self {
            id,
            created: now,
            updated: now,
            name,
            flow_id,
            version: None,
            description: None,
            flow_data: None,
            path: None,
            entrypoint: None,
            pull_steps: None,
            schedules: Vec::new(),
            is_schedule_active: true,
            parameters: JsonMap::new(),
            parameter_schema: None,
            enforces_schema: false,
            tags: Vec::new(),
            labels: JsonMap::new(),
            infrastructure: Infrastructure::default(),
            job_variables: JsonMap::new(),
            work_queue_id: None,
            work_queue_name: None,
            work_pool_name: None,
            concurrency: Concurrency::default(),
            shared_limit: None,
            storage_document_id: None,
            infrastructure_document_id: None,
            created_by: None,
            updated_by: None,
            last_polled: None,
            served: None,
        }
    }

    /// How far ahead runs of its schedules are made, as on the server of its generation.
    pub fn ahead(&self) -> Ahead {
        match &self.flow_data {
            Some(_) => Ahead::ORION,
            None => Ahead::V3,
        }
    }
}

/// The runs around a deployment.
#[derive(Clone, Debug, PartialEq)]
pub struct Around {
    /// The deployment.
    pub deployment: DeploymentId,
    /// The run that is due next.
    pub next: Option<Brief>,
    /// The run that started last.
    pub last: Option<Brief>,
}

/// A run in brief.
#[derive(Clone, Debug, PartialEq)]
pub struct Brief {
    /// Its id.
    pub id: FlowRunId,
    /// Its name.
    pub name: String,
    /// Its state's type.
    pub kind: Option<StateType>,
    /// Its state's name.
    pub state_name: Option<String>,
    /// When it is due, or started.
    pub at: Option<Timestamp>,
}
