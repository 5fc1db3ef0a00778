//! Agents: what they report and ask, and what they are told. Ours, not Prefect's.
//!
//! An agent and its daemon may be of different versions: what one does not know it passes over,
//! and what is added may be absent.

use std::collections::{BTreeMap, HashSet};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::api::redaction::{Reader, Redact, harmless};
use crate::api::v3::wire::{FlowRun, Instant, StateCreate};
use crate::domain::agent::{self, KnownAgent};
use crate::domain::flow_run::{self, Claim};
use crate::domain::ids::FlowRunId;
use crate::domain::time::{Span, Timestamp};

/// What an agent says of itself.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
pub struct AgentReport {
    /// Stays the same from start to start.
    pub identity: String,
    /// The machine that it runs on.
    pub host: String,
    /// Its process id there.
    pub pid: u32,
    /// Its version.
    pub version: String,
    /// How many runs it may hold.
    pub slots: u64,
    /// When it last looked for work.
    pub last_activation: Option<Instant>,
    /// What went wrong then.
    pub last_error: Option<String>,
    /// Why it has no engine for containers.
    pub engine_trouble: Option<String>,
    /// The images that runs of it wait for, by run.
    #[serde(default)]
    pub pulling: BTreeMap<Uuid, String>,
}

impl From<agent::AgentReport> for AgentReport {
    fn from(report: agent::AgentReport) -> Self {
        let pulling = report.pulling.into_iter();
        Self {
            identity: report.identity,
            host: report.host,
            pid: report.pid,
            version: report.version,
            slots: report.slots,
            last_activation: report.last_activation.map(Into::into),
            last_error: report.last_error,
            engine_trouble: report.engine_trouble,
            pulling: pulling.map(|(id, image)| (id.uuid(), image)).collect(),
        }
    }
}

impl From<AgentReport> for agent::AgentReport {
    fn from(report: AgentReport) -> Self {
        let pulling = report.pulling.into_iter();
        let pulling = pulling.map(|(id, image)| (FlowRunId::from_uuid(id), image));
        Self {
            identity: report.identity,
            host: report.host,
            pid: report.pid,
            version: report.version,
            slots: report.slots,
            last_activation: report.last_activation.map(Into::into),
            last_error: report.last_error,
            engine_trouble: report.engine_trouble,
            pulling: pulling.collect(),
        }
    }
}

/// An agent that is there.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Agent {
    /// Its name.
    pub name: String,
    /// When it first reported to this daemon.
    pub since: Instant,
    /// When it last reported.
    pub last_seen: Instant,
    /// How many runs it holds.
    pub slots_used: u64,
    /// What it said.
    #[serde(flatten)]
    pub report: AgentReport,
}

impl Agent {
    /// A known agent that holds `used` runs.
    pub fn new(known: KnownAgent, used: u64) -> Self {
        Self {
            name: known.name,
            since: known.since.into(),
            last_seen: known.last_seen.into(),
            slots_used: used,
            report: known.report.into(),
        }
    }
}

/// A report, and how long to wait for news.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ReportIn {
    /// How the agent is.
    pub report: AgentReport,
    /// The number of the last news that it heard.
    #[serde(default)]
    pub heard: Option<u64>,
}

/// The answer to a report.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct News {
    /// Its number; another one than the agent's means that it should look for work.
    pub number: u64,
    /// The daemon's state directory, which containers are labelled with.
    pub instance: String,
}

/// What an agent would take.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ClaimIn {
    /// Whether runs in containers, too.
    pub containers: bool,
    /// How many at most.
    pub limit: u64,
}

/// A run in an agent's hands.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct HeldRun {
    /// The run.
    pub run: FlowRun,
    /// How long ago it was taken, in microseconds.
    pub held_micros: i64,
}

impl HeldRun {
    /// A run as it is at `now`.
    pub fn new(run: flow_run::FlowRun, now: Timestamp) -> Self {
        let since = run.claim.as_ref().map_or(now, |claim| claim.at);
        Self {
            held_micros: (now - since).micros(),
            run: FlowRun::new(run, now),
        }
    }

    /// The run, by the clock of whoever reads this at `now`. Empty where the wire says nothing.
    pub fn into_domain(self, now: Timestamp) -> flow_run::FlowRun {
        // Daemons of an earlier version tell these only by the modern server's names.
        let told = (&self.run.work_queue_name, &self.run.infrastructure_pid);
        let agent = self.run.agent.as_ref().or(told.0.as_ref()).cloned();
        let infrastructure_id = match &self.run.agent {
            Some(_) => self.run.agent_made.clone(),
            None => told.1.clone(),
        };
        let mut run = flow_run::FlowRun::from(self.run);
        run.claim = agent.map(|agent| Claim {
            agent,
            at: now + Span::from_micros(-self.held_micros),
            infrastructure_id,
        });
        run
    }
}

/// How long until a run is due.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Due {
    /// In microseconds, 0 when one is due now; null when none will be.
    pub in_micros: Option<u64>,
}

/// What an agent made for a run.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct MadeIn {
    /// `docker:<container id>` or `process:<id>`.
    pub infrastructure: String,
}

/// For what a run is to have a key.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct KeyIn {
    /// Whether it is executed in a container, and not by a process of the agent's machine.
    #[serde(default)]
    pub container: bool,
}

/// The key of a run.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
pub struct KeyOut {
    /// What the run puts into the address of the API, as `/run/<key>/api`; null where it is to ask as
    /// everybody does.
    pub key: Option<String>,
}

/// How a run has ended.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct EndIn {
    /// The terminal state.
    pub state: StateCreate,
}

impl Redact for AgentReport {
    fn redact(&mut self, reader: &Reader<'_>) {
        let Self {
            identity,
            host,
            pid: _,
            version,
            slots: _,
            last_activation: _,
            last_error,
            engine_trouble,
            pulling,
        } = self;
        let mask = reader.of_nobody();
        for text in [identity, host, version] {
            mask.over(text);
        }
        mask.over(last_error);
        mask.over(engine_trouble);
        pulling.values_mut().for_each(|image| mask.over(image));
    }
}

impl Redact for Agent {
    fn redact(&mut self, reader: &Reader<'_>) {
        let Self {
            name,
            since: _,
            last_seen: _,
            slots_used: _,
            report,
        } = self;
        reader.of_nobody().over(name);
        report.redact(reader);
    }
}

impl Redact for HeldRun {
    fn runs(&self, noted: &mut HashSet<FlowRunId>) {
        self.run.runs(noted);
    }

    fn redact(&mut self, reader: &Reader<'_>) {
        let Self {
            run,
            held_micros: _,
        } = self;
        run.redact(reader);
    }
}

harmless!(News, Due, KeyOut);
