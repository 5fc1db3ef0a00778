//! A sign of life from what takes long.

use std::io::{IsTerminal, Write, stderr};
use std::time::{Duration, Instant};

use super::escape;

/// How often it changes.
const INTERVAL: Duration = Duration::from_millis(200);

/// A line on standard error that changes, for people who wait at a terminal; it is gone when this
/// is dropped.
pub struct Progress {
    shown: bool,
    told: Option<Instant>,
}

impl Progress {
    /// With nothing to tell yet.
    pub fn new() -> Self {
        let shown = stderr().is_terminal();
        Self { shown, told: None }
    }

    /// Shows these words in place of those before.
    pub fn tell(&mut self, words: &str) {
        if self.shown {
            self.told = Some(Instant::now());
            write(&escape::name(words));
        }
    }

    /// The same, unless that was done a moment ago.
    pub fn tell_often(&mut self, words: impl FnOnce() -> String) {
        if self.shown && self.told.is_none_or(|told| told.elapsed() >= INTERVAL) {
            self.tell(&words());
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.told.is_some() {
            write("");
        }
    }
}

fn write(words: &str) {
    // Progress that cannot be shown hinders nothing.
    let _ = write!(stderr(), "\r\u{1b}[K{words}");
}
