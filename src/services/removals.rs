//! Goes on with what was to be taken away and was left half gone: by a daemon that died, or
//! on a disk that was full.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::driver;
use crate::app::App;

/// How often to look. What was begun ends by itself unless something failed.
const EVERY: Duration = Duration::from_secs(60);

/// Works until `stop`. The first look is at once.
pub async fn removals(app: App, stop: CancellationToken) {
    let until = stop.clone();
    driver::run("removals", EVERY, stop, || async {
        tokio::select! {
            () = until.cancelled() => Ok(()),
            finished = app.finish_removals() => finished,
        }
    })
    .await;
}
