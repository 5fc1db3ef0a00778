//! The connections on which things are looked up where that is asked for.
//!
//! Each read that begins or ends takes a lock that all connections of the process share, and asks the
//! kernel for another one under it. That takes as long as many a look-up, and those that run at once
//! wait for each other. So what a connection sees is kept from one look-up to the next, until something
//! is committed.
//!
//! What somebody sees is not carried over from the log, and as long as somebody sees the log it does not
//! begin anew. So all is let go before the log is carried over and again after it, and nothing is
//! kept while the log is long. What another program writes into the file is seen then.

use std::ops::{Deref, DerefMut};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use parking_lot::{Mutex, MutexGuard};
use rusqlite::Connection;

use super::connection;
use super::write::perform;
use crate::domain::error::Result;

/// How many look-ups may run at once where they are asked.
const CONNECTIONS: usize = 2;
/// From so many pages on the log is long: half of what it begins anew with.
const LONG: i64 = 8 * 1024;

/// Connections, each with what it sees.
pub(super) struct LookUps {
    each: Vec<Mutex<LookUp>>,
    /// How often something was committed.
    commits: AtomicU64,
    /// Whether the log is short, so that what is seen may be kept.
    is_short: AtomicBool,
    is_closed: AtomicBool,
}

struct LookUp {
    connection: Connection,
    /// How often something had been committed when this was last used. In a transaction, what it
    /// sees is as new as that.
    seen: u64,
}

impl LookUps {
    /// Opens them on the file.
    pub fn open(path: &Path) -> Result<Arc<Self>> {
        let open = || -> Result<Mutex<LookUp>> {
            let connection = connection::open_reader(path)?;
            Ok(Mutex::new(LookUp {
                connection,
                seen: 0,
            }))
        };
        let each: Result<Vec<_>> = (0..CONNECTIONS).map(|_| open()).collect();
        Ok(Arc::new(Self::of(each?)))
    }

    /// None at all.
    pub fn none() -> Arc<Self> {
        Arc::new(Self::of(Vec::new()))
    }

    fn of(each: Vec<Mutex<LookUp>>) -> Self {
        Self {
            each,
            commits: AtomicU64::new(0),
            is_short: AtomicBool::new(true),
            is_closed: AtomicBool::new(false),
        }
    }

    /// A connection that sees all that has been committed; none where all are in use.
    pub fn free(&self) -> Option<Free<'_>> {
        let mut look_up = self.each.iter().find_map(Mutex::try_lock)?;
        // Asked before anything is read: what is committed from now on may be seen as well.
        let commits = self.commits.load(Ordering::Acquire);
        match look_up.renew(commits, self.keeps()) {
            Ok(()) => Some(Free(look_up)),
            Err(error) => {
                tracing::warn!(%error, "a connection does not see what is new");
                None
            }
        }
    }

    fn keeps(&self) -> bool {
        self.is_short.load(Ordering::Relaxed) && !self.is_closed.load(Ordering::Relaxed)
    }

    /// Something was committed, of which nobody knows yet: who looks from now on has to see it.
    pub fn committed(&self) {
        self.commits.fetch_add(1, Ordering::Release);
    }

    /// Lets go of all that is seen.
    pub fn let_go(&self) {
        for look_up in &self.each {
            look_up.lock().let_go();
        }
    }

    /// The log has so many pages; fewer than none where nobody could look.
    pub fn log_has(&self, pages: i64) {
        let is_short = (0..LONG).contains(&pages);
        self.is_short.store(is_short, Ordering::Relaxed);
    }

    /// Lets go of all that is seen, and keeps nothing from now on.
    pub fn close(&self) {
        self.is_closed.store(true, Ordering::Relaxed);
        self.let_go();
    }
}

/// A connection to look something up on, by one statement at a time.
pub(super) struct Free<'a>(MutexGuard<'a, LookUp>);

impl Deref for Free<'_> {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        &self.0.connection
    }
}

impl DerefMut for Free<'_> {
    fn deref_mut(&mut self) -> &mut Connection {
        &mut self.0.connection
    }
}

impl LookUp {
    /// Sees all that had been committed. What it sees is kept once it is asked a second time without
    /// anything in between: where much is written that would be for nothing.
    fn renew(&mut self, commits: u64, keeps: bool) -> Result<()> {
        let is_same = self.seen == commits;
        match (self.is_kept(), is_same && keeps) {
            (true, false) => perform(&self.connection, "COMMIT")?,
            (false, true) => perform(&self.connection, "BEGIN")?,
            _ => {}
        }
        self.seen = commits;
        Ok(())
    }

    fn is_kept(&self) -> bool {
        !self.connection.is_autocommit()
    }

    fn let_go(&mut self) {
        if self.is_kept()
            && let Err(error) = perform(&self.connection, "COMMIT")
        {
            tracing::warn!(%error, "a connection does not let go of what it sees");
        }
    }
}

#[cfg(test)]
mod tests;
