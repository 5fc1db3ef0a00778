//! One flow run.

use serde_json::{Value, json};

use super::ls::Names;
use crate::api::v3::wire::{FlowRun, FlowRunFilter, Query, State, TaskRun};
use crate::cli::commands::{Ctl, task_run};
use crate::cli::failure::Result;
use crate::cli::{find, pages, render, select};

/// The most task runs that are shown.
const TASKS: u64 = 1000;

/// Shows a run, its states and its task runs.
pub async fn inspect(ctl: &Ctl, wanted: &str) -> Result<()> {
    let run = find::flow_run(&ctl.client, wanted).await?;
    let path = format!("/flow_run_states/?flow_run_id={}", run.id);
    let states: Vec<State> = ctl.client.get(&path).await?;
    let query = Query {
        flow_runs: Some(FlowRunFilter {
            id: Some(select::any_of(vec![run.id])),
            ..FlowRunFilter::default()
        }),
        ..Query::default()
    };
    let mut tasks: Vec<TaskRun> =
        pages::all(&ctl.client, "/task_runs/filter", &query, TASKS).await?;
    tasks.reverse();
    let names = ctl.names_of(std::slice::from_ref(&run)).await?;
    let mut whole = names.told(&run);
    if let Value::Object(fields) = &mut whole {
        fields.insert("states".to_owned(), json!(states));
        fields.insert("task_runs".to_owned(), json!(tasks));
    }
    let table = if tasks.is_empty() {
        String::new()
    } else {
        format!("\n\ntask runs\n{}", task_run::table(ctl, &tasks).await)
    };
    render::print(ctl.output, &whole, |_| {
        format!("{}{table}", shown(&run, &states, &names))
    })
}

fn shown(run: &FlowRun, states: &[State], names: &Names) -> String {
    let parameters = Value::Object(run.parameters.clone());
    let or_none = |text: &Option<String>| {
        let text = text.as_deref().map(render::name);
        text.unwrap_or_else(|| "none".to_owned())
    };
    let created_by = run.created_by.as_ref().map(|by| by.display_value.clone());
    let queue = run.work_queue_name.as_deref().unwrap_or_default();
    let pool = run.work_pool_name.as_deref();
    let pool =
        pool.map(|pool| format!("pool {}, queue {}", render::name(pool), render::name(queue)));
    let due = run.next_scheduled_start_time.or(run.expected_start_time);
    let variables = run.job_variables.as_ref().filter(|own| !own.is_empty());
    let variables = variables.map(|own| render::yaml_of(&Value::Object(own.clone())));
    let runner = run.flow_runner.kind.as_deref().map(render::name);
    let more = [
        ("by way of", pool),
        ("job variables", variables),
        ("runs on", runner),
    ];
    let more = more
        .into_iter()
        .filter_map(|(name, text)| Some((name, text?)));
    render::pairs(
        [
            ("name", render::name(&run.name)),
            ("id", run.id.to_string()),
            ("deployment", render::name(&names.path(run))),
            ("state", or_none(&run.state_name)),
            ("created", render::instant(run.created)),
            ("created by", or_none(&created_by)),
            ("due", render::instant_or_none(due)),
            ("started", render::instant_or_none(run.start_time)),
            ("ended", render::instant_or_none(run.end_time)),
            (
                "ran for",
                run.start_time.map_or_else(
                    || "none".to_owned(),
                    |_| render::lasting(run.estimated_run_time),
                ),
            ),
            ("run count", run.run_count.to_string()),
            ("parameters", parameters.to_string()),
            ("tags", render::name(&run.tags.join(", "))),
        ]
        .into_iter()
        .chain(more)
        .chain([
            ("agent", or_none(&run.agent)),
            ("made", or_none(&run.infrastructure_pid)),
            ("states", history(states)),
        ]),
    )
}

/// States, a line each, with why they were entered.
pub fn history(states: &[State]) -> String {
    let lines = states.iter().map(|state| {
        let why = state.message.as_deref().map(|why| format!(": {why}"));
        let at = render::instant(state.timestamp);
        format!(
            "{at}  {}{}",
            render::name(&state.name),
            why.unwrap_or_default()
        )
    });
    lines.collect::<Vec<_>>().join("\n")
}
