//! A control plane whose writer fails at named verbs.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use crate::domain::access::RunKey;
use crate::domain::agent::AgentReport;
use crate::domain::error::{Error, Kind};
use crate::domain::flow_run::FlowRun;
use crate::domain::ids::{DeploymentId, FlowRunId};
use crate::domain::log::{NewLog, OutputSeen};
use crate::domain::state::ProposedState;
use crate::domain::time::Timestamp;
use crate::services::agent::control_plane::{
    ControlPlane, ControlPlaneFuture, KeyFor, LocalControlPlane,
};

/// The control plane; each named verb fails so often, as on a full disk.
pub struct FailingControlPlane {
    inner: LocalControlPlane,
    faults: Mutex<HashMap<&'static str, u32>>,
}

impl FailingControlPlane {
    pub fn new(inner: LocalControlPlane, faults: &[(&'static str, u32)]) -> Self {
        let faults = Mutex::new(faults.iter().copied().collect());
        Self { inner, faults }
    }

    fn or_fail<'a, T: Send + 'a>(
        &'a self,
        verb: &'static str,
        work: impl FnOnce(&'a LocalControlPlane) -> ControlPlaneFuture<'a, T>,
    ) -> ControlPlaneFuture<'a, T> {
        match self.faults.lock().unwrap().get_mut(verb) {
            Some(left @ 1..) => {
                *left -= 1;
                let full = Error::new(Kind::StorageFull, "The disk is full.");
                std::future::ready(Err(full)).boxed()
            }
            _ => work(&self.inner),
        }
    }
}

impl ControlPlane for FailingControlPlane {
    fn now(&self) -> Timestamp {
        self.inner.now()
    }

    fn held_runs(&self) -> ControlPlaneFuture<'_, Vec<FlowRun>> {
        self.or_fail("held_runs", |control_plane| control_plane.held_runs())
    }

    fn claim_due_runs(&self, containers: bool, limit: u64) -> ControlPlaneFuture<'_, Vec<FlowRun>> {
        self.or_fail("claim_due_runs", |control_plane| {
            control_plane.claim_due_runs(containers, limit)
        })
    }

    fn due_in(&self) -> ControlPlaneFuture<'_, Option<Duration>> {
        self.inner.due_in()
    }

    fn flow_run(&self, id: FlowRunId) -> ControlPlaneFuture<'_, FlowRun> {
        self.or_fail("flow_run", |control_plane| control_plane.flow_run(id))
    }

    fn record_infrastructure(&self, id: FlowRunId, what: String) -> ControlPlaneFuture<'_, ()> {
        self.or_fail("record_infrastructure", |control_plane| {
            control_plane.record_infrastructure(id, what)
        })
    }

    fn run_key(&self, id: FlowRunId, who: KeyFor) -> ControlPlaneFuture<'_, Option<RunKey>> {
        self.or_fail("run_key", |control_plane| control_plane.run_key(id, who))
    }

    fn revoke_run_keys(&self, id: FlowRunId) -> ControlPlaneFuture<'_, ()> {
        self.or_fail("revoke_run_keys", |control_plane| {
            control_plane.revoke_run_keys(id)
        })
    }

    fn end_run(&self, id: FlowRunId, end: ProposedState) -> ControlPlaneFuture<'_, bool> {
        self.or_fail("end_run", |control_plane| control_plane.end_run(id, end))
    }

    fn deployment_path(&self, id: DeploymentId) -> ControlPlaneFuture<'_, String> {
        self.inner.deployment_path(id)
    }

    fn output_seen(&self, id: FlowRunId) -> ControlPlaneFuture<'_, OutputSeen> {
        self.or_fail("output_seen", |control_plane| control_plane.output_seen(id))
    }

    fn close_output(&self, id: FlowRunId) -> ControlPlaneFuture<'_, ()> {
        self.or_fail("close_output", |control_plane| {
            control_plane.close_output(id)
        })
    }

    fn create_logs(&self, lines: Vec<NewLog>) -> ControlPlaneFuture<'_, ()> {
        self.or_fail("create_logs", |control_plane| {
            control_plane.create_logs(lines)
        })
    }

    fn was_away(&self, since: Option<Instant>) -> bool {
        self.inner.was_away(since)
    }

    fn report(&self, report: AgentReport) {
        self.inner.report(report);
    }

    fn ring(&self) {
        self.inner.ring();
    }

    fn rung(&self) -> BoxFuture<'_, ()> {
        self.inner.rung()
    }
}
