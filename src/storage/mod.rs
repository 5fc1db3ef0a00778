//! The only room that knows SQLite.
//!
//! One writer thread owns the one connection that writes; it runs closures from a queue and
//! commits everything that waits in a single transaction, each closure within its own
//! savepoint. Readers are a few threads with query-only connections, and two more connections
//! on which look-ups by key run where they are asked. Nobody holds a connection across an
//! await: a caller hands in a closure and waits for its answer, which comes after the commit.
//! A 2xx to a write therefore survives power loss.
//!
//! The noun files hold small functions that take a transaction or a connection.

pub mod admin;
pub mod backup;
pub mod blobs;
mod bulk;
mod checkpoints;
pub mod claims;
mod column;
mod connection;
pub mod deployments;
mod error;
mod filters;
pub mod flow_runs;
pub mod flows;
pub mod ids;
pub mod logs;
mod migrate;
mod query;
mod queue;
mod readers;
pub mod requests;
pub mod retention;
pub mod saved_searches;
mod schedule;
pub mod schedules;
pub mod states;
pub mod task_runs;
pub mod upkeep;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::domain::error::{Error, Kind, Result};

pub use filters::history;
pub use rusqlite::Connection;
pub use states::StateOf;

/// How many threads answer reads.
const READERS: usize = 4;

/// A handle to the database; clones share it.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

/// How large the database is, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// The file.
    pub database: u64,
    /// Its write-ahead log.
    pub wal: u64,
}

struct Inner {
    writer: writer::Writer,
    readers: readers::Readers,
    path: PathBuf,
    /// Held while the database is copied, which is done once at a time.
    copying: Arc<tokio::sync::Mutex<()>>,
}

impl Store {
    /// Opens the file, creating it when it is not there, and brings its schema up to date.
    ///
    /// Fails when the file is from a newer version, is no database, or cannot be written.
    pub fn open(path: &Path) -> Result<Self> {
        connection::check_library()?;
        backup::remove_leftovers(path);
        let mut connection = connection::open_writer(path)?;
        upkeep::make_shrinkable(&connection)?;
        migrate::run(&mut connection)?;
        let readers = readers::Readers::start(path, READERS)?;
        let checkpoints = checkpoints::Checkpoints::start(path)?;
        let writer = writer::Writer::start(connection, checkpoints)?;
        Ok(Self {
            inner: Arc::new(Inner {
                writer,
                readers,
                path: path.to_owned(),
                copying: Arc::default(),
            }),
        })
    }

    /// Runs `work` within the writer's transaction and answers after its commit. When
    /// `work` fails, what it wrote is undone and nothing else is.
    pub async fn write<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T> + Send + 'static,
    {
        self.inner.writer.run(work).await
    }

    /// Runs `work` on a query-only connection.
    pub async fn read<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T> + Send + 'static,
    {
        self.inner.readers.run(work).await
    }

    /// Looks something up by key, in a single statement, on a query-only connection. Where one
    /// is free this happens on the calling thread, so it must not take long.
    pub async fn look_up<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T> + Send + 'static,
    {
        self.inner.readers.look_up(work).await
    }

    /// A copy of the database as it is at one moment; writers do not wait for it. Only one is
    /// made at a time, and it is given up when the caller goes.
    pub async fn copy(&self) -> Result<backup::Snapshot> {
        let turn = Arc::clone(&self.inner.copying).try_lock_owned();
        let turn = turn.map_err(|_| {
            Error::conflict("A backup is being made already; try again when it is done.")
        })?;
        let caller = CancellationToken::new();
        let _gone = caller.clone().drop_guard();
        let path = self.inner.path.clone();
        let copied = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            backup::copy(&path, || caller.is_cancelled())
        });
        copied.await.map_err(Error::internal)?
    }

    /// Looks at the file's structure for as long as `limit`: what is wrong with it, or nothing.
    /// The outer answer is absent when the time was up first.
    pub async fn quick_check(&self, limit: Duration) -> Result<Option<Option<String>>> {
        let db = connection::open_reader(&self.inner.path)?;
        let interrupt = db.get_interrupt_handle();
        let mut checking = tokio::task::spawn_blocking(move || upkeep::quick_check(&db));
        match tokio::time::timeout(limit, &mut checking).await {
            Ok(checked) => checked.map_err(Error::internal)?.map(Some),
            Err(_) => {
                interrupt.interrupt();
                Ok(None)
            }
        }
    }

    /// How large the file and its write-ahead log are.
    pub fn size(&self) -> Size {
        let bytes = |path: &Path| std::fs::metadata(path).map_or(0, |meta| meta.len());
        Size {
            database: bytes(&self.inner.path),
            wal: bytes(&self.inner.path.with_extension("db-wal")),
        }
    }

    /// Lets queued writes finish and closes the writing connection. Later writes are
    /// refused as [`Kind::Unavailable`]. Blocks until the writer has ended.
    pub fn close(&self) {
        self.inner.writer.close();
    }
}

/// The answer to work that came after the end.
fn stopping() -> Error {
    Error::new(Kind::Unavailable, "The server is stopping.")
}
