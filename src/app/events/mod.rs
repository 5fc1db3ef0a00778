//! Verbs on events: storing them, asking for them, hearing of them.

mod feed;
mod recorder;

use std::sync::Arc;

use futures_util::future::try_join_all;

use super::App;
use super::automations;
use super::request::comes_to_the_same;
use super::tx::{Effect, Tx};
use crate::domain::access::run_key::mask_keys;
use crate::domain::error::{Error, Result};
use crate::domain::event::filter::Filter;
use crate::domain::event::told::ToldTaskRun;
use crate::domain::event::{Countable, Event, MOST_BYTES, Stored, Tally};
use crate::domain::history::Buckets;
use crate::storage::Job;
use crate::storage::events::{self, Added, Part, Texts};

pub use crate::storage::events::Cursor;
pub(super) use feed::Feed;
pub use feed::{Subscription, Told};

/// How many events one transaction stores, and about how many bytes of them, so that others do not
/// wait long.
const AT_ONCE: usize = 50;
/// See [`AT_ONCE`].
const BYTES_AT_ONCE: usize = 256 * 1024;
/// About what an event takes beside its texts, in bytes.
const EVENT: usize = 500;

/// An event with all that can be made of it before the writer's turn.
struct Draft {
    event: Event,
    texts: Texts,
    task_run: Option<ToldTaskRun>,
}

impl Draft {
    fn of(mut event: Event) -> Result<Self> {
        // What a client tells of a request that failed names the address.
        event.payload.values_mut().for_each(mask_keys);
        let texts = Texts::of(&event)?;
        if texts.bytes() > MOST_BYTES {
            let words = format!("An event must have at most {MOST_BYTES} bytes.");
            return Err(Error::invalid(words));
        }
        Ok(Self {
            texts,
            task_run: ToldTaskRun::of(&event),
            event,
        })
    }

    fn bytes(&self) -> usize {
        EVENT + self.texts.bytes()
    }
}

/// A page of events.
#[derive(Clone, Debug, PartialEq)]
pub struct EventPage {
    /// The events.
    pub events: Vec<Stored>,
    /// After which event the next page begins, where there is one.
    pub next: Option<Cursor>,
}

/// Whether events are stored. Those that come again are known by their ids.
struct Kept;

comes_to_the_same!(Kept);

impl App {
    /// Stores events in their order, once each, and makes of them the task runs that they tell of.
    /// Very many go in several transactions; this answers once all are committed.
    ///
    /// # Errors
    /// Where some may not be stored. To send all of them again is right.
    pub async fn store_events(&self, events: Vec<Event>) -> Result<()> {
        let drafts = events
            .into_iter()
            .map(Draft::of)
            .collect::<Result<Vec<_>>>()?;
        let writes = slices(drafts).into_iter().map(|slice| {
            let bytes = slice.iter().map(Draft::bytes).sum();
            self.write_as(Job::bulk(bytes), move |tx| {
                let mut each = slice.into_iter();
                events::counting(tx.db, |added| {
                    each.try_for_each(|draft| store(tx, draft, added))
                })?;
                Ok(Kept)
            })
        });
        try_join_all(writes).await.map(drop)
    }

    /// A page of the events that a filter asks for.
    pub async fn events(
        &self,
        filter: Filter,
        after: Option<Cursor>,
        limit: u64,
    ) -> Result<EventPage> {
        filter.check()?;
        self.scan(move |db| {
            let limit_and_one = limit.saturating_add(1);
            let part = Part {
                after,
                up_to: None,
                limit: limit_and_one,
            };
            let mut events = events::page(db, &filter, part)?;
            let has_more = events.len() as u64 > limit;
            events.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
            let next = events.last().filter(|_| has_more).map(Cursor::after);
            Ok(EventPage { events, next })
        })
        .await
    }

    /// How many events a filter asks for.
    pub async fn count_events(&self, filter: Filter) -> Result<u64> {
        filter.check()?;
        self.scan(move |db| events::count(db, &filter)).await
    }

    /// How many of the events that a filter asks for there are of each of something, the most
    /// first; `limit` things at most.
    pub async fn tally_events(
        &self,
        filter: Filter,
        by: Countable,
        limit: u64,
    ) -> Result<Vec<Tally>> {
        filter.check()?;
        self.scan(move |db| events::tallies(db, &filter, by, limit))
            .await
    }

    /// How many of the events that a filter asks for there are in each part of time that has any.
    pub async fn events_over_time(
        &self,
        filter: Filter,
        buckets: Buckets,
    ) -> Result<Vec<(i64, u64)>> {
        filter.check()?;
        self.scan(move |db| events::over_time(db, &filter, buckets))
            .await
    }

    /// Hears of the events that a filter asks for: those that are there, if they are wanted, and
    /// then those that come.
    ///
    /// # Errors
    /// [`Kind::Invalid`](crate::domain::error::Kind::Invalid) for a filter that asks too much.
    pub async fn hear_events(&self, filter: Filter, backfill: bool) -> Result<Subscription> {
        filter.check()?;
        Subscription::begin(self, filter, backfill).await
    }
}

/// The events by the transactions that store them.
fn slices(drafts: Vec<Draft>) -> Vec<Vec<Draft>> {
    let mut slices: Vec<Vec<Draft>> = Vec::new();
    let mut bytes = 0;
    for draft in drafts {
        bytes += draft.bytes();
        match slices.last_mut() {
            Some(last) if last.len() < AT_ONCE && bytes <= BYTES_AT_ONCE => last.push(draft),
            _ => {
                bytes = draft.bytes();
                slices.push(vec![draft]);
            }
        }
    }
    slices
}

/// Stores an event that is not there yet, with what it tells of a task run, and has whoever listens
/// told.
fn store(tx: &mut Tx<'_>, draft: Draft, added: &mut Added) -> Result<()> {
    let Some(place) = events::insert(tx.db, &draft.event, &draft.texts, tx.now, added)? else {
        return Ok(());
    };
    if let Some(told) = &draft.task_run {
        recorder::record(tx, told)?;
    }
    let bytes = draft.bytes();
    let stored = Stored {
        place,
        received: tx.now,
        event: draft.event,
    };
    automations::see(tx, &stored)?;
    tx.tell(Told::of(stored, bytes));
    Ok(())
}

/// Stores an event of the daemon's own. Whoever watches a list of what it is about looks again.
pub(super) fn emit(tx: &mut Tx<'_>, event: Event) -> Result<()> {
    tx.entail(Effect::TellNews);
    let draft = Draft {
        texts: Texts::of(&event)?,
        task_run: None,
        event,
    };
    events::counting(tx.db, |added| store(tx, draft, added))
}

impl Told {
    fn of(stored: Stored, bytes: usize) -> Self {
        Self {
            place: stored.place,
            event: (bytes <= feed::MOST_CARRIED).then(|| Arc::new(stored)),
        }
    }
}
