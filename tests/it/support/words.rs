//! `prefectctl`, by its words.

use std::process::{Output, Stdio};

use serde_json::Value;

use super::TestDaemon;

/// Runs it with nothing to read, in UTC.
pub fn ctl(daemon: &TestDaemon, words: &[&str]) -> Output {
    let mut command = daemon.ctl();
    command
        .env("TZ", "UTC")
        .args(words)
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

/// What it says where it succeeds.
#[track_caller]
pub fn said(daemon: &TestDaemon, words: &[&str]) -> String {
    succeeded(ctl(daemon, words), words)
}

/// What it says for programs.
#[track_caller]
pub fn json_of(daemon: &TestDaemon, words: &[&str]) -> Value {
    let words = [words, &["-o", "json"]].concat();
    serde_json::from_str(&said(daemon, &words)).unwrap()
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
