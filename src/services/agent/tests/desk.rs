//! A desk whose writer fails at named verbs.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::super::desk::{Answer, Desk, LocalDesk};
use crate::domain::agent::AgentReport;
use crate::domain::error::{Error, Kind};
use crate::domain::flow_run::FlowRun;
use crate::domain::ids::{DeploymentId, FlowRunId};
use crate::domain::log::{NewLog, OutputSeen};
use crate::domain::state::ProposedState;
use crate::domain::time::Timestamp;

/// The desk; each named verb fails so often, as on a full disk.
pub struct FailingDesk {
    inner: LocalDesk,
    faults: Mutex<HashMap<&'static str, u32>>,
}

impl FailingDesk {
    pub fn new(inner: LocalDesk, faults: &[(&'static str, u32)]) -> Self {
        let faults = Mutex::new(faults.iter().copied().collect());
        Self { inner, faults }
    }

    fn or_fail<'a, T: Send + 'a>(
        &'a self,
        verb: &'static str,
        work: impl FnOnce(&'a LocalDesk) -> Answer<'a, T>,
    ) -> Answer<'a, T> {
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

impl Desk for FailingDesk {
    fn now(&self) -> Timestamp {
        self.inner.now()
    }

    fn held_runs(&self) -> Answer<'_, Vec<FlowRun>> {
        self.or_fail("held_runs", |desk| desk.held_runs())
    }

    fn claim_due_runs(&self, containers: bool, limit: u64) -> Answer<'_, Vec<FlowRun>> {
        self.or_fail("claim_due_runs", |desk| {
            desk.claim_due_runs(containers, limit)
        })
    }

    fn due_in(&self) -> Answer<'_, Option<Duration>> {
        self.inner.due_in()
    }

    fn flow_run(&self, id: FlowRunId) -> Answer<'_, FlowRun> {
        self.or_fail("flow_run", |desk| desk.flow_run(id))
    }

    fn record_infrastructure(&self, id: FlowRunId, what: String) -> Answer<'_, ()> {
        self.or_fail("record_infrastructure", |desk| {
            desk.record_infrastructure(id, what)
        })
    }

    fn end_run(&self, id: FlowRunId, end: ProposedState) -> Answer<'_, bool> {
        self.or_fail("end_run", |desk| desk.end_run(id, end))
    }

    fn deployment_path(&self, id: DeploymentId) -> Answer<'_, String> {
        self.inner.deployment_path(id)
    }

    fn output_seen(&self, id: FlowRunId) -> Answer<'_, OutputSeen> {
        self.or_fail("output_seen", |desk| desk.output_seen(id))
    }

    fn close_output(&self, id: FlowRunId) -> Answer<'_, ()> {
        self.or_fail("close_output", |desk| desk.close_output(id))
    }

    fn create_logs(&self, lines: Vec<NewLog>) -> Answer<'_, ()> {
        self.or_fail("create_logs", |desk| desk.create_logs(lines))
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
