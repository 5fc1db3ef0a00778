//! Events that come in: how many a second, how long a client waits until they are confirmed, and
//! how long changes of state wait beside them.

use std::time::{Duration, Instant};

use anyhow::Context;
use chrono::{TimeDelta, Utc};
use serde_json::Value;
use uuid::Uuid;

use super::bodies::instant;
use super::events::Run;
use super::telling::{SOCKETS, Told, tell};
use crate::call::Call;
use crate::http::{Address, Client, Speaker};
use crate::load::Outcome;
use crate::measuring::Measuring;
use crate::orion;
use crate::say;

/// The most that come in a second when it is half of what the server takes.
const HALF: f64 = 10_000.0;
/// How many come in a second beside changes of state.
const BESIDE: f64 = 5000.0;
/// How many clients change states meanwhile.
const CLIENTS: usize = 64;
/// How long events may take to be found after they were confirmed.
const SETTLING: Duration = Duration::from_secs(15);
/// How often they are looked for.
const LOOK: Duration = Duration::from_millis(500);

/// Measures events of users', as many as can be and half as many, and events of task runs.
pub async fn measure(m: &mut Measuring<'_>, run: &Run, is_kept: bool) -> anyhow::Result<()> {
    let observed = Told::Observed(format!("bench.thing.{}", Uuid::new_v4()));
    let what = format!("events in, {SOCKETS} sockets");
    let all = told(m, &what, &observed, None).await?;
    if is_kept && let Told::Observed(thing) = &observed {
        let lost = lost(m.address(), thing, all.done).await?;
        m.note_failures(&what, &lost);
    }
    let half = (all.rate() / 2.0).min(HALF);
    told(m, "events in, half as many", &observed, Some(half)).await?;
    let of_tasks = Told::TaskRuns(run.clone());
    let what = format!("events of task runs in, {SOCKETS} sockets");
    told(m, &what, &of_tasks, None).await?;
    Ok(())
}

/// Tells events and enters what that came to.
async fn told(
    m: &mut Measuring<'_>,
    what: &str,
    events: &Told,
    rate: Option<f64>,
) -> anyhow::Result<Outcome> {
    say(what);
    let before = m.server.cpu()?;
    let outcome = tell(m.address(), events, rate, m.args.time()).await;
    let used = m.server.cpu()?.saturating_sub(before);
    m.enter(what, "events/s", outcome.rate());
    m.enter(&format!("{what}: pong p99"), "ms", outcome.millis(0.99));
    let each = used.as_secs_f64() * 1e6 / outcome.done.max(1) as f64;
    m.enter(&format!("{what}: server's CPU"), "µs/event", each);
    m.note_failures(what, &outcome);
    Ok(outcome)
}

/// How many events about a thing were confirmed and are not found.
async fn lost(server: Address, thing: &str, confirmed: u64) -> anyhow::Result<Outcome> {
    let mut client = Client::connect(server).await?;
    let (day, now) = (TimeDelta::days(1), Utc::now());
    let (since, until) = (instant(now - day), instant(now + day));
    let filter = format!(
        r#"{{"filter":{{"occurred":{{"since":"{since}","until":"{until}"}},"resource":{{"id":["{thing}"]}}}},"limit":1}}"#
    );
    let begun = Instant::now();
    let mut stored = 0;
    while stored < confirmed && begun.elapsed() < SETTLING {
        if client.send("POST", "/events/filter", &filter).await? == 200 {
            let page: Value = serde_json::from_str(&client.body())?;
            let total = page.get("total").and_then(Value::as_u64);
            stored = total.context("no total")?;
        }
        if stored < confirmed {
            tokio::time::sleep(LOOK).await;
        }
    }
    let mut outcome = Outcome::default();
    outcome.note(stored.min(confirmed), begun.elapsed());
    if stored < confirmed {
        outcome.note_failed(confirmed - stored, "confirmed, but not found");
    }
    Ok(outcome)
}

/// Measures changes of state, in both dialects, while events come in.
pub async fn beside(m: &mut Measuring<'_>, set_state: &Call, flow: &str) -> anyhow::Result<()> {
    let calls = orion::calls::prepare(m.address().as_spoken_by(Speaker::Orion), flow).await?;
    let mut calls = calls.into_iter();
    let orions = calls.find(|call| call.name == "set_state");
    let orions = orions.context("no such call")?.by(Speaker::Orion);
    for (name, call) in [("set_state", set_state), ("2.0a7's set_state", &orions)] {
        let what = format!("{name} beside {BESIDE} events/s");
        say(&what);
        let time = m.args.time();
        let observed = Told::Observed("bench.beside".to_owned());
        let (events, states) = tokio::join!(
            tell(m.address(), &observed, Some(BESIDE), time),
            call.measure(m.address(), CLIENTS, time),
        );
        m.enter(&format!("{what}, {CLIENTS} clients"), "/s", states.rate());
        m.enter(&format!("{what}: p99"), "ms", states.millis(0.99));
        m.enter(&format!("{what}: events"), "events/s", events.rate());
        m.enter(&format!("{what}: pong p99"), "ms", events.millis(0.99));
        m.note_failures(&what, &states);
        m.note_failures(&format!("{what}: events"), &events);
    }
    Ok(())
}
