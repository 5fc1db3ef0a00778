//! Closed loops: so many clients, each sending its next request when the last is answered.

use std::future::Future;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use super::http::Client;

/// What a loop came to.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// How often the whole was done.
    pub done: u64,
    /// How often it was not.
    pub failed: u64,
    /// How long it all took.
    pub took: Duration,
    /// How long each took, in microseconds, sorted.
    micros: Vec<u32>,
}

impl Outcome {
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
pub async fn run<W, F>(server: SocketAddr, clients: usize, time: Duration, work: W) -> Outcome
where
    W: Fn(Client, usize) -> F + Clone + Send + 'static,
    F: Future<Output = anyhow::Result<Client>> + Send + 'static,
{
    let started = Instant::now();
    let until = started + time;
    let mut loops = JoinSet::new();
    for number in 0..clients {
        let work = work.clone();
        loops.spawn(async move {
            let mut mine = Outcome::default();
            let mut client = None;
            while Instant::now() < until {
                let ready = match client.take() {
                    Some(ready) => Ok(ready),
                    None => Client::connect(server).await,
                };
                let begun = Instant::now();
                let done = match ready {
                    Ok(ready) => work(ready, number).await,
                    Err(error) => Err(error),
                };
                let micros = u32::try_from(begun.elapsed().as_micros()).unwrap_or(u32::MAX);
                match done {
                    Ok(kept) => {
                        client = Some(kept);
                        mine.done += 1;
                        mine.micros.push(micros);
                    }
                    Err(_) => {
                        mine.failed += 1;
                        // A server that refuses at once should not be hammered.
                        tokio::time::sleep(Duration::from_millis(5)).await;
                    }
                }
            }
            mine
        });
    }
    let mut all = Outcome::default();
    while let Some(Ok(mine)) = loops.join_next().await {
        all.done += mine.done;
        all.failed += mine.failed;
        all.micros.extend(mine.micros);
    }
    all.took = started.elapsed();
    all.micros.sort_unstable();
    all
}
