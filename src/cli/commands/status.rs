//! The daemon as a whole.

use chrono::Utc;
use serde_json::json;

use super::super::failure::Result;
use super::super::render;
use super::Ctl;
use crate::api::v3::wire::Status;

/// Shows the daemon.
pub async fn status(ctl: &Ctl) -> Result<()> {
    let status: Status = ctl.client.get("/prefectd/status").await?;
    render::print(ctl.output, &status, shown)
}

fn shown(status: &Status) -> String {
    let now = Utc::now();
    let agent = match &status.agent {
        None => "none (started with --no-agent)".to_owned(),
        Some(agent) => {
            let used = format!(
                "{}: {} of {} slots used",
                agent.name, agent.slots_used, agent.slots
            );
            let looked = agent.last_activation.map(|at| render::ago(at.utc(), now));
            let looked = looked.unwrap_or_else(|| "not yet".to_owned());
            let trouble = agent
                .last_error
                .as_ref()
                .map(|error| format!("\ntrouble: {error}"));
            format!(
                "{used}, last looked {looked}{}",
                trouble.unwrap_or_default()
            )
        }
    };
    let runs = format!(
        "{} scheduled, {} pending, {} running",
        status.runs_scheduled, status.runs_pending, status.runs_running
    );
    let database = format!(
        "{} in {}",
        render::bytes(status.database_bytes),
        status.state_dir
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
            ("database", database),
            ("agent", agent),
            ("runs", runs),
        ]
        .into_iter(),
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
