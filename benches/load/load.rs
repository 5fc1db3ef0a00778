//! Closed loops: so many clients, each sending its next request when the last is answered.

use std::fmt::Display;
use std::future::Future;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;
use tokio::time::timeout;

use super::http::{Address, Client};

/// How long a piece of work may take before it has failed, as clients wait for an answer.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a loop came to.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// How often the whole was done.
    pub done: u64,
    /// How often it was not.
    pub failed: u64,
    /// Why it was not, the first time.
    pub why: Option<String>,
    /// How long it all took.
    pub took: Duration,
    /// How long each took, in microseconds, sorted.
    micros: Vec<u32>,
}

/// A time as a load keeps it, in microseconds.
fn micros(time: Duration) -> u32 {
    u32::try_from(time.as_micros()).unwrap_or(u32::MAX)
}

impl Outcome {
    /// Notes that the whole was done once, or so many times at once, in that time.
    pub fn note(&mut self, done: u64, time: Duration) {
        self.done += done;
        self.micros.push(micros(time));
    }

    /// Notes that the whole was not done, so many times.
    pub fn note_failed(&mut self, failed: u64, why: impl Display) {
        self.failed += failed;
        self.why.get_or_insert_with(|| format!("{why:#}"));
    }

    /// Takes over what others came to in the same time.
    pub fn add(&mut self, other: Self) {
        self.done += other.done;
        self.failed += other.failed;
        self.why = self.why.take().or(other.why);
        self.micros.extend(other.micros);
    }

    /// Is what was done in that time, all together.
    pub fn ended(mut self, took: Duration) -> Self {
        self.took = took;
        self.micros.sort_unstable();
        self
    }

    /// How many a second.
    pub fn rate(&self) -> f64 {
        self.done as f64 / self.took.as_secs_f64()
    }

    /// How long the given share of them took at most, in milliseconds.
    pub fn millis(&self, share: f64) -> f64 {
        let at = (self.micros.len() as f64 * share) as usize;
        let last = self.micros.len().saturating_sub(1);
        let micros = self.micros.get(at.min(last)).copied().unwrap_or_default();
        f64::from(micros) / 1000.0
    }
}

/// Has each of `clients` do `work` over and over for as long as `time`. Work that fails is
/// counted, and its client connects anew.
pub async fn run<W, F>(server: Address, clients: usize, time: Duration, work: W) -> Outcome
where
    W: Fn(Client) -> F + Clone + Send + 'static,
    F: Future<Output = anyhow::Result<Client>> + Send + 'static,
{
    let started = Instant::now();
    let until = started + time;
    let mut loops = JoinSet::new();
    for _ in 0..clients {
        loops.spawn(work_until(until, server, work.clone()));
    }
    let mut all = Outcome::default();
    while let Some(Ok(mine)) = loops.join_next().await {
        all.add(mine);
    }
    all.ended(started.elapsed())
}

/// What one client does.
async fn work_until<W, F>(until: Instant, server: Address, work: W) -> Outcome
where
    W: Fn(Client) -> F,
    F: Future<Output = anyhow::Result<Client>>,
{
    let mut mine = Outcome::default();
    let mut client = None;
    while Instant::now() < until {
        let ready = match client.take() {
            Some(ready) => Ok(ready),
            None => Client::connect(server).await,
        };
        let begun = Instant::now();
        let done = match ready {
            Ok(ready) => match timeout(PATIENCE, work(ready)).await {
                Ok(done) => done,
                Err(late) => Err(late.into()),
            },
            Err(error) => Err(error),
        };
        let took = begun.elapsed();
        match done {
            Ok(kept) => {
                client = Some(kept);
                mine.note(1, took);
            }
            Err(error) => {
                mine.note_failed(1, error);
                // A server that refuses at once should not be hammered.
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
    }
    mine
}
