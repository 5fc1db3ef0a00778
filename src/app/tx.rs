//! The transaction of a verb: what it reads and writes with, and what it entails.
//!
//! A verb is a function of a [`Tx`], so that one verb can be made of others: whatever they
//! entail is gathered, and carried out once all of it is committed.

use std::sync::Arc;

use uuid::Uuid;

use super::App;
use super::automations;
use super::bell::Bell;
use super::events::{Feed, Told};
use super::request::{self, Repeat, WriteKey};
use super::runs::crash::Crash;
use crate::clock::SharedClock;
use crate::domain::error::Result;
use crate::domain::time::Timestamp;
use crate::storage::{Connection, Job};

/// One transaction of the writer.
pub(super) struct Tx<'db> {
    /// The writing connection.
    pub db: &'db Connection,
    /// The one moment at which all of it happens.
    pub now: Timestamp,
    /// The key of the request that is carried out, where that has one.
    pub key: Option<Uuid>,
    /// The automations that look at events.
    pub automations: &'db automations::Memory,
    /// Whether this daemon's agent works.
    pub has_agent: bool,
    effects: Effects,
}

/// Something that a transaction entails beside what it writes.
pub(super) enum Effect {
    /// Agents look for what there is to do.
    WakeAgents,
    /// Who follows runs looks at what they did and said.
    TellNews,
    /// Whoever sleeps until something ends looks when that is.
    WakeDeadlines,
    /// Who serves background tasks looks for one.
    WakeTaskServers,
    /// Automations are others than before.
    KeepAutomations,
    /// Automations have something to do.
    WakeActions,
    /// Whoever sleeps until a trigger's window has passed looks when that is.
    WakeTriggers,
    /// The log tells that a run has crashed.
    TellCrash(Crash),
}

/// What is done in a transaction. In a box: it is handed on a few times before the writer has it, and
/// is as large as what it writes.
type Work<T> = Box<dyn FnOnce(&mut Tx<'_>) -> Result<T> + Send>;

/// What transactions entail, in order, and the events that are told of them.
#[derive(Default)]
struct Effects {
    all: Vec<Effect>,
    told: Vec<Told>,
}

impl Tx<'_> {
    /// Has something done after the commit and before the answer, whether or not the caller is
    /// still there. It is not done where the transaction fails.
    pub fn entail(&mut self, effect: Effect) {
        let is_there = match effect {
            Effect::WakeAgents => self.effects.has(|one| matches!(one, Effect::WakeAgents)),
            Effect::TellNews => self.effects.has(|one| matches!(one, Effect::TellNews)),
            Effect::WakeDeadlines => self.effects.has(|one| matches!(one, Effect::WakeDeadlines)),
            Effect::WakeTaskServers => self
                .effects
                .has(|one| matches!(one, Effect::WakeTaskServers)),
            Effect::KeepAutomations => self
                .effects
                .has(|one| matches!(one, Effect::KeepAutomations)),
            Effect::WakeActions => self.effects.has(|one| matches!(one, Effect::WakeActions)),
            Effect::WakeTriggers => self.effects.has(|one| matches!(one, Effect::WakeTriggers)),
            Effect::TellCrash(_) => false,
        };
        if !is_there {
            self.effects.all.push(effect);
        }
    }

    /// Has those who listen told of an event that this transaction has stored, likewise.
    pub fn tell(&mut self, told: Told) {
        self.effects.told.push(told);
    }

    /// Carries out what a request asks for, unless that was done already.
    fn once<T: Repeat>(
        &mut self,
        write: Option<WriteKey>,
        work: impl FnOnce(&mut Self) -> Result<T>,
    ) -> Result<T> {
        let Some(write) = write else {
            return work(self);
        };
        if let Some(made) = write.found(self.db)? {
            return T::again(self, &made);
        }
        let done = work(self)?;
        if let Some(made) = done.made() {
            write.note(self.db, &made, self.now)?;
        }
        Ok(done)
    }
}

/// What all transactions go by beside the database, and whom their effects wake. A write takes one handle to
/// all of it along: writes go from one thread to another, which wait for each other at each count of handles.
pub(super) struct Shared {
    /// The clock.
    pub clock: SharedClock,
    /// Rung for agents.
    pub agents: Bell,
    /// Rung for who follows runs.
    pub news: Bell,
    /// Rung for whoever sleeps until something ends.
    pub deadlines: Bell,
    /// Rung for who serves background tasks.
    pub tasks: Bell,
    /// The automations that look at events.
    pub automations: automations::Memory,
    /// Who listens to events.
    pub feed: Feed,
}

impl Shared {
    /// By that clock; nobody listens yet.
    pub fn with(clock: SharedClock) -> Self {
        Self {
            clock,
            agents: Bell::default(),
            news: Bell::default(),
            deadlines: Bell::default(),
            tasks: Bell::default(),
            automations: automations::Memory::default(),
            feed: Feed::default(),
        }
    }
}

/// What a transaction has done, and what that entails.
struct Done<T> {
    done: T,
    effects: Effects,
    shared: Arc<Shared>,
}

impl Effects {
    fn has(&self, is_it: impl Fn(&Effect) -> bool) -> bool {
        self.all.iter().any(is_it)
    }

    /// On the writer's thread, so nothing here takes long.
    fn carry_out(&self, shared: &Shared) {
        shared.feed.tell(&self.told);
        for effect in &self.all {
            match effect {
                Effect::WakeAgents => shared.agents.ring(),
                Effect::TellNews => shared.news.ring(),
                Effect::WakeDeadlines => shared.deadlines.ring(),
                Effect::WakeTaskServers => shared.tasks.ring(),
                Effect::KeepAutomations => shared.automations.keep(),
                Effect::WakeActions => shared.automations.actions.ring(),
                Effect::WakeTriggers => shared.automations.windows.ring(),
                Effect::TellCrash(crash) => crash.tell(),
            }
        }
    }
}

impl App {
    /// One transaction of the writer, for what somebody waits for.
    pub(super) fn write<T, F>(&self, work: F) -> impl Future<Output = Result<T>> + Send
    where
        T: Repeat,
        F: FnOnce(&mut Tx<'_>) -> Result<T> + Send + 'static,
    {
        self.write_as(Job::prompt(0), work)
    }

    /// The same, as a job of that kind.
    pub(super) fn write_as<T, F>(&self, job: Job, work: F) -> impl Future<Output = Result<T>> + Send
    where
        T: Repeat,
        F: FnOnce(&mut Tx<'_>) -> Result<T> + Send + 'static,
    {
        self.written(job, Box::new(work))
    }

    async fn written<T: Repeat>(&self, job: Job, work: Work<T>) -> Result<T> {
        let key = request::key();
        let write = request::next_write::<T>();
        let shared = Arc::clone(&self.inner.shared);
        let has_agent = self.inner.agents.has_embedded();
        let work = move |db: &Connection| {
            let mut tx = Tx {
                db,
                now: shared.clock.now(),
                key,
                automations: &shared.automations,
                has_agent,
                effects: Effects::default(),
            };
            let done = tx.once(write, work)?;
            let effects = tx.effects;
            Ok(Done {
                done,
                effects,
                shared,
            })
        };
        let then = |it: &Done<T>| it.effects.carry_out(&it.shared);
        let written = self.inner.store.write_as(job, work, then).await?;
        Ok(written.done)
    }
}
