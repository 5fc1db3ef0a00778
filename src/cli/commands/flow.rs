//! Flows.

use chrono::Utc;
use serde_json::json;

use super::Ctl;
use crate::api::v3::wire::{Flow, FlowFilter, Query};
use crate::cli::args::Flow as Command;
use crate::cli::confirm::confirm;
use crate::cli::failure::{Failure, Result};
use crate::cli::render::{self, keep, spare};
use crate::cli::{find, pages, select};

/// Carries a command on flows out.
pub async fn carry_out(ctl: &Ctl, command: Command) -> Result<()> {
    match command {
        Command::Ls => {
            let query = Query::default();
            let flows: Vec<Flow> =
                pages::all(&ctl.client, "/flows/filter", &query, u64::MAX).await?;
            let ids = flows.iter().map(|flow| flow.id);
            let ids = ctl.short_ids("flows", ids).await;
            let now = Utc::now();
            render::print(ctl.output, &flows, |flows| {
                let rows = flows.iter().map(|flow| {
                    let created = render::near(flow.created.utc(), now);
                    let id = ids.get(&flow.id).cloned().unwrap_or_default();
                    [flow.name.clone(), created, id]
                });
                render::table([keep("name"), spare("created", 1), keep("id")], rows)
            })
        }
        Command::Inspect { name } => {
            let flow = find::flow(&ctl.client, &name).await?;
            render::print(ctl.output, &flow, shown)
        }
        Command::Delete { name, force, yes } => delete(ctl, &name, force, yes).await,
    }
}

fn shown(flow: &Flow) -> String {
    render::pairs(
        [
            ("name", render::name(&flow.name)),
            ("id", flow.id.to_string()),
            ("created", render::instant(flow.created)),
            ("updated", render::instant(flow.updated)),
            ("tags", render::name(&flow.tags.join(", "))),
        ]
        .into_iter(),
    )
}

async fn delete(ctl: &Ctl, wanted: &str, force: bool, yes: bool) -> Result<()> {
    let flow = find::flow(&ctl.client, wanted).await?;
    let about = Query {
        flows: Some(FlowFilter {
            id: Some(select::any_of(vec![flow.id])),
            ..FlowFilter::default()
        }),
        ..Query::default()
    };
    let deployments: u64 = ctl.client.post("/deployments/count", &about).await?;
    let runs: u64 = ctl.client.post("/flow_runs/count", &about).await?;
    let name = render::name(&flow.name);
    let count = |count: u64| usize::try_from(count).unwrap_or(usize::MAX);
    let with = format!(
        "{} and {}",
        render::many(count(deployments), "deployment"),
        render::many(count(runs), "flow run")
    );
    if deployments > 0 && !force {
        return Err(Failure::new(format!(
            "the flow '{name}' has {with}, which would be deleted with it, schedules included; \
             delete all of it with --force"
        )));
    }
    if deployments > 0 || runs > 0 {
        confirm(yes, &format!("Delete the flow '{name}' with {with}"), &[])?;
    }
    let path = format!("/flows/{}?force={force}", flow.id);
    ctl.client.delete(&path).await?;
    let gone = json!({ "flow": flow, "deployments": deployments, "flow_runs": runs });
    render::print(ctl.output, &gone, |_| {
        format!("Deleted the flow '{name}' with {with}")
    })
}
