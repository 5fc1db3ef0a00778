//! Is everything alive?

use super::App;
use crate::domain::error::Result;

impl App {
    /// Answers once the writer has carried a transaction through.
    pub async fn check_writer(&self) -> Result<()> {
        self.write(|_, _| Ok(())).await
    }

    /// Empties the database: flows, deployments, runs, logs and searches. Processes that run
    /// are not stopped.
    pub async fn clear_database(&self) -> Result<()> {
        self.write(|db, _| crate::storage::admin::clear(db)).await
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
