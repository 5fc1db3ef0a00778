//! What runs use of the machine. Ours, not Prefect's.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::api::v3::wire::Instant;
use crate::domain::flow_run::FlowRun;
use crate::domain::ids::DeploymentId;
use crate::domain::time::Timestamp;
use crate::domain::usage::Usage;

/// A run that has, or is about to have, a process, and what that uses.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Process {
    /// The run's id.
    pub id: Uuid,
    /// Its name.
    pub name: String,
    /// Its flow.
    pub flow_id: Uuid,
    /// Its deployment.
    pub deployment_id: Option<Uuid>,
    /// Its current state's name.
    pub state_name: Option<String>,
    /// When it first ran.
    pub start_time: Option<Instant>,
    /// The agent that took it.
    pub agent: Option<String>,
    /// What that agent made for it.
    pub infrastructure_pid: Option<String>,
    /// Seconds of processor time since its start; null where its process is on another machine,
    /// or gone.
    pub cpu_seconds: Option<f64>,
    /// Bytes of memory that it holds now; null where that is not known.
    pub memory_bytes: Option<u64>,
    /// When that was read.
    pub read_at: Instant,
}

impl Process {
    /// A run, and what its process uses at `now`.
    pub fn new(run: FlowRun, usage: Option<&Usage>, now: Timestamp) -> Self {
        let (agent, infrastructure_pid) = match run.claim {
            Some(claim) => (Some(claim.agent), claim.infrastructure_id),
            None => (None, None),
        };
        Self {
            id: run.id.uuid(),
            name: run.name,
            flow_id: run.flow_id.uuid(),
            deployment_id: run.deployment_id.map(DeploymentId::uuid),
            state_name: run.state.map(|state| state.name),
            start_time: run.books.start_time.map(Into::into),
            agent,
            infrastructure_pid,
            cpu_seconds: usage.map(|usage| usage.cpu.as_secs_f64()),
            memory_bytes: usage.map(|usage| usage.memory),
            read_at: now.into(),
        }
    }
}
