//! Flows.

use chrono::Utc;

use super::super::args::Flow as Command;
use super::super::failure::Result;
use super::super::{find, render};
use super::Ctl;
use crate::api::v3::wire::{Flow, Query};

/// Carries a command on flows out.
pub async fn carry_out(ctl: &Ctl, command: Command) -> Result<()> {
    match command {
        Command::Ls => {
            let flows: Vec<Flow> = ctl.client.post("/flows/filter", &Query::default()).await?;
            render::print(ctl.output, &flows, |flows| listed(flows))
        }
        Command::Inspect { name } => {
            let path = format!("/flows/name/{}", find::encoded(&name));
            let flow: Flow = ctl.client.get(&path).await?;
            render::print(ctl.output, &flow, shown)
        }
    }
}

fn listed(flows: &[Flow]) -> String {
    let now = Utc::now();
    let rows = flows.iter().map(|flow| {
        let created = render::ago(flow.created.utc(), now);
        [flow.name.clone(), flow.id.to_string(), created]
    });
    render::table(["name", "id", "created"], rows)
}

fn shown(flow: &Flow) -> String {
    render::pairs(
        [
            ("name", flow.name.clone()),
            ("id", flow.id.to_string()),
            ("created", flow.created.to_string()),
            ("updated", flow.updated.to_string()),
            ("tags", flow.tags.join(", ")),
        ]
        .into_iter(),
    )
}
