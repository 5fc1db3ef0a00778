//! What events and the passing of time come to, in the transaction in which they are seen.

use super::memory::Active;
use crate::app::App;
use crate::app::tx::{Effect, Tx};
use crate::domain::JsonMap;
use crate::domain::automation::told;
use crate::domain::automation::window::{Seen, Step, Window};
use crate::domain::automation::{Automation, EventTrigger, Firing, Posture};
use crate::domain::error::Result;
use crate::domain::event::Stored;
use crate::domain::ids::EventId;
use crate::domain::time::{Span, Timestamp};
use crate::storage::Job;
use crate::storage::automations::windows::{self, Counted, Counting};
use crate::storage::automations::work::{self, Fired};

/// How many windows are looked at in one transaction.
const AT_ONCE: usize = 64;
/// How long after a window has passed it is looked at: events are on their way meanwhile.
const ON_THE_WAY: Span = Span::from_micros(2_000_000);
/// How long a reactive window is kept after it has passed.
const AFTERWARDS: Span = Span::from_micros(60 * 1_000_000);
/// How long events are held for windows that open later.
const HELD_FOR: Span = Span::from_micros(30 * 60 * 1_000_000);
/// How many rows are forgotten in one transaction.
const CHUNK: i64 = 200;
/// Lines of logs are no events to triggers, as on the reference.
const LOG_LINE: &str = "prefect.log.write";

/// Has the triggers that look at an event see it.
pub(in crate::app) fn see(tx: &mut Tx<'_>, stored: &Stored) -> Result<()> {
    let event = &stored.event;
    let active = tx.automations.active(tx.db)?;
    let interested = active.interested(&event.name);
    for (automation, trigger) in interested {
        // What an automation does itself is no reason for it to do more.
        let is_own = || event.resource.id() == told::resource_id(automation.id);
        if event.name != LOG_LINE && trigger.covers(event) && !is_own() {
            see_one(tx, automation, trigger, stored)?;
        }
    }
    Ok(())
}

fn see_one(
    tx: &mut Tx<'_>,
    automation: &Automation,
    trigger: &EventTrigger,
    stored: &Stored,
) -> Result<()> {
    let event = &stored.event;
    let of = Counting {
        automation: automation.id,
        trigger: trigger.id,
        labels: trigger.key(event),
    };
    let seen = Seen {
        name: &event.name,
        occurred: event.occurred,
        place: stored.place,
    };
    let known = windows::get(tx.db, &of)?;
    if trigger.is_held(&event.name) {
        let width = (trigger.within, trigger.threshold);
        windows::hold(tx.db, &of, (event.occurred, stored.place), width, tx.now)?;
    }
    let db = tx.db;
    let mut held = |from, to| windows::count_held(db, &of, from, to);
    let step = trigger.on_event(known, seen, &mut held)?;
    take(tx, automation, trigger, (of, known), step)
}

/// Writes what something came to.
fn take(
    tx: &mut Tx<'_>,
    automation: &Automation,
    trigger: &EventTrigger,
    (of, known): (Counting, Option<Window>),
    step: Step,
) -> Result<()> {
    let is_proactive = trigger.posture == Posture::Proactive;
    if step.window != known {
        windows::put(tx.db, &of, step.window, is_proactive)?;
    }
    if let Some(window) = step.window.filter(|_| is_proactive)
        && tx.automations.is_early(window.end)
    {
        tx.entail(Effect::WakeTriggers);
    }
    for event in step.firings {
        let names = trigger.labels().into_iter().map(str::to_owned);
        let values = of.labels.iter().map(|value| value.as_str().into());
        let labels: JsonMap = names.zip(values).collect();
        let firing = Firing::of_events(trigger.id, labels, event, tx.now);
        fire(tx, automation, firing)?;
    }
    Ok(())
}

/// Has a firing be taken up by what its trigger is part of; that of the whole trigger is one of
/// the automation.
fn fire(tx: &mut Tx<'_>, automation: &Automation, mut firing: Firing) -> Result<()> {
    let way = automation.plan.trigger.way_to(firing.trigger);
    let wholes = way.into_iter().flatten().rev().skip(1);
    for whole in wholes.filter_map(|trigger| trigger.composite()) {
        let event = firing.event;
        let mut parts = vec![firing];
        if whole.wanted() > 1 {
            if let Some(within) = whole.within {
                windows::drop_parts(tx.db, automation.id, whole.id, Some(tx.now - within))?;
            }
            for part in &parts {
                windows::put_part(tx.db, automation.id, whole.id, part)?;
            }
            parts = windows::parts(tx.db, automation.id, whole.id)?;
            if !whole.is_ready(&parts) {
                return Ok(());
            }
            windows::drop_parts(tx.db, automation.id, whole.id, None)?;
        }
        firing = Firing::of_parts(whole.id, parts, event, tx.now);
    }
    let plan = &automation.plan;
    let actions = plan.actions.len() + plan.actions_on_trigger.len();
    let fired = Fired {
        automation: automation.id,
        plan: plan.clone(),
        firing,
        told: EventId::new(),
    };
    tx.entail(Effect::WakeActions);
    work::insert(
        tx.db,
        &fired,
        i64::try_from(actions).unwrap_or(i64::MAX),
        tx.now,
    )
}

/// Opens the windows of triggers that wait although nothing has happened.
pub(super) fn begin(tx: &mut Tx<'_>, automation: &Automation) -> Result<()> {
    if !automation.plan.enabled {
        return Ok(());
    }
    for trigger in automation.plan.trigger.event_triggers() {
        if trigger.waits_from_the_start() {
            let of = Counting {
                automation: automation.id,
                trigger: trigger.id,
                labels: Vec::new(),
            };
            let step = Step {
                window: Some(trigger.window_from(tx.now)),
                firings: Vec::new(),
            };
            take(tx, automation, trigger, (of, None), step)?;
        }
    }
    Ok(())
}

impl App {
    /// Looks at the windows that have passed; answers when the next one will have.
    pub async fn look_at_windows(&self) -> Result<Option<Timestamp>> {
        // From here on whoever opens one rings.
        self.inner.shared.automations.wakes_at(None);
        let due = |next: Option<Timestamp>| next.map(|end| end + ON_THE_WAY);
        loop {
            let next = due(self.read(windows::next_end).await?);
            if next.is_none_or(|next| next > self.now()) {
                self.inner.shared.automations.wakes_at(next);
                return Ok(next);
            }
            self.look_at_some_windows().await?;
        }
    }

    async fn look_at_some_windows(&self) -> Result<u64> {
        self.write_as(Job::bulk(0), |tx| {
            let now = tx.now - ON_THE_WAY;
            let active = tx.automations.active(tx.db)?;
            let ended = windows::ended(tx.db, now, AT_ONCE as i64)?;
            let count = ended.len() as u64;
            for counted in ended {
                pass(tx, &active, counted, now)?;
            }
            Ok(count)
        })
        .await
    }

    /// Forgets what no trigger needs any more.
    pub async fn forget_windows(&self) -> Result<()> {
        let now = self.now();
        let has_old = self.read(move |db| windows::has_old(db, now - AFTERWARDS, now - HELD_FOR));
        if !has_old.await? && !self.inner.shared.automations.is_doubtful() {
            return Ok(());
        }
        loop {
            let gone: u64 = self
                .write_as(Job::bulk(0), |tx| {
                    // Also makes what stayed doubtful sure.
                    tx.entail(Effect::KeepAutomations);
                    let windows = windows::delete_old(tx.db, tx.now - AFTERWARDS, CHUNK)?;
                    let before = tx.now - HELD_FOR;
                    let held = windows::delete_old_held(tx.db, before, tx.now, CHUNK)?;
                    Ok((windows.max(held)) as u64)
                })
                .await?;
            if gone < CHUNK as u64 {
                return Ok(());
            }
        }
    }
}

/// What it comes to that a window has passed.
fn pass(tx: &mut Tx<'_>, active: &Active, (of, window): Counted, now: Timestamp) -> Result<()> {
    let found = active.get(of.automation).and_then(|automation| {
        let triggers = automation.plan.trigger.event_triggers();
        let trigger = triggers
            .into_iter()
            .find(|trigger| trigger.id == of.trigger);
        Some((automation, trigger?))
    });
    let Some((automation, trigger)) = found else {
        return windows::put(tx.db, &of, None, true);
    };
    let db = tx.db;
    let mut held = |from, to| windows::count_held(db, &of, from, to);
    let step = trigger.on_time(window, now, &mut held)?;
    take(tx, automation, trigger, (of, Some(window)), step)
}

#[cfg(test)]
mod recorded;
