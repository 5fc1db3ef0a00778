//! What waits for the writer, in two lanes: what a person or a run waits for goes first, and
//! what is bulk goes when there is room, or has waited long enough.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex, MutexGuard};

/// The most jobs that may wait in a lane.
pub(super) const MOST: usize = 4096;
/// The most bytes that the jobs of a lane may hold while they wait. A single one may hold more.
pub(super) const BYTES: usize = 32 * 1024 * 1024;
/// Up to so many bytes a job is small: the number of those that may wait bounds them.
pub(super) const SMALL: usize = 16 * 1024;
/// For how long nothing prompt must have come before what is bulk goes: a client that has its
/// answer is likely to ask for the next thing at once.
const QUIET: Duration = Duration::from_millis(1);
/// How long what is bulk waits for that at most.
const STARVED: Duration = Duration::from_millis(20);
/// For how long it then goes on, though something prompt waits: a sixth of the time is its own.
const SHARE: Duration = Duration::from_millis(4);

/// Which of what waits goes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    /// Somebody waits for it.
    Prompt,
    /// It is much, or nobody waits for it.
    Bulk,
}

/// What the writer should know of a write before it is carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Job {
    /// Where it waits.
    pub lane: Lane,
    /// About how many bytes it holds meanwhile.
    pub bytes: usize,
}

impl Job {
    /// One that somebody waits for.
    pub const fn prompt(bytes: usize) -> Self {
        let lane = Lane::Prompt;
        Self { lane, bytes }
    }

    /// One that can wait.
    pub const fn bulk(bytes: usize) -> Self {
        let lane = Lane::Bulk;
        Self { lane, bytes }
    }

    /// One that is bulk if it is large: what is small goes along with the rest at no cost.
    pub const fn of_size(bytes: usize) -> Self {
        match bytes {
            0..=SMALL => Self::prompt(bytes),
            _ => Self::bulk(bytes),
        }
    }
}

/// The two lanes. One thread takes from them.
pub(super) struct Lanes<T> {
    inner: Mutex<Inner<T>>,
    ready: Condvar,
}

struct Inner<T> {
    prompt: Waiting<T>,
    bulk: Waiting<T>,
    /// When the last job of each was handed out.
    last_prompt: Option<Instant>,
    last_bulk: Option<Instant>,
    is_idle: bool,
    is_open: bool,
}

struct Waiting<T> {
    jobs: VecDeque<(T, usize, Instant)>,
    bytes: usize,
}

/// Why a job was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// As much as may wait does.
    Full,
    /// Nobody works any more.
    Closed,
}

/// What there is for the thread that takes.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next<T> {
    /// A job, and the lane that it comes from.
    Job(T, Lane),
    /// Nothing in that time.
    Nothing,
    /// Nothing any more: the lanes are closed and empty.
    End,
}

impl<T> Lanes<T> {
    /// Empty ones.
    pub fn new() -> Self {
        let lane = || Waiting {
            jobs: VecDeque::new(),
            bytes: 0,
        };
        Self {
            inner: Mutex::new(Inner {
                prompt: lane(),
                bulk: lane(),
                last_prompt: None,
                last_bulk: None,
                is_idle: false,
                is_open: true,
            }),
            ready: Condvar::new(),
        }
    }

    /// Hands in a job.
    pub fn push(&self, work: T, job: Job) -> Result<(), Refused> {
        let mut inner = self.lock();
        if !inner.is_open {
            return Err(Refused::Closed);
        }
        inner.lane(job.lane).push(work, job.bytes)?;
        let is_awaited = inner.is_idle;
        drop(inner);
        if is_awaited {
            self.ready.notify_one();
        }
        Ok(())
    }

    /// Waits for the next job, for as long as `patience` if that is given.
    pub fn next(&self, patience: Option<Duration>) -> Next<T> {
        let until = patience.map(|patience| Instant::now() + patience);
        let mut inner = self.lock();
        loop {
            let now = Instant::now();
            if let Some((work, lane)) = inner.take(now) {
                return Next::Job(work, lane);
            }
            if !inner.is_open && inner.bulk.jobs.is_empty() {
                return Next::End;
            }
            let is_over = until.is_some_and(|until| now >= until);
            if is_over {
                return Next::Nothing;
            }
            let wake = [until, inner.bulk_is_due()].into_iter().flatten().min();
            inner.is_idle = true;
            match wake {
                Some(wake) => {
                    self.ready.wait_until(&mut inner, wake);
                }
                None => self.ready.wait(&mut inner),
            }
            inner.is_idle = false;
        }
    }

    /// The next job that may share a commit with one of `lane` that has taken so long already,
    /// without waiting: hardly any of the bulk lane once something prompt is there.
    pub fn more(&self, lane: Lane, taken: Duration) -> Option<T> {
        let mut inner = self.lock();
        match lane {
            Lane::Prompt => inner.take_prompt(),
            Lane::Bulk if inner.prompt.jobs.is_empty() || inner.has_share(taken) => {
                inner.take_bulk()
            }
            Lane::Bulk => None,
        }
    }

    /// How many jobs wait.
    pub fn waiting(&self) -> usize {
        let inner = self.lock();
        inner.prompt.jobs.len() + inner.bulk.jobs.len()
    }

    /// Takes no more; what waits is still handed out.
    pub fn close(&self) {
        self.lock().is_open = false;
        self.ready.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, Inner<T>> {
        self.inner.lock()
    }
}

impl<T> Inner<T> {
    fn lane(&mut self, lane: Lane) -> &mut Waiting<T> {
        match lane {
            Lane::Prompt => &mut self.prompt,
            Lane::Bulk => &mut self.bulk,
        }
    }

    /// The next job that may go at `now`.
    fn take(&mut self, now: Instant) -> Option<(T, Lane)> {
        let is_starved = self.starved_at().is_some_and(|at| at <= now);
        if !is_starved && let Some(work) = self.take_prompt() {
            return Some((work, Lane::Prompt));
        }
        let is_due = !self.is_open || self.bulk_is_due().is_some_and(|due| due <= now);
        let bulk = is_due.then(|| self.take_bulk()).flatten();
        bulk.map(|work| (work, Lane::Bulk))
    }

    fn take_prompt(&mut self) -> Option<T> {
        let work = self.prompt.pop()?;
        self.last_prompt = Some(Instant::now());
        Some(work)
    }

    fn take_bulk(&mut self) -> Option<T> {
        let work = self.bulk.pop()?;
        self.last_bulk = Some(Instant::now());
        Some(work)
    }

    /// Whether a commit of bulk jobs that has taken so long goes on before what is prompt.
    fn has_share(&self, taken: Duration) -> bool {
        let since = self.bulk.jobs.front().map(|(_, _, since)| since);
        taken < SHARE && since.is_some_and(|since| since.elapsed() >= STARVED)
    }

    /// From when on the next bulk job goes before what is prompt, if there is one.
    fn starved_at(&self) -> Option<Instant> {
        let (_, _, since) = self.bulk.jobs.front()?;
        let since = self.last_bulk.map_or(*since, |last| last.max(*since));
        Some(since + STARVED)
    }

    /// From when on the next bulk job may go, if there is one.
    fn bulk_is_due(&self) -> Option<Instant> {
        let (_, _, since) = self.bulk.jobs.front()?;
        let quiet = self.last_prompt.map_or(*since, |last| last + QUIET);
        Some(quiet.min(self.starved_at()?))
    }
}

impl<T> Waiting<T> {
    fn push(&mut self, work: T, bytes: usize) -> Result<(), Refused> {
        let has_room = bytes <= SMALL || self.bytes == 0 || self.bytes + bytes <= BYTES;
        if self.jobs.len() >= MOST || !has_room {
            return Err(Refused::Full);
        }
        self.bytes += bytes;
        self.jobs.push_back((work, bytes, Instant::now()));
        Ok(())
    }

    fn pop(&mut self) -> Option<T> {
        let (work, bytes, _) = self.jobs.pop_front()?;
        self.bytes -= bytes;
        Some(work)
    }
}

#[cfg(test)]
mod tests;
