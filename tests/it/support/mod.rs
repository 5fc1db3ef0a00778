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

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

/// How long anything may take that is waited for. Generous: a slow machine is no failure.
pub const PATIENCE: Duration = Duration::from_secs(240);

/// Waits until `ready` answers something, and fails with `what` if it never does.
pub fn wait_for<T>(what: &str, ready: impl FnMut() -> Option<T>) -> T {
    let came = wait_or_else(PATIENCE, ready);
    came.unwrap_or_else(|| panic!("waited in vain for {what}"))
}

/// Waits until `ready` answers something, and no longer than `patience`.
pub fn wait_or_else<T>(patience: Duration, mut ready: impl FnMut() -> Option<T>) -> Option<T> {
    let start = Instant::now();
    loop {
        let came = ready();
        if came.is_some() || start.elapsed() >= patience {
            return came;
        }
        std::thread::sleep(Duration::from_millis(30));
    }
}

/// A copy of a program that everybody may execute. Another process makes it: one that is started
/// by another test meanwhile would have it open for writing for a moment if this one did, and
/// nobody can execute what is being written.
pub fn copied_program(from: &Path, to: &Path) {
    let installed = Command::new("install")
        .args(["-m", "755"])
        .args([from, to])
        .status();
    assert!(installed.unwrap().success(), "{}", to.display());
}

/// An interpreter for runs in `dir` that carries out a shell's words, whatever it is given; to
/// be named as `runners.python`.
pub fn interpreter(dir: &Path, words: &str) -> String {
    let (script, program) = (dir.join("python.sh"), dir.join("python"));
    std::fs::write(&script, format!("#!/bin/sh\n{words}\n")).unwrap();
    copied_program(&script, &program);
    program.display().to_string()
}
