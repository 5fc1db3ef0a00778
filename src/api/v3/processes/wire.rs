//! What runs use of the machine. Ours, not Prefect's.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::api::redaction::{Reader, Redact};
use crate::api::v3::wire::Instant;
use crate::domain::flow_run::FlowRun;
use crate::domain::ids::{DeploymentId, FlowRunId};
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
            start_time: run.statistics.start_time.map(Into::into),
            agent,
            infrastructure_pid,
            cpu_seconds: usage.map(|usage| usage.cpu.as_secs_f64()),
            memory_bytes: usage.map(|usage| usage.memory),
            read_at: now.into(),
        }
    }
}

impl Redact for Process {
    fn runs(&self, noted: &mut HashSet<FlowRunId>) {
        noted.insert(FlowRunId::from_uuid(self.id));
    }

    fn redact(&mut self, reader: &Reader<'_>) {
        let Self {
            id,
            name,
            flow_id: _,
            deployment_id,
            state_name,
            start_time: _,
            agent,
            infrastructure_pid,
            cpu_seconds: _,
            memory_bytes: _,
            read_at: _,
        } = self;
        let mask = reader.of_flow_run(FlowRunId::from_uuid(*id), deployment_id.is_some());
        mask.over(name);
        for text in [state_name, agent, infrastructure_pid] {
            mask.over(text);
        }
    }
}
