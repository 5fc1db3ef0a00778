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
    pub automations: automations::Memory,
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

/// Whom the effects of transactions wake.
struct Bells {
    agents: Bell,
    news: Bell,
    deadlines: Bell,
    tasks: Bell,
    automations: automations::Memory,
}

impl Effects {
    fn has(&self, is_it: impl Fn(&Effect) -> bool) -> bool {
        self.all.iter().any(is_it)
    }

    /// On the writer's thread, so nothing here takes long.
    fn carry_out(&self, bells: &Bells, feed: &Feed) {
        feed.tell(&self.told);
        for effect in &self.all {
            match effect {
                Effect::WakeAgents => bells.agents.ring(),
                Effect::TellNews => bells.news.ring(),
                Effect::WakeDeadlines => bells.deadlines.ring(),
                Effect::WakeTaskServers => bells.tasks.ring(),
                Effect::KeepAutomations => bells.automations.keep(),
                Effect::WakeActions => bells.automations.actions.ring(),
                Effect::WakeTriggers => bells.automations.windows.ring(),
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
        let clock = Arc::clone(&self.inner.clock);
        let automations = self.inner.automations.clone();
        let has_agent = self.inner.agents.has_embedded();
        let work = move |db: &Connection| {
            let mut tx = Tx {
                db,
                now: clock.now(),
                key,
                automations,
                has_agent,
                effects: Effects::default(),
            };
            let done = tx.once(write, work)?;
            Ok((done, tx.effects))
        };
        let bells = Bells {
            agents: self.agent_bell(),
            news: self.news_bell(),
            deadlines: self.deadline_bell(),
            tasks: self.inner.task_bell.clone(),
            automations: self.inner.automations.clone(),
        };
        let feed = self.inner.feed.clone();
        let then = move |(_, effects): &(T, Effects)| effects.carry_out(&bells, &feed);
        let (done, _) = self.inner.store.write_as(job, work, then).await?;
        Ok(done)
    }
}
