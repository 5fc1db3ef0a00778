//! Carries the write-ahead log over into the file, away from the writer's thread.
//!
//! A checkpoint takes as long as many commits. It runs here some time after the first of
//! them, sooner where much is written, on a connection of its own that blocks neither writers nor
//! readers. The writer itself does one only when the log has become long all the same, and all
//! writes wait for what is left to it.

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{self, TryRecvError};
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::Connection;

use super::connection;
use super::look_ups::LookUps;
use crate::domain::error::{Error, Result};

/// How long commits are gathered before they are carried over, at most.
const GATHER: Duration = Duration::from_secs(1);
/// The same at least: each time costs flushes of the disk, for which commits wait as well.
const GATHER_LEAST: Duration = Duration::from_millis(50);
/// About how many pages are carried over at once: a quarter of what the writer leaves lying.
const PAGES: u32 = 4_096;

/// Tells the checkpointing thread of commits. The thread ends with it.
pub(super) struct Checkpoints {
    wake: mpsc::SyncSender<()>,
}

impl Checkpoints {
    /// Starts the thread on the file. It sleeps while nothing is written.
    /// What `look_ups` see is let go for it.
    pub fn start(path: &Path, look_ups: Arc<LookUps>) -> Result<Self> {
        let connection = connection::open_checkpointer(path)?;
        let (wake, woken) = mpsc::sync_channel(1);
        thread::Builder::new()
            .name("db-checkpoint".to_owned())
            .spawn(move || serve(&connection, &look_ups, &woken))
            .map_err(|error| Error::internal(format_args!("starting checkpoints: {error}")))?;
        Ok(Self { wake })
    }

    /// Something was committed.
    pub fn committed(&self) {
        // When it cannot be told, it has been told already.
        let _ = self.wake.try_send(());
    }
}

fn serve(connection: &Connection, look_ups: &LookUps, woken: &mpsc::Receiver<()>) {
    let mut gather = GATHER;
    let mut log = Log::default();
    while woken.recv().is_ok() {
        thread::sleep(gather);
        // What was committed meanwhile is carried over with the rest.
        if woken.try_recv() == Err(TryRecvError::Disconnected) {
            return;
        }
        look_ups.let_go();
        match connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |row| row.get(1)) {
            Ok(pages) => {
                // Whoever looks from now on needs nothing of a log that was carried over whole.
                look_ups.let_go();
                look_ups.log_has(pages);
                gather = log.has(pages, Instant::now());
            }
            Err(error) => {
                tracing::warn!(%error, "the write-ahead log could not be carried over");
            }
        }
    }
}

/// How long the log was when it was last looked at.
#[derive(Default)]
struct Log {
    last: Option<(i64, Instant)>,
}

impl Log {
    /// So many pages by now. Answers how long to gather from here on: as long as it takes until about so
    /// many are there as are carried over at once, if they come as they came since the last look.
    fn has(&mut self, pages: i64, now: Instant) -> Duration {
        let last = self.last.replace((pages, now));
        let Some((before, since)) = last else {
            return GATHER;
        };
        // One that is shorter has begun anew.
        let come = if pages < before {
            pages
        } else {
            pages - before
        };
        let come = u32::try_from(come).unwrap_or(u32::MAX).max(1);
        let wait = now.duration_since(since).saturating_mul(PAGES) / come;
        wait.clamp(GATHER_LEAST, GATHER)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_more_is_written_the_sooner_it_is_carried_over() {
        let began = Instant::now();
        let mut log = Log::default();
        let mut looks = [
            // Nobody knows yet.
            (0, 500, 1000),
            // 100 a second.
            (1000, 600, 1000),
            // Nothing.
            (2000, 600, 1000),
            // 20,480 a second.
            (3000, 21_080, 200),
            // Begun anew, 15,000 in that time at least.
            (3200, 15_000, 54),
            // More than there are in a look.
            (3250, 60_000, 50),
        ]
        .into_iter();
        assert!(looks.all(|(at, pages, millis)| {
            let wait = log.has(pages, began + Duration::from_millis(at));
            wait.as_millis() == millis
        }));
    }
}
