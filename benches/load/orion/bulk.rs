//! Log lines that come by the ten thousand while a client changes states: how long does it wait,
//! compared with a server that has nothing else to do?

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::bodies;
use crate::call::Call;
use crate::http::{Address, Client};
use crate::report::{Of, Report};

/// Lines that are stored while states change, at the least.
const ROWS: u64 = 100_000;
/// Lines of one request.
const LINES: usize = 10_000;
/// How many clients send them.
const WRITERS: usize = 2;

/// What was stored, and in what time.
struct Stored {
    rows: u64,
    took: Duration,
}

/// Measures one client that changes states, alone and then beside those that send lines.
pub async fn measure(
    server: Address,
    set_state: &Call,
    of: Of,
    time: Duration,
    report: &mut Report,
) -> anyhow::Result<()> {
    let alone = set_state.measure(server, 1, time).await;
    let enough = Arc::new(AtomicBool::new(false));
    let writing: Vec<_> = (0..WRITERS)
        .map(|_| tokio::spawn(write(server, Arc::clone(&enough))))
        .collect();
    let beside = set_state.measure(server, 1, time).await;
    enough.store(true, Ordering::Relaxed);
    let (mut rows, mut took) = (0, Duration::ZERO);
    for writer in writing {
        let stored = writer.await??;
        rows += stored.rows;
        took = took.max(stored.took);
    }
    for (share, name) in [(0.5, "median"), (0.99, "p99")] {
        let what = format!("set_state, nothing else: {name}");
        report.enter(of, &what, "ms", alone.millis(share));
        let what = format!("set_state beside bulk writes: {name}");
        report.enter(of, &what, "ms", beside.millis(share));
    }
    let rate = rows as f64 / took.as_secs_f64();
    report.enter(of, "bulk writes beside set_state", "rows/s", rate);
    report.note_failures(of, "set_state, nothing else", &alone);
    report.note_failures(of, "set_state beside bulk writes", &beside);
    Ok(())
}

/// Sends lines until there are enough of them and it is enough.
async fn write(server: Address, enough: Arc<AtomicBool>) -> anyhow::Result<Stored> {
    let mut client = Client::connect(server).await?;
    let body = bodies::logs("00000000-0000-0000-0000-000000000001", LINES);
    let began = Instant::now();
    let mut rows = 0;
    while rows < ROWS / WRITERS as u64 || !enough.load(Ordering::Relaxed) {
        client.expect("POST", "/logs/", &body, 201).await?;
        rows += LINES as u64;
    }
    Ok(Stored {
        rows,
        took: began.elapsed(),
    })
}
