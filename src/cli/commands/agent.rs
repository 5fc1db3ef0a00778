//! Agents.

use chrono::Utc;

use super::Ctl;
use crate::api::v3::wire::Agent;
use crate::cli::failure::Result;
use crate::cli::render::{self, keep, spare};

/// Lists the agents that are there.
pub async fn ls(ctl: &Ctl) -> Result<()> {
    let agents: Vec<Agent> = ctl.client.get("/prefectd/agents").await?;
    let now = Utc::now();
    render::print(ctl.output, &agents, |agents| {
        let rows = agents.iter().map(|agent| {
            let report = &agent.report;
            [
                agent.name.clone(),
                report.host.clone(),
                format!("{} of {}", agent.slots_used, report.slots),
                render::ago(agent.last_seen.utc(), now),
                report.version.clone(),
                trouble(agent).unwrap_or_else(|| "none".to_owned()),
            ]
        });
        let head = [
            keep("name"),
            spare("host", 2),
            keep("slots used"),
            spare("seen", 1),
            spare("version", 3),
            keep("trouble"),
        ];
        render::table(head, rows)
    })
}

/// What an agent complains of.
pub fn trouble(agent: &Agent) -> Option<String> {
    let report = &agent.report;
    report.engine_trouble.clone().or(report.last_error.clone())
}
