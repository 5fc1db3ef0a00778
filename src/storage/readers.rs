//! The connections that answer reads, in three lanes.
//!
//! A look-up by key takes less time than handing it to a thread and back does, so it runs
//! where it is asked, on a connection that is kept for that. Short reads have threads of
//! their own. How long a question takes that a caller puts together, nobody knows beforehand:
//! such scans have the third lane, a time by which they must be done, and end when nobody
//! waits for the answer any more. So nothing short ever waits for something long.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use parking_lot::{Mutex, RwLock};
use rusqlite::Connection;
use tokio::sync::oneshot;

use super::queue::{Queue, Refused};
use super::{connection, stopping};
use crate::domain::error::{Error, Kind, Result};

/// The most questions that may wait in a lane; more are refused, so that memory stays bounded.
const QUEUE: usize = 4096;
/// How many threads answer scans.
const SCANS: usize = 4;
/// How many threads answer short reads.
const SHORT: usize = 2;
/// How many look-ups may run at once where they are asked; others are short reads.
const LOOK_UPS: usize = 2;
/// How long a scan may take.
const LONGEST: Duration = Duration::from_secs(10);
/// How many steps of SQLite's machine a scan takes between two looks at the time: some tenths
/// of a millisecond.
const STEPS: i32 = 10_000;

type Job = Box<dyn FnOnce(&mut Connection) + Send>;
type Lane = Arc<Queue<Job>>;

/// The lanes, each a queue with threads that have a query-only connection each, and the
/// connections for look-ups.
pub(super) struct Readers {
    scans: Lane,
    short: Lane,
    by_key: Vec<Mutex<Connection>>,
    threads: Vec<JoinHandle<()>>,
    longest: Duration,
}

impl Readers {
    /// Starts the threads on the file. They end when this is dropped.
    pub fn start(path: &Path) -> Result<Self> {
        let mut readers = Self::without_threads();
        for number in 0..SCANS {
            let lane = Arc::clone(&readers.scans);
            let open = connection::open_reader(path)?;
            readers.serve(format!("db-scan-{number}"), open, lane)?;
        }
        for number in 0..SHORT {
            let lane = Arc::clone(&readers.short);
            let open = connection::open_reader(path)?;
            readers.serve(format!("db-reader-{number}"), open, lane)?;
        }
        for _ in 0..LOOK_UPS {
            let open = connection::open_reader(path)?;
            readers.by_key.push(Mutex::new(open));
        }
        Ok(readers)
    }

    /// The same with a single connection, for a file that several cannot share now.
    pub fn start_sole(path: &Path) -> Result<Self> {
        let mut readers = Self::without_threads();
        readers.short = Arc::clone(&readers.scans);
        let lane = Arc::clone(&readers.scans);
        let open = connection::open_sole_reader(path)?;
        // What cannot be read is told now and not to whoever asks first.
        open.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
        readers.serve("db-reader".to_owned(), open, lane)?;
        Ok(readers)
    }

    fn without_threads() -> Self {
        Self {
            scans: Arc::new(Queue::new(QUEUE)),
            short: Arc::new(Queue::new(QUEUE)),
            by_key: Vec::new(),
            threads: Vec::new(),
            longest: LONGEST,
        }
    }

    fn serve(&mut self, name: String, mut connection: Connection, lane: Lane) -> Result<()> {
        let thread = thread::Builder::new().name(name).spawn(move || {
            while let Some(job) = lane.next() {
                job(&mut connection);
            }
        });
        let thread =
            thread.map_err(|error| Error::internal(format_args!("starting a reader: {error}")))?;
        self.threads.push(thread);
        Ok(())
    }

    /// Runs a short read on the next free connection, within one read transaction.
    pub async fn run<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let job: Job = Box::new(move |connection| {
            // Nobody listens any more when the caller has gone; its answer may go too.
            let _ = reply.send(in_snapshot(connection, |it| guarded(|| work(it))));
        });
        put(&self.short, job)?;
        answer.await.map_err(|_| stopping())?
    }

    /// Runs a read of any length on the next free connection for such, within one read
    /// transaction. It fails as [`Kind::TooSlow`] when it takes too long, and ends when this
    /// future is dropped.
    pub async fn scan<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T> + Send + 'static,
    {
        self.bounded(|connection, bounds| in_snapshot(connection, |it| bounds.run(it, work)))
            .await
    }

    /// The same for a single statement, which sees one moment by itself.
    pub async fn find<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T> + Send + 'static,
    {
        self.bounded(|connection, bounds| bounds.run(connection, work))
            .await
    }

    async fn bounded<T, F>(&self, read: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&mut Connection, Bounds) -> Result<T> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let waits = Waits::default();
        let (is_left, longest) = (Arc::clone(&waits.is_left), self.longest);
        let job: Job = Box::new(move |connection| {
            if !is_left.load(Ordering::Relaxed) {
                let _ = reply.send(read(connection, Bounds { is_left, longest }));
            }
        });
        put(&self.scans, job)?;
        answer.await.map_err(|_| stopping())?
    }

    /// Runs a single statement that looks something up by key, here and now where a
    /// connection is free for it.
    pub async fn by_key<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T> + Send + 'static,
    {
        for connection in &self.by_key {
            if let Some(free) = connection.try_lock() {
                return guarded(|| work(&free));
            }
        }
        self.run(work).await
    }

    /// Answers what waits, and closes every connection.
    fn close(mut self) {
        self.end();
        for thread in self.threads.drain(..) {
            // A thread that panicked has closed its connection as well.
            let _ = thread.join();
        }
    }

    fn end(&self) {
        self.scans.close();
        self.short.close();
    }
}

impl Drop for Readers {
    fn drop(&mut self) {
        self.end();
    }
}

/// The readers that there are; they may be replaced by others.
pub(super) struct Current {
    readers: RwLock<Arc<Readers>>,
}

impl Current {
    /// These, to begin with.
    pub fn new(readers: Readers) -> Self {
        Self {
            readers: RwLock::new(Arc::new(readers)),
        }
    }

    /// Those that answer now.
    pub fn get(&self) -> Arc<Readers> {
        Arc::clone(&self.readers.read())
    }

    /// Puts those in place that `make` makes, or leaves it as it is when that fails. The ones
    /// before are closed first if nobody uses them, and else nothing happens: false.
    pub fn replace(
        &self,
        make: impl FnOnce() -> Result<Readers>,
        again: impl FnOnce() -> Result<Readers>,
    ) -> Result<bool> {
        let mut now = self.readers.write();
        let nobody = Arc::new(Readers::without_threads());
        let before = std::mem::replace(&mut *now, nobody);
        match Arc::try_unwrap(before) {
            Ok(before) => before.close(),
            Err(in_use) => {
                *now = in_use;
                return Ok(false);
            }
        }
        match make() {
            Ok(readers) => {
                *now = Arc::new(readers);
                Ok(true)
            }
            Err(error) => {
                *now = Arc::new(again()?);
                Err(error)
            }
        }
    }
}

/// Says, once it is dropped, that nobody waits any more.
#[derive(Default)]
struct Waits {
    is_left: Arc<AtomicBool>,
}

impl Drop for Waits {
    fn drop(&mut self) {
        self.is_left.store(true, Ordering::Relaxed);
    }
}

fn put(lane: &Lane, job: Job) -> Result<()> {
    lane.push(job).map_err(|refused| match refused {
        Refused::Full => Error::new(
            Kind::Unavailable,
            "The server is too busy to read; try again in a moment.",
        ),
        Refused::Closed => stopping(),
    })
}

/// What ends a read before it is done.
struct Bounds {
    /// Whether its caller has gone.
    is_left: Arc<AtomicBool>,
    /// How long it may take.
    longest: Duration,
}

impl Bounds {
    /// Runs a read that is interrupted when its time is up or its caller has gone.
    fn run<T>(
        self,
        connection: &mut Connection,
        work: impl FnOnce(&Connection) -> Result<T>,
    ) -> Result<T> {
        let Self { is_left, longest } = self;
        let until = Instant::now() + longest;
        let ends = move || is_left.load(Ordering::Relaxed) || Instant::now() >= until;
        connection.progress_handler(STEPS, Some(ends))?;
        let result = guarded(|| work(connection));
        connection.progress_handler(0, None::<fn() -> bool>)?;
        match result {
            Err(_) if Instant::now() >= until => Err(too_slow(longest)),
            result => result,
        }
    }
}

fn too_slow(longest: Duration) -> Error {
    let secs = longest.as_secs();
    Error::new(
        Kind::TooSlow,
        format!(
            "The answer would take longer than {secs} seconds to find. Ask for less: by other \
             filters, or in another order."
        ),
    )
}

/// All statements of one read see the same moment.
fn in_snapshot<T>(
    connection: &mut Connection,
    work: impl FnOnce(&mut Connection) -> Result<T>,
) -> Result<T> {
    connection.prepare_cached("BEGIN")?.execute([])?;
    let result = work(connection);
    connection.prepare_cached("COMMIT")?.execute([])?;
    result
}

/// A panic is an error of that read alone.
fn guarded<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| Err(Error::internal("a read panicked")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn readers() -> (tempfile::TempDir, Readers) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("t.db");
        let _writer = connection::open_writer(&path).unwrap();
        let readers = Readers::start(&path).unwrap();
        (dir, readers)
    }

    fn one(db: &Connection) -> Result<i64> {
        Ok(db.query_row("SELECT 1", [], |row| row.get(0))?)
    }

    /// Counts for ever.
    fn endless(db: &Connection) -> Result<i64> {
        let sql = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)
                   SELECT count(*) FROM n";
        Ok(db.query_row(sql, [], |row| row.get(0))?)
    }

    #[tokio::test]
    async fn a_panic_in_a_read_is_an_error_of_that_read_alone() {
        let (_dir, readers) = readers();
        for _ in 0..8 {
            let panicked = readers.run(|_| -> Result<()> { panic!("on purpose") });
            assert!(panicked.await.is_err());
            let panicked = readers.scan(|_| -> Result<()> { panic!("on purpose") });
            assert!(panicked.await.is_err());
            let panicked = readers.by_key(|_| -> Result<()> { panic!("on purpose") });
            assert!(panicked.await.is_err());
        }
        assert_eq!(readers.run(one).await.unwrap(), 1);
        assert_eq!(readers.scan(one).await.unwrap(), 1);
        assert_eq!(readers.by_key(one).await.unwrap(), 1);
    }

    #[tokio::test]
    async fn a_scan_has_its_time_and_no_more() {
        let (_dir, mut readers) = readers();
        readers.longest = Duration::from_millis(50);
        for _ in 0..2 * SCANS {
            let refusal = readers.scan(endless).await.unwrap_err();
            assert_eq!(refusal.kind(), Kind::TooSlow, "{refusal}");
        }
        assert_eq!(readers.scan(one).await.unwrap(), 1);
    }

    #[tokio::test]
    async fn scans_that_nobody_waits_for_end_and_hold_up_nothing_short() {
        let (_dir, readers) = readers();
        {
            let many: Vec<_> = (0..3 * SCANS).map(|_| readers.scan(endless)).collect();
            let all = futures_util::future::join_all(many);
            let mut all = std::pin::pin!(all);
            let short = async {
                for _ in 0..20 {
                    assert_eq!(readers.run(one).await.unwrap(), 1);
                    assert_eq!(readers.by_key(one).await.unwrap(), 1);
                }
            };
            tokio::select! {
                _ = &mut all => panic!("they do not end"),
                () = short => {}
            }
        }
        // All of them have been left; the lane is free again well before their time is up.
        let free = tokio::time::timeout(LONGEST / 2, readers.scan(one));
        assert_eq!(free.await.unwrap().unwrap(), 1);
    }
}
