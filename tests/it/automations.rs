//! Automations: as clients create them, what they do, and what becomes of that when the daemon
//! dies.

use serde_json::{Value, json};
use uuid::Uuid;

use super::support::{Http, TestDaemon, wait_for};

mod actions;
#[cfg(feature = "client")]
mod client;
mod kills;

fn event(name: &str, resource: &str) -> Value {
    json!({
        "id": Uuid::now_v7(),
        "occurred": chrono::Utc::now(),
        "event": name,
        "resource": { "prefect.resource.id": resource },
        "related": [],
        "payload": { "n": 7 },
    })
}

fn tell(http: &Http, event: &Value) {
    http.post("/v3/events", &json!([event])).expect(204);
}

/// An automation that does that once an event of a name has come; answers its id.
fn on(http: &Http, name: &str, actions: &Value) -> String {
    let trigger = json!({ "type": "event", "posture": "Reactive", "expect": [name] });
    create(http, &trigger, actions)
}

fn create(http: &Http, trigger: &Value, actions: &Value) -> String {
    let body = json!({ "name": "an automation", "trigger": trigger, "actions": actions });
    let made = http.post("/v3/automations/", &body).expect(201);
    made["id"].as_str().unwrap().to_owned()
}

/// The events of an automation, in order.
fn told(http: &Http, id: &str) -> Vec<Value> {
    let filter = json!({
        "filter": { "resource": { "id": [format!("prefect.automation.{id}")] }, "order": "ASC" },
    });
    let page = http.post("/v3/events/filter", &filter).expect(200);
    page["events"].as_array().unwrap().clone()
}

/// The same once the last of them is of that name.
fn told_up_to(http: &Http, id: &str, last: &str) -> Vec<Value> {
    wait_for(last, || {
        let told = told(http, id);
        let is_there = told.iter().any(|event| event["event"] == last);
        is_there.then_some(told)
    })
}

const TRIGGERED: &str = "prefect.automation.triggered";
const EXECUTED: &str = "prefect.automation.action.executed";
const FAILED: &str = "prefect.automation.action.failed";

fn names(events: &[Value]) -> Vec<&str> {
    events
        .iter()
        .map(|one| one["event"].as_str().unwrap())
        .collect()
}

/// A deployment that nobody runs.
fn deployment(http: &Http) -> String {
    let flow = http.post("/v3/flows/", &json!({ "name": "f" })).body;
    let body = json!({ "name": "d", "flow_id": flow["id"] });
    let made = http.post("/v3/deployments/", &body).expect(201);
    made["id"].as_str().unwrap().to_owned()
}

#[test]
fn automations_are_kept_as_they_are_written() {
    let daemon = TestDaemon::without_agent();
    let http = daemon.http();
    let deployment = deployment(&http);
    let owner = format!("prefect.deployment.{deployment}");
    let body = json!({
        "name": "kept",
        "description": "said",
        "tags": ["x", "y"],
        "trigger": { "type": "compound", "require": "all", "within": 60, "triggers": [
            { "type": "event", "posture": "Reactive", "expect": ["a"], "id": Uuid::nil() },
            { "type": "event", "posture": "Proactive", "match": { "l": ["b", "!c"] } },
        ] },
        "actions": [{ "type": "run-deployment", "deployment_id": deployment }],
        "owner_resource": owner,
    });
    let made = http.post("/v3/automations/", &body).expect(201);
    let path = format!("/v3/automations/{}", made["id"].as_str().unwrap());
    assert_eq!(http.get(&path).expect(200), made);
    assert_eq!(made["enabled"], true);
    assert_eq!(
        made.pointer("/trigger/triggers/1/within"),
        Some(&json!(10.0))
    );
    assert_eq!(made.pointer("/actions/0/source"), Some(&json!("selected")));
    assert_ne!(
        made.pointer("/trigger/triggers/0/id"),
        Some(&json!(Uuid::nil()))
    );
    on(&http, "other", &json!([{ "type": "do-nothing" }]));
    for (filter, count) in [
        (json!({}), 2),
        (json!({ "name": { "any_": ["kept"] } }), 1),
        (json!({ "id": { "any_": [made["id"]] } }), 1),
        (json!({ "tags": { "any_": ["y", "z"] } }), 1),
        (json!({ "tags": { "all_": ["y", "z"] } }), 0),
        (json!({ "tags": { "is_null_": true } }), 1),
        (
            json!({ "created": { "before_": "2020-01-01T00:00:00Z" } }),
            0,
        ),
    ] {
        let asked = json!({ "automations": filter });
        let found = http.post("/v3/automations/filter", &asked).expect(200);
        assert_eq!(found.as_array().unwrap().len(), count, "{filter}");
        let counted = http.post("/v3/automations/count", &asked).expect(200);
        assert_eq!(counted, json!(count), "{filter}");
    }
    http.patch(&path, &json!({ "enabled": false })).expect(204);
    assert_eq!(http.get(&path).expect(200)["enabled"], false);
    let mut update = body.clone();
    update.as_object_mut().unwrap().remove("owner_resource");
    update["actions"] = json!([{ "type": "cancel-flow-run" }]);
    http.put(&path, &update).expect(204);
    let replaced = http.get(&path).expect(200);
    assert_eq!(replaced["actions"], update["actions"]);
    // What is not said stays.
    assert_eq!(replaced["enabled"], false);
    let related = format!("/v3/automations/related-to/{owner}");
    assert_eq!(http.get(&related).expect(200)[0]["name"], "kept");
    http.delete(&format!("/v3/automations/owned-by/{owner}"))
        .expect(202);
    http.get(&path).expect(404);
    http.delete(&path).expect(404);
    assert_eq!(http.get(&related).expect(200), json!([]));
    let names_of = told(&http, made["id"].as_str().unwrap());
    let expected = ["created", "updated", "updated", "deleted"];
    assert_eq!(
        names(&names_of),
        expected.map(|how| format!("prefect.automation.{how}"))
    );
}

#[test]
fn templates_are_looked_at() {
    let daemon = TestDaemon::without_agent();
    let http = daemon.http();
    for path in [
        "/v3/templates/validate",
        "/v3/automations/templates/validate",
    ] {
        http.post(path, &json!("{{ event.id }}")).expect(204);
        let refused = http.post(path, &json!("{{ event.id ")).expect(422);
        assert!(refused["error"]["message"].is_string(), "{refused}");
    }
}

#[test]
fn an_event_has_a_deployment_run_with_what_the_event_says() {
    let daemon = TestDaemon::without_agent();
    let http = daemon.http();
    let deployment = deployment(&http);
    let action = json!({
        "type": "run-deployment",
        "deployment_id": deployment,
        "parameters": { "n": "{{ event.payload.n }}", "who": "by {{ event.resource.id }}" },
    });
    let id = on(&http, "go", &json!([action, { "type": "do-nothing" }]));
    let go = event("go", "somebody");
    tell(&http, &go);
    let told = wait_for("both actions", || {
        let told = told(&http, &id);
        (told.len() == 6).then_some(told)
    });
    let expected = [
        "prefect.automation.created",
        TRIGGERED,
        "prefect.automation.action.triggered",
        EXECUTED,
    ];
    let mut sorted = names(&told);
    sorted.dedup();
    for name in expected {
        assert!(sorted.contains(&name), "{name}: {sorted:?}");
    }
    let triggered = told.iter().find(|one| one["event"] == TRIGGERED).unwrap();
    assert_eq!(triggered["payload"]["triggering_event"]["id"], go["id"]);
    assert_eq!(triggered["resource"]["prefect.posture"], "Reactive");
    let done: Vec<_> = told.iter().filter(|one| one["event"] == EXECUTED).collect();
    let ran = done
        .iter()
        .find(|one| one["payload"]["action_index"] == 0)
        .unwrap();
    assert_eq!(ran["payload"]["action_type"], "run-deployment");
    assert_eq!(ran["payload"]["status_code"], 201);
    assert_eq!(ran["resource"]["prefect.trigger-type"], "event");
    let roles: Vec<_> = { ran["related"].as_array().unwrap().iter() }
        .map(|one| one["prefect.resource.role"].as_str().unwrap())
        .collect();
    let expected = [
        "target",
        "flow-run",
        "automation-triggered-event",
        "triggering-event",
    ];
    assert_eq!(roles, expected);
    let runs = http.post("/v3/flow_runs/filter", &json!({})).expect(200);
    assert_eq!(runs.as_array().unwrap().len(), 1);
    assert_eq!(
        runs[0]["parameters"],
        json!({ "n": 7, "who": "by somebody" })
    );
    assert_eq!(runs[0]["created_by"]["type"], "AUTOMATION");
    assert_eq!(runs[0]["created_by"]["display_value"], "an automation");
    // What is turned off does nothing.
    http.patch(
        &format!("/v3/automations/{id}"),
        &json!({ "enabled": false }),
    )
    .expect(204);
    tell(&http, &event("go", "somebody"));
    let after = on(&http, "after", &json!([{ "type": "do-nothing" }]));
    tell(&http, &event("after", "x"));
    told_up_to(&http, &after, EXECUTED);
    assert_eq!(
        http.post("/v3/flow_runs/count", &json!({})).expect(200),
        json!(1)
    );
}

#[test]
fn absence_and_order_are_noticed() {
    let daemon = TestDaemon::without_agent();
    let http = daemon.http();
    let part = |name: &str| json!({ "type": "event", "posture": "Reactive", "expect": [name] });
    let nothing = json!([{ "type": "do-nothing" }]);
    let silence = json!({ "type": "event", "posture": "Proactive", "after": ["beat"],
        "expect": ["beat", "end"], "for_each": ["prefect.resource.id"], "within": 10 });
    let silence = create(&http, &silence, &nothing);
    let sequence = json!({ "type": "sequence", "within": 60, "triggers": [part("1"), part("2")] });
    let sequence = create(&http, &sequence, &nothing);
    // In one transaction.
    let all: Vec<_> = ["2", "1", "2"].map(|name| event(name, "x")).into();
    http.post("/v3/events", &json!(all)).expect(204);
    let beats = [
        event("beat", "silent"),
        event("beat", "ended"),
        event("end", "ended"),
    ];
    http.post("/v3/events", &json!(beats)).expect(204);
    let triggered = |id: &str| {
        let told = told_up_to(&http, id, TRIGGERED).into_iter();
        told.filter(|one| one["event"] == TRIGGERED)
            .collect::<Vec<_>>()
    };
    let fired = triggered(&sequence);
    assert_eq!(fired.len(), 1, "{fired:?}");
    assert_eq!(fired[0]["payload"]["triggering_event"]["id"], all[2]["id"]);
    let fired = triggered(&silence);
    assert_eq!(fired.len(), 1, "{fired:?}");
    let labels = json!({ "prefect.resource.id": "silent" });
    assert_eq!(fired[0]["payload"]["triggering_labels"], labels);
    assert_eq!(
        fired[0]["payload"]["triggering_event"]["id"],
        beats[0]["id"]
    );
}
