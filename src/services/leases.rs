//! Ends the runs of agents that have gone.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::driver;
use crate::app::App;
use crate::domain::state::{ProposedState, StateType};

/// How often to look.
const EVERY: Duration = Duration::from_secs(1);

/// How often the leases' time goes on.
const TICK: Duration = Duration::from_millis(500);
/// The time between two ticks from which on this program is said to have stood still.
const STOOD_STILL: Duration = Duration::from_secs(5);

/// Works until `stop`.
pub async fn leases(app: App, stop: CancellationToken) {
    tokio::join!(pass_time(&app, &stop), end_abandoned(&app, stop.clone()));
}

/// Has the leases go on while this program does.
async fn pass_time(app: &App, stop: &CancellationToken) {
    while !stop.is_cancelled() {
        let gap = app.pass_time();
        if gap > STOOD_STILL {
            tracing::warn!("prefectd stood still for {gap:.0?}; no agent's lease ran meanwhile");
        }
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(TICK) => {}
        }
    }
}

async fn end_abandoned(app: &App, stop: CancellationToken) {
    driver::run("leases", EVERY, stop, || async {
        for (agent, id) in app.abandoned_runs().await? {
            let why = format!(
                "The agent '{agent}' has not reported for as long as its lease; whether the run's \
                 process still lives is not known."
            );
            let end = ProposedState::new(StateType::Crashed)
                .named("Crashed")
                .because(why);
            app.end_run(&agent, id, end).await?;
        }
        Ok(())
    })
    .await;
}
