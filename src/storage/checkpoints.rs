//! Carries the write-ahead log over into the file, away from the writer's thread.
//!
//! A checkpoint takes as long as many commits. It runs here some time after the first of
//! them, on a connection of its own that blocks neither writers nor readers. The writer
//! itself does one only when the log has become long all the same.

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{self, TryRecvError};
use std::thread;
use std::time::Duration;

use rusqlite::Connection;

use super::connection;
use super::look_ups::LookUps;
use crate::domain::error::{Error, Result};

/// How long commits are gathered before they are carried over.
const GATHER: Duration = Duration::from_secs(1);

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
    while woken.recv().is_ok() {
        thread::sleep(GATHER);
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
            }
            Err(error) => {
                tracing::warn!(%error, "the write-ahead log could not be carried over");
            }
        }
    }
}
