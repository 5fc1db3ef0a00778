//! Runs the loops that need nothing but the time: a tick, a pause, the next tick.

use std::future::Future;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::app::{Bell, Listener};
use crate::domain::error::Result;

/// Calls `tick` at once and then every so often until `stop`. A tick that fails is tried
/// again at the next; the same trouble is logged once.
pub async fn run<F, T>(name: &'static str, every: Duration, stop: CancellationToken, mut tick: F)
where
    F: FnMut() -> T,
    T: Future<Output = Result<()>>,
{
    let mut tick = move || {
        let ticking = tick();
        async move { ticking.await.map(|()| every) }
    };
    run_by_need(name, every, stop, &mut tick).await;
}

/// The same, where each tick says how long to pause after it; after one that fails that is
/// `pause`.
pub async fn run_by_need<F, T>(
    name: &'static str,
    pause: Duration,
    stop: CancellationToken,
    mut tick: F,
) where
    F: FnMut() -> T,
    T: Future<Output = Result<Duration>>,
{
    // Nobody rings it.
    let bell = Bell::default().listen();
    run_woken(name, pause, stop, bell, |_| tick()).await;
}

/// The same, where a bell ends a pause as well; each tick is told whether it did.
pub async fn run_woken<F, T>(
    name: &'static str,
    pause: Duration,
    stop: CancellationToken,
    mut bell: Listener,
    mut tick: F,
) where
    F: FnMut(bool) -> T,
    T: Future<Output = Result<Duration>>,
{
    let mut trouble = None;
    let mut is_rung = false;
    while !stop.is_cancelled() {
        let ticked = tick(is_rung).await;
        let error = ticked.as_ref().err().map(ToString::to_string);
        if error != trouble {
            match &error {
                Some(error) => tracing::error!(service = name, %error, "a service failed"),
                None => tracing::info!(service = name, "a service works again"),
            }
        }
        trouble = error;
        is_rung = tokio::select! {
            () = stop.cancelled() => false,
            () = bell.rung() => true,
            () = tokio::time::sleep(ticked.unwrap_or(pause)) => false,
        };
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;
    use crate::domain::error::Error;

    #[tokio::test]
    async fn a_tick_that_fails_is_followed_by_another() {
        let stop = CancellationToken::new();
        let ticks = AtomicU32::new(0);
        let tick = || async {
            if ticks.fetch_add(1, Ordering::SeqCst) == 2 {
                stop.cancel();
            }
            Err(Error::internal("on purpose"))
        };
        run("test", Duration::from_millis(1), stop.clone(), tick).await;
        assert_eq!(ticks.load(Ordering::SeqCst), 3);
    }
}
