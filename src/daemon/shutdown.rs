//! Signals: SIGTERM and SIGINT stop the daemon, SIGHUP has it read its settings again.

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::reload::Reload;

/// The signals that are waited for. From its making on none of them ends the process.
pub(super) struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hang_up: Signal,
}

impl Signals {
    /// Installs the handlers.
    pub fn install() -> std::io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hang_up: signal(SignalKind::hangup())?,
        })
    }

    /// Obeys them; cancels `stop` when it is time.
    pub async fn obey(mut self, mut reload: Reload, stop: CancellationToken) {
        loop {
            tokio::select! {
                _ = self.terminate.recv() => break,
                _ = self.interrupt.recv() => break,
                _ = self.hang_up.recv() => reload.carry_out(),
            }
        }
        stop.cancel();
    }
}
