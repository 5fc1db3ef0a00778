//! Named places at which a test can have the daemon die.
//!
//! `PREFECTD_FAULT=<name>` aborts the process, without any clean-up, when it comes to that
//! place. Unset, which is always except in tests, a point costs one look at a static.

use std::sync::LazyLock;

/// The points in the life of a run, in their order.
pub const POINTS: &[&str] = &[
    "after-claim",
    "after-create",
    "after-record",
    "after-start",
    "after-exit",
];

static WANTED: LazyLock<Option<String>> = LazyLock::new(|| std::env::var("PREFECTD_FAULT").ok());

/// Dies here if a test asked for it.
pub fn point(name: &'static str) {
    debug_assert!(POINTS.contains(&name));
    if WANTED.as_deref() == Some(name) {
        std::process::abort();
    }
}

/// The point at which this process will die, if a test asked for one.
pub fn wanted() -> Option<&'static str> {
    WANTED.as_deref()
}
