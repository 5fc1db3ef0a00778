//! Named places at which a test can have the daemon die or hang.
//!
//! `PREFECTD_FAULT=<name>` aborts the process, without any clean-up, when it comes to that
//! place; `<name>:<n>` when it comes there for the n-th time; with `hang@` before the name the
//! thread that comes there stays there instead, with `stall@` for three and a half seconds.
//! Unset, which is always except in tests, a point costs one look at a static.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// The points in the life of a run, in their order; the last two are the writer's.
pub const POINTS: &[&str] = &[
    "before-claim",
    "after-claim",
    "before-create",
    "after-create",
    "after-record",
    "after-start",
    "after-output",
    "before-stop",
    "after-stop",
    "after-exit",
    "before-end",
    "after-end",
    "before-remove",
    "after-remove",
    "before-commit",
    "after-commit",
];

struct Wanted {
    point: String,
    left: AtomicU64,
    how: How,
}

#[derive(Clone, Copy)]
enum How {
    Dies,
    Hangs,
    Stalls,
}

/// How long a thread stalls.
const STALL: Duration = Duration::from_millis(3500);

static WANTED: LazyLock<Option<Wanted>> = LazyLock::new(|| {
    let wanted = std::env::var("PREFECTD_FAULT").ok()?;
    let (how, wanted) = match wanted.split_once('@') {
        Some(("hang", wanted)) => (How::Hangs, wanted),
        Some(("stall", wanted)) => (How::Stalls, wanted),
        _ => (How::Dies, wanted.as_str()),
    };
    let (point, count) = wanted.split_once(':').unwrap_or((wanted, "1"));
    Some(Wanted {
        point: point.to_owned(),
        left: AtomicU64::new(count.parse().ok()?),
        how,
    })
});

/// Dies or hangs here if a test asked for it.
pub fn point(name: &'static str) {
    debug_assert!(POINTS.contains(&name));
    if let Some(wanted) = WANTED.as_ref()
        && wanted.point == name
        && wanted.left.fetch_sub(1, Ordering::SeqCst) == 1
    {
        match wanted.how {
            How::Hangs => hang(),
            How::Stalls => std::thread::sleep(STALL),
            How::Dies => std::process::abort(),
        }
    }
}

fn hang() -> ! {
    loop {
        std::thread::park();
    }
}

/// The point at which this process will fail, if a test asked for one.
pub fn wanted() -> Option<&'static str> {
    WANTED.as_ref().map(|wanted| wanted.point.as_str())
}
