//! What the calls are about, made or found before anything is measured.

use std::time::Duration;

use anyhow::{Context, bail, ensure};
use chrono::{TimeDelta, Utc};

use super::bodies;
use super::events::Run;
use super::lifecycle;
use crate::http::{Address, Client};
use crate::orion::lifecycle::TASKS;

/// How many runs are there to be read and to change their states.
const RUNS: usize = 512;
/// How many of them have a log that is read.
const LOGS: usize = 16;
/// How many lines go into one request.
pub const LINES: usize = 200;
/// How many runs wait in the pool of [`POOL`] and are due.
const DUE: usize = 20;
/// The name of a work pool that has runs, of a deployment in it, and of a limit.
pub const POOL: &str = "bench-due";
/// A work pool that has none.
pub const IDLE_POOL: &str = "bench-idle";
/// How often and after what time a server that is too busy is asked again.
const TRIES: usize = 20;
/// See [`TRIES`].
const PAUSE: Duration = Duration::from_millis(500);

/// Ids of what there is.
pub struct Things {
    /// A flow.
    pub flow: String,
    /// Runs of it.
    pub runs: Vec<String>,
    /// Runs of it that have a log.
    pub logged: Vec<String>,
    /// A run that has gone through a lifecycle.
    pub lived: Run,
    /// A stored run that has ended; where there is none, the same.
    pub ended: String,
    /// A task run of that; empty where the server knows none.
    pub task: String,
    /// A deployment in the pool.
    pub deployment: String,
}

/// Makes them. `has_tasks` says that the server makes task runs of events; then they are looked
/// at.
pub async fn prepare(server: Address, has_tasks: bool) -> anyhow::Result<Things> {
    let client = &mut Client::connect(server).await?;
    let flow = r#"{"name":"seeded-0","tags":[],"labels":{}}"#;
    insist(client, "/flows/", flow).await?;
    let flow = client.id()?;
    let deployment = pools(client, &flow).await?;
    let ended = r#"{"state":{"type":{"any_":["COMPLETED"]}}}"#;
    insist(client, "/flow_runs/filter", &bodies::runs(ended, 1)).await?;
    let ended = client.id().ok();
    let lived = lived(client, &flow).await?;
    let ended = ended.unwrap_or_else(|| lived.id.clone());
    if has_tasks {
        insist(client, "/task_runs/filter", &bodies::task_runs(&lived.id)).await?;
        let body = client.body();
        let completed = body.matches("\"state_type\":\"COMPLETED\"").count();
        ensure!(completed == TASKS, "{completed} task runs completed");
    }
    insist(client, "/task_runs/filter", &bodies::task_runs(&ended)).await?;
    let task = client.id().unwrap_or_default();
    let (runs, logged) = runs(client, &flow).await?;
    Ok(Things {
        flow,
        runs,
        logged,
        lived,
        ended,
        task,
        deployment,
    })
}

/// Makes runs, the last of them with logs.
async fn runs(client: &mut Client, flow: &str) -> anyhow::Result<(Vec<String>, Vec<String>)> {
    let mut runs = Vec::new();
    for _ in 0..RUNS {
        insist(client, "/flow_runs/", &bodies::flow_run(flow)).await?;
        runs.push(client.id()?);
    }
    let logged = runs.split_off(RUNS - LOGS);
    for run in &logged {
        insist(client, "/logs/", &bodies::logs(run, LINES)).await?;
    }
    Ok((runs, logged))
}

/// Has a run live.
async fn lived(client: &mut Client, flow: &str) -> anyhow::Result<Run> {
    let mut failure = None;
    for _ in 0..TRIES {
        match lifecycle::run(client, flow.to_owned()).await {
            Ok(run) => return Ok(run),
            Err(error) => failure = Some(error),
        }
        tokio::time::sleep(PAUSE).await;
        *client = Client::connect(client.address()).await?;
    }
    Err(failure.context("no try")?)
}

/// Makes the pools, a deployment in one of them with runs that are due, and a limit; answers the
/// deployment's id.
async fn pools(client: &mut Client, flow: &str) -> anyhow::Result<String> {
    for pool in [POOL, IDLE_POOL] {
        // Of a type that prefectd leaves to workers.
        let pool = format!(r#"{{"name":"{pool}","type":"kubernetes","base_job_template":{{}}}}"#);
        insist(client, "/work_pools/", &pool).await?;
    }
    let limit = format!(
        r#"{{"name":"{POOL}","limit":1000000,"active":true,"active_slots":0,"slot_decay_per_second":0.0}}"#
    );
    insist(client, "/v2/concurrency_limits/", &limit).await?;
    let deployment = format!(
        r#"{{"name":"{POOL}","flow_id":"{flow}","paused":false,"schedules":[],"concurrency_limit":null,"concurrency_options":null,"enforce_parameter_schema":true,"parameter_openapi_schema":{{"title":"Parameters","type":"object","properties":{{"x":{{"default":1,"position":0,"title":"x","type":"integer"}}}}}},"parameters":{{}},"tags":[],"labels":{{}},"work_queue_name":null,"work_pool_name":"{POOL}","storage_document_id":null,"infrastructure_document_id":null,"description":"","path":"/opt/flows","entrypoint":"flows.py:bench","job_variables":{{}},"version":"1"}}"#
    );
    insist(client, "/deployments/", &deployment).await?;
    let deployment = client.id()?;
    let poll = format!("/work_pools/{POOL}/get_scheduled_flow_runs");
    let soon = Utc::now() + TimeDelta::seconds(10);
    insist(client, &poll, &bodies::poll(soon)).await?;
    let due = client.body().matches("\"flow_run\":").count();
    let path = format!("/deployments/{deployment}/create_flow_run");
    for _ in due..DUE {
        insist(client, &path, &bodies::run_of_deployment()).await?;
    }
    Ok(deployment)
}

/// Posts something until the server is not too busy for it. What is there already is as good as
/// made.
pub async fn insist(client: &mut Client, path: &str, body: &str) -> anyhow::Result<()> {
    for _ in 0..TRIES {
        match client.send("POST", path, body).await? {
            200 | 201 | 409 => return Ok(()),
            500.. | 429 => tokio::time::sleep(PAUSE).await,
            status => bail!("{path} answered {status}: {}", client.body()),
        }
    }
    bail!("{path} is not answered: {}", client.body())
}
