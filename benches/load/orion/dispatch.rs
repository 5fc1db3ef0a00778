//! Many runs that are due at once, and an agent with a few slots for a command that does
//! nothing: are its slots in use, and what does that cost?

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use chrono::{TimeDelta, Utc};
use serde_json::Value;

use crate::http::Client;
use crate::report::{Of, Report};
use crate::server::Server;

/// The agent's slots.
const SLOTS: &str = "8";
/// How often the slots in use are looked at.
const LOOK: Duration = Duration::from_millis(100);
/// How long the agent is watched at most.
const WATCH: Duration = Duration::from_secs(30);
/// How many runs are dispatched one after the other.
const SINGLE: usize = 50;

/// Makes `due` runs that become due at one moment, and watches.
pub async fn measure(
    program: &Path,
    due: u64,
    lasting: f64,
    report: &mut Report,
) -> anyhow::Result<()> {
    let dir = tempfile::tempdir()?;
    let script = dir.path().join("nothing");
    let work = match lasting > 0.0 {
        true => format!("exec sleep {lasting}"),
        false => "exit 0".to_owned(),
    };
    std::fs::write(&script, format!("#!/bin/sh\n{work}\n"))?;
    make_executable(&script)?;
    let python = script.to_str().context("a path that is no text")?;
    let env = [
        ("PREFECTD_AGENT__SLOTS", SLOTS),
        ("PREFECTD_RUNNERS__PYTHON", python),
    ];
    let server = Server::prefectd(program, &dir.path().join("state"), &env).await?;
    let mut client = Client::connect(server.address).await?;
    let path = deployment(&mut client).await?;
    if lasting == 0.0 {
        one_by_one(&mut client, &path, report).await?;
    }
    let at = Utc::now() + TimeDelta::milliseconds(5000 + i64::try_from(due)?);
    make_runs(&mut client, &path, due, at).await?;
    if let Ok(left) = (at - Utc::now()).to_std() {
        tokio::time::sleep(left).await;
    }
    let before = server.cpu()?;
    let begun = Instant::now();
    let mut used = Vec::new();
    let left = loop {
        let (held, waiting) = look(&mut client).await?;
        if waiting == 0 || begun.elapsed() > WATCH {
            break waiting;
        }
        used.push(held);
        tokio::time::sleep(LOOK).await;
    };
    let secs = begun.elapsed().as_secs_f64();
    if used.is_empty() {
        bail!("no run was seen waiting");
    }
    let of = Of::Prefectd(0);
    let name = format!("{due} runs due at once, each of {lasting} s");
    let ended = due.saturating_sub(left);
    let cores = server.cpu()?.saturating_sub(before).as_secs_f64() / secs;
    let mean = used.iter().sum::<f64>() / used.len() as f64;
    report.enter(
        of,
        &format!("{name}: runs ended"),
        "runs/s",
        ended as f64 / secs,
    );
    report.enter(
        of,
        &format!("{name}: slots in use, of {SLOTS}"),
        "slots",
        mean,
    );
    report.enter(of, &format!("{name}: server's CPU"), "cores", cores);
    server.stop()
}

/// A deployment whose runs do nothing; answers the path at which they are made.
async fn deployment(client: &mut Client) -> anyhow::Result<String> {
    client
        .expect("POST", "/flows/", r#"{"name": "nothing", "tags": []}"#, 201)
        .await?;
    let deployment = format!(
        r#"{{"name": "nothing", "flow_id": "{}", "flow_data": {{"encoding": "text", "blob": ""}}, "schedule": null, "parameters": {{}}, "tags": [], "flow_runner": {{"type": "subprocess", "config": {{}}}}}}"#,
        client.id()?
    );
    client
        .expect("POST", "/deployments/", &deployment, 201)
        .await?;
    Ok(format!("/deployments/{}/create_flow_run", client.id()?))
}

/// From a run's due time to its process, while there is nothing else to do.
async fn one_by_one(client: &mut Client, path: &str, report: &mut Report) -> anyhow::Result<()> {
    for made in 1..=SINGLE {
        client
            .expect("POST", path, r#"{"state": {"type": "SCHEDULED"}}"#, 201)
            .await?;
        while dispatch_seconds(client, "count").await? < made as f64 || look(client).await?.0 > 0.0
        {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
    let mean = dispatch_seconds(client, "sum").await? * 1000.0 / SINGLE as f64;
    report.enter(Of::Prefectd(0), "dispatch latency: mean", "ms", mean);
    Ok(())
}

/// One of the two numbers of how long dispatching took, all runs together.
async fn dispatch_seconds(client: &mut Client, which: &str) -> anyhow::Result<f64> {
    let name = format!("prefectd_dispatch_seconds_{which}");
    client.metric(&name).await?.context("no such metric")
}

async fn make_runs(
    client: &mut Client,
    path: &str,
    due: u64,
    at: chrono::DateTime<Utc>,
) -> anyhow::Result<()> {
    let at = at.format("%Y-%m-%dT%H:%M:%S%.6f+00:00");
    let run = format!(
        r#"{{"state": {{"type": "SCHEDULED", "state_details": {{"scheduled_time": "{at}"}}}}}}"#
    );
    for _ in 0..due {
        client.expect("POST", path, &run, 201).await?;
    }
    Ok(())
}

/// The slots in use, and the runs that wait.
async fn look(client: &mut Client) -> anyhow::Result<(f64, u64)> {
    client.expect("GET", "/v3/prefectd/status", "", 200).await?;
    let status: Value = serde_json::from_str(&client.body())?;
    let held = status.pointer("/agent/slots_used").and_then(Value::as_f64);
    let waiting = status.pointer("/runs_scheduled").and_then(Value::as_u64);
    Ok((held.context("no agent")?, waiting.context("no count")?))
}

fn make_executable(path: &Path) -> anyhow::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755))?;
    Ok(())
}
