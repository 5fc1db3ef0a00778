//! Signals: SIGTERM and SIGINT stop the daemon, SIGHUP has it read its settings again.

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::config::{Flags, Settings};
use crate::logging;

/// Installs the handlers and cancels `stop` when it is time.
pub(super) fn watch_signals(stop: CancellationToken, flags: Flags) -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut hang_up = signal(SignalKind::hangup())?;
    tokio::spawn(async move {
        loop {
            tokio::select! {
                _ = terminate.recv() => break,
                _ = interrupt.recv() => break,
                _ = hang_up.recv() => reload(&flags),
            }
        }
        stop.cancel();
    });
    Ok(())
}

/// New settings are checked as a whole before any is used. Only the log level changes while
/// the daemon runs; the rest is used at the next start.
fn reload(flags: &Flags) {
    let level = Settings::load(flags.clone()).map(|settings| settings.log_level);
    let outcome = level
        .map_err(anyhow::Error::from)
        .and_then(|level| logging::set_level(&level));
    match outcome {
        Ok(()) => tracing::info!("settings read again; all but the log level need a restart"),
        Err(error) => tracing::error!("settings kept as they were: {error}"),
    }
}
