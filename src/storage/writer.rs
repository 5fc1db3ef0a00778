//! The thread that writes, and group commit.
//!
//! The thread sleeps until a write arrives, then takes along everything else that waits in the
//! same lane (up to a number and a time), runs each so that it can be undone by itself, commits once,
//! and only then answers all of them. Eight clients cost one flush of the disk instead of eight. Writes
//! that nobody waits for have commits of their own, so that nobody waits for them. What else a
//! write entails, such as waking whoever should look, is done here as well, after the commit and
//! before the answer: a caller that has left meanwhile takes nothing with it.

use std::path::PathBuf;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use rusqlite::Connection;
use tokio::sync::oneshot;

use super::checkpoints::Checkpoints;
use super::files::DatabaseFiles;
use super::lanes::{Job, Lane, Lanes, Next, Refused};
use super::look_ups::LookUps;
use super::stopping;
use super::trouble::{self, Trouble};
use super::write::{Failure, Transaction, Write, Written, perform};
use crate::domain::error::{Error, Kind, Result};
use crate::fault;
use crate::metrics;

/// The most writes that share one commit.
const BATCH: usize = 256;
/// How long writes are gathered for one commit at most: the first of them waits for all.
const GATHER: Duration = Duration::from_millis(20);
/// The same for bulk ones, as long as nothing prompt waits.
const GATHER_BULK: Duration = Duration::from_millis(50);
/// How often to look whether what is wrong is over.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// What the thread writes with.
pub(super) struct Open {
    /// The writing connection.
    pub connection: Connection,
    /// Told of commits by the connection.
    pub checkpoints: Checkpoints,
    /// Told of them before anybody else is.
    pub look_ups: Arc<LookUps>,
    /// Where the file was when it was opened.
    pub files: DatabaseFiles,
}

/// Opens the database once that can be done, unless it is for later: `None`.
pub(super) type Opener = Box<dyn FnMut() -> Result<Option<Open>> + Send>;

/// How a writer begins.
pub(super) enum Beginning {
    /// With an open database.
    Open(Box<Open>),
    /// With a full disk: it is tried to open the database until that succeeds, and writes are
    /// refused meanwhile.
    Full(Opener),
}

type Waiting = Box<dyn Write>;

/// The handle to the writing thread.
pub(super) struct Writer {
    lanes: Arc<Lanes<Waiting>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Writer {
    /// Starts the thread on the database in `folder`.
    pub fn start(folder: PathBuf, beginning: Beginning, trouble: Trouble) -> Result<Self> {
        let lanes = Arc::new(Lanes::new());
        let (open, opener) = match beginning {
            Beginning::Open(open) => (Some(*open), None),
            Beginning::Full(opener) => (None, Some(opener)),
        };
        let serving = Serving {
            lanes: Arc::clone(&lanes),
            folder,
            open,
            opener,
            trouble,
        };
        let thread = thread::Builder::new()
            .name("db-writer".to_owned())
            .spawn(move || serving.serve())
            .map_err(|error| Error::internal(format_args!("starting the writer: {error}")))?;
        Ok(Self {
            lanes,
            thread: Mutex::new(Some(thread)),
        })
    }

    /// Runs `work` in one of the next commits. After the commit `then` is carried out, on the
    /// writer's thread, and then this answers.
    pub async fn run<T, F, E>(&self, job: Job, work: F, then: E) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T> + Send + 'static,
        E: FnOnce(&T) + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        self.enqueue(Box::new(Written::new(work, then, reply)), job)?;
        answer.await.map_err(|_| stopping())?
    }

    fn enqueue(&self, write: Waiting, job: Job) -> Result<()> {
        self.lanes
            .push(write, job)
            .map_err(|refused| match refused {
                Refused::Full => too_busy(),
                Refused::Closed => stopping(),
            })
    }

    /// How many writes wait to be carried out.
    pub fn waiting(&self) -> u64 {
        self.lanes.waiting() as u64
    }

    /// Takes no more work, finishes what waits, and waits for the thread to end.
    pub fn close(&self) {
        self.lanes.close();
        if let Some(thread) = self.thread.lock().take()
            && thread.join().is_err()
        {
            tracing::error!("the database writer panicked");
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.lanes.close();
    }
}

fn too_busy() -> Error {
    Error::new(
        Kind::Unavailable,
        "The server is too busy to write; try again in a moment.",
    )
}

/// What the thread owns.
struct Serving {
    lanes: Arc<Lanes<Waiting>>,
    folder: PathBuf,
    open: Option<Open>,
    opener: Option<Opener>,
    trouble: Trouble,
}

impl Serving {
    fn serve(mut self) {
        let _closes = ClosesLanes(Arc::clone(&self.lanes));
        let mut looked = Instant::now();
        loop {
            let is_wrong = self.trouble.now().is_some();
            match self.lanes.next(is_wrong.then_some(LOOK_AGAIN)) {
                Next::Job(first, lane) => self.run_batch(first, lane),
                Next::Nothing => {}
                Next::End => break,
            }
            if self.trouble.now().is_some() && looked.elapsed() >= LOOK_AGAIN {
                self.look_again();
                looked = Instant::now();
            }
        }
        if let Some(open) = self.open {
            // What is carried over last nobody else is at.
            drop(open.checkpoints);
            open.look_ups.close();
            close(open.connection);
        }
    }

    fn run_batch(&mut self, first: Waiting, lane: Lane) {
        let began = Instant::now();
        let lanes = Arc::clone(&self.lanes);
        let most = match lane {
            Lane::Prompt => GATHER,
            Lane::Bulk => GATHER_BULK,
        };
        let next = || {
            let taken = began.elapsed();
            (taken < most).then(|| lanes.more(lane, taken)).flatten()
        };
        let rest = std::iter::from_fn(next).take(BATCH - 1);
        let batch = std::iter::once(first).chain(rest);
        match &mut self.open {
            Some(open) => Batch::new(open, &self.trouble).run(batch),
            None => {
                let error = trouble::full("the database is not open for writing");
                batch.for_each(|write| write.end(Err(&Failure::of(&error))));
            }
        }
    }

    /// Whether what is wrong is over: tried by writing.
    fn look_again(&mut self) {
        let looked = self.reopen().and_then(|()| {
            trouble::check_room(&self.folder)?;
            match &mut self.open {
                Some(open) => open.probe(),
                None => Ok(()),
            }
        });
        match looked {
            Ok(()) if self.open.is_some() => self.trouble.clear(),
            Ok(()) => {}
            Err(error) => tracing::debug!(%error, "the database does not take writes yet"),
        }
    }

    fn reopen(&mut self) -> Result<()> {
        if let Some(opener) = &mut self.opener {
            trouble::check_room(&self.folder)?;
            self.open = opener()?;
            if self.open.is_some() {
                self.opener = None;
            }
        }
        Ok(())
    }
}

impl Open {
    fn probe(&mut self) -> Result<()> {
        self.files.check()?;
        perform(&self.connection, "BEGIN IMMEDIATE")?;
        let written = super::upkeep::touch(&self.connection)
            .and_then(|()| Ok(perform(&self.connection, "COMMIT")?));
        if !self.connection.is_autocommit() {
            let _ = self.connection.execute_batch("ROLLBACK");
        }
        self.look_ups.committed();
        written
    }
}

/// Writes that share a commit.
struct Batch<'a> {
    open: &'a mut Open,
    trouble: &'a Trouble,
    /// Those that have run and wait for the commit.
    run: Vec<Box<dyn Write>>,
}

impl<'a> Batch<'a> {
    fn new(open: &'a mut Open, trouble: &'a Trouble) -> Self {
        Self {
            open,
            trouble,
            run: Vec::new(),
        }
    }

    fn run(mut self, batch: impl Iterator<Item = Box<dyn Write>>) {
        for mut write in batch {
            let is_first = self.run.is_empty();
            if is_first && let Err(error) = self.begin() {
                self.trouble.note(&error);
                write.end(Err(&Failure::of(&error)));
                continue;
            }
            match write.run(&self.open.connection, is_first) {
                Transaction::Open => self.run.push(write),
                Transaction::Undone => {
                    let why = write.failure();
                    self.trouble.note(&why.error());
                    write.end(Err(&why));
                }
                Transaction::Lost => {
                    self.run.push(write);
                    self.lost();
                }
            }
        }
        if !self.run.is_empty() {
            self.commit();
        }
    }

    fn begin(&mut self) -> Result<()> {
        self.open.files.check()?;
        let connection = &self.open.connection;
        if !connection.is_autocommit() {
            // The last one could not be ended.
            connection.execute_batch("ROLLBACK")?;
        }
        Ok(perform(connection, "BEGIN IMMEDIATE")?)
    }

    /// Answers all that was lost with the reason of the last one, which is why.
    fn lost(&mut self) {
        let why = self.run.last().map(|last| last.failure());
        let why = why.unwrap_or_else(|| Failure::of(&Error::internal("nothing was run")));
        self.trouble.note(&why.error());
        self.run.drain(..).for_each(|write| write.end(Err(&why)));
    }

    fn commit(mut self) {
        fault::point("before-commit");
        let began = Instant::now();
        let connection = &self.open.connection;
        let committed = perform(connection, "COMMIT").map_err(|error| {
            if !connection.is_autocommit() {
                // When that fails as well, the next transaction cannot begin and says why.
                let _ = connection.execute_batch("ROLLBACK");
            }
            Error::from(error).while_doing("committing")
        });
        self.open.look_ups.committed();
        // What went into a file that nobody finds again is not stored.
        let stored = committed.and_then(|()| self.open.files.check());
        fault::point("after-commit");
        if let Some(meters) = metrics::meters() {
            meters.committed(began.elapsed(), self.run.len());
        }
        let failure = stored.err().map(|error| {
            self.trouble.note(&error);
            Failure::of(&error)
        });
        for write in self.run.drain(..) {
            write.end(failure.as_ref().map_or(Ok(()), Err));
        }
    }
}

/// However the thread ends: nothing is taken that nobody would carry out.
struct ClosesLanes(Arc<Lanes<Waiting>>);

impl Drop for ClosesLanes {
    fn drop(&mut self) {
        self.0.close();
        while let Next::Job(..) = self.0.next(None) {}
    }
}

fn close(connection: Connection) {
    // Readers are still there, so closing alone would leave the log for the next start.
    let carried = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
    if let Err(error) = carried {
        tracing::warn!(%error, "the write-ahead log could not be carried over");
    }
    if let Err((_, error)) = connection.close() {
        tracing::error!(%error, "closing the database failed");
    }
}

#[cfg(test)]
mod tests;
