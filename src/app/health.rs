//! Is everything alive?

use std::time::Duration;

use super::App;
use crate::domain::error::{Error, Kind, Result};

/// How long an empty transaction may take.
const PATIENCE: Duration = Duration::from_secs(5);

impl App {
    /// Answers once the writer has carried a transaction through; fails when it does not in
    /// time.
    pub async fn check_writer(&self) -> Result<()> {
        let through = self.write(|_, _| Ok(()));
        match tokio::time::timeout(PATIENCE, through).await {
            Ok(answer) => answer,
            Err(_) => Err(Error::new(
                Kind::Unavailable,
                "The database has not taken a write in time.",
            )),
        }
    }

    /// Empties the database: flows, deployments, runs, logs and searches. Processes that run
    /// are not stopped.
    pub async fn clear_database(&self) -> Result<()> {
        self.write_once(|db, _| crate::storage::admin::clear(db))
            .await
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
