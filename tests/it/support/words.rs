//! `prefectctl`, by its words.

use std::process::{Output, Stdio};

use super::TestDaemon;

/// Runs it with nothing to read.
pub fn ctl(daemon: &TestDaemon, words: &[&str]) -> Output {
    let mut command = daemon.ctl();
    command.args(words).stdin(Stdio::null()).output().unwrap()
}

/// What it says where it succeeds.
#[track_caller]
pub fn said(daemon: &TestDaemon, words: &[&str]) -> String {
    succeeded(ctl(daemon, words), words)
}

/// What it says where it ends with that code.
#[track_caller]
pub fn refused(daemon: &TestDaemon, words: &[&str], code: i32) -> String {
    let output = ctl(daemon, words);
    assert_eq!(output.status.code(), Some(code), "{words:?}");
    String::from_utf8(output.stderr).unwrap()
}

/// What was said by words that must have succeeded.
#[track_caller]
pub fn succeeded(output: Output, words: &[&str]) -> String {
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{words:?}: {told}");
    String::from_utf8(output.stdout).unwrap()
}
