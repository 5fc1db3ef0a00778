//! Task runs.

use serde_json::{Value, json};

use super::Ctl;
use super::flow_run_history;
use crate::api::v3::wire::{FlowRunFilter, Query, State, TaskRun, TaskRunFilter};
use crate::cli::args::{Output, TaskRun as Command};
use crate::cli::failure::Result;
use crate::cli::render::{self, keep, spare};
use crate::cli::{find, pages, select, several};

/// Carries a command on task runs out.
pub async fn carry_out(ctl: &Ctl, command: Command) -> Result<()> {
    match command {
        Command::Ls {
            run,
            state,
            flow,
            limit,
        } => ls(ctl, run.as_deref(), &state, &flow, limit).await,
        Command::Inspect { run } => inspect(ctl, &run).await,
    }
}

async fn ls(
    ctl: &Ctl,
    run: Option<&str>,
    states: &[String],
    flows: &[String],
    limit: u64,
) -> Result<()> {
    let kinds = select::kinds(states)?;
    let flow_runs = match run {
        Some(wanted) => Some(FlowRunFilter {
            id: Some(select::any_of(vec![
                find::flow_run(&ctl.client, wanted).await?.id,
            ])),
            ..FlowRunFilter::default()
        }),
        None => None,
    };
    let query = Query {
        flow_runs,
        task_runs: (!kinds.is_empty()).then(|| TaskRunFilter {
            state: Some(select::in_states(kinds)),
            ..TaskRunFilter::default()
        }),
        flows: several::flows(&ctl.client, flows).await?,
        ..Query::default()
    };
    let tasks: Vec<TaskRun> = pages::all(&ctl.client, "/task_runs/filter", &query, limit).await?;
    match ctl.output {
        Output::Table => render::line(&table(ctl, &tasks).await),
        _ => render::print(ctl.output, &tasks, |_| String::new()),
    }
}

/// Task runs as a table.
pub async fn table(ctl: &Ctl, tasks: &[TaskRun]) -> String {
    let ids = tasks.iter().map(|task| task.id);
    let ids = ctl.short_ids("task_runs", ids).await;
    let now = chrono::Utc::now();
    let rows = tasks.iter().map(|task| {
        let at = task.start_time.map(|at| render::near(at.utc(), now));
        let lasted = task
            .start_time
            .map(|_| render::lasting(task.estimated_run_time));
        [
            task.name.clone(),
            task.state_name.clone().unwrap_or_default(),
            at.unwrap_or_default(),
            lasted.unwrap_or_default(),
            ids.get(&task.id).cloned().unwrap_or_default(),
        ]
    });
    let head = [
        keep("name"),
        keep("state"),
        spare("started", 2),
        spare("duration", 1),
        keep("id"),
    ];
    render::table(head, rows)
}

async fn inspect(ctl: &Ctl, wanted: &str) -> Result<()> {
    let task = find::task_run(&ctl.client, wanted).await?;
    let path = format!("/task_run_states/?task_run_id={}", task.id);
    let states: Vec<State> = ctl.client.get(&path).await?;
    let mut whole = json!(task);
    if let Value::Object(fields) = &mut whole {
        fields.insert("states".to_owned(), json!(states));
    }
    render::print(ctl.output, &whole, |_| shown(&task, &states))
}

fn shown(task: &TaskRun, states: &[State]) -> String {
    let state = task.state_name.as_deref().map(render::name);
    render::pairs(
        [
            ("name", render::name(&task.name)),
            ("id", task.id.to_string()),
            (
                "flow run",
                task.flow_run_id
                    .map_or_else(|| "none".to_owned(), |id| id.to_string()),
            ),
            ("task", render::name(&task.task_key)),
            ("state", state.unwrap_or_else(|| "none".to_owned())),
            ("created", render::instant(task.created)),
            ("started", render::instant_or_none(task.start_time)),
            ("ended", render::instant_or_none(task.end_time)),
            (
                "ran for",
                task.start_time.map_or_else(
                    || "none".to_owned(),
                    |_| render::lasting(task.estimated_run_time),
                ),
            ),
            ("run count", task.run_count.to_string()),
            ("tags", render::name(&task.tags.join(", "))),
            ("states", flow_run_history(states)),
        ]
        .into_iter(),
    )
}
