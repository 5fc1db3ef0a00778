//! The threads that answer reads.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread;

use rusqlite::Connection;
use tokio::sync::oneshot;

use super::{connection, stopping};
use crate::domain::error::{Error, Result};

type Job = Box<dyn FnOnce(&Connection) + Send>;

/// A few threads, each with a query-only connection, that share one queue.
pub(super) struct Readers {
    queue: mpsc::Sender<Job>,
}

impl Readers {
    /// Starts `count` threads on the file. They end when the pool is dropped.
    pub fn start(path: &Path, count: usize) -> Result<Self> {
        let (queue, jobs) = mpsc::channel::<Job>();
        let jobs = Arc::new(Mutex::new(jobs));
        for number in 0..count {
            let connection = connection::open_reader(path)?;
            let jobs = Arc::clone(&jobs);
            thread::Builder::new()
                .name(format!("db-reader-{number}"))
                .spawn(move || serve(&connection, &jobs))
                .map_err(|error| Error::internal(format_args!("starting a reader: {error}")))?;
        }
        Ok(Self { queue })
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
        self.queue.send(job).map_err(|_| stopping())?;
        answer.await.map_err(|_| stopping())?
    }
}

/// All statements of one read see the same moment.
fn in_snapshot<T>(
    connection: &Connection,
    work: impl FnOnce(&Connection) -> Result<T>,
) -> Result<T> {
    let snapshot = connection.unchecked_transaction()?;
    work(&snapshot)
}

fn serve(connection: &Connection, jobs: &Mutex<mpsc::Receiver<Job>>) {
    loop {
        // A job cannot panic while the lock is held; a poisoned queue is still a queue.
        let next = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
        match next {
            Ok(job) => job(connection),
            Err(mpsc::RecvError) => return,
        }
    }
}
