//! A deployment: a flow's code, its defaults, and the infrastructure that runs it.

use serde_json::Value;

use super::JsonMap;
use super::ids::{DeploymentId, FlowId, FlowRunId, ScheduleId};
use super::runner::RunnerKind;
use super::schedule::Schedule;
use super::state::StateType;
use super::time::Timestamp;

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

/// One of the schedules by which a deployment is run by itself.
#[derive(Clone, Debug, PartialEq)]
pub struct DeploymentSchedule {
    /// Its id.
    pub id: ScheduleId,
    /// When it was created.
    pub created: Timestamp,
    /// When it last changed.
    pub updated: Timestamp,
    /// Names it within its deployment, if it has a name.
    pub slug: Option<String>,
    /// When there are runs.
    pub rule: Schedule,
    /// Whether it is followed while its deployment's schedules are.
    pub active: bool,
    /// Laid over the deployment's parameters.
    pub parameters: JsonMap,
}

/// What a client says of a schedule.
#[derive(Clone, Debug, PartialEq)]
pub struct NewSchedule {
    /// See [`DeploymentSchedule::slug`].
    pub slug: Option<String>,
    /// When there are runs.
    pub rule: Schedule,
    /// See [`DeploymentSchedule::active`].
    pub active: bool,
    /// Laid over the deployment's parameters.
    pub parameters: JsonMap,
}

/// As dialects say it in which a deployment has one schedule and nothing more to it.
impl From<Schedule> for NewSchedule {
    fn from(rule: Schedule) -> Self {
        Self {
            slug: None,
            rule,
            active: true,
            parameters: JsonMap::new(),
        }
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
    /// The document that leads to the flow's code (`encoding` and `blob`).
    pub flow_data: Option<Value>,
    /// When to run it by itself. Dialects that know of one schedule are told the first.
    pub schedules: Vec<DeploymentSchedule>,
    /// Whether its schedules are followed.
    pub is_schedule_active: bool,
    /// Parameters of each run, unless the run overrides them.
    pub parameters: JsonMap,
    /// Tags of the deployment and of each of its runs.
    pub tags: Vec<String>,
    /// What its runs run on.
    pub infrastructure: Infrastructure,
}

/// What a client says of a deployment that it creates or creates again.
#[derive(Clone, Debug, PartialEq)]
pub struct NewDeployment {
    /// Unique among the deployments of its flow.
    pub name: String,
    /// The flow that it deploys.
    pub flow_id: FlowId,
    /// The document that leads to the flow's code.
    pub flow_data: Option<Value>,
    /// When to run it by itself; those that a known deployment has are replaced.
    pub schedules: Vec<NewSchedule>,
    /// Whether its schedules are followed.
    pub is_schedule_active: bool,
    /// Default parameters.
    pub parameters: JsonMap,
    /// Tags.
    pub tags: Vec<String>,
    /// What its runs run on; `None` keeps what a known deployment already has.
    pub infrastructure: Option<Infrastructure>,
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
