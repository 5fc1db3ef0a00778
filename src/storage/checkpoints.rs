//! Carries the write-ahead log over into the file, away from the writer's thread.
//!
//! A checkpoint takes as long as many commits. It runs here some time after the first of
//! them, or once there is much to carry over, on a connection of its own that blocks neither writers
//! nor readers. The writer itself does one only when the log has become long all the same, so that it
//! begins anew; all writes wait for what is left to that.

use std::ffi::c_int;
use std::path::Path;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};
use rusqlite::Connection;
use rusqlite::hooks::Wal;

use super::connection;
use super::look_ups::LookUps;
use crate::domain::error::{Error, Result};

/// How long commits are gathered before they are carried over, at most.
const GATHER: Duration = Duration::from_secs(1);
/// As many pages are carried over sooner.
const MUCH: u32 = 4 * 1024;
/// A log of so many, 64 MiB, of which most has been carried over by then, begins anew.
pub(super) const LONG: u32 = 16 * 1024;

/// Tells the checkpointing thread of commits. The thread ends with it.
pub(super) struct Checkpoints {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    log: Mutex<Log>,
    woken: Condvar,
}

/// What is known of the log.
#[derive(Default)]
struct Log {
    /// How many pages it has.
    pages: u32,
    /// How many of them have been carried over, or were there when that was last tried.
    tried: u32,
    is_closed: bool,
}

impl Checkpoints {
    /// Starts the thread on the file. It sleeps while `writer` writes nothing.
    /// What `look_ups` see is let go for it.
    pub fn start(path: &Path, writer: &mut Connection, look_ups: Arc<LookUps>) -> Result<Self> {
        let connection = connection::open_checkpointer(path)?;
        let shared = Arc::new(Shared::default());
        let told = Arc::clone(&shared);
        writer.wal_hook(Some(move |log: &mut Wal, pages: c_int| {
            let pages = u32::try_from(pages).unwrap_or(0);
            told.committed(pages);
            if pages >= LONG {
                // Where the thread is at it, the next commit tries again.
                let _ = log.checkpoint();
            }
            Ok(())
        }))?;
        let serving = Arc::clone(&shared);
        let thread = thread::Builder::new()
            .name("db-checkpoint".to_owned())
            .spawn(move || serve(&connection, &look_ups, &serving))
            .map_err(|error| Error::internal(format_args!("starting checkpoints: {error}")))?;
        Ok(Self {
            shared,
            thread: Some(thread),
        })
    }
}

impl Drop for Checkpoints {
    fn drop(&mut self) {
        self.shared.log.lock().is_closed = true;
        self.shared.woken.notify_all();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread of checkpoints panicked");
        }
    }
}

impl Shared {
    /// The log has so many pages by now.
    fn committed(&self, pages: u32) {
        let mut log = self.log.lock();
        let (was_empty, had_much) = (log.left() == 0, log.left() >= MUCH);
        log.grows(pages);
        let is_awaited = was_empty || (!had_much && log.left() >= MUCH);
        drop(log);
        if is_awaited {
            self.woken.notify_one();
        }
    }

    /// Waits until something is to be carried over; `false` at the end. After a failure it is not tried
    /// again sooner because there is much.
    fn gathered(&self, has_failed: bool) -> bool {
        let mut log = self.log.lock();
        while log.left() == 0 && !log.is_closed {
            self.woken.wait(&mut log);
        }
        let until = Instant::now() + GATHER;
        let mut is_over = false;
        while !is_over && !log.is_closed && (has_failed || log.left() < MUCH) {
            is_over = self.woken.wait_until(&mut log, until).timed_out();
        }
        log.tried = log.pages;
        !log.is_closed
    }
}

impl Log {
    fn grows(&mut self, pages: u32) {
        if pages < self.pages {
            // It has begun anew.
            self.tried = 0;
        }
        self.pages = pages;
    }

    /// How many pages it has been not tried yet to carry over.
    fn left(&self) -> u32 {
        self.pages.saturating_sub(self.tried)
    }
}

fn serve(connection: &Connection, look_ups: &LookUps, shared: &Shared) {
    let mut has_failed = false;
    while shared.gathered(has_failed) {
        look_ups.let_go();
        let carried = connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |row| row.get(1));
        has_failed = carried.is_err();
        match carried {
            Ok(pages) => {
                // Whoever looks from now on needs nothing of a log that was carried over whole.
                look_ups.let_go();
                look_ups.log_has(pages);
            }
            Err(error) => {
                tracing::warn!(%error, "the write-ahead log could not be carried over");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_is_what_came_since_it_was_last_tried() {
        let mut log = Log::default();
        for (pages, tried, left) in [
            (10, false, 10),
            (30, true, 30),
            (40, true, 10),
            // Begun anew, and longer than it was when that was tried.
            (5, false, 5),
            (50, true, 50),
            (50, false, 0),
        ] {
            log.grows(pages);
            assert_eq!(log.left(), left, "{pages}");
            if tried {
                log.tried = log.pages;
            }
        }
    }

    #[test]
    fn much_is_carried_over_at_once_and_little_after_a_while() {
        let shared = Shared::default();
        shared.committed(MUCH);
        let began = Instant::now();
        assert!(shared.gathered(false));
        let soon = began.elapsed();
        shared.committed(MUCH + 1);
        let began = Instant::now();
        assert!(shared.gathered(false));
        assert!(soon < GATHER && began.elapsed() >= GATHER);
        shared.committed(3 * MUCH);
        let began = Instant::now();
        assert!(shared.gathered(true));
        assert!(began.elapsed() >= GATHER);
        shared.log.lock().is_closed = true;
        assert!(!shared.gathered(false));
    }

    #[test]
    fn a_log_is_carried_over_and_begins_anew() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("t.db");
        let mut writer = connection::open_writer(&path).unwrap();
        writer.execute_batch("CREATE TABLE t (x BLOB)").unwrap();
        let checkpoints = Checkpoints::start(&path, &mut writer, LookUps::none()).unwrap();
        let mut longest = 0;
        for _ in 0..40 {
            // Some 4 MiB each.
            let rows =
                "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 1000)";
            let insert = format!("{rows} INSERT INTO t SELECT zeroblob(3900) FROM n");
            writer.execute_batch(&insert).unwrap();
            longest = std::cmp::max(longest, checkpoints.shared.log.lock().pages);
        }
        assert!((LONG..2 * LONG).contains(&longest), "{longest}");
        drop(checkpoints);
        let left: i64 = writer
            .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))
            .unwrap();
        assert_eq!(left, 0, "nobody is at it any more");
    }
}
