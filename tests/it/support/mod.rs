//! What the tests share: a daemon of their own, requests, and waiting for conditions.

#[cfg(feature = "client")]
mod agent;
mod callers;
#[cfg(feature = "client")]
pub mod client_log;
mod daemon;
pub mod flows;
mod http;
#[cfg(feature = "client")]
pub mod real_server;
pub mod shim;
pub mod socket;
mod terminal;
pub mod words;

#[cfg(feature = "client")]
pub use agent::TestAgent;
pub use callers::{KEY, KeyFile, ask_as, user, with_groups, with_key};
pub use daemon::{Options, TestDaemon};
pub use http::{Answer, Http};
pub use terminal::in_terminal;

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::{Duration, Instant};

/// How long anything may take that is waited for. Generous: a slow machine is no failure.
pub const PATIENCE: Duration = Duration::from_secs(240);

/// Waits until `ready` answers something, and fails with `what` if it never does.
pub fn wait_for<T>(what: &str, mut ready: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(value) = ready() {
            return value;
        }
        assert!(start.elapsed() < PATIENCE, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(30));
    }
}

/// An interpreter for runs in `dir` that carries out a shell's words, whatever it is given; to
/// be named as `runners.python`.
pub fn interpreter(dir: &Path, words: &str) -> String {
    let program = dir.join("python");
    std::fs::write(&program, format!("#!/bin/sh\n{words}\n")).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    program.display().to_string()
}
