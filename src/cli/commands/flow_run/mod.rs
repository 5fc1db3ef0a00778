//! Flow runs.

mod change;
mod inspect;
mod ls;
mod wait;

use super::Ctl;
use crate::api::v3::wire::Why;
use crate::cli::args::FlowRun as Command;
use crate::cli::failure::Result;
use crate::cli::lines::{self, Wanted};
use crate::cli::{find, render};

pub use inspect::history;
pub use ls::Names;

/// Carries a command on flow runs out.
pub async fn carry_out(ctl: &Ctl, command: Command) -> Result<()> {
    match command {
        Command::Ls(list) => ls::ls(ctl, &list).await,
        Command::Inspect { run } => inspect::inspect(ctl, &run).await,
        Command::Logs(logs) => {
            let run = find::flow_run(&ctl.client, &logs.run).await?;
            lines::print(&ctl.client, run.id, &Wanted::from(&logs), ctl.output).await
        }
        Command::Why { run } => why(ctl, &run).await,
        Command::Wait { runs, timeout } => wait::wait(ctl, &runs, timeout).await,
        Command::Cancel { which, wait } => change::cancel(ctl, &which, wait).await,
        Command::Retry { which } => change::retry(ctl, &which).await,
        Command::Delete { which, force } => change::delete(ctl, &which, force).await,
    }
}

async fn why(ctl: &Ctl, wanted: &str) -> Result<()> {
    let run = find::flow_run(&ctl.client, wanted).await?;
    let path = format!("/prefectd/flow_runs/{}/why", run.id);
    let why: Why = ctl.client.get(&path).await?;
    render::print(ctl.output, &why, |why| {
        let mut told = vec![why.reason.clone()];
        if let Some(at) = why.may_start {
            let soon = render::ago(at.utc(), chrono::Utc::now());
            told.push(format!("It may start at {} ({soon}).", render::instant(at)));
        }
        if !why.holders.is_empty() {
            told.push("The slots are taken by:".to_owned());
        }
        let holders = why.holders.iter().map(|holder| {
            let agent = holder.agent.as_deref().map(render::name);
            let on = agent.map(|agent| format!(", on the agent {agent}"));
            let name = render::name(&holder.name);
            format!("  {name} ({}){}", holder.id, on.unwrap_or_default())
        });
        told.extend(holders);
        if why.more_holders > 0 && !why.holders.is_empty() {
            told.push(format!("  and {} more", why.more_holders));
        }
        told.join("\n")
    })
}
