//! The connections that answer reads, in lanes.
//!
//! A look-up by key takes less time than handing it to a thread and back does, so it runs
//! where it is asked, on a connection that is kept for that. Short reads have threads of
//! their own. How long a question takes that a caller puts together, nobody knows beforehand:
//! such scans have lanes of their own, a time by which they must be done, and end when nobody
//! waits for the answer any more. One of a single statement is tried where it is asked for a few steps,
//! which is enough for most. Each begins in a quick lane. What is not done after a slice of
//! time begins again in the slow lane, so that a list that is found at once waits for a few
//! slices and not for scans that take seconds. So nothing short ever waits for something long.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use parking_lot::RwLock;
use rusqlite::Connection;
use tokio::sync::oneshot;

use super::look_ups::LookUps;
use super::queue::{Queue, Refused};
use super::{connection, result_size, stopping};
use crate::domain::error::{Error, Kind, Result};

/// The most questions that may wait in a lane; more are refused, so that memory stays bounded.
const QUEUE: usize = 4096;
/// How many threads begin scans, and how many answer those that take longer.
const QUICK: usize = 3;
const SLOW: usize = 3;
/// How many threads answer short reads.
const SHORT: usize = 2;
/// How long a scan may take before it gives way to others.
const SLICE: Duration = Duration::from_millis(300);
/// How long it may take then.
const LONGEST: Duration = Duration::from_secs(10);
/// How many steps of SQLite's machine a scan takes between two looks at the time: some tenths
/// of a millisecond.
const STEPS: i32 = 10_000;
/// How many of them a scan may take where it is asked: enough for the longest page that clients ask
/// for by themselves, of 200 runs, and about as long as writing that answer takes, which is done there
/// as well.
const AT_ONCE: i32 = 12_000;
/// How much it may read there.
const FEW_BYTES: usize = 1024 * 1024;

type Job = Box<dyn FnOnce(&mut Connection) + Send>;
type Lane = Arc<Queue<Job>>;

/// The lanes, each a queue with threads that have a query-only connection each, and the
/// connections for what is looked up where it is asked.
pub(super) struct Readers {
    quick: Lane,
    slow: Lane,
    short: Lane,
    look_ups: Arc<LookUps>,
    threads: Vec<JoinHandle<()>>,
    slice: Duration,
    longest: Duration,
}

impl Readers {
    /// Starts the threads on the file. They end when this is dropped. What does not run on them runs on
    /// `look_ups`.
    pub fn start(path: &Path, look_ups: Arc<LookUps>) -> Result<Self> {
        let mut readers = Self::without_threads();
        readers.look_ups = look_ups;
        for number in 0..QUICK {
            let lane = Arc::clone(&readers.quick);
            let open = connection::open_reader(path)?;
            readers.serve(format!("db-quick-{number}"), open, lane)?;
        }
        for number in 0..SLOW {
            let lane = Arc::clone(&readers.slow);
            let open = connection::open_reader(path)?;
            readers.serve(format!("db-slow-{number}"), open, lane)?;
        }
        for number in 0..SHORT {
            let lane = Arc::clone(&readers.short);
            let open = connection::open_reader(path)?;
            readers.serve(format!("db-reader-{number}"), open, lane)?;
        }
        Ok(readers)
    }

    /// The same with a single connection, for a file that several cannot share now.
    pub fn start_sole(path: &Path) -> Result<Self> {
        let mut readers = Self::without_threads();
        readers.slow = Arc::clone(&readers.quick);
        readers.short = Arc::clone(&readers.quick);
        let lane = Arc::clone(&readers.quick);
        let open = connection::open_sole_reader(path)?;
        // What cannot be read is told now and not to whoever asks first.
        open.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
        readers.serve("db-reader".to_owned(), open, lane)?;
        Ok(readers)
    }

    fn without_threads() -> Self {
        Self {
            quick: Arc::new(Queue::new(QUEUE)),
            slow: Arc::new(Queue::new(QUEUE)),
            short: Arc::new(Queue::new(QUEUE)),
            look_ups: LookUps::none(),
            threads: Vec::new(),
            slice: SLICE,
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
    /// transaction; it may be run again from its beginning. It fails as [`Kind::TooSlow`] when it
    /// takes too long, and ends when this future is dropped.
    pub async fn scan<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: Fn(&Connection) -> Result<T> + Send + 'static,
    {
        let within = |connection: &mut Connection, bounds: Bounds, work: &F| {
            in_snapshot(connection, |it| bounds.run(it, work))
        };
        self.bounded(Waits::default(), within, work).await
    }

    /// The same for a single statement, which sees one moment by itself. It is tried here and now for
    /// a few steps where a connection is free.
    pub async fn find<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: Fn(&Connection) -> Result<T> + Send + 'static,
    {
        let alone =
            |connection: &mut Connection, bounds: Bounds, work: &F| bounds.run(connection, work);
        let waits = Waits::default();
        if let Some(mut free) = self.look_ups.free() {
            let tried = || alone(&mut free, waits.few_steps(), &work);
            if let Some(found) = result_size::within(FEW_BYTES, tried)? {
                return Ok(found);
            }
        }
        self.bounded(waits, alone, work).await
    }

    /// Runs `work` by `read`, first for a slice.
    async fn bounded<T, F, R>(&self, waits: Waits, read: R, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: Fn(&Connection) -> Result<T> + Send + 'static,
        R: Fn(&mut Connection, Bounds, &F) -> Result<Option<T>> + Copy + Send + 'static,
    {
        let (found, work) = attempt(&self.quick, waits.bounds(self.slice), read, work).await?;
        if let Some(found) = found {
            return Ok(found);
        }
        let (found, _) = attempt(&self.slow, waits.bounds(self.longest), read, work).await?;
        found.ok_or_else(|| too_slow(self.longest))
    }

    /// Runs a single statement that looks something up by key, here and now where a
    /// connection is free for it.
    pub async fn by_key<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T> + Send + 'static,
    {
        if let Some(free) = self.look_ups.free() {
            return guarded(|| work(&free));
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
        self.quick.close();
        self.slow.close();
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

impl Waits {
    fn bounds(&self, longest: Duration) -> Bounds {
        Bounds {
            is_left: Arc::clone(&self.is_left),
            longest,
            steps: STEPS,
        }
    }

    /// Until the first look at the time, which comes soon.
    fn few_steps(&self) -> Bounds {
        Bounds {
            steps: AT_ONCE,
            ..self.bounds(Duration::ZERO)
        }
    }
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

/// Runs `work` by `read` in a lane, unless its caller has gone. Answers what it found, nothing
/// when its time was up before, and gives `work` back.
async fn attempt<T, F, R>(lane: &Lane, bounds: Bounds, read: R, work: F) -> Result<(Option<T>, F)>
where
    T: Send + 'static,
    F: Send + 'static,
    R: FnOnce(&mut Connection, Bounds, &F) -> Result<Option<T>> + Send + 'static,
{
    let (reply, answer) = oneshot::channel();
    let job: Job = Box::new(move |connection| {
        if !bounds.is_left.load(Ordering::Relaxed) {
            let found = read(connection, bounds, &work);
            let _ = reply.send(found.map(|found| (found, work)));
        }
    });
    put(lane, job)?;
    answer.await.map_err(|_| stopping())?
}

/// What ends a read before it is done.
struct Bounds {
    /// Whether its caller has gone.
    is_left: Arc<AtomicBool>,
    /// How long it may take.
    longest: Duration,
    /// After how many steps the first look at that comes, and each further one.
    steps: i32,
}

impl Bounds {
    /// Runs a read that is interrupted when its time is up or its caller has gone; nothing when
    /// its time was up.
    fn run<T>(
        self,
        connection: &mut Connection,
        work: impl FnOnce(&Connection) -> Result<T>,
    ) -> Result<Option<T>> {
        let Self {
            is_left,
            longest,
            steps,
        } = self;
        let until = Instant::now() + longest;
        let is_up = Arc::new(AtomicBool::new(false));
        let marked = Arc::clone(&is_up);
        let ends = move || {
            let is_over = Instant::now() >= until;
            marked.fetch_or(is_over, Ordering::Relaxed);
            is_over || is_left.load(Ordering::Relaxed)
        };
        connection.progress_handler(steps, Some(ends))?;
        let result = guarded(|| work(connection));
        connection.progress_handler(0, None::<fn() -> bool>)?;
        match result {
            Err(_) if is_up.load(Ordering::Relaxed) => Ok(None),
            result => result.map(Some),
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
mod tests;
