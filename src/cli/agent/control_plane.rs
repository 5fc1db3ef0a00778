//! The control plane of an agent whose daemon is elsewhere: its verbs over HTTP.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::{Notify, watch};

use crate::api::v3::wire::{
    ClaimIn, Deployment, Due, EndIn, Flow, FlowRun, HeldRun, KeyIn, KeyOut, LogCreate, MadeIn,
    News, OutputSeen, ReportIn,
};
use crate::cli::client::Client;
use crate::cli::failure::{Failure, Result as Told};
use crate::cli::find::encoded;
use crate::clock::{Clock, SystemClock};
use crate::domain::access::RunKey;
use crate::domain::agent::AgentReport;
use crate::domain::error::{Error, Kind, Result};
use crate::domain::flow_run;
use crate::domain::ids::{DeploymentId, FlowRunId};
use crate::domain::log::{self, NewLog};
use crate::domain::state::ProposedState;
use crate::domain::time::Timestamp;
use crate::services::agent::{ControlPlane, ControlPlaneFuture, KeyFor};

/// How long to wait before asking again a daemon that did not answer.
const RETRY: Duration = Duration::from_secs(1);
/// How long an answer to a report may take; the daemon holds it back for some seconds.
const REPORT_TIMEOUT: Duration = Duration::from_secs(20);
/// How long an answer to anything else may take.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Speaks for one agent.
pub(super) struct HttpControlPlane {
    client: Client,
    agent: String,
    report: watch::Sender<AgentReport>,
    heard: Mutex<Option<u64>>,
    /// When the daemon was found out of reach the last time.
    missed: Mutex<Option<Instant>>,
    bell: Notify,
}

impl HttpControlPlane {
    pub fn new(client: Client, agent: &str) -> Self {
        Self {
            client,
            agent: agent.to_owned(),
            report: watch::Sender::new(AgentReport::default()),
            heard: Mutex::default(),
            missed: Mutex::default(),
            bell: Notify::new(),
        }
    }

    /// Reports once, without waiting for news.
    pub async fn introduce(&self, report: AgentReport) -> Told<News> {
        self.report.send_replace(report.clone());
        self.send_report(report, None).await
    }

    /// Reports as long as it is polled, at once when something has changed, and wakes the
    /// agent when there is news.
    pub async fn keep_lease(&self) {
        let mut reports = self.report.subscribe();
        let mut trouble = false;
        loop {
            let report = reports.borrow_and_update().clone();
            let heard = *self.heard();
            let news = tokio::select! {
                _ = reports.changed() => continue,
                news = self.send_report(report, heard) => news,
            };
            match news {
                Ok(news) => {
                    if trouble {
                        tracing::info!("the API answers again");
                    }
                    trouble = false;
                    if self.heard().replace(news.number) != Some(news.number) {
                        self.bell.notify_one();
                    }
                }
                Err(failure) => {
                    self.missed().replace(Instant::now());
                    if !trouble {
                        tracing::warn!("{failure}; trying again");
                    }
                    trouble = true;
                    tokio::time::sleep(RETRY).await;
                }
            }
        }
    }

    async fn send_report(&self, report: AgentReport, heard: Option<u64>) -> Told<News> {
        let body = ReportIn {
            report: report.into(),
            heard,
        };
        let path = self.path("report");
        let sent = tokio::time::timeout(REPORT_TIMEOUT, self.client.post(&path, &body));
        sent.await.unwrap_or_else(|_| Err(too_slow()))
    }

    fn heard(&self) -> std::sync::MutexGuard<'_, Option<u64>> {
        // A number cannot be left half-written.
        self.heard
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn missed(&self) -> std::sync::MutexGuard<'_, Option<Instant>> {
        // An instant cannot be left half-written.
        self.missed
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn path(&self, what: &str) -> String {
        format!("/prefectd/agents/{}/{what}", encoded(&self.agent))
    }

    async fn ask<T: DeserializeOwned>(&self, path: &str) -> Result<T> {
        let asked = tokio::time::timeout(TIMEOUT, self.client.get(path)).await;
        asked.unwrap_or_else(|_| Err(too_slow())).map_err(error)
    }

    async fn post<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Told<T> {
        let sent = tokio::time::timeout(TIMEOUT, self.client.post(path, body)).await;
        sent.unwrap_or_else(|_| Err(too_slow()))
    }

    /// Says something until it is heard. Only what the daemon refuses is given up.
    async fn tell<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<T> {
        loop {
            match self.post(path, body).await {
                Ok(answer) => return Ok(answer),
                Err(failure) if is_passing(&failure) => {
                    tracing::debug!(%failure, path, "said again");
                    tokio::time::sleep(RETRY).await;
                }
                Err(failure) => return Err(error(failure)),
            }
        }
    }
}

fn too_slow() -> Failure {
    Failure::new("prefectd does not answer in time")
}

/// Whether it may go well another time: the daemon was not reached, or is too busy.
pub(super) fn is_passing(failure: &Failure) -> bool {
    failure.status().is_none_or(|status| status >= 500)
}

fn error(failure: Failure) -> Error {
    let kind = match failure.status() {
        Some(404) => Kind::NotFound,
        Some(409) => Kind::Conflict,
        Some(200..500) => Kind::Invalid,
        _ => Kind::Unavailable,
    };
    Error::new(kind, failure.to_string())
}

impl ControlPlane for HttpControlPlane {
    fn now(&self) -> Timestamp {
        SystemClock.now()
    }

    fn held_runs(&self) -> ControlPlaneFuture<'_, Vec<flow_run::FlowRun>> {
        async move {
            let runs: Vec<HeldRun> = self.ask(&self.path("runs")).await?;
            Ok(domain(runs, self.now()))
        }
        .boxed()
    }

    fn claim_due_runs(
        &self,
        containers: bool,
        limit: u64,
    ) -> ControlPlaneFuture<'_, Vec<flow_run::FlowRun>> {
        async move {
            let claim = ClaimIn { containers, limit };
            let runs = self.post(&self.path("claim"), &claim).await;
            // An answer that is lost is no harm: what was taken is found among the held.
            let runs: Vec<HeldRun> = runs.map_err(error)?;
            Ok(domain(runs, self.now()))
        }
        .boxed()
    }

    fn due_in(&self) -> ControlPlaneFuture<'_, Option<Duration>> {
        async move {
            let due: Due = self.ask("/prefectd/due").await?;
            Ok(due.in_micros.map(Duration::from_micros))
        }
        .boxed()
    }

    fn flow_run(&self, id: FlowRunId) -> ControlPlaneFuture<'_, flow_run::FlowRun> {
        async move {
            let run: FlowRun = self.ask(&format!("/flow_runs/{id}")).await?;
            Ok(run.into())
        }
        .boxed()
    }

    fn record_infrastructure(&self, id: FlowRunId, what: String) -> ControlPlaneFuture<'_, ()> {
        async move {
            let made = MadeIn {
                infrastructure: what,
            };
            self.tell(&self.path(&format!("runs/{id}/made")), &made)
                .await
        }
        .boxed()
    }

    fn run_key(&self, id: FlowRunId, who: KeyFor) -> ControlPlaneFuture<'_, Option<RunKey>> {
        async move {
            let wanted = KeyIn {
                container: who == KeyFor::Container,
            };
            let path = self.path(&format!("runs/{id}/key"));
            match self.tell::<KeyOut>(&path, &wanted).await {
                Ok(made) => Ok(made.key.map(RunKey::from_text)),
                // A daemon that knows no keys tells its runs apart otherwise.
                Err(error) if error.kind() == Kind::NotFound => Ok(None),
                Err(error) => Err(error),
            }
        }
        .boxed()
    }

    fn revoke_run_keys(&self, _id: FlowRunId) -> ControlPlaneFuture<'_, ()> {
        // Only a node of a swarm is lost, and that is the daemon's own agent's.
        std::future::ready(Ok(())).boxed()
    }

    fn end_run(&self, id: FlowRunId, end: ProposedState) -> ControlPlaneFuture<'_, bool> {
        async move {
            let end = EndIn { state: end.into() };
            self.tell(&self.path(&format!("runs/{id}/end")), &end).await
        }
        .boxed()
    }

    fn deployment_path(&self, id: DeploymentId) -> ControlPlaneFuture<'_, String> {
        async move {
            let deployment: Deployment = self.ask(&format!("/deployments/{id}")).await?;
            let flow: Flow = self.ask(&format!("/flows/{}", deployment.flow_id)).await?;
            Ok(format!("{}/{}", flow.name, deployment.name))
        }
        .boxed()
    }

    fn output_seen(&self, id: FlowRunId) -> ControlPlaneFuture<'_, log::OutputSeen> {
        async move {
            let path = format!("/prefectd/flow_runs/{id}/output_seen");
            loop {
                match self.ask::<OutputSeen>(&path).await {
                    Err(error) if error.kind() == Kind::Unavailable => {
                        tokio::time::sleep(RETRY).await;
                    }
                    seen => return seen.map(Into::into),
                }
            }
        }
        .boxed()
    }

    fn close_output(&self, id: FlowRunId) -> ControlPlaneFuture<'_, ()> {
        async move {
            let path = self.path(&format!("runs/{id}/output_kept"));
            self.tell(&path, &serde_json::json!({})).await
        }
        .boxed()
    }

    fn create_logs(&self, lines: Vec<NewLog>) -> ControlPlaneFuture<'_, ()> {
        async move {
            let lines: Vec<LogCreate> = lines.into_iter().map(Into::into).collect();
            self.tell("/logs/", &lines).await
        }
        .boxed()
    }

    fn was_away(&self, since: Option<Instant>) -> bool {
        since.is_none_or(|since| self.missed().is_some_and(|missed| missed > since))
    }

    fn report(&self, report: AgentReport) {
        self.report.send_if_modified(|last| {
            let changed = *last != report;
            *last = report;
            changed
        });
    }

    fn ring(&self) {
        self.bell.notify_one();
    }

    fn rung(&self) -> BoxFuture<'_, ()> {
        self.bell.notified().boxed()
    }
}

fn domain(runs: Vec<HeldRun>, now: Timestamp) -> Vec<flow_run::FlowRun> {
    runs.into_iter().map(|run| run.into_domain(now)).collect()
}
