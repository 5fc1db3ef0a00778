//! Who listens to events hears each once, in the order of arrival, and misses none.
//!
//! What is committed is told to all listeners at once, who each take what they asked for. The
//! store has all of it as well: whoever falls behind reads there what it did not hear, so that a
//! slow listener costs no memory.

use std::sync::Arc;

use tokio::sync::broadcast::error::RecvError;
use tokio::sync::broadcast::{self, Receiver, Sender};

use crate::app::App;
use crate::domain::error::{Error, Result};
use crate::domain::event::Stored;
use crate::domain::event::filter::Filter;
use crate::storage::events::{self, Cursor, Part};

/// How many commits a listener may be behind before it reads what it missed from the store.
const BACKLOG: usize = 512;
/// The most bytes of an event that is told with all that it says, so that a full backlog is not
/// much.
pub(super) const MOST_CARRIED: usize = 16 * 1024;
/// How many events are read at once.
const PAGE: u64 = 250;

/// That an event has been committed.
#[derive(Clone, Debug)]
pub struct Told {
    /// Its place.
    pub(super) place: i64,
    /// The event, unless it is large.
    pub(super) event: Option<Arc<Stored>>,
}

/// What is told to listeners.
#[derive(Debug)]
pub(in crate::app) struct Feed(Sender<Arc<[Told]>>);

impl Default for Feed {
    fn default() -> Self {
        Self(broadcast::channel(BACKLOG).0)
    }
}

impl Feed {
    /// Tells all that one commit brought.
    pub fn tell(&self, told: &[Told]) {
        if !told.is_empty() && self.0.receiver_count() > 0 {
            // It fails only when nobody listens any more.
            let _ = self.0.send(told.into());
        }
    }
}

/// A listener that hears of the events that a filter asks for.
pub struct Subscription {
    app: App,
    filter: Filter,
    receiver: Receiver<Arc<[Told]>>,
    /// Up to which place all was heard; what is still to come of the past lies before it.
    heard: i64,
    /// Up to which place the store has to be read before it is listened again.
    owed: i64,
    past: Past,
}

/// What is still to come of what was there before.
enum Past {
    /// All that comes after that one.
    From(Option<Cursor>),
    /// Nothing.
    Done,
}

impl Subscription {
    /// Begins to listen, and then looks what is there, so that nothing is between both.
    pub(super) async fn begin(app: &App, mut filter: Filter, backfill: bool) -> Result<Self> {
        let receiver = app.inner.shared.feed.0.subscribe();
        filter.newest_first = false;
        filter.distinct = false;
        let heard = app.read(events::last).await?;
        Ok(Self {
            app: app.clone(),
            filter,
            receiver,
            heard,
            owed: heard,
            past: match backfill {
                true => Past::From(None),
                false => Past::Done,
            },
        })
    }

    /// The next events, one at least: those of the past by when they happened, then those that
    /// come in the order of their arrival. May be given up at any time and asked again.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub async fn next(&mut self) -> Result<Vec<Arc<Stored>>> {
        loop {
            let some = match &self.past {
                Past::From(after) => self.past_page(*after).await?,
                Past::Done => self.coming().await?,
            };
            if !some.is_empty() {
                return Ok(some);
            }
        }
    }

    async fn past_page(&mut self, after: Option<Cursor>) -> Result<Vec<Arc<Stored>>> {
        let filter = self.filter.clone();
        let part = Part {
            after,
            up_to: Some(self.heard),
            limit: PAGE,
        };
        let page = self
            .app
            .scan(move |db| events::page(db, &filter, part))
            .await?;
        self.past = match page.last().filter(|_| page.len() as u64 == PAGE) {
            Some(last) => Past::From(Some(Cursor::after(last))),
            None => Past::Done,
        };
        Ok(page.into_iter().map(Arc::new).collect())
    }

    async fn coming(&mut self) -> Result<Vec<Arc<Stored>>> {
        if self.heard < self.owed {
            return self.missed().await;
        }
        let told = match self.receiver.recv().await {
            Ok(told) => told,
            Err(RecvError::Lagged(_)) => {
                self.owed = i64::MAX;
                return Ok(Vec::new());
            }
            Err(RecvError::Closed) => return Err(Error::internal("nobody tells of events")),
        };
        let new = || told.iter().filter(|one| one.place > self.heard);
        match new().map(|one| one.event.clone()).collect() {
            Some(events) => Ok(self.taken(events)),
            None => {
                self.owed = new().map(|one| one.place).max().unwrap_or(self.owed);
                Ok(Vec::new())
            }
        }
    }

    /// Reads some of what was not heard.
    async fn missed(&mut self) -> Result<Vec<Arc<Stored>>> {
        let heard = self.heard;
        let read = self
            .app
            .read(move |db| events::after(db, heard, PAGE))
            .await?;
        if read.is_empty() {
            // That is all there is; what is committed from here on is told.
            self.owed = self.heard;
        }
        Ok(self.taken(read.into_iter().map(Arc::new).collect()))
    }

    /// Those of some events that are asked for; all of them are heard now.
    fn taken(&mut self, events: Vec<Arc<Stored>>) -> Vec<Arc<Stored>> {
        let last = events.last().map_or(self.heard, |event| event.place);
        self.heard = self.heard.max(last);
        let asked = events.into_iter();
        asked
            .filter(|stored| self.filter.takes(&stored.event))
            .collect()
    }
}

#[cfg(test)]
mod tests;
