//! Deployments and their schedules.

use serde_json::{Value, json};

use super::UNKNOWN;
use crate::oracle::pair::Pair;

fn deployment(name: &str, more: Value) -> Value {
    let mut body = json!({
        "name": name,
        "flow_id": "{deployed}",
        "flow_data": { "encoding": "x", "blob": "y" },
    });
    let Value::Object(more) = more else {
        unreachable!("only objects are given")
    };
    body.as_object_mut().unwrap().extend(more);
    body
}

/// Asks for the times of the runs that a schedule made, in order.
const RUNS: &str = r#"{"sort":"EXPECTED_START_TIME_ASC","limit":200,"deployments":{"id":{"any_":["{deployment}"]}}}"#;

pub fn send(pair: &mut Pair) {
    pair.make("deployed", "/flows/", &json!({ "name": "deployed_1" }));
    pair.make(
        "deployment",
        "/deployments/",
        &deployment("plain", json!({})),
    );
    pair.get("/deployments/{deployment}");
    pair.post("/deployments/", &deployment("plain", json!({})));
    pair.post(
        "/deployments/",
        &deployment(
            "plain",
            json!({ "tags": ["t"], "parameters": { "x": [1, { "y": null }] } }),
        ),
    );
    pair.get("/deployments/name/deployed_1/plain");
    pair.get("/deployments/name/deployed_1/nothing");
    pair.get("/deployments/name/nothing/plain");
    pair.get(&format!("/deployments/{UNKNOWN}"));
    flow_runners(pair);
    creation_faults(pair);
    runs(pair);
    schedules(pair);
    ends(pair);
}

fn flow_runners(pair: &mut Pair) {
    for runner in [
        json!({ "type": "subprocess", "config": { "env": { "A": "b" } } }),
        json!({ "type": "docker", "config": { "image": "x", "volumes": ["a:b"] } }),
        json!({ "type": "docker" }),
        json!({ "config": {} }),
        json!({}),
        json!(null),
        json!({ "type": 7, "config": {} }),
        json!({ "type": "x", "config": [] }),
        json!({ "type": "x", "config": {}, "more": 1 }),
        json!("docker"),
    ] {
        pair.post(
            "/deployments/",
            &deployment("runner", json!({ "flow_runner": runner })),
        );
    }
}

fn creation_faults(pair: &mut Pair) {
    for more in [
        json!({ "flow_id": null }),
        json!({ "flow_id": "x" }),
        json!({ "flow_data": null }),
        json!({ "flow_data": {} }),
        json!({ "flow_data": { "encoding": "x", "blob": 5 } }),
        json!({ "flow_data": { "encoding": "x", "blob": "y", "z": 1 } }),
        json!({ "name": "a/b" }),
        json!({ "name": null }),
        json!({ "parameters": [] }),
        json!({ "parameters": null }),
        json!({ "tags": [1] }),
        json!({ "is_schedule_active": null }),
        json!({ "is_schedule_active": "maybe" }),
        json!({ "schedule": "daily" }),
        json!({ "schedule": {} }),
        json!({ "schedule": { "interval": 0 } }),
        json!({ "schedule": { "interval": -60 } }),
        json!({ "schedule": { "interval": "x" } }),
        json!({ "schedule": { "interval": 60, "anchor_date": "x" } }),
        json!({ "schedule": { "interval": 60, "timezone": "Nowhere/Land" } }),
        json!({ "schedule": { "cron": "x" } }),
        json!({ "schedule": { "cron": "99 * * * *" } }),
        json!({ "schedule": { "cron": "* * * * *", "timezone": "Nowhere" } }),
        json!({ "schedule": { "cron": "* * * * *", "more": 1 } }),
        json!({ "schedule": { "rrule": "FREQ=DAILY", "timezone": "Nowhere" } }),
        json!({ "id": UNKNOWN }),
    ] {
        pair.post("/deployments/", &deployment("faulty", more));
    }
    pair.post("/deployments/", &json!({ "name": "x" }));
}

fn runs(pair: &mut Pair) {
    pair.make(
        "deployment",
        "/deployments/",
        &deployment(
            "run",
            json!({
                "parameters": { "x": 1, "y": 2 },
                "tags": ["t"],
                "flow_runner": { "type": "subprocess", "config": {} },
            }),
        ),
    );
    let path = "/deployments/{deployment}/create_flow_run";
    for body in [
        json!({}),
        json!({ "state": { "type": "SCHEDULED" } }),
        json!({ "parameters": { "x": 5 } }),
        json!({ "name": "named_1", "tags": ["more"], "context": { "a": 1 } }),
        json!({ "state": { "type": "SCHEDULED", "state_details": { "scheduled_time": "2030-05-06T07:08:09+02:00" } } }),
        json!({ "state": { "type": "PENDING", "message": "m" } }),
        json!({ "state": { "type": "RUNNING", "name": "Walking" } }),
        json!({ "state": null }),
        json!({ "state": { "type": "NOT" } }),
        json!({ "state": {} }),
        json!({ "flow_runner": { "type": "docker", "config": { "image": "other" } } }),
        json!({ "flow_runner": { "type": null, "config": null } }),
        json!({ "idempotency_key": "k1" }),
        json!({ "idempotency_key": "k1", "name": "other_name" }),
        json!({ "flow_id": UNKNOWN }),
        json!({ "tags": null, "parameters": null }),
    ] {
        pair.post(path, &body);
    }
    pair.same("POST", path, None);
    pair.post("/deployments/nothing/create_flow_run", &json!({}));
    pair.post(
        &format!("/deployments/{UNKNOWN}/create_flow_run"),
        &json!({}),
    );
}

fn schedules(pair: &mut Pair) {
    let daily = json!({ "interval": 86400, "anchor_date": "2020-01-01T00:00:00+00:00" });
    let new_york = json!({ "interval": 3600.5, "anchor_date": "2021-03-04T05:06:07", "timezone": "America/New_York" });
    for (index, schedule) in [
        daily.clone(),
        new_york,
        json!({ "cron": "30 2 * * *", "timezone": "America/New_York" }),
        json!({ "cron": "0 0 29 2 *" }),
        json!({ "cron": "*/5 1-3 * * MON-FRI" }),
        json!({ "cron": "@daily" }),
        json!({ "cron": "0 0 13 * 5", "day_or": false }),
        json!({ "rrule": "DTSTART:20210101T000000\nRRULE:FREQ=DAILY;INTERVAL=3" }),
        json!({ "rrule": "DTSTART:20300101T000000\nRRULE:FREQ=WEEKLY;COUNT=3", "timezone": "Europe/Berlin" }),
    ]
    .into_iter()
    .enumerate()
    {
        let body = deployment(&format!("scheduled_{index}"), json!({ "schedule": schedule }));
        pair.make("deployment", "/deployments/", &body);
        pair.post("/flow_runs/count", &json!({ "deployments": { "id": { "any_": ["{deployment}"] } } }));
        pair.same("POST", "/flow_runs/filter", Some(RUNS));
    }
    switching(pair, &daily);
    let path = "/deployments/{deployment}/schedule";
    for body in [
        json!({}),
        json!({ "start_time": "2040-01-01T00:00:00+00:00", "end_time": "2040-01-04T00:00:00+00:00" }),
        json!({ "start_time": "2041-01-01T00:00:00+00:00", "max_runs": 2 }),
        json!({ "max_runs": 0 }),
        json!({ "max_runs": "x" }),
        json!({ "max_runs": -1 }),
        json!({ "start_time": "x" }),
        json!({ "start_time": null, "end_time": null, "max_runs": null }),
    ] {
        pair.post(path, &body);
        pair.same("POST", "/flow_runs/filter", Some(RUNS));
    }
    pair.post(&format!("/deployments/{UNKNOWN}/schedule"), &json!({}));
}

/// On and off, replaced and taken away.
fn switching(pair: &mut Pair, daily: &Value) {
    let inactive = deployment(
        "switched",
        json!({ "schedule": daily, "is_schedule_active": false }),
    );
    pair.make("deployment", "/deployments/", &inactive);
    let count = |pair: &mut Pair| pair.same("POST", "/flow_runs/filter", Some(RUNS));
    count(pair);
    pair.post("/deployments/{deployment}/set_schedule_active", &json!({}));
    count(pair);
    pair.get("/deployments/{deployment}");
    pair.make(
        "by hand",
        "/deployments/{deployment}/create_flow_run",
        &json!({ "state": { "type": "SCHEDULED" } }),
    );
    pair.same(
        "POST",
        "/deployments/{deployment}/set_schedule_inactive",
        None,
    );
    count(pair);
    pair.same(
        "POST",
        "/deployments/{deployment}/set_schedule_inactive",
        None,
    );
    pair.same(
        "POST",
        "/deployments/{deployment}/set_schedule_active",
        None,
    );
    pair.same(
        "POST",
        "/deployments/{deployment}/set_schedule_active",
        None,
    );
    count(pair);
    let weekly = json!({ "cron": "0 0 * * 0" });
    pair.post(
        "/deployments/",
        &deployment("switched", json!({ "schedule": weekly })),
    );
    count(pair);
    pair.post("/deployments/", &deployment("switched", json!({})));
    count(pair);
    pair.post(
        "/deployments/",
        &deployment("switched", json!({ "schedule": daily })),
    );
    count(pair);
    for verb in ["set_schedule_active", "set_schedule_inactive"] {
        pair.post(&format!("/deployments/{UNKNOWN}/{verb}"), &json!({}));
        pair.post(&format!("/deployments/nothing/{verb}"), &json!({}));
    }
}

fn ends(pair: &mut Pair) {
    pair.post("/deployments/filter", &json!({}));
    pair.post("/deployments/count", &json!({}));
    // Runs that have not begun would go with it here.
    let path = "/deployments/{deployment}/set_schedule_inactive";
    pair.same("POST", path, None);
    pair.delete("/flow_runs/{by hand}");
    pair.delete("/deployments/{deployment}");
    pair.same("POST", "/flow_runs/filter", Some(RUNS));
    pair.delete("/deployments/{deployment}");
    pair.get("/deployments/{deployment}");
    pair.delete("/deployments/nothing");
}
