//! Ends the runs of agents that have gone.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::driver;
use crate::app::App;
use crate::domain::state::{ProposedState, StateType};

/// How often to look.
const EVERY: Duration = Duration::from_secs(1);

/// Works until `stop`.
pub async fn leases(app: App, stop: CancellationToken) {
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
