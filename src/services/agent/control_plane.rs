//! Where an agent gets its work from: the app of its own daemon, or a daemon elsewhere.

use std::time::{Duration, Instant};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::sync::Mutex;

use crate::app::{App, Bell, Listener};
use crate::domain::access::RunKey;
use crate::domain::agent::AgentReport;
use crate::domain::error::Result;
use crate::domain::flow_run::FlowRun;
use crate::domain::ids::{DeploymentId, FlowRunId};
use crate::domain::log::{NewLog, OutputSeen};
use crate::domain::state::ProposedState;
use crate::domain::time::Timestamp;

/// What a control plane answers.
pub type ControlPlaneFuture<'a, T> = BoxFuture<'a, Result<T>>;

/// For what a key is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyFor {
    /// A container.
    Container,
    /// A process of the agent's machine.
    Process,
}

/// The verbs that an agent needs, all under its own name. What an agent tells
/// (`record_infrastructure`, `end_run`, `create_logs`) may take as long as the daemon is out
/// of reach; what it asks fails then, and is asked again.
pub trait ControlPlane: Send + Sync {
    /// The present moment.
    fn now(&self) -> Timestamp;
    /// The runs that the agent looks after: those that have not ended, oldest first, and
    /// those whose output is not stored whole.
    fn held_runs(&self) -> ControlPlaneFuture<'_, Vec<FlowRun>>;
    /// Takes up to `limit` due runs; without `containers`, none that needs one.
    fn claim_due_runs(&self, containers: bool, limit: u64) -> ControlPlaneFuture<'_, Vec<FlowRun>>;
    /// How long until the next run is due.
    fn due_in(&self) -> ControlPlaneFuture<'_, Option<Duration>>;
    /// A run as it is now.
    fn flow_run(&self, id: FlowRunId) -> ControlPlaneFuture<'_, FlowRun>;
    /// Notes what was made for a run.
    fn record_infrastructure(&self, id: FlowRunId, what: String) -> ControlPlaneFuture<'_, ()>;
    /// A key by which the run's process is known to the API, where it is to have one; those that
    /// were made before are worth nothing any more.
    fn run_key(&self, id: FlowRunId, who: KeyFor) -> ControlPlaneFuture<'_, Option<RunKey>>;
    /// Takes back the keys of a run: whatever has one speaks for it no more.
    fn revoke_run_keys(&self, id: FlowRunId) -> ControlPlaneFuture<'_, ()>;
    /// Ends a run; false when it is not the agent's any more, or has ended.
    fn end_run(&self, id: FlowRunId, end: ProposedState) -> ControlPlaneFuture<'_, bool>;
    /// What a run was made from, as `FLOW/DEPLOYMENT`.
    fn deployment_path(&self, id: DeploymentId) -> ControlPlaneFuture<'_, String>;
    /// How much of a run's output is stored.
    fn output_seen(&self, id: FlowRunId) -> ControlPlaneFuture<'_, OutputSeen>;
    /// Notes that all that a run's process printed is stored.
    fn close_output(&self, id: FlowRunId) -> ControlPlaneFuture<'_, ()>;
    /// Keeps lines of runs' logs.
    fn create_logs(&self, lines: Vec<NewLog>) -> ControlPlaneFuture<'_, ()>;
    /// Whether the API may have been out of reach since an instant; none means one before
    /// the agent began.
    fn was_away(&self, since: Option<Instant>) -> bool;
    /// Says how the agent is. Does not wait until it was heard.
    fn report(&self, report: AgentReport);
    /// Has the agent look again.
    fn ring(&self);
    /// Waits until there may be something to do.
    fn rung(&self) -> BoxFuture<'_, ()>;
}

/// The control plane of the daemon's own agent.
pub struct LocalControlPlane {
    app: App,
    agent: String,
    bell: Bell,
    listener: Mutex<Listener>,
}

impl LocalControlPlane {
    /// For the agent of that name.
    pub fn new(app: App, agent: &str) -> Self {
        let bell = app.agent_bell();
        Self {
            app,
            agent: agent.to_owned(),
            listener: Mutex::new(bell.listen()),
            bell,
        }
    }

    /// The runs with what their jobs are made of. Only this daemon's own agent gets that.
    async fn opened(
        &self,
        runs: impl Future<Output = Result<Vec<FlowRun>>> + Send,
    ) -> Result<Vec<FlowRun>> {
        let runs = runs.await?.into_iter();
        Ok(runs.map(|run| self.app.opened(run)).collect())
    }
}

impl ControlPlane for LocalControlPlane {
    fn now(&self) -> Timestamp {
        self.app.now()
    }

    fn held_runs(&self) -> ControlPlaneFuture<'_, Vec<FlowRun>> {
        let held = self.app.claimed_runs(&self.agent);
        self.opened(held).boxed()
    }

    fn claim_due_runs(&self, containers: bool, limit: u64) -> ControlPlaneFuture<'_, Vec<FlowRun>> {
        let claimed = self.app.claim_due_runs(&self.agent, containers, limit);
        self.opened(claimed).boxed()
    }

    fn due_in(&self) -> ControlPlaneFuture<'_, Option<Duration>> {
        self.app.due_in(&self.agent).boxed()
    }

    fn flow_run(&self, id: FlowRunId) -> ControlPlaneFuture<'_, FlowRun> {
        let found = self.app.flow_run(id);
        async move { Ok(self.app.opened(*found.await?)) }.boxed()
    }

    fn record_infrastructure(&self, id: FlowRunId, what: String) -> ControlPlaneFuture<'_, ()> {
        self.app
            .record_infrastructure(&self.agent, id, what)
            .boxed()
    }

    fn run_key(&self, id: FlowRunId, who: KeyFor) -> ControlPlaneFuture<'_, Option<RunKey>> {
        async move {
            match who {
                KeyFor::Container => self.app.make_run_key(&self.agent, id).await.map(Some),
                // The kernel tells whose a connection of this machine is.
                KeyFor::Process => Ok(None),
            }
        }
        .boxed()
    }

    fn revoke_run_keys(&self, id: FlowRunId) -> ControlPlaneFuture<'_, ()> {
        self.app.revoke_run_keys(&self.agent, id).boxed()
    }

    fn end_run(&self, id: FlowRunId, end: ProposedState) -> ControlPlaneFuture<'_, bool> {
        self.app.end_run(&self.agent, id, end).boxed()
    }

    fn deployment_path(&self, id: DeploymentId) -> ControlPlaneFuture<'_, String> {
        self.app.deployment_path(id).boxed()
    }

    fn output_seen(&self, id: FlowRunId) -> ControlPlaneFuture<'_, OutputSeen> {
        self.app.output_seen(id).boxed()
    }

    fn close_output(&self, id: FlowRunId) -> ControlPlaneFuture<'_, ()> {
        self.app.close_output(&self.agent, id).boxed()
    }

    fn create_logs(&self, lines: Vec<NewLog>) -> ControlPlaneFuture<'_, ()> {
        self.app.create_logs(lines).boxed()
    }

    fn was_away(&self, since: Option<Instant>) -> bool {
        // It is there as long as this process is.
        since.is_none()
    }

    fn report(&self, report: AgentReport) {
        if let Err(error) = self.app.agent_reports(&self.agent, report) {
            tracing::error!(%error, "the daemon's own agent is not known");
        }
    }

    fn ring(&self) {
        self.bell.ring();
    }

    fn rung(&self) -> BoxFuture<'_, ()> {
        async move { self.listener.lock().await.rung().await }.boxed()
    }
}
