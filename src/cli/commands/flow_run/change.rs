//! Stopping, repeating and deleting runs, one or many.

use chrono::Utc;
use serde::Serialize;
use serde_json::{Value, json};

use super::wait;
use crate::api::v3::wire::{Decision, FlowRun, SetState, StateCreate};
use crate::cli::args::{Output, Runs};
use crate::cli::commands::Ctl;
use crate::cli::confirm::confirm;
use crate::cli::failure::{Failure, Result};
use crate::cli::lines::has_ended;
use crate::cli::{find, render, select};

/// A run that has a process is Cancelling until the process is gone; any other is Cancelled
/// at once.
pub async fn cancel(ctl: &Ctl, which: &Runs, waits: bool) -> Result<()> {
    let runs = chosen(ctl, which, "Cancel", |run| !has_ended(run)).await?;
    let cancel = async |run: &FlowRun| cancel_one(ctl, run).await;
    let done = each(ctl, &runs, "cancelled", cancel).await?;
    if !waits {
        return done.tell(ctl.output);
    }
    let cancelled: Vec<_> = runs
        .iter()
        .filter(|run| done.names.contains(&run.name))
        .cloned()
        .collect();
    let ended = wait::all(ctl, &cancelled).await?;
    wait::tell(ctl, &ended).await?;
    done.failed()
}

async fn cancel_one(ctl: &Ctl, run: &FlowRun) -> Result<(String, Value)> {
    let name = render::name(&run.name);
    if has_ended(run) {
        return Err(ended_already(&name, run.state_name.as_deref()));
    }
    let path = format!("/prefectd/flow_runs/{}/cancel", run.id);
    let decision: Decision = ctl.client.post(&path, &json!({})).await?;
    // It may have ended since it was read.
    if decision.state.is_none() {
        let state = find::flow_run(&ctl.client, &run.id.to_string())
            .await?
            .state_name;
        return Err(ended_already(&name, state.as_deref()));
    }
    let state = decision.state.as_ref().map(|state| state.name.as_str());
    let told = format!("Flow run '{name}' is {}", state.unwrap_or_default());
    Ok((told, json!(decision)))
}

fn ended_already(name: &str, state: Option<&str>) -> Failure {
    let state = state.unwrap_or_default();
    Failure::new(format!("flow run '{name}' has ended already: {state}"))
}

/// Scheduled for now, so that its agent takes it once more.
pub async fn retry(ctl: &Ctl, which: &Runs) -> Result<()> {
    let fits = |run: &FlowRun| has_ended(run) && run.deployment_id.is_some();
    let runs = chosen(ctl, which, "Retry", fits).await?;
    let retry = async |run: &FlowRun| retry_one(ctl, run).await;
    let done = each(ctl, &runs, "scheduled", retry).await?;
    done.tell(ctl.output)
}

async fn retry_one(ctl: &Ctl, run: &FlowRun) -> Result<(String, Value)> {
    let name = render::name(&run.name);
    if !has_ended(run) {
        return Err(Failure::new(format!("flow run '{name}' has not ended")));
    }
    if run.deployment_id.is_none() {
        return Err(Failure::new(format!(
            "flow run '{name}' was started by a script; run that script again"
        )));
    }
    let decision = set_state(ctl, run, StateCreate::scheduled(Utc::now())).await?;
    Ok((
        format!("Flow run '{name}' is scheduled again"),
        json!(decision),
    ))
}

/// Deletes runs that have ended, or any when forced.
pub async fn delete(ctl: &Ctl, which: &Runs, force: bool) -> Result<()> {
    let runs = chosen(ctl, which, "Delete", |run| force || has_ended(run)).await?;
    let delete = async |run: &FlowRun| delete_one(ctl, run, force).await;
    let done = each(ctl, &runs, "deleted", delete).await?;
    done.tell(ctl.output)
}

async fn delete_one(ctl: &Ctl, run: &FlowRun, force: bool) -> Result<(String, Value)> {
    let name = render::name(&run.name);
    if !force && !has_ended(run) {
        return Err(Failure::new(format!(
            "flow run '{name}' has not ended; cancel it first, or delete it with --force"
        )));
    }
    ctl.client.delete(&format!("/flow_runs/{}", run.id)).await?;
    Ok((format!("Deleted flow run '{name}'"), json!(run)))
}

async fn set_state(ctl: &Ctl, run: &FlowRun, state: StateCreate) -> Result<Decision> {
    let set = SetState { state, force: true };
    let path = format!("/flow_runs/{}/set_state", run.id);
    ctl.client.post(&path, &set).await
}

/// The runs that are meant: those that are named, or all that are like that and `fit`. More than
/// one is asked about.
async fn chosen(
    ctl: &Ctl,
    which: &Runs,
    verb: &str,
    fits: impl Fn(&FlowRun) -> bool,
) -> Result<Vec<FlowRun>> {
    let runs = match (which.runs.is_empty(), which.like.is_empty()) {
        (true, true) => {
            let line = "name flow runs, or say what they are like with --state, --flow, \
                --deployment, --tag, --name or --since";
            return Err(Failure::usage(line));
        }
        (false, false) => {
            let line = "name flow runs, or say what they are like, not both";
            return Err(Failure::usage(line));
        }
        (true, false) => select::all(&ctl.client, &which.like, fits).await?,
        (false, true) => {
            let mut runs: Vec<FlowRun> = Vec::new();
            for name in &which.runs {
                let run = find::flow_run(&ctl.client, name).await?;
                if runs.iter().all(|known| known.id != run.id) {
                    runs.push(run);
                }
            }
            runs
        }
    };
    let many = render::many(runs.len(), "flow run");
    let names: Vec<_> = runs.iter().map(|run| run.name.as_str()).collect();
    match runs.len() {
        0 => Err(Failure::new("no flow run is like that")),
        1 if !which.runs.is_empty() => Ok(runs),
        _ => {
            confirm(which.yes, &format!("{verb} {many}"), &names)?;
            Ok(runs)
        }
    }
}

/// Changes one after the other, and tells whoever waits how far it is.
async fn each(
    ctl: &Ctl,
    runs: &[FlowRun],
    done: &str,
    change: impl AsyncFn(&FlowRun) -> Result<(String, Value)>,
) -> Result<Done> {
    // Read before the change, after which a run may be gone; only programs are told them.
    let names = match ctl.output {
        Output::Table => None,
        Output::Json | Output::Yaml => Some(ctl.names_of(runs).await?),
    };
    let mut progress = render::Progress::new();
    let mut outcomes = Done::default();
    for (index, run) in runs.iter().enumerate() {
        if index > 0 {
            progress.tell_often(|| format!("{index} of {} {done}", runs.len()));
        }
        let outcome = change(run).await.map(|(told, value)| match &names {
            Some(names) => (told, names.told_with(run, value)),
            None => (told, value),
        });
        outcomes.note(run, outcome);
    }
    Ok(outcomes)
}

/// What became of each.
#[derive(Default)]
struct Done {
    names: Vec<String>,
    told: Vec<String>,
    values: Vec<Value>,
    failures: Vec<Failure>,
}

impl Done {
    fn note(&mut self, run: &FlowRun, outcome: Result<(String, Value)>) {
        match outcome {
            Ok((told, value)) => {
                self.names.push(run.name.clone());
                self.told.push(told);
                self.values.push(value);
            }
            Err(failure) => self.failures.push(failure),
        }
    }

    /// Tells what was done, of one alone as an object and of many as a list.
    fn tell(self, output: Output) -> Result<()> {
        let count = self.values.len();
        let mut told = self.told.join("\n");
        if count > 1 {
            told = format!("{told}\n{}", render::many(count, "flow run"));
        }
        match self.values.as_slice() {
            [] => {}
            [one] if self.failures.is_empty() => print(output, one, &told)?,
            all => print(output, &all, &told)?,
        }
        self.failed()
    }

    fn failed(mut self) -> Result<()> {
        match self.failures.len() {
            0 => Ok(()),
            1 => Err(self.failures.remove(0)),
            count => {
                let lines: Vec<_> = self.failures.iter().map(ToString::to_string).collect();
                let head = format!("{} were left as they are", render::many(count, "flow run"));
                Err(Failure::new(format!("{head}:\n{}", lines.join("\n"))))
            }
        }
    }
}

fn print<T: Serialize>(output: Output, value: &T, told: &str) -> Result<()> {
    render::print(output, value, |_| told.to_owned())
}
