//! What automations have decided, done in its order.
//!
//! What sends something elsewhere goes on beside the rest, one at a time of each automation, so
//! that who does not answer holds up nobody else. Each action is a request of its own, with a key:
//! whatever was done of it before a daemon died is not done again by the next one. What became of
//! it is told in the transaction that notes that it was done.

use std::time::Duration;

use tokio::task::JoinSet;

use super::acting::{Acting, failed, is_ours};
use super::context;
use super::sending::Attempt;
use crate::app::{App, RequestKey, events, under};
use crate::domain::automation::action::Action;
use crate::domain::automation::told::{self, Doing, Outcome};
use crate::domain::error::{Error, Result};
use crate::domain::event::Stored;
use crate::domain::ids::AutomationId;
use crate::domain::time::{Span, Timestamp};
use crate::storage::automations::work::{self, Work};
use crate::storage::events as stored_events;

/// How often an action is tried that fails because of ourselves, or because nobody took what was
/// sent.
const MOST_TRIES: i64 = 5;
/// How long after the first failure it is tried again; the second takes twice that, and so on.
const PAUSE: Span = Span::from_micros(2_000_000);
/// How many actions send something at once.
const MOST_OUTSIDE: usize = 16;
/// How often it is looked for work whose time has come, while something is being sent.
const LOOK: Duration = Duration::from_secs(1);

impl App {
    /// Does what automations have decided, all that is due; answers when there is more.
    pub async fn do_actions(&self) -> Result<Option<Timestamp>> {
        let mut outside = Outside::default();
        let taken = self.take_actions(&mut outside).await;
        // What is being sent is not broken off because of something else.
        while outside.ended().await.transpose()?.is_some() {}
        taken
    }

    async fn take_actions(&self, outside: &mut Outside) -> Result<Option<Timestamp>> {
        let mut bell = self.action_bell().listen();
        loop {
            let next = match outside.has_room() {
                true => self.next_work(outside.busy.clone()).await?,
                false => None,
            };
            let due = match next {
                Some(work) if work.due > self.now() => Some(work.due),
                Some(work) if is_outside(&work) => {
                    outside.begin(self.clone(), work);
                    continue;
                }
                Some(work) => {
                    self.do_one(work).await?;
                    continue;
                }
                None => None,
            };
            if outside.busy.is_empty() {
                return Ok(due);
            }
            tokio::select! {
                ended = outside.ended() => drop(ended.transpose()?),
                () = bell.rung() => {}
                () = tokio::time::sleep(LOOK) => {}
            }
        }
    }

    async fn next_work(&self, busy: Vec<AutomationId>) -> Result<Option<Work>> {
        self.read(move |db| work::next(db, &busy)).await
    }

    async fn do_one(&self, work: Work) -> Result<()> {
        let place = work.fired.firing.event;
        let told = work.fired.told;
        let is_of_trigger = is_of_trigger(&work);
        let because = self.read(move |db| match (is_of_trigger, place) {
            (true, _) => stored_events::by_id(db, told),
            (false, Some(place)) => stored_events::by_place(db, place),
            (false, None) => Ok(None),
        });
        let because = because.await?;
        let Some(action) = action_of(&work) else {
            return self.tell_firing(work, because).await;
        };
        let key = RequestKey::new(work.id, &[b"automation"]);
        let acting = Acting {
            app: self,
            work: &work,
            action: &action,
            because: because.as_ref(),
        };
        match under(Some(key), acting.act()).await {
            Err(error) if is_ours(error.kind()) && work.tries < MOST_TRIES => {
                let sent = work.sent;
                self.postpone(work, sent, error.message().to_owned()).await
            }
            Ok(Attempt::Again(outcome, sent)) if work.tries < MOST_TRIES => {
                let log = outcome.details.get("notification_log");
                let log = log.and_then(|log| log.as_str()).map(str::to_owned);
                let why = log.or(outcome.failure).unwrap_or_default();
                self.postpone(work, sent, why).await
            }
            done => {
                let done = done.map(|attempt| match attempt {
                    Attempt::Over(outcome) | Attempt::Again(outcome, _) => outcome,
                });
                self.tell_action(work, action, because, done).await
            }
        }
    }

    /// Has an action be tried again, of which so many messages have arrived.
    async fn postpone(&self, work: Work, sent: i64, why: String) -> Result<()> {
        tracing::warn!(automation = %work.fired.automation, %why, "an action will be tried again");
        let pause = Span::from_micros(PAUSE.micros() << work.tries);
        self.write(move |tx| work::postpone(tx.db, &work, tx.now + pause, sent))
            .await
    }

    /// Tells that an automation has fired.
    async fn tell_firing(&self, work: Work, because: Option<Stored>) -> Result<()> {
        self.write(move |tx| {
            if !work::done(tx.db, &work)? {
                return Ok(());
            }
            let fired = &work.fired;
            let because = because.map(|stored| (stored.event.id, context::event(&stored)));
            let automation = (fired.automation, &fired.plan);
            let event = told::triggered(automation, fired.told, &fired.firing, because);
            events::emit(tx, event)
        })
        .await
    }

    /// Tells what became of an action, and that it is done.
    async fn tell_action(
        &self,
        work: Work,
        action: Action,
        because: Option<Stored>,
        done: Result<Outcome>,
    ) -> Result<()> {
        let outcome = done.unwrap_or_else(|error| failed(error.message()));
        if let Some(why) = &outcome.failure {
            tracing::warn!(automation = %work.fired.automation, action = action.word(), %why, "an action failed");
        }
        self.write(move |tx| {
            if !work::done(tx.db, &work)? {
                return Ok(());
            }
            let fired = &work.fired;
            let doing = Doing {
                automation: (fired.automation, &fired.plan),
                invocation: work.id,
                action: &action,
                index: work.number.unwrap_or_default(),
                triggered: fired.firing.triggered(),
                told: fired.told,
                because: because.map(|stored| (stored.event.id, stored.event.occurred)),
            };
            let told = told::done(&doing, outcome, tx.now);
            told.into_iter()
                .try_for_each(|event| events::emit(tx, event))
        })
        .await
    }
}

/// Actions that are sending something.
#[derive(Default)]
struct Outside {
    tasks: JoinSet<(AutomationId, Result<()>)>,
    /// The automations whose they are.
    busy: Vec<AutomationId>,
}

impl Outside {
    fn has_room(&self) -> bool {
        self.busy.len() < MOST_OUTSIDE
    }

    fn begin(&mut self, app: App, work: Work) {
        let id = work.fired.automation;
        self.busy.push(id);
        self.tasks
            .spawn(async move { (id, app.do_one(work).await) });
    }

    /// One that is done, once there is one; `None` where there are no more.
    async fn ended(&mut self) -> Option<Result<()>> {
        Some(match self.tasks.join_next().await? {
            Ok((id, done)) => {
                self.busy.retain(|busy| *busy != id);
                done
            }
            Err(error) => Err(Error::internal(error)),
        })
    }
}

fn is_outside(work: &Work) -> bool {
    let action = action_of(work);
    action.is_some_and(|it| matches!(it, Action::SendNotification(_) | Action::CallWebhook(_)))
}

/// Whether the event of some work is that the automation has fired.
fn is_of_trigger(work: &Work) -> bool {
    let plain = i64::try_from(work.fired.plan.actions.len()).unwrap_or(i64::MAX);
    work.number.is_some_and(|number| number >= plain)
}

fn action_of(work: &Work) -> Option<Action> {
    let number = usize::try_from(work.number?).ok()?;
    let plan = &work.fired.plan;
    plan.actions
        .iter()
        .chain(&plan.actions_on_trigger)
        .nth(number)
        .cloned()
}
