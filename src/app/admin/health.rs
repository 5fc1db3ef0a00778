//! Is everything alive?

use std::time::Duration;

use crate::app::App;
use crate::domain::error::{Error, Kind, Result};
use crate::storage::removal::Removal;

/// How long an empty transaction may take.
const PATIENCE: Duration = Duration::from_secs(5);

async fn in_time<T>(answer: impl Future<Output = T>) -> Result<T> {
    let answer = tokio::time::timeout(PATIENCE, answer).await;
    answer.map_err(|_| {
        let words = "The database has not taken a write in time.";
        Error::new(Kind::Unavailable, words)
    })
}

impl App {
    /// Whether the database takes writes, tried by one that reaches the disk, and has room for
    /// more. Fails as well when it does not answer in time.
    pub async fn check_writer(&self) -> Result<()> {
        in_time(self.inner.store.probe()).await?
    }

    /// Answers once the writer has come round, whatever the disk lets it do; fails when it
    /// does not in time.
    pub async fn check_writer_lives(&self) -> Result<()> {
        // What it answers is for others to tell; that it answers is what counts.
        in_time(self.write(|_| Ok(()))).await.map(drop)
    }

    /// Notes a failure that was met while a document was stored: the disk is the database's.
    pub fn note_storage_trouble(&self, error: &Error) {
        self.inner.store.note(error);
    }

    /// Why nothing can be written now, or something not be read, in words for people.
    pub fn storage_trouble(&self) -> Option<String> {
        self.inner.store.trouble()
    }

    /// Empties the database: flows, deployments, runs, logs and searches. Processes that run
    /// are not stopped.
    pub async fn clear_database(&self) -> Result<()> {
        self.remove(Removal::Everything).await
    }

    /// The database's size with its write-ahead log, in bytes.
    pub fn database_bytes(&self) -> u64 {
        let size = self.inner.store.size();
        size.database + size.wal
    }

    /// Finishes queued writes and closes the database; later writes are refused. Blocks.
    pub fn close(&self) {
        self.inner.store.close();
    }
}
