//! Waiting for runs to end.

use std::time::{Duration, Instant};

use crate::api::v3::wire::FlowRun;
use crate::cli::args::Output;
use crate::cli::commands::Ctl;
use crate::cli::failure::{Failure, Result};
use crate::cli::{find, lines, render};

/// How often whoever waits is told how long it has been.
const SECOND: Duration = Duration::from_secs(1);

/// Waits until all have ended; a success only if all of them completed.
pub async fn wait(ctl: &Ctl, wanted: &[String], timeout: Option<Duration>) -> Result<()> {
    let mut runs = Vec::new();
    for name in wanted {
        runs.push(find::flow_run(&ctl.client, name).await?);
    }
    let waited = all(ctl, &runs);
    let ended = match timeout {
        None => waited.await?,
        Some(most) => tokio::time::timeout(most, waited)
            .await
            .unwrap_or_else(|_| Err(too_long(&runs)))?,
    };
    tell(ctl, &ended).await?;
    let is_complete = |run: &&FlowRun| run.state_type.as_deref() == Some("COMPLETED");
    let completed = ended.iter().filter(is_complete).count();
    match ended.len() - completed {
        0 => Ok(()),
        failed => Err(Failure::new(format!(
            "{} of {} did not complete",
            failed,
            render::many(ended.len(), "flow run")
        ))),
    }
}

/// Waits until all have ended, and answers them.
pub async fn all(ctl: &Ctl, runs: &[FlowRun]) -> Result<Vec<FlowRun>> {
    let mut progress = render::Progress::new();
    let mut ended = Vec::new();
    for run in runs {
        let begun = Instant::now();
        let waiting = async {
            loop {
                tokio::time::sleep(SECOND).await;
                let secs = begun.elapsed().as_secs_f64();
                progress.tell(&format!(
                    "{} of {} ended; waiting for {} for {}",
                    ended.len(),
                    render::many(runs.len(), "flow run"),
                    run.name,
                    render::lasting(secs.trunc()),
                ));
            }
        };
        let run = tokio::select! {
            run = lines::until_ended(&ctl.client, run.id) => run?,
            () = waiting => continue,
        };
        ended.push(run);
    }
    Ok(ended)
}

fn too_long(runs: &[FlowRun]) -> Failure {
    let line = match runs {
        [one] => format!("{} has not ended in time", render::name(&one.name)),
        all => format!("not all of the {} flow runs have ended in time", all.len()),
    };
    Failure::new(format!(
        "{line}; `prefectctl flow-run why` tells what a run waits for"
    ))
}

/// Tells how runs have ended: of one alone, that one.
pub async fn tell(ctl: &Ctl, ended: &[FlowRun]) -> Result<()> {
    let line = |run: &FlowRun| {
        let state = run.state_name.as_deref().map(render::name);
        let name = render::name(&run.name);
        format!("Flow run '{name}' is {}", state.unwrap_or_default())
    };
    if ctl.output == Output::Table {
        return render::line(&ended.iter().map(line).collect::<Vec<_>>().join("\n"));
    }
    let names = ctl.names_of(ended).await?;
    let told: Vec<_> = ended.iter().map(|run| names.told(run)).collect();
    match told.as_slice() {
        [one] => render::print(ctl.output, one, |_| String::new()),
        all => render::print(ctl.output, &all, |_| String::new()),
    }
}
