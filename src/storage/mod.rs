//! The only room that knows SQLite.
//!
//! One writer thread owns the one connection that writes; it runs closures from two lanes, what
//! somebody waits for before what is bulk, and commits what waits in a lane in a single
//! transaction, each closure so that it can be undone by itself. Readers are a few threads with
//! query-only connections, some for what is short and some for what may take long, and two more
//! connections on which look-ups run where they are asked. Nobody holds a connection across an
//! await: a caller hands in a closure and waits for its answer, which comes after the commit.
//! A 2xx to a write therefore survives power loss.
//!
//! The noun files hold small functions that take a transaction or a connection.

mod actors;
pub mod artifacts;
pub mod automations;
pub mod backup;
pub mod blobs;
pub mod blocks;
mod checkpoints;
pub mod claims;
mod column;
pub mod concurrency_limits;
mod connection;
pub mod deployments;
mod error;
pub mod events;
mod files;
pub mod flow_runs;
pub mod flows;
pub mod glances;
pub mod graph;
pub mod ids;
mod lanes;
pub mod leases;
pub mod logs;
mod look_ups;
mod migrate;
mod parts;
#[cfg(test)]
mod plans;
mod query;
mod queue;
mod readers;
pub mod removal;
pub mod requests;
mod result_size;
pub mod retention;
pub mod rows;
mod run_counts;
pub mod run_inputs;
pub mod run_keys;
mod run_policy;
pub mod saved_searches;
mod schedule;
pub mod schedules;
pub mod seal;
mod sql;
pub mod states;
pub mod task_queue;
pub mod task_runs;
mod trouble;
mod upgrade;
pub mod upkeep;
pub mod variables;
pub mod work_pools;
pub mod work_queues;
pub mod workers;
mod write;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::domain::error::{Error, Kind, Result};

pub use lanes::{Job, Lane};
pub use rows::history;
pub use rusqlite::Connection;
pub use states::StateOf;

/// What is read. In a box: it is handed on a few times before a connection has it, and holds all that
/// was asked.
type Once<T> = Box<dyn FnOnce(&Connection) -> Result<T> + Send>;

/// The same where it may have to begin again.
type Again<T> = Box<dyn Fn(&Connection) -> Result<T> + Send>;

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
    readers: Arc<readers::Current>,
    trouble: trouble::Trouble,
    path: PathBuf,
    /// Held while the database is copied, which is done once at a time.
    copying: Arc<tokio::sync::Mutex<()>>,
}

impl Store {
    /// Opens the file, creating it when it is not there, and brings its schema up to date.
    /// Where the disk is too full for that, what is there can be read, and writes are refused
    /// until there is room.
    ///
    /// Fails when the file is from a newer version, is no database, or cannot be written for
    /// another reason.
    pub fn open(path: &Path) -> Result<Self> {
        connection::check_library()?;
        backup::remove_leftovers(path);
        let trouble = trouble::Trouble::default();
        let folder = path.parent().unwrap_or(Path::new("/")).to_owned();
        let (readers, beginning) = match open_whole(path) {
            Ok((readers, open)) => {
                let readers = Arc::new(readers::Current::new(readers));
                (readers, writer::Beginning::Open(Box::new(open)))
            }
            Err(error)
                if error.kind() != Kind::StorageDamaged
                    && path.exists()
                    && trouble::check_room(&folder).is_err() =>
            {
                trouble.note(&trouble::full(error));
                let sole = readers::Readers::start_sole(path)?;
                let readers = Arc::new(readers::Current::new(sole));
                tracing::warn!("the daemon starts all the same; until then it only reads");
                let opener = open_later(path, &readers);
                (readers, writer::Beginning::Full(opener))
            }
            Err(error) => return Err(error),
        };
        let writer = writer::Writer::start(folder, beginning, trouble.clone())?;
        Ok(Self {
            inner: Arc::new(Inner {
                writer,
                readers,
                trouble,
                path: path.to_owned(),
                copying: Arc::default(),
            }),
        })
    }

    /// The folder that the database lies in.
    pub fn folder(&self) -> &Path {
        self.inner.path.parent().unwrap_or(Path::new("/"))
    }

    /// Runs `work` within the writer's transaction and answers after its commit. When
    /// `work` fails, what it wrote is undone and nothing else is.
    pub async fn write<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T> + Send + 'static,
    {
        self.write_as(Job::prompt(0), work, |_| ()).await
    }

    /// The same, as a job of that kind, for work that entails something: `then` is carried out
    /// after the commit and before this answers, whether or not anybody still waits for the
    /// answer. It must not take long.
    pub async fn write_as<T, F, E>(&self, job: Job, work: F, then: E) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T> + Send + 'static,
        E: FnOnce(&T) + Send + 'static,
    {
        self.noted(self.inner.writer.run(job, work, then).await)
    }

    /// Runs `work` on a query-only connection. For what is short; see [`Store::scan`].
    pub fn read<T, F>(&self, work: F) -> impl Future<Output = Result<T>> + Send
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T> + Send + 'static,
    {
        self.read_boxed(Box::new(work))
    }

    /// The same for work that may take as long as a caller makes it: it gives way to others after
    /// a while and is run again, fails as [`Kind::TooSlow`] when it takes too long, and ends when
    /// nobody waits for it.
    pub fn scan<T, F>(&self, work: F) -> impl Future<Output = Result<T>> + Send
    where
        T: Send + 'static,
        F: Fn(&Connection) -> Result<T> + Send + 'static,
    {
        self.scan_boxed(Box::new(work))
    }

    /// The same for a single statement.
    pub fn find<T, F>(&self, work: F) -> impl Future<Output = Result<T>> + Send
    where
        T: Send + 'static,
        F: Fn(&Connection) -> Result<T> + Send + 'static,
    {
        self.find_boxed(Box::new(work))
    }

    /// Looks something up by key, in a single statement, on a query-only connection. Where one
    /// is free this happens on the calling thread, so it must not take long.
    pub fn by_key<T, F>(&self, work: F) -> impl Future<Output = Result<T>> + Send
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T> + Send + 'static,
    {
        self.by_key_boxed(Box::new(work))
    }

    async fn read_boxed<T: Send + 'static>(&self, work: Once<T>) -> Result<T> {
        self.noted(self.inner.readers.get().run(work).await)
    }

    async fn scan_boxed<T: Send + 'static>(&self, work: Again<T>) -> Result<T> {
        self.noted(self.inner.readers.get().scan(work).await)
    }

    async fn find_boxed<T: Send + 'static>(&self, work: Again<T>) -> Result<T> {
        self.noted(self.inner.readers.get().find(work).await)
    }

    async fn by_key_boxed<T: Send + 'static>(&self, work: Once<T>) -> Result<T> {
        self.noted(self.inner.readers.get().by_key(work).await)
    }

    /// Whether the database takes writes, tried by one that reaches the disk, and whether
    /// there is room for more.
    pub async fn probe(&self) -> Result<()> {
        let folder = self.inner.path.parent().unwrap_or(Path::new("/"));
        let room = trouble::check_room(folder);
        room.inspect_err(|error| self.inner.trouble.note(error))?;
        self.write(upkeep::touch).await
    }

    /// Notes a failure that was met while something else was written beside the database.
    pub fn note(&self, error: &Error) {
        self.inner.trouble.note(error);
    }

    /// Whoever meets damage tells it to everybody.
    fn noted<T>(&self, result: Result<T>) -> Result<T> {
        result.inspect_err(|error| {
            if error.kind() == Kind::StorageDamaged {
                self.inner.trouble.note(error);
            }
        })
    }

    /// Why nothing can be written now, or something not be read, in words for people.
    pub fn trouble(&self) -> Option<String> {
        let trouble = &self.inner.trouble;
        trouble.now().or_else(|| trouble.damage())
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

    /// How many writes wait to be carried out.
    pub fn waiting_writes(&self) -> u64 {
        self.inner.writer.waiting()
    }

    /// Lets queued writes finish and closes the writing connection. Later writes are
    /// refused as [`Kind::Unavailable`]. Blocks until the writer has ended.
    pub fn close(&self) {
        self.inner.writer.close();
    }
}

/// The readers and the writing connection of a file that is brought up to date.
fn open_whole(path: &Path) -> Result<(readers::Readers, writer::Open)> {
    let mut connection = upgrade::open(path)?;
    let look_ups = look_ups::LookUps::open(path)?;
    let readers = readers::Readers::start(path, Arc::clone(&look_ups))?;
    let carried_for = Arc::clone(&look_ups);
    let open = writer::Open {
        checkpoints: checkpoints::Checkpoints::start(path, &mut connection, carried_for)?,
        connection,
        look_ups,
        files: files::DatabaseFiles::of(path),
    };
    Ok((readers, open))
}

/// Opens the file in the place of readers that have it for themselves.
fn open_later(path: &Path, readers: &Arc<readers::Current>) -> writer::Opener {
    let (path, readers) = (path.to_owned(), Arc::clone(readers));
    Box::new(move || {
        let mut opened = None;
        let whole = || {
            let (readers, open) = open_whole(&path)?;
            opened = Some(open);
            Ok(readers)
        };
        readers.replace(whole, || readers::Readers::start_sole(&path))?;
        Ok(opened)
    })
}

/// The answer to work that came after the end.
fn stopping() -> Error {
    Error::new(Kind::Unavailable, "The server is stopping.")
}
