//! Histories of flow runs and task runs.

use serde_json::{Value, json};

use crate::oracle::pair::Pair;

pub fn send(pair: &mut Pair) {
    pair.make("flow", "/flows/", &json!({ "name": "history_1" }));
    for (day, kind) in [
        (1, "COMPLETED"),
        (1, "FAILED"),
        (2, "COMPLETED"),
        (5, "SCHEDULED"),
        (5, "RUNNING"),
    ] {
        let scheduled = json!({ "type": "SCHEDULED", "state_details": { "scheduled_time": format!("2022-01-0{day}T12:00:00+00:00") } });
        pair.make(
            "run",
            "/flow_runs/",
            &json!({ "flow_id": "{flow}", "state": scheduled }),
        );
        pair.make("task", "/task_runs/", &json!({ "flow_run_id": "{run}", "task_key": "k", "dynamic_key": "0", "state": scheduled }));
        if kind != "SCHEDULED" {
            let to = json!({ "force": true, "state": { "type": kind } });
            pair.post("/flow_runs/{run}/set_state", &to);
            pair.post("/task_runs/{task}/set_state", &to);
        }
    }
    for noun in ["flow_runs", "task_runs"] {
        for body in bodies() {
            pair.post(&format!("/{noun}/history"), &body);
        }
        pair.same("POST", &format!("/{noun}/history"), None);
    }
}

fn bodies() -> Vec<Value> {
    let asked = |start: &str, end: &str, seconds: Value| json!({ "history_start": start, "history_end": end, "history_interval_seconds": seconds });
    let week = asked("2022-01-01T00:00:00Z", "2022-01-08T00:00:00Z", json!(86400));
    let with = |key: &str, value: Value| {
        let mut body = week.clone();
        body.as_object_mut().unwrap().insert(key.to_owned(), value);
        body
    };
    vec![
        week.clone(),
        asked(
            "2022-01-01T00:00:00Z",
            "2022-01-03T00:00:00Z",
            json!(50_000),
        ),
        asked(
            "2022-01-01T06:00:00+02:00",
            "2022-01-08T00:00:00",
            json!(172_800.5),
        ),
        asked("2022-01-08T00:00:00Z", "2022-01-01T00:00:00Z", json!(86400)),
        asked("2022-01-01T00:00:00Z", "2022-01-01T00:00:00Z", json!(60)),
        asked("2021-01-01T00:00:00Z", "2023-01-01T00:00:00Z", json!(86400)),
        asked("2022-01-01T00:00:00Z", "2022-01-02T00:00:00Z", json!(1)),
        asked("2022-01-01T00:00:00Z", "2022-01-02T00:00:00Z", json!(0.9)),
        asked("2022-01-01T00:00:00Z", "2022-01-02T00:00:00Z", json!(0)),
        asked("2022-01-01T00:00:00Z", "2022-01-02T00:00:00Z", json!(-5)),
        asked("2022-01-01T00:00:00Z", "2022-01-02T00:00:00Z", json!("x")),
        asked(
            "2022-01-01T00:00:00Z",
            "2022-01-02T00:00:00Z",
            json!("PT12H"),
        ),
        asked(
            "2022-01-01T00:00:00Z",
            "2022-01-02T00:00:00Z",
            json!("12:00:00"),
        ),
        asked("x", "2022-01-02T00:00:00Z", json!(60)),
        with(
            "flow_runs",
            json!({ "state": { "type": { "any_": ["COMPLETED"] } } }),
        ),
        with(
            "task_runs",
            json!({ "state": { "type": { "any_": ["RUNNING"] } } }),
        ),
        with("flows", json!({ "name": { "any_": ["history_1"] } })),
        with("flows", json!({ "name": { "any_": ["nothing"] } })),
        with("deployments", json!({ "name": { "any_": ["nothing"] } })),
        with("flows", json!({ "unknown": 1 })),
        json!({}),
    ]
}
