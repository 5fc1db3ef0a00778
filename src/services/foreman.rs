//! Notices workers that fall silent.
//!
//! Nothing is marked: who is believed to be there follows from when it was heard of. But the runs
//! of a pool whose last worker has gone are for this daemon's agent from then on, and nobody
//! else tells it so.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::driver;
use crate::app::App;

/// How long it sleeps at most: a worker may come meanwhile whose heart beats fast.
const LONGEST_SLEEP: Duration = Duration::from_secs(15);

/// Works until `stop`.
pub async fn foreman(app: App, stop: CancellationToken) {
    let mut looked = app.now();
    driver::run_by_need("foreman", LONGEST_SLEEP, stop, || {
        let now = app.now();
        let since = std::mem::replace(&mut looked, now);
        let app = app.clone();
        async move {
            if app.fell_silent(since, now).await? {
                tracing::info!("a worker has fallen silent");
                app.agent_bell().ring();
            }
            let next = app.silent_in().await?;
            Ok(next.map_or(LONGEST_SLEEP, |next| next.min(LONGEST_SLEEP)))
        }
    })
    .await;
}
