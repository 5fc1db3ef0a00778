//! The connections that answer reads.
//!
//! Questions go to a few threads. A look-up by key takes less time than handing it to a
//! thread and back does, so it runs where it is asked, on a connection that is kept for that.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::{Arc, Mutex, TryLockError};
use std::thread;

use rusqlite::Connection;
use tokio::sync::oneshot;

use super::queue::{Queue, Refused};
use super::{connection, stopping};
use crate::domain::error::{Error, Kind, Result};

/// The most questions that may wait; more are refused, so that memory stays bounded.
const QUEUE: usize = 4096;

/// How many look-ups may run at once where they are asked; others go to the threads.
const LOOK_UPS: usize = 2;

type Job = Box<dyn FnOnce(&Connection) + Send>;

/// A few threads, each with a query-only connection, that share one queue, and connections
/// for look-ups.
pub(super) struct Readers {
    queue: Arc<Queue<Job>>,
    look_ups: [Mutex<Connection>; LOOK_UPS],
}

impl Readers {
    /// Starts `count` threads on the file. They end when the pool is dropped.
    pub fn start(path: &Path, count: usize) -> Result<Self> {
        let queue = Arc::new(Queue::<Job>::new(QUEUE));
        for number in 0..count {
            let connection = connection::open_reader(path)?;
            let queue = Arc::clone(&queue);
            thread::Builder::new()
                .name(format!("db-reader-{number}"))
                .spawn(move || serve(&connection, &queue))
                .map_err(|error| Error::internal(format_args!("starting a reader: {error}")))?;
        }
        let look_ups = [
            connection::open_reader(path)?,
            connection::open_reader(path)?,
        ];
        Ok(Self {
            queue,
            look_ups: look_ups.map(Mutex::new),
        })
    }

    /// Runs `work` on the next free connection, within one read transaction.
    pub async fn run<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let job: Job = Box::new(move |connection| {
            // Nobody listens any more when the caller has gone; its answer may go too.
            let _ = reply.send(in_snapshot(connection, work));
        });
        self.queue.push(job).map_err(|refused| match refused {
            Refused::Full => Error::new(
                Kind::Unavailable,
                "The server is too busy to read; try again in a moment.",
            ),
            Refused::Closed => stopping(),
        })?;
        answer.await.map_err(|_| stopping())?
    }

    /// Runs a single statement that looks something up by key, here and now where a
    /// connection is free for it.
    pub async fn look_up<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T> + Send + 'static,
    {
        for connection in &self.look_ups {
            match connection.try_lock() {
                Ok(free) => return guarded(|| work(&free)),
                // A look-up changes nothing that a panic could leave half-done.
                Err(TryLockError::Poisoned(free)) => return guarded(|| work(free.get_ref())),
                Err(TryLockError::WouldBlock) => {}
            }
        }
        self.run(work).await
    }
}

impl Drop for Readers {
    fn drop(&mut self) {
        self.queue.close();
    }
}

/// All statements of one read see the same moment.
fn in_snapshot<T>(
    connection: &Connection,
    work: impl FnOnce(&Connection) -> Result<T>,
) -> Result<T> {
    connection.prepare_cached("BEGIN")?.execute([])?;
    let result = guarded(|| work(connection));
    connection.prepare_cached("COMMIT")?.execute([])?;
    result
}

/// A panic is an error of that read alone.
fn guarded<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| Err(Error::internal("a read panicked")))
}

fn serve(connection: &Connection, queue: &Queue<Job>) {
    while let Some(job) = queue.next() {
        job(connection);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_in_a_read_is_an_error_of_that_read_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("t.db");
        let _writer = connection::open_writer(&path).unwrap();
        let readers = Readers::start(&path, 1).unwrap();
        for _ in 0..2 {
            let panicked = readers.run(|_| -> Result<()> { panic!("on purpose") });
            assert!(panicked.await.is_err());
            let panicked = readers.look_up(|_| -> Result<()> { panic!("on purpose") });
            assert!(panicked.await.is_err());
        }
        let one = |db: &Connection| Ok(db.query_row("SELECT 1", [], |row| row.get::<_, i64>(0))?);
        assert_eq!(readers.run(one).await.unwrap(), 1);
        assert_eq!(readers.look_up(one).await.unwrap(), 1);
    }
}
