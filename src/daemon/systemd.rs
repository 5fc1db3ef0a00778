//! What systemd and the daemon tell each other: listeners that are handed over, readiness,
//! how things stand, and that all is alive. Started by hand, all of this is silent.

use std::future::Future;
use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixListener;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context;
use sd_notify::NotifyState;

/// `FileDescriptorName` of the Unix socket.
const CONTROL: &str = "control";
/// `FileDescriptorName` of TCP listeners.
const HTTP: &str = "http";

/// How much longer a start may take, each time that it is asked for.
const MORE_TIME: Duration = Duration::from_secs(30);

/// The listeners that were handed over.
#[derive(Default)]
pub(super) struct Inherited {
    /// The Unix socket.
    pub control: Option<UnixListener>,
    /// TCP listeners.
    pub http: Vec<TcpListener>,
}

impl Inherited {
    /// Takes them over, which works once. Fails when one is not what its name says.
    pub fn take() -> anyhow::Result<Self> {
        let mut inherited = Self::default();
        // This marks them as not to be inherited by processes of runs.
        let handed = sd_notify::listen_fds();
        let handed = handed.context("the listeners that systemd hands over are unusable")?;
        if handed.len() == 0 {
            return Ok(inherited);
        }
        for (name, socket) in sd_listen_fds::get()? {
            let name = name.unwrap_or_default();
            let socket = socket.into_std();
            match name.as_str() {
                CONTROL => inherited.control = Some(unix(socket)?),
                HTTP => inherited.http.push(tcp(socket)?),
                _ => tracing::warn!("a listener named {name:?} is not used"),
            }
        }
        Ok(inherited)
    }
}

fn unix(socket: OwnedFd) -> anyhow::Result<UnixListener> {
    let listener = UnixListener::from(socket);
    let told = "the listener named control is not a Unix socket";
    listener.local_addr().context(told)?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

fn tcp(socket: OwnedFd) -> anyhow::Result<TcpListener> {
    let listener = TcpListener::from(socket);
    let told = "a listener named http is not a TCP socket";
    listener.local_addr().context(told)?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// Whether anybody listens to what is told.
pub(super) fn is_listening() -> bool {
    std::env::var_os("NOTIFY_SOCKET").is_some()
}

/// All is served.
pub(super) fn ready() {
    tell(&[NotifyState::Ready]);
}

/// New settings are being looked at; [`ready`] ends that.
pub(super) fn reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(now) => tell(&[NotifyState::Reloading, now]),
        Err(error) => tracing::warn!(%error, "systemd cannot be told of the reload"),
    }
}

/// The daemon is on its way out.
pub(super) fn stopping() {
    tell(&[NotifyState::Stopping, NotifyState::Status("stopping")]);
}

/// Everything was found alive.
pub(super) fn alive() {
    tell(&[NotifyState::Watchdog]);
}

/// How often systemd wants to hear that.
pub(super) fn watchdog() -> Option<Duration> {
    sd_notify::watchdog_enabled()
}

/// Waits for a part of the start that may take long, and asks for more time meanwhile.
pub(super) async fn patiently<T>(what: &str, work: impl Future<Output = T>) -> T {
    let micros = u32::try_from(MORE_TIME.as_micros()).unwrap_or(u32::MAX);
    let mut work = std::pin::pin!(work);
    loop {
        let result = tokio::time::timeout(MORE_TIME / 3, work.as_mut()).await;
        if let Ok(result) = result {
            return result;
        }
        let more = NotifyState::ExtendTimeoutUsec(micros);
        tell(&[more, NotifyState::Status(what)]);
    }
}

/// The line that `systemctl status` shows: how things stand, and what an operator should know.
#[derive(Default)]
pub(super) struct StatusLine {
    parts: Mutex<Parts>,
}

#[derive(Default)]
struct Parts {
    status: String,
    note: Option<String>,
}

impl StatusLine {
    /// How things stand.
    pub fn stand(&self, status: String) {
        self.change(|parts| parts.status = status);
    }

    /// What to add; nothing when it is settled.
    pub fn note(&self, note: Option<String>) {
        self.change(|parts| parts.note = note);
    }

    fn change(&self, change: impl FnOnce(&mut Parts)) {
        // Each change leaves it whole.
        let mut parts = self.parts.lock().unwrap_or_else(PoisonError::into_inner);
        let before = parts.line();
        change(&mut parts);
        let line = parts.line();
        if line != before {
            tell(&[NotifyState::Status(&line)]);
        }
    }
}

impl Parts {
    fn line(&self) -> String {
        let line = match &self.note {
            Some(note) => format!("{}; {note}", self.status),
            None => self.status.clone(),
        };
        // A line break would begin another notification.
        line.replace('\n', " ")
    }
}

fn tell(states: &[NotifyState<'_>]) {
    heard(sd_notify::notify(states));
}

fn heard(told: std::io::Result<()>) {
    if let Err(error) = told {
        tracing::warn!(%error, "systemd cannot be told how the daemon is");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_status_is_one_line_whatever_is_noted() {
        let mut parts = Parts {
            status: "1 running".to_owned(),
            note: None,
        };
        assert_eq!(parts.line(), "1 running");
        parts.note = Some("settings refused: line 1\nline 2".to_owned());
        assert_eq!(parts.line(), "1 running; settings refused: line 1 line 2");
    }
}
