//! Triggers fire as those of the real server do, by what `tests/triggers/record.py` has recorded of
//! it: each type, posture, window, threshold, order and label, with events in order and out of it.

use std::sync::mpsc;

use serde_json::{Value, json};

use super::*;
use crate::app::automations::begin_anew;
use crate::app::events::emit;
use crate::app::testing::{Ahead, app};
use crate::domain::automation::Plan;
use crate::domain::error::Error;
use crate::domain::event::{Event, ID, Resource};
use crate::domain::ids::AutomationId;
use crate::storage::automations;

const RECORDED: &str = include_str!("../../../../tests/golden/triggers.jsonl");

/// A moment so many seconds after the automation was made.
fn at(secs: f64) -> Timestamp {
    Timestamp::from_micros(((1_767_225_600.0 + secs) * 1e6) as i64)
}

fn happened(name: &str, about: &str, occurred: f64) -> Event {
    Event {
        id: EventId::new(),
        occurred: at(occurred),
        name: name.to_owned(),
        resource: Resource::of([(ID, about)]),
        related: Vec::new(),
        payload: JsonMap::new(),
        follows: None,
    }
}

/// Has the time be so late, and what has passed by then be looked at.
fn pass_time(tx: &mut Tx<'_>, secs: f64) -> Result<()> {
    let active = tx.automations.active(tx.db)?;
    while let Some(end) = windows::next_end(tx.db)?.filter(|end| *end <= at(secs)) {
        tx.now = end;
        for counted in windows::ended(tx.db, end, 100)? {
            pass(tx, &active, counted, end)?;
        }
    }
    tx.now = at(secs);
    Ok(())
}

/// About what the automation has fired since this was asked last.
fn fired(tx: &Tx<'_>) -> Result<Value> {
    let mut about = Vec::new();
    while let Some(work) = work::next(tx.db, &[])? {
        if work.number.is_none() {
            let labels = work.fired.firing.labels.values();
            let labels: Vec<_> = labels.filter_map(Value::as_str).collect();
            about.push(labels.join(","));
        }
        work::done(tx.db, &work)?;
    }
    about.sort();
    Ok(json!(about))
}

fn replay(tx: &mut Tx<'_>, case: &Value) -> Result<Vec<Value>> {
    tx.now = at(0.0);
    let document = json!({ "name": "n", "trigger": case["trigger"], "actions": [] });
    let plan: Plan = serde_json::from_value(document).unwrap();
    let plan = plan.checked()?;
    let id = automations::insert(tx.db, AutomationId::new(), &plan, tx.now)?;
    begin_anew(tx, id, "created")?;
    let mut all = Vec::new();
    for step in case["steps"].as_array().unwrap() {
        pass_time(tx, step[0].as_f64().unwrap())?;
        let (name, about) = (step[1].as_str().unwrap(), step[2].as_str().unwrap());
        if !name.is_empty() {
            emit(tx, happened(name, about, step[3].as_f64().unwrap()))?;
        }
        all.push(fired(tx)?);
    }
    Ok(all)
}

#[tokio::test]
async fn triggers_fire_as_was_recorded() {
    let dir = tempfile::tempdir().unwrap();
    let app = app(dir.path(), Ahead::default());
    let mut wrong = Vec::new();
    let mut count = 0;
    for line in RECORDED.lines() {
        let case: Value = serde_json::from_str(line).unwrap();
        let (tell, told) = mpsc::channel();
        let shown = case.clone();
        let undone = app.write(move |tx| {
            tell.send(replay(tx, &shown)).unwrap();
            // Of each case nothing stays.
            Err::<(), _>(Error::internal("on purpose"))
        });
        undone.await.unwrap_err();
        let fires = told.recv().unwrap().unwrap();
        let steps = case["steps"].as_array().unwrap();
        let expected: Vec<_> = steps.iter().map(|step| step[4].clone()).collect();
        if fires != expected {
            wrong.push(format!("{case}\n  {}", json!(fires)));
        }
        count += 1;
    }
    assert!(count > 500, "{count} cases");
    let number = wrong.len();
    wrong.truncate(10);
    assert!(
        wrong.is_empty(),
        "{number} of {count}:\n{}",
        wrong.join("\n")
    );
}
