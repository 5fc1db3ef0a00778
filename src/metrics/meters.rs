//! What is counted where it happens.

use std::time::Duration;

use prometheus::{Histogram, HistogramOpts, HistogramVec, IntCounterVec, Opts, Registry, Result};

use super::FINE;

/// Bounds in seconds for the way from a run's due time to its process.
const DISPATCH: &[f64] = &[
    0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0,
];
/// Bounds for the number of writes in a commit.
const BATCH: &[f64] = &[1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0];
/// The classes of HTTP statuses, the informational ones left out.
const CLASSES: [&str; 4] = ["2xx", "3xx", "4xx", "5xx"];

/// Whose part of the API a request goes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// The 2.0a7 generation's.
    Orion,
    /// The modern one's.
    V3,
    /// The daemon's own verbs. An agent's report waits for news, so these take long.
    Own,
    /// Anything else: pages, metrics, what is not there.
    Other,
}

impl Dialect {
    const ALL: [(Dialect, &'static str); 4] = [
        (Dialect::Orion, "orion"),
        (Dialect::V3, "v3"),
        (Dialect::Own, "prefectd"),
        (Dialect::Other, "other"),
    ];
}

/// The meters of a process; each is a few atomics.
pub struct Meters {
    commit_seconds: Histogram,
    batch_writes: Histogram,
    dispatch_seconds: Histogram,
    deleted: IntCounterVec,
    /// By dialect and class, found without looking a label up.
    requests: Vec<[Histogram; CLASSES.len()]>,
}

impl Meters {
    pub(super) fn new(registry: &Registry) -> Result<Self> {
        let histogram = |name: &str, help: &str, bounds: &[f64]| {
            let opts = HistogramOpts::new(name, help).buckets(bounds.to_vec());
            let histogram = Histogram::with_opts(opts)?;
            registry.register(Box::new(histogram.clone()))?;
            Ok::<_, prometheus::Error>(histogram)
        };
        let deleted = IntCounterVec::new(
            Opts::new(
                "prefectd_retention_deleted_total",
                "Rows that retention has deleted; rows that go with a run are not counted.",
            ),
            &["kind"],
        )?;
        registry.register(Box::new(deleted.clone()))?;
        Ok(Self {
            commit_seconds: histogram(
                "prefectd_writer_commit_seconds",
                "How long commits took to reach the disk.",
                FINE,
            )?,
            batch_writes: histogram(
                "prefectd_writer_batch_writes",
                "How many writes shared a commit.",
                BATCH,
            )?,
            dispatch_seconds: histogram(
                "prefectd_dispatch_seconds",
                "From a run's due time to its started process, by the embedded agent.",
                DISPATCH,
            )?,
            deleted,
            requests: requests(registry)?,
        })
    }

    /// So many writes were committed, which took so long.
    pub fn committed(&self, took: Duration, writes: usize) {
        self.commit_seconds.observe(took.as_secs_f64());
        self.batch_writes.observe(writes as f64);
    }

    /// How many writes were committed so far.
    pub fn writes(&self) -> u64 {
        self.batch_writes.get_sample_sum() as u64
    }

    /// A run's process was started so many seconds after it was due.
    pub fn dispatched(&self, secs: f64) {
        self.dispatch_seconds.observe(secs);
    }

    /// Retention has deleted so many rows of a kind.
    pub fn deleted(&self, kind: &str, rows: u64) {
        self.deleted.with_label_values(&[kind]).inc_by(rows);
    }

    /// A request was answered with that status.
    pub fn answered(&self, dialect: Dialect, status: u16, took: Duration) {
        let class = usize::from((status / 100).clamp(2, 5) - 2);
        let of_dialect = self.requests.get(dialect as usize);
        if let Some(histogram) = of_dialect.and_then(|classes| classes.get(class)) {
            histogram.observe(took.as_secs_f64());
        }
    }
}

fn requests(registry: &Registry) -> Result<Vec<[Histogram; CLASSES.len()]>> {
    let opts = HistogramOpts::new(
        "prefectd_http_request_seconds",
        "From a request's head to its answer's head.",
    );
    let all = HistogramVec::new(opts.buckets(FINE.to_vec()), &["dialect", "status"])?;
    registry.register(Box::new(all.clone()))?;
    let of = |(_, dialect): (Dialect, &str)| {
        CLASSES.map(|class| all.with_label_values(&[dialect, class]))
    };
    Ok(Dialect::ALL.map(of).into())
}
