//! Notices workers that fall silent.
//!
//! What such a worker took and did not begin waits again. Who is believed to be there follows from
//! when it was heard of, so nothing is marked; but the runs of a pool whose last worker has gone
//! are for this daemon's agent from then on, and nobody else tells it so. Events tell of pools,
//! queues and deployments that are ready, or no longer.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::driver;
use crate::app::App;
use crate::domain::time::Span;

/// How long after the start it is told who is ready. Before that, nobody was heard of yet.
const AT_FIRST: Span = Span::from_micros(10_000_000);
/// How long it sleeps at most: a worker may come meanwhile whose heart beats fast.
const LONGEST_SLEEP: Duration = Duration::from_secs(15);

/// Works until `stop`.
pub async fn foreman(app: App, stop: CancellationToken) {
    let mut looked = app.now();
    let first = looked + AT_FIRST;
    driver::run_by_need("foreman", LONGEST_SLEEP, stop, || {
        let now = app.now();
        let since = std::mem::replace(&mut looked, now);
        let app = app.clone();
        async move {
            if app.fell_silent(since, now).await? {
                tracing::info!("a worker has fallen silent");
                app.agent_bell().ring();
            }
            let put_back = app.put_back_abandoned_runs().await?;
            if put_back > 0 {
                tracing::warn!(
                    put_back,
                    "runs wait again, since the worker that took them is gone"
                );
            }
            if now >= first {
                app.tell_statuses().await?;
            }
            let next = app.silent_in().await?;
            Ok(next.map_or(LONGEST_SLEEP, |next| next.min(LONGEST_SLEEP)))
        }
    })
    .await;
}
