//! The names that a word of a command line may become.

mod wanted;

use std::path::PathBuf;
use std::time::Duration;

use super::Ctl;
use crate::api::v3::wire::{
    Automation, AutomationQuery, Deployment, Flow, FlowRun, Query, Schedule, TaskRun, WorkPool,
    WorkPoolQuery,
};
use crate::cli::args::{Args, Output};
use crate::cli::client::{Client, Target, api_key};
use crate::cli::failure::Result;
use crate::cli::{find, pages, render};
use wanted::{Wanted, wanted};

/// How long a shell waits for names.
const TIMEOUT: Duration = Duration::from_secs(1);
/// The most names that are looked at.
const MOST: u64 = 1000;

/// Prints names, a line each; where there are none, or the daemon is not there, nothing.
pub async fn print(args: &Args, words: &[String]) -> Result<()> {
    let names = tokio::time::timeout(TIMEOUT, names(args, words)).await;
    let Ok(Ok(names)) = names else {
        return Ok(());
    };
    let begun = words.last().map_or("", String::as_str);
    let mut fitting: Vec<_> = names
        .into_iter()
        .filter(|name| name.starts_with(begun) && *name == render::name(name))
        .collect();
    let mut known = std::collections::HashSet::new();
    fitting.retain(|name| known.insert(name.clone()));
    if fitting.is_empty() {
        Ok(())
    } else {
        render::line(&fitting.join("\n"))
    }
}

async fn names(args: &Args, words: &[String]) -> Result<Vec<String>> {
    let Some(wanted) = wanted(words) else {
        return Ok(Vec::new());
    };
    let ctl = ctl(args, words)?;
    let client = &ctl.client;
    let query = Query::default();
    Ok(match wanted {
        Wanted::FlowRun => {
            let runs = pages::all::<FlowRun>(client, "/flow_runs/filter", &query, MOST);
            runs.await?.into_iter().map(|run| run.name).collect()
        }
        Wanted::TaskRun => {
            let runs = pages::all::<TaskRun>(client, "/task_runs/filter", &query, MOST);
            runs.await?.into_iter().map(|run| run.name).collect()
        }
        Wanted::Flow => {
            let flows = pages::all::<Flow>(client, "/flows/filter", &query, MOST);
            flows.await?.into_iter().map(|flow| flow.name).collect()
        }
        Wanted::WorkPool => {
            let query = WorkPoolQuery::default();
            let pools: Vec<WorkPool> = client.post("/work_pools/filter", &query).await?;
            pools.into_iter().map(|pool| pool.name).collect()
        }
        Wanted::Automation => {
            let query = AutomationQuery::default();
            let found: Vec<Automation> = client.post("/automations/filter", &query).await?;
            found.into_iter().map(|one| one.name).collect()
        }
        Wanted::Deployment => deployments(&ctl, &query).await?,
        Wanted::Schedule(of) => {
            let (deployment, _) = find::deployment(client, of).await?;
            let name = |it: Schedule| it.slug.unwrap_or_else(|| it.id.to_string());
            deployment.schedules.into_iter().map(name).collect()
        }
    })
}

async fn deployments(ctl: &Ctl, query: &Query) -> Result<Vec<String>> {
    let path = "/deployments/filter";
    let found: Vec<Deployment> = pages::all(&ctl.client, path, query, MOST).await?;
    let flows = ctl.flow_names(found.iter().map(|it| it.flow_id)).await?;
    let path = |it: Deployment| {
        let flow = flows.get(&it.flow_id)?;
        Some(format!("{flow}/{}", it.name))
    };
    Ok(found.into_iter().filter_map(path).collect())
}

/// Where the words say that the daemon is, or what stands before them.
fn ctl(args: &Args, words: &[String]) -> Result<Ctl> {
    let said = |flag: &str| {
        let place = words.iter().position(|word| word == flag)?;
        words.get(place + 1)
    };
    let target = match (said("--socket"), said("--api")) {
        (Some(path), _) => Target::Socket(path.into()),
        (None, Some(url)) => Target::url(url)?,
        (None, None) => Target::of(args)?,
    };
    let file = said("--api-key-file").map(PathBuf::from);
    let key = api_key(file.or_else(|| args.api_key_file.clone()).as_deref())?;
    Ok(Ctl {
        client: Client::new(target, key.as_ref()).masking(),
        output: Output::Table,
    })
}
