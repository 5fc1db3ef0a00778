//! The daemon as a whole.

use chrono::{DateTime, Utc};
use serde_json::json;

use super::Ctl;
use super::agent::trouble;
use crate::api::v3::wire::{Agent, Status};
use crate::cli::failure::Result;
use crate::cli::render;

/// Shows the daemon.
pub async fn status(ctl: &Ctl) -> Result<()> {
    let status: Status = ctl.client.get("/prefectd/status").await?;
    render::print(ctl.output, &status, shown)
}

fn shown(status: &Status) -> String {
    let now = Utc::now();
    let agents = if status.agents.is_empty() {
        "none; start one with `prefectctl agent start`".to_owned()
    } else {
        let agents = status.agents.iter().map(|agent| described(agent, now));
        agents.collect::<Vec<_>>().join("\n")
    };
    let runs = format!(
        "{} scheduled, {} pending, {} running",
        status.runs_scheduled, status.runs_pending, status.runs_running
    );
    let trouble = status.storage_trouble.as_ref();
    let trouble = trouble.map(|trouble| format!("\ntrouble: {trouble}"));
    let database = format!(
        "{} in {}{}",
        render::bytes(status.database_bytes),
        status.state_dir,
        trouble.unwrap_or_default()
    );
    render::pairs(
        [
            (
                "prefectd",
                format!("{}, process {}", status.version, status.pid),
            ),
            ("started", render::ago(status.started.utc(), now)),
            ("socket", status.socket.clone()),
            ("listeners", status.listeners.join("\n")),
            ("clients", for_clients(&status.listeners)),
            ("database", database),
            ("agents", agents),
            ("runs", runs),
        ]
        .into_iter(),
    )
}

/// What the Prefect client must be told; without it that works on a database of its own.
fn for_clients(listeners: &[String]) -> String {
    match listeners.first() {
        Some(first) => {
            let local = first.replace("//0.0.0.0:", "//127.0.0.1:");
            let local = local.replace("//[::]:", "//[::1]:");
            format!(
                "export PREFECT_API_URL={local}/api\nexport PREFECT_ORION_HOST={local}/api/ (2.0a7)"
            )
        }
        None => "no TCP address; see server.listen".to_owned(),
    }
}

fn described(agent: &Agent, now: DateTime<Utc>) -> String {
    let report = &agent.report;
    let looked = report.last_activation;
    let looked = looked.map(|at| render::ago(at.utc(), now));
    let trouble = trouble(agent).map(|trouble| format!("\ntrouble: {trouble}"));
    format!(
        "{}: {} of {} slots used, last looked {}{}",
        agent.name,
        agent.slots_used,
        report.slots,
        looked.unwrap_or_else(|| "not yet".to_owned()),
        trouble.unwrap_or_default()
    )
}

/// Shows both versions; the daemon need not be there.
pub async fn version(ctl: &Ctl) -> Result<()> {
    let daemon: Option<Status> = ctl.client.get("/prefectd/status").await.ok();
    let versions = json!({
        "prefectctl": env!("CARGO_PKG_VERSION"),
        "prefectd": daemon.map(|status| status.version),
    });
    render::print(ctl.output, &versions, |versions| {
        let daemon = versions.get("prefectd").and_then(serde_json::Value::as_str);
        let daemon = daemon.unwrap_or("not reached");
        format!(
            "prefectctl {}\nprefectd   {daemon}",
            env!("CARGO_PKG_VERSION")
        )
    })
}
