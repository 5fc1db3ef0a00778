//! Work pools.

use std::path::Path;

use chrono::Utc;
use serde::Serialize;
use serde_json::{Value, json};

use super::Ctl;
use crate::api::v3::wire::{
    WorkPool, WorkPoolQuery, WorkQueue, WorkQueueQuery, Worker, WorkerQuery,
};
use crate::cli::args::WorkPool as Command;
use crate::cli::failure::{Failure, Result};
use crate::cli::find::encoded;
use crate::cli::render::{self, keep, spare};
use crate::domain::filter::MAX_PAGE;

/// The states of runs that take a slot of their pool.
const UNDER_WAY: [&str; 3] = ["PENDING", "RUNNING", "CANCELLING"];

/// Carries a command on work pools out.
pub async fn carry_out(ctl: &Ctl, command: Command) -> Result<()> {
    match command {
        Command::Ls => ls(ctl).await,
        Command::Inspect { name } => inspect(ctl, &name).await,
        Command::Create {
            name,
            kind,
            limit,
            description,
            template,
            paused,
        } => {
            let template = match template {
                Some(file) => read(&file)?,
                None => usual_template(ctl, &kind).await?,
            };
            let asked = json!({
                "name": name,
                "type": kind,
                "description": description,
                "concurrency_limit": limit,
                "is_paused": paused,
                "base_job_template": template,
            });
            create(ctl, &asked).await
        }
        Command::Pause { name } => switch(ctl, &name, true).await,
        Command::Resume { name } => switch(ctl, &name, false).await,
        Command::Delete { name } => {
            let path = format!("/work_pools/{}", encoded(&name));
            let pool: WorkPool = ctl.client.get(&path).await?;
            ctl.client.delete(&path).await?;
            render::print(ctl.output, &pool, |pool| {
                format!("Deleted the work pool {}", render::name(&pool.name))
            })
        }
    }
}

/// A pool with those who serve it.
#[derive(Serialize)]
struct Served {
    #[serde(flatten)]
    pool: WorkPool,
    workers: Vec<Worker>,
}

async fn ls(ctl: &Ctl) -> Result<()> {
    let mut pools: Vec<WorkPool> = Vec::new();
    loop {
        let query = WorkPoolQuery {
            offset: pools.len() as u64,
            ..WorkPoolQuery::default()
        };
        let page: Vec<WorkPool> = ctl.client.post("/work_pools/filter", &query).await?;
        let is_last = (page.len() as u64) < MAX_PAGE;
        pools.extend(page);
        if is_last {
            break;
        }
    }
    let mut all = Vec::new();
    for pool in pools {
        let workers = workers_of(ctl, &pool.name).await?;
        let pool = counted(ctl, pool).await?;
        all.push(Served { pool, workers });
    }
    render::print(ctl.output, &all, |all| match all.is_empty() {
        true => "There are no work pools; `prefectctl work-pool create` makes one.".to_owned(),
        false => table(all),
    })
}

async fn workers_of(ctl: &Ctl, pool: &str) -> Result<Vec<Worker>> {
    let path = format!("/work_pools/{}/workers/filter", encoded(pool));
    ctl.client.post(&path, &WorkerQuery::default()).await
}

fn table(all: &[Served]) -> String {
    let rows = all.iter().map(|Served { pool, workers }| {
        let online = workers.iter().filter(|worker| is_online(worker));
        let names: Vec<_> = online.map(|worker| worker.name.clone()).collect();
        [
            pool.name.clone(),
            pool.kind.clone(),
            status(pool),
            under_way(pool),
            names.join(", "),
        ]
    });
    let head = [
        keep("name"),
        keep("type"),
        keep("status"),
        spare("under way", 2),
        spare("served by", 1),
    ];
    render::table(head, rows)
}

fn is_online(worker: &Worker) -> bool {
    worker.status == "ONLINE"
}

fn status(pool: &WorkPool) -> String {
    let told = pool.status.as_deref().unwrap_or("for agents");
    told.to_lowercase().replace('_', " ")
}

fn under_way(pool: &WorkPool) -> String {
    match (pool.active_slots, pool.concurrency_limit) {
        (Some(active), Some(limit)) => format!("{active} of {limit}"),
        (Some(active), None) => active.to_string(),
        (None, _) => String::new(),
    }
}

/// How many runs of a pool are under way: the API says it only of pools that have a limit.
async fn counted(ctl: &Ctl, pool: WorkPool) -> Result<WorkPool> {
    if pool.active_slots.is_some() {
        return Ok(pool);
    }
    let count = json!({
        "work_pools": { "name": { "any_": [pool.name] } },
        "flow_runs": { "state": { "type": { "any_": UNDER_WAY } } },
    });
    let active = ctl.client.post("/flow_runs/count", &count).await?;
    Ok(WorkPool {
        active_slots: Some(active),
        ..pool
    })
}

/// A pool with all around it.
#[derive(Serialize)]
struct Whole {
    #[serde(flatten)]
    pool: WorkPool,
    queues: Vec<WorkQueue>,
    workers: Vec<Worker>,
}

async fn inspect(ctl: &Ctl, name: &str) -> Result<()> {
    let path = format!("/work_pools/{}", encoded(name));
    let pool: WorkPool = counted(ctl, ctl.client.get(&path).await?).await?;
    let queues = format!("{path}/queues/filter");
    let queues: Vec<WorkQueue> = ctl.client.post(&queues, &WorkQueueQuery::default()).await?;
    let workers = workers_of(ctl, name).await?;
    let whole = Whole {
        pool,
        queues,
        workers,
    };
    render::print(ctl.output, &whole, shown)
}

fn shown(whole: &Whole) -> String {
    let Whole {
        pool,
        queues,
        workers,
    } = whole;
    let facts = [
        ("name", pool.name.clone()),
        ("id", pool.id.to_string()),
        ("type", pool.kind.clone()),
        ("status", status(pool)),
        ("description", pool.description.clone().unwrap_or_default()),
        ("runs under way", under_way(pool)),
        ("created", render::instant(pool.created)),
    ];
    let facts = facts.into_iter().filter(|(_, value)| !value.is_empty());
    let queues = queues.iter().map(|queue| {
        let paused = if queue.is_paused { "paused" } else { "" };
        let limit = queue.concurrency_limit.map(|limit| limit.to_string());
        [
            queue.name.clone(),
            queue.priority.to_string(),
            limit.unwrap_or_default(),
            paused.to_owned(),
        ]
    });
    let head = [keep("queue"), keep("priority"), keep("limit"), spare("", 1)];
    let mut shown = format!(
        "{}\n\n{}",
        render::pairs(facts),
        render::table(head, queues)
    );
    if !workers.is_empty() {
        let now = Utc::now();
        let workers = workers.iter().map(|worker| {
            let heard = worker.last_heartbeat_time;
            [
                worker.name.clone(),
                worker.status.to_lowercase(),
                heard.map_or_else(String::new, |at| render::ago(at.utc(), now)),
            ]
        });
        let head = [keep("worker"), keep("status"), spare("heard of", 1)];
        shown += &format!("\n\n{}", render::table(head, workers));
    }
    shown
}

fn read(file: &Path) -> Result<Value> {
    let named = file.display();
    let text = std::fs::read_to_string(file)
        .map_err(|error| Failure::usage(format!("{named} cannot be read: {error}")))?;
    serde_json::from_str(&text)
        .map_err(|error| Failure::usage(format!("{named} is no base job template: {error}")))
}

/// What Prefect has the jobs of a type be made of.
async fn usual_template(ctl: &Ctl, kind: &str) -> Result<Value> {
    let path = "/collections/views/aggregate-worker-metadata";
    let known: Value = ctl.client.get(path).await?;
    let collections = known.as_object().into_iter().flatten();
    let mut types = collections.filter_map(|(_, types)| types.get(kind));
    let template = types.find_map(|of| of.get("default_base_job_configuration").cloned());
    template.ok_or_else(|| {
        Failure::usage(format!(
            "nothing is known of the type {kind:?}; name a file with its jobs' template by --template"
        ))
    })
}

async fn create(ctl: &Ctl, asked: &Value) -> Result<()> {
    let pool: WorkPool = ctl.client.post("/work_pools/", asked).await?;
    render::print(ctl.output, &pool, |pool| {
        let name = render::name(&pool.name);
        let hint = match pool.kind.as_str() {
            "docker" | "process" => String::new(),
            _ => format!("; its runs wait for a worker: `prefect worker start --pool {name}`"),
        };
        format!("Created the work pool {name}{hint}")
    })
}

async fn switch(ctl: &Ctl, name: &str, is_paused: bool) -> Result<()> {
    let path = format!("/work_pools/{}", encoded(name));
    let change = json!({ "is_paused": is_paused });
    ctl.client.patch(&path, &change).await?;
    let pool: WorkPool = ctl.client.get(&path).await?;
    render::print(ctl.output, &pool, |pool| {
        let name = render::name(&pool.name);
        match is_paused {
            true => format!("The work pool {name} is paused"),
            false => format!("The runs of the work pool {name} are handed out"),
        }
    })
}
