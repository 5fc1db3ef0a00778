//! The thread that writes, and group commit.
//!
//! The thread sleeps until a write arrives, then takes along everything else that waits (up to
//! a limit), runs each in its own savepoint, commits once, and only then answers all of them.
//! Eight clients cost one flush of the disk instead of eight. What else a write entails, such
//! as waking whoever should look, is done here as well, after the commit and before the
//! answer: a caller that has left meanwhile takes nothing with it.

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rusqlite::Connection;
use tokio::sync::oneshot;

use super::checkpoints::Checkpoints;
use super::place::Place;
use super::stopping;
use super::trouble::{self, Trouble};
use super::write::{Failure, Write, Written, perform};
use crate::domain::error::{Error, Kind, Result};
use crate::fault;
use crate::metrics::{self, Meters};

/// The most writes that share one commit.
const BATCH: usize = 256;
/// How long writes are gathered for one commit at most: the first of them waits for all.
const GATHER: Duration = Duration::from_millis(20);
/// The most writes that may wait; more are refused, so that memory stays bounded.
const QUEUE: usize = 4096;
/// The most bytes that writes may hold while they wait. A single one may hold more.
const BYTES: usize = 64 * 1024 * 1024;
/// Up to so many bytes a write is small.
const SMALL: usize = 16 * 1024;
/// How often to look whether what is wrong is over.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// A write that waits.
struct Waiting {
    write: Box<dyn Write>,
    bytes: usize,
}

/// What the thread writes with.
pub(super) struct Open {
    /// The writing connection.
    pub connection: Connection,
    /// Told of commits.
    pub checkpoints: Checkpoints,
    /// Where the file was when it was opened.
    pub place: Place,
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

/// The handle to the writing thread.
pub(super) struct Writer {
    queue: Mutex<Option<mpsc::SyncSender<Waiting>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
    waiting: Arc<AtomicUsize>,
}

impl Writer {
    /// Starts the thread on the database in `folder`.
    pub fn start(folder: PathBuf, beginning: Beginning, trouble: Trouble) -> Result<Self> {
        let (queue, writes) = mpsc::sync_channel(QUEUE);
        let waiting = Arc::default();
        let (open, opener) = match beginning {
            Beginning::Open(open) => (Some(*open), None),
            Beginning::Full(opener) => (None, Some(opener)),
        };
        let serving = Serving {
            folder,
            open,
            opener,
            trouble,
            waiting: Arc::clone(&waiting),
        };
        let thread = thread::Builder::new()
            .name("db-writer".to_owned())
            .spawn(move || serving.serve(&writes))
            .map_err(|error| Error::internal(format_args!("starting the writer: {error}")))?;
        Ok(Self {
            queue: Mutex::new(Some(queue)),
            thread: Mutex::new(Some(thread)),
            waiting,
        })
    }

    /// Runs `work`, which holds about that many bytes, in the next commit. After the commit
    /// `then` is carried out, on the writer's thread, and then this answers.
    pub async fn run<T, F, E>(&self, bytes: usize, work: F, then: E) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T> + Send + 'static,
        E: FnOnce(&T) + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let write = Box::new(Written::new(work, then, reply));
        self.enqueue(Waiting { write, bytes })?;
        answer.await.map_err(|_| stopping())?
    }

    fn enqueue(&self, write: Waiting) -> Result<()> {
        let bytes = write.bytes;
        let queue = lock(&self.queue);
        let queue = queue.as_ref().ok_or_else(stopping)?;
        let before = self.waiting.fetch_add(bytes, Ordering::Relaxed);
        // What is small is bounded by the number of those that may wait.
        if bytes > SMALL && before > 0 && before.saturating_add(bytes) > BYTES {
            self.waiting.fetch_sub(bytes, Ordering::Relaxed);
            return Err(too_busy());
        }
        // Counted first: the writer may have taken it before this returns.
        count(Meters::queued);
        queue.try_send(write).map_err(|refused| {
            count(Meters::taken);
            self.waiting.fetch_sub(bytes, Ordering::Relaxed);
            match refused {
                mpsc::TrySendError::Full(_) => too_busy(),
                mpsc::TrySendError::Disconnected(_) => stopping(),
            }
        })
    }

    /// Takes no more work, finishes what waits, and waits for the thread to end.
    pub fn close(&self) {
        drop(lock(&self.queue).take());
        if let Some(thread) = lock(&self.thread).take()
            && thread.join().is_err()
        {
            tracing::error!("the database writer panicked");
        }
    }
}

fn count(what: impl FnOnce(&Meters)) {
    if let Some(meters) = metrics::meters() {
        what(meters);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn too_busy() -> Error {
    Error::new(
        Kind::Unavailable,
        "The server is too busy to write; try again in a moment.",
    )
}

/// What the thread owns.
struct Serving {
    folder: PathBuf,
    open: Option<Open>,
    opener: Option<Opener>,
    trouble: Trouble,
    waiting: Arc<AtomicUsize>,
}

impl Serving {
    fn serve(mut self, writes: &mpsc::Receiver<Waiting>) {
        let mut looked = Instant::now();
        loop {
            match self.next(writes) {
                Ok(Some(first)) => self.run_batch(first, writes),
                Ok(None) => {}
                Err(_closed) => break,
            }
            if self.trouble.now().is_some() && looked.elapsed() >= LOOK_AGAIN {
                self.look_again();
                looked = Instant::now();
            }
        }
        if let Some(open) = self.open {
            close(open.connection);
        }
    }

    /// The next write; none when it is time to see whether what is wrong is over.
    fn next(
        &self,
        writes: &mpsc::Receiver<Waiting>,
    ) -> Result<Option<Box<dyn Write>>, mpsc::RecvError> {
        let next = match self.trouble.now() {
            None => writes.recv().map(Some)?,
            Some(_) => match writes.recv_timeout(LOOK_AGAIN) {
                Ok(write) => Some(write),
                Err(mpsc::RecvTimeoutError::Timeout) => None,
                Err(mpsc::RecvTimeoutError::Disconnected) => return Err(mpsc::RecvError),
            },
        };
        Ok(next.map(|write| self.taken(write)))
    }

    fn taken(&self, waiting: Waiting) -> Box<dyn Write> {
        count(Meters::taken);
        self.waiting.fetch_sub(waiting.bytes, Ordering::Relaxed);
        waiting.write
    }

    fn run_batch(&mut self, first: Box<dyn Write>, writes: &mpsc::Receiver<Waiting>) {
        let began = Instant::now();
        let more = || began.elapsed() < GATHER;
        let rest = std::iter::from_fn(|| more().then(|| writes.try_recv().ok()).flatten());
        let rest = rest.take(BATCH - 1).map(|waiting| {
            count(Meters::taken);
            self.waiting.fetch_sub(waiting.bytes, Ordering::Relaxed);
            waiting.write
        });
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
        self.place.check()?;
        perform(&self.connection, "BEGIN IMMEDIATE")?;
        let written = super::upkeep::touch(&self.connection)
            .and_then(|()| Ok(perform(&self.connection, "COMMIT")?));
        if !self.connection.is_autocommit() {
            let _ = self.connection.execute_batch("ROLLBACK");
        }
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
            if self.run.is_empty()
                && let Err(error) = self.begin()
            {
                self.trouble.note(&error);
                write.end(Err(&Failure::of(&error)));
                continue;
            }
            write.run(&self.open.connection);
            // A full disk or a failing one inside a statement ends the transaction, and with
            // it what all the others in it have written.
            let is_lost = self.open.connection.is_autocommit();
            self.run.push(write);
            if is_lost {
                self.lost();
            }
        }
        if !self.run.is_empty() {
            self.commit();
        }
    }

    fn begin(&mut self) -> Result<()> {
        self.open.place.check()?;
        Ok(perform(&self.open.connection, "BEGIN IMMEDIATE")?)
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
        // What went into a file that nobody finds again is not stored.
        let stored = committed.and_then(|()| self.open.place.check());
        fault::point("after-commit");
        count(|meters| meters.committed(began.elapsed(), self.run.len()));
        let failure = stored.err().map(|error| {
            self.trouble.note(&error);
            Failure::of(&error)
        });
        for write in self.run.drain(..) {
            write.end(failure.as_ref().map_or(Ok(()), Err));
        }
        self.open.checkpoints.committed();
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
