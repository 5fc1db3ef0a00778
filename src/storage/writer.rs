//! The thread that writes, and group commit.
//!
//! The thread sleeps until a closure arrives, then takes along everything else that waits
//! (up to a limit), runs each in its own savepoint, commits once, and only then answers
//! all of them. Eight clients cost one flush of the disk instead of eight.

use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rusqlite::Connection;
use tokio::sync::oneshot;

use super::checkpoints::Checkpoints;
use super::stopping;
use crate::domain::error::{Error, Kind, Result};
use crate::fault;
use crate::metrics::{self, Meters};

/// The most closures that share one commit.
const BATCH: usize = 256;

/// The most closures that may wait; more are refused, so that memory stays bounded.
const QUEUE: usize = 4096;

/// How long the oldest closure may wait before more are refused: whoever comes then would
/// wait at least as long.
const BEHIND: Duration = Duration::from_secs(2);

/// A closure that waits.
struct Job {
    /// Since when.
    since: Instant,
    /// Runs the closure at once and answers later, when the commit is known.
    work: Box<dyn FnOnce(&Connection) -> Reply + Send>,
}

/// Answers the caller: with its own result after a commit, or with the commit's failure.
type Reply = Box<dyn FnOnce(Result<(), &str>) + Send>;

/// The handle to the writing thread.
pub(super) struct Writer {
    queue: Mutex<Option<mpsc::SyncSender<Job>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
    /// Since when the oldest closure of the commit under way has waited.
    oldest: Arc<Mutex<Option<Instant>>>,
    behind: Duration,
}

impl Writer {
    /// Starts the thread that owns the writing connection and tells `checkpoints` of its
    /// commits.
    pub fn start(connection: Connection, checkpoints: Checkpoints) -> Result<Self> {
        let (queue, jobs) = mpsc::sync_channel(QUEUE);
        let oldest = Arc::default();
        let serving = Serving {
            connection,
            checkpoints,
            oldest: Arc::clone(&oldest),
        };
        let thread = thread::Builder::new()
            .name("db-writer".to_owned())
            .spawn(move || serving.serve(&jobs))
            .map_err(|error| Error::internal(format_args!("starting the writer: {error}")))?;
        Ok(Self {
            queue: Mutex::new(Some(queue)),
            thread: Mutex::new(Some(thread)),
            oldest,
            behind: BEHIND,
        })
    }

    /// Runs `work` in the next commit and answers after it.
    pub async fn run<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        self.enqueue(Box::new(move |connection| {
            let result = in_savepoint(connection, work);
            Box::new(move |committed| {
                let result = match committed {
                    Ok(()) => result,
                    Err(why) => result.and(Err(commit_failed(why))),
                };
                // A caller that has gone needs no answer.
                let _ = reply.send(result);
            })
        }))?;
        answer.await.map_err(|_| stopping())?
    }

    fn enqueue(&self, work: Box<dyn FnOnce(&Connection) -> Reply + Send>) -> Result<()> {
        let since = Instant::now();
        if lock(&self.oldest).is_some_and(|oldest| since - oldest > self.behind) {
            return Err(too_busy());
        }
        let queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        let queue = queue.as_ref().ok_or_else(stopping)?;
        // Counted first: the writer may have taken it before this returns.
        count(Meters::queued);
        queue.try_send(Job { since, work }).map_err(|refused| {
            count(Meters::taken);
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

/// What the thread owns.
struct Serving {
    connection: Connection,
    checkpoints: Checkpoints,
    oldest: Arc<Mutex<Option<Instant>>>,
}

impl Serving {
    fn serve(self, jobs: &mpsc::Receiver<Job>) {
        while let Ok(first) = jobs.recv() {
            *lock(&self.oldest) = Some(first.since);
            let batch = std::iter::once(first).chain(jobs.try_iter().take(BATCH - 1));
            self.run_batch(batch.inspect(|_| count(Meters::taken)));
            *lock(&self.oldest) = None;
        }
        // Readers are still there, so closing alone would leave the log for the next start.
        let carried = self
            .connection
            .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
        if let Err(error) = carried {
            tracing::warn!(%error, "the write-ahead log could not be carried over");
        }
        if let Err((_, error)) = self.connection.close() {
            tracing::error!(%error, "closing the database failed");
        }
    }

    fn run_batch(&self, batch: impl Iterator<Item = Job>) {
        let connection = &self.connection;
        if let Err(error) = perform(connection, "BEGIN IMMEDIATE") {
            let why = error.to_string();
            // Each closure still runs, in a savepoint outside any transaction that is undone
            // below; its caller hears why nothing was kept.
            batch.for_each(|job| refuse(connection, job, &why));
            return;
        }
        let replies: Vec<Reply> = batch.map(|job| (job.work)(connection)).collect();
        fault::point("before-commit");
        let began = Instant::now();
        let committed: Result<(), String> = perform(connection, "COMMIT").map_err(|error| {
            let _ = connection.execute_batch("ROLLBACK");
            error.to_string()
        });
        fault::point("after-commit");
        count(|meters| meters.committed(began.elapsed(), replies.len()));
        for reply in replies {
            reply(committed.as_ref().copied().map_err(String::as_str));
        }
        self.checkpoints.committed();
    }
}

/// Runs a statement that is used all the time and answers no rows.
fn perform(connection: &Connection, sql: &str) -> rusqlite::Result<()> {
    connection.prepare_cached(sql)?.execute([]).map(drop)
}

fn too_busy() -> Error {
    Error::new(
        Kind::Unavailable,
        "The server is too busy to write; try again in a moment.",
    )
}

/// Answers a job that cannot be run because no transaction could be begun.
fn refuse(connection: &Connection, job: Job, why: &str) {
    let _ = connection.execute_batch("SAVEPOINT refused");
    let reply = (job.work)(connection);
    let _ = connection.execute_batch("ROLLBACK TO refused; RELEASE refused");
    reply(Err(why));
}

fn in_savepoint<T>(
    connection: &Connection,
    work: impl FnOnce(&Connection) -> Result<T>,
) -> Result<T> {
    perform(connection, "SAVEPOINT work")?;
    let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| work(connection)))
        .unwrap_or_else(|_| Err(Error::internal("a write panicked")));
    if result.is_err() {
        perform(connection, "ROLLBACK TO work")?;
    }
    perform(connection, "RELEASE work")?;
    result
}

fn commit_failed(why: &str) -> Error {
    let kind = if why.contains("full") {
        Kind::StorageFull
    } else {
        Kind::Internal
    };
    let message = match kind {
        Kind::StorageFull => "The disk is full; nothing was written.",
        _ => "Internal Server Error",
    };
    Error::new(kind, message).while_doing(format_args!("committing: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn writer() -> (tempfile::TempDir, Writer, std::path::PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("t.db");
        let db = crate::storage::connection::open_writer(&path).unwrap();
        db.execute_batch("CREATE TABLE t (n INTEGER NOT NULL UNIQUE) STRICT")
            .unwrap();
        let checkpoints = Checkpoints::start(&path).unwrap();
        (dir, Writer::start(db, checkpoints).unwrap(), path)
    }

    fn insert(n: i64) -> impl FnOnce(&Connection) -> Result<()> + Send {
        move |db| {
            db.execute("INSERT INTO t VALUES (?1)", [n])?;
            Ok(())
        }
    }

    fn stored(path: &std::path::Path) -> Vec<i64> {
        let db = Connection::open(path).unwrap();
        let mut all = db.prepare("SELECT n FROM t ORDER BY n").unwrap();
        let rows = all.query_map([], |row| row.get(0)).unwrap();
        rows.map(|row| row.unwrap()).collect()
    }

    #[tokio::test]
    async fn one_failure_in_a_batch_undoes_only_itself() {
        let (_dir, writer, path) = writer();
        let outcomes = tokio::join!(
            writer.run(insert(1)),
            writer.run(|db: &Connection| {
                insert(2)(db)?;
                insert(1)(db)
            }),
            writer.run(insert(3)),
        );
        assert!(outcomes.0.is_ok() && outcomes.1.is_err() && outcomes.2.is_ok());
        assert_eq!(stored(&path), [1, 3]);
    }

    #[tokio::test]
    async fn a_panic_in_a_write_is_an_error_of_that_write_alone() {
        let (_dir, writer, path) = writer();
        let panicked = writer.run(|db: &Connection| -> Result<()> {
            insert(7)(db)?;
            panic!("on purpose")
        });
        assert!(panicked.await.is_err());
        writer.run(insert(8)).await.unwrap();
        assert_eq!(stored(&path), [8]);
    }

    #[tokio::test]
    async fn closing_keeps_what_was_queued_and_refuses_the_rest() {
        let (_dir, writer, path) = writer();
        writer.run(insert(1)).await.unwrap();
        writer.close();
        let refusal = writer.run(insert(2)).await.unwrap_err();
        assert_eq!(refusal.kind(), Kind::Unavailable);
        assert_eq!(stored(&path), [1]);
    }

    #[tokio::test]
    async fn a_writer_that_is_behind_refuses_more() {
        let (_dir, mut writer, path) = writer();
        writer.behind = Duration::ZERO;
        let (begun, has_begun) = oneshot::channel();
        let (release, released) = std::sync::mpsc::channel::<()>();
        let slow = writer.run(move |db: &Connection| {
            begun.send(()).unwrap();
            released.recv().unwrap();
            insert(1)(db)
        });
        let others = async {
            has_begun.await.unwrap();
            let refusal = writer.run(insert(2)).await.unwrap_err();
            release.send(()).unwrap();
            refusal
        };
        let (slow, refusal) = tokio::join!(slow, others);
        assert!(slow.is_ok());
        assert_eq!(refusal.kind(), Kind::Unavailable);
        writer.close();
        assert_eq!(stored(&path), [1]);
    }
}
