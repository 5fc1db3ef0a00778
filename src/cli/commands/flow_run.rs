//! Flow runs.

use chrono::Utc;
use serde_json::{Value, json};

use super::super::args::FlowRun as Command;
use super::super::failure::{Failure, Result};
use super::super::{find, follow, render};
use super::Ctl;
use crate::api::v3::wire::{
    ByState, ByText, Decision, FlowFilter, FlowRun, FlowRunFilter, Query, SetState, State,
    StateCreate, Why,
};
use crate::domain::state::StateType;

/// Carries a command on flow runs out.
pub async fn carry_out(ctl: &Ctl, command: Command) -> Result<()> {
    match command {
        Command::Ls { state, flow, limit } => ls(ctl, state, flow, limit).await,
        Command::Inspect { run } => inspect(ctl, &run).await,
        Command::Logs { run, follow } => {
            let run = find::flow_run(&ctl.client, &run).await?;
            match follow {
                true => follow::lines(&ctl.client, run.id).await,
                false => follow::Lines::of(run.id).print_new(&ctl.client).await,
            }
        }
        Command::Why { run } => why(ctl, &run).await,
        Command::Cancel { run } => cancel(ctl, &run).await,
        Command::Retry { run } => retry(ctl, &run).await,
        Command::Delete { run, force } => delete(ctl, &run, force).await,
    }
}

async fn ls(ctl: &Ctl, states: Vec<String>, flows: Vec<String>, limit: u64) -> Result<()> {
    let kinds: Vec<_> = states.iter().map(|state| state.to_uppercase()).collect();
    if let Some(unknown) = kinds
        .iter()
        .find(|kind| StateType::from_word(kind).is_none())
    {
        let known: Vec<_> = StateType::ALL.iter().map(|kind| kind.word()).collect();
        let line = format!(
            "there is no state type {unknown}; there are {}",
            known.join(", ")
        );
        return Err(Failure::usage(line));
    }
    let query = Query {
        flow_runs: (!kinds.is_empty()).then(|| FlowRunFilter {
            state: Some(ByState {
                kind: Some(ByText { any_: Some(kinds) }),
                name: None,
            }),
            ..FlowRunFilter::default()
        }),
        flows: (!flows.is_empty()).then(|| FlowFilter {
            name: Some(ByText { any_: Some(flows) }),
            ..FlowFilter::default()
        }),
        limit: Some(limit),
        ..Query::default()
    };
    let runs: Vec<FlowRun> = ctl.client.post("/flow_runs/filter", &query).await?;
    let flows = ctl.flow_names(runs.iter().map(|run| run.flow_id)).await?;
    let now = Utc::now();
    render::print(ctl.output, &runs, |runs| {
        let rows = runs.iter().map(|run| {
            [
                run.name.clone(),
                flows.get(&run.flow_id).cloned().unwrap_or_default(),
                run.state_name.clone().unwrap_or_default(),
                render::ago(run.created.utc(), now),
                run.id.to_string(),
            ]
        });
        render::table(["name", "flow", "state", "created", "id"], rows)
    })
}

async fn inspect(ctl: &Ctl, wanted: &str) -> Result<()> {
    let run = find::flow_run(&ctl.client, wanted).await?;
    let path = format!("/flow_run_states/?flow_run_id={}", run.id);
    let states: Vec<State> = ctl.client.get(&path).await?;
    let mut whole = json!(run);
    if let Value::Object(fields) = &mut whole {
        fields.insert("states".to_owned(), json!(states));
    }
    render::print(ctl.output, &whole, |_| shown(&run, &states))
}

fn shown(run: &FlowRun, states: &[State]) -> String {
    let history = states.iter().map(|state| {
        let why = state.message.as_deref().map(|why| format!(": {why}"));
        format!(
            "{}  {}{}",
            state.timestamp,
            state.name,
            why.unwrap_or_default()
        )
    });
    let parameters = Value::Object(run.parameters.clone());
    let or_none = |text: &Option<String>| text.clone().unwrap_or_else(|| "none".to_owned());
    render::pairs(
        [
            ("name", run.name.clone()),
            ("id", run.id.to_string()),
            ("state", or_none(&run.state_name)),
            ("created", run.created.to_string()),
            (
                "created by",
                or_none(&run.created_by.as_ref().map(|by| by.display_value.clone())),
            ),
            ("started", or_none(&run.start_time.map(|at| at.to_string()))),
            ("ended", or_none(&run.end_time.map(|at| at.to_string()))),
            ("ran for", format!("{:.1} s", run.estimated_run_time)),
            ("run count", run.run_count.to_string()),
            ("parameters", parameters.to_string()),
            ("tags", run.tags.join(", ")),
            ("runs on", or_none(&run.flow_runner.kind)),
            ("agent", or_none(&run.work_queue_name)),
            ("made", or_none(&run.infrastructure_pid)),
            ("states", history.collect::<Vec<_>>().join("\n")),
        ]
        .into_iter(),
    )
}

async fn why(ctl: &Ctl, wanted: &str) -> Result<()> {
    let run = find::flow_run(&ctl.client, wanted).await?;
    let path = format!("/prefectd/flow_runs/{}/why", run.id);
    let why: Why = ctl.client.get(&path).await?;
    render::print(ctl.output, &why, |why| {
        let at = why.may_start.map(|at| format!("\nIt may start at {at}."));
        format!("{}{}", why.reason, at.unwrap_or_default())
    })
}

/// A run that has a process is Cancelling until the process is gone; any other is Cancelled
/// at once.
async fn cancel(ctl: &Ctl, wanted: &str) -> Result<()> {
    let run = find::flow_run(&ctl.client, wanted).await?;
    if follow::has_ended(&run) {
        let state = run.state_name.unwrap_or_default();
        return Err(Failure::new(format!(
            "flow run '{}' has ended already: {state}",
            run.name
        )));
    }
    let kind = match run.infrastructure_pid {
        Some(_) => StateType::Cancelling,
        None => StateType::Cancelled,
    };
    let set = SetState {
        state: StateCreate {
            kind: kind.word().to_owned(),
            message: Some("Cancelled by prefectctl.".to_owned()),
            ..StateCreate::default()
        },
        force: true,
    };
    let path = format!("/flow_runs/{}/set_state", run.id);
    let decision: Decision = ctl.client.post(&path, &set).await?;
    render::print(ctl.output, &decision, |decision| {
        let state = decision.state.as_ref().map(|state| state.name.as_str());
        format!("Flow run '{}' is {}", run.name, state.unwrap_or_default())
    })
}

/// Scheduled for now, so that its agent takes it once more.
async fn retry(ctl: &Ctl, wanted: &str) -> Result<()> {
    let run = find::flow_run(&ctl.client, wanted).await?;
    if !follow::has_ended(&run) {
        return Err(Failure::new(format!(
            "flow run '{}' has not ended",
            run.name
        )));
    }
    if run.deployment_id.is_none() {
        return Err(Failure::new(format!(
            "flow run '{}' was started by a script; run that script again",
            run.name
        )));
    }
    let set = SetState {
        state: StateCreate::scheduled(Utc::now()),
        force: true,
    };
    let path = format!("/flow_runs/{}/set_state", run.id);
    let decision: Decision = ctl.client.post(&path, &set).await?;
    render::print(ctl.output, &decision, |_| {
        format!("Flow run '{}' is scheduled again", run.name)
    })
}

async fn delete(ctl: &Ctl, wanted: &str, force: bool) -> Result<()> {
    let run = find::flow_run(&ctl.client, wanted).await?;
    if !force && !follow::has_ended(&run) {
        return Err(Failure::new(format!(
            "flow run '{}' has not ended; cancel it first, or delete it with --force",
            run.name
        )));
    }
    ctl.client.delete(&format!("/flow_runs/{}", run.id)).await?;
    render::print(ctl.output, &run, |run| {
        format!("Deleted flow run '{}'", run.name)
    })
}
