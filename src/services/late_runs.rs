//! Marks runs as Late that nobody has begun in time.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::driver;
use crate::app::App;

/// How often to look, as the 2.0a7 server does.
const EVERY: Duration = Duration::from_secs(5);

/// Works until `stop`.
pub async fn late_runs(app: App, stop: CancellationToken) {
    driver::run("late runs", EVERY, stop, || async {
        let marked = app.mark_late_runs().await?;
        if marked > 0 {
            tracing::info!(marked, "runs are late");
        }
        Ok(())
    })
    .await;
}
