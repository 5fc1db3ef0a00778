//! What automations come to in the store.

use std::sync::atomic::Ordering;

use serde_json::{Value, json};

use super::*;
use crate::app::testing::{Ahead, app};
use crate::domain::event::filter::Filter;
use crate::domain::event::{Event, ID, Resource};
use crate::domain::ids::EventId;
use crate::domain::time::{Span, Timestamp};

fn happened(name: &str, resource: &str, occurred: Timestamp) -> Event {
    Event {
        id: EventId::new(),
        occurred,
        name: name.to_owned(),
        resource: Resource::of([(ID, resource)]),
        related: Vec::new(),
        payload: crate::domain::JsonMap::new(),
        follows: None,
    }
}

async fn created(app: &App, trigger: Value, actions: Value) -> Automation {
    let plan = json!({"name": "n", "trigger": trigger, "actions": actions});
    let plan = serde_json::from_value(plan).unwrap();
    let new = NewAutomation { plan, owner: None };
    app.create_automation(new).await.unwrap()
}

/// The names of an automation's events, in the order of their arrival.
async fn told(app: &App, id: AutomationId) -> Vec<String> {
    let far = Timestamp::from_micros(i64::MAX);
    let mut filter = Filter::within(Timestamp::from_micros(0), far);
    filter.resource.ids = vec![told::resource_id(id)];
    let mut events = app.events(filter, None, 200).await.unwrap().events;
    events.sort_by_key(|stored| stored.place);
    let names = events.into_iter().map(|stored| stored.event.name);
    names
        .map(|name| name.replace("prefect.automation.", ""))
        .collect()
}

#[tokio::test]
async fn what_is_decided_is_told_and_done_in_order() {
    let dir = tempfile::tempdir().unwrap();
    let app = app(dir.path(), Ahead::default());
    let on = |name: &str| json!({"type": "event", "posture": "Reactive", "expect": [name]});
    let nothing = json!([{"type": "do-nothing"}, {"type": "do-nothing"}]);
    let first = created(&app, on("a"), nothing.clone()).await;
    // It hears of what others do, and of nothing that it does itself.
    let second = created(&app, on("prefect.automation.*"), json!([])).await;
    let rings = app.action_bell().rings();
    let event = happened("a", "r", app.now());
    app.store_events(vec![event.clone(), event, happened("b", "r", app.now())])
        .await
        .unwrap();
    assert!(app.action_bell().rings() > rings);
    assert_eq!(told(&app, first.id).await, ["created"]);
    assert_eq!(app.do_actions().await.unwrap(), None);
    let expected = [
        "created",
        "triggered",
        "action.triggered",
        "action.executed",
        "action.triggered",
        "action.executed",
    ];
    assert_eq!(told(&app, first.id).await, expected);
    let of_others = told(&app, second.id).await;
    // Its own creation, and five events of the other.
    assert_eq!(of_others.len(), 6, "{of_others:?}");
    app.delete_automation(first.id).await.unwrap();
    app.store_events(vec![happened("a", "r", app.now())])
        .await
        .unwrap();
    app.do_actions().await.unwrap();
    assert_eq!(told(&app, first.id).await.len(), 7);
}

#[tokio::test]
async fn what_a_failed_transaction_said_of_automations_is_not_gone_by() {
    let dir = tempfile::tempdir().unwrap();
    let app = app(dir.path(), Ahead::default());
    let trigger = json!({"type": "event", "posture": "Reactive", "expect": ["a"]});
    let one = created(&app, trigger, json!([])).await;
    let id = one.id;
    let failed = app.write(move |tx| {
        let known = read(tx.db, id)?;
        delete(tx, &known)?;
        Err::<(), _>(Error::internal("on purpose"))
    });
    assert!(failed.await.is_err());
    app.store_events(vec![happened("a", "r", app.now())])
        .await
        .unwrap();
    app.do_actions().await.unwrap();
    assert_eq!(told(&app, id).await, ["created", "triggered"]);
}

#[tokio::test]
async fn silence_is_noticed_when_its_time_has_come() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Ahead::default();
    let app = app(dir.path(), clock.clone());
    let pass = |secs: i64| clock.0.fetch_add(secs * 1_000_000, Ordering::SeqCst);
    let trigger = json!({"type": "event", "posture": "Proactive", "after": ["beat"],
        "expect": ["beat", "end"], "for_each": [ID], "within": 30});
    let one = created(&app, trigger, json!([{"type": "do-nothing"}])).await;
    assert_eq!(app.look_at_windows().await.unwrap(), None);
    let rings = app.trigger_bell().rings();
    let beat = async |name: &str, of: &str, back: i64| {
        let at = app.now() - Span::from_micros(back * 1_000_000);
        app.store_events(vec![happened(name, of, at)])
            .await
            .unwrap();
    };
    beat("beat", "x", 0).await;
    beat("beat", "y", 0).await;
    assert!(app.trigger_bell().rings() > rings);
    let next = app.look_at_windows().await.unwrap().unwrap();
    assert!(next > app.now() + Span::from_micros(29_000_000));
    pass(20);
    beat("beat", "x", 0).await;
    // The end of the other arrives before its last beat.
    beat("end", "y", 1).await;
    beat("beat", "y", 2).await;
    pass(20);
    app.look_at_windows().await.unwrap();
    app.do_actions().await.unwrap();
    assert_eq!(told(&app, one.id).await, ["created"]);
    pass(20);
    assert_eq!(app.look_at_windows().await.unwrap(), None);
    app.do_actions().await.unwrap();
    let expected = [
        "created",
        "triggered",
        "action.triggered",
        "action.executed",
    ];
    assert_eq!(told(&app, one.id).await, expected);
    // What is held is forgotten in time.
    pass(3600);
    app.forget_windows().await.unwrap();
    let held = app.read(|db| {
        Ok(
            db.query_row("SELECT count(*) FROM automation_held", [], |row| {
                row.get::<_, i64>(0)
            })?,
        )
    });
    assert_eq!(held.await.unwrap(), 0);
}
