//! Events that are told over some sockets at once: as many as the server takes, or at a rate. Each
//! socket pings after some of them, and goes on when the answer has come.

use std::time::{Duration, Instant};

use anyhow::Context;
use tokio::task::JoinSet;
use tokio::time::{interval_at, timeout};

use super::events::{self, Run};
use super::socket::Socket;
use crate::http::Address;
use crate::load::Outcome;

/// How many sockets there are.
pub const SOCKETS: u32 = 8;
/// After how many events a client pings that has many to tell.
const CHECKPOINT: usize = 700;
/// How often one does that tells them at a rate.
const TICK: Duration = Duration::from_millis(50);
/// How long the answer to a ping may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// What is told.
#[derive(Clone)]
pub enum Told {
    /// Events of a user's about that thing.
    Observed(String),
    /// Events of task runs of that flow run.
    TaskRuns(Run),
}

impl Told {
    /// So many events, or a few more.
    fn texts(&self, count: usize) -> Vec<String> {
        match self {
            Self::Observed(thing) => (0..count).map(|_| events::observed(thing)).collect(),
            Self::TaskRuns(run) => {
                let tasks = 0..count.div_ceil(3);
                tasks.flat_map(|key| events::task_run(run, key)).collect()
            }
        }
    }
}

/// Tells events for as long as `time`: so many a second, or as many as can be. What was done is
/// the events that a ping confirmed; the times are the pings'.
pub async fn tell(server: Address, told: &Told, rate: Option<f64>, time: Duration) -> Outcome {
    let begun = Instant::now();
    let mut tellers = JoinSet::new();
    for number in 0..SOCKETS {
        let teller = Teller {
            server,
            told: told.clone(),
            // Not all at the same moment.
            first: begun + TICK * number / SOCKETS,
            until: begun + time,
            at_once: rate.map(|rate| rate / f64::from(SOCKETS) * TICK.as_secs_f64()),
        };
        tellers.spawn(teller.tell());
    }
    let mut all = Outcome::default();
    while let Some(Ok(mine)) = tellers.join_next().await {
        all.add(mine);
    }
    all.ended(begun.elapsed())
}

/// One socket.
struct Teller {
    server: Address,
    told: Told,
    first: Instant,
    until: Instant,
    /// How many events it tells in each [`TICK`]; absent: as many as it can.
    at_once: Option<f64>,
}

impl Teller {
    async fn tell(self) -> Outcome {
        let mut mine = Outcome::default();
        let mut ticks = interval_at(self.first.into(), TICK);
        let (mut socket, mut owed) = (None, 0.0);
        while Instant::now() < self.until {
            let mut count = CHECKPOINT;
            if let Some(at_once) = self.at_once {
                ticks.tick().await;
                owed += at_once;
                count = owed as usize;
                owed = owed.fract();
            }
            let texts = self.told.texts(count);
            let told = texts.len() as u64;
            match timeout(PATIENCE, self.confirmed(socket.take(), texts)).await {
                Ok(Ok((kept, took))) => {
                    socket = Some(kept);
                    mine.note(told, took);
                }
                Ok(Err(error)) => {
                    mine.note_failed(told, error);
                    // A server that refuses at once should not be hammered.
                    tokio::time::sleep(TICK).await;
                }
                Err(late) => mine.note_failed(told, late),
            }
        }
        if let Some(socket) = socket {
            // All that it has told is confirmed.
            let _ = socket.close().await;
        }
        mine
    }

    /// Tells some events, and how long the answer to the ping after them took.
    async fn confirmed(
        &self,
        socket: Option<Socket>,
        texts: Vec<String>,
    ) -> anyhow::Result<(Socket, Duration)> {
        let mut socket = match socket {
            Some(socket) => socket,
            None => Socket::open(self.server, "/events/in").await?,
        };
        for text in texts {
            socket.feed(&text).await.context("telling events")?;
        }
        let begun = Instant::now();
        socket.checkpoint().await?;
        Ok((socket, begun.elapsed()))
    }
}
