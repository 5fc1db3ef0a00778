//! Makes the runs that schedules ask for, ahead of their time.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::driver;
use crate::app::App;

/// How often to look. Creating a deployment or switching its schedule on makes its runs at
/// once, so this only fills up what has been used.
const EVERY: Duration = Duration::from_secs(20);

/// Works until `stop`. The first look is at once: a daemon that was down has missed dates,
/// and from now on the future is filled again.
pub async fn scheduler(app: App, stop: CancellationToken) {
    driver::run("scheduler", EVERY, stop, || async {
        let made = app.fill_schedules().await?;
        if made > 0 {
            tracing::debug!(made, "scheduled runs");
        }
        Ok(())
    })
    .await;
}
