//! Every transition, for flow runs and task runs, by the rules and by force.

use serde_json::{Value, json};

use crate::oracle::pair::Pair;

const KINDS: &[&str] = &[
    "SCHEDULED",
    "PENDING",
    "RUNNING",
    "COMPLETED",
    "FAILED",
    "CANCELLED",
];

/// States to come from and to go to.
fn states() -> Vec<Value> {
    let mut states: Vec<_> = KINDS.iter().map(|kind| json!({ "type": kind })).collect();
    let at =
        |time: &str| json!({ "type": "SCHEDULED", "state_details": { "scheduled_time": time } });
    states.push(at("2022-03-04T05:06:07+00:00"));
    states.push(at("2100-01-01T00:00:00+00:00"));
    states
}

pub fn send(pair: &mut Pair) {
    pair.make("flow", "/flows/", &json!({ "name": "transitions_1" }));
    for from in states() {
        for to in states() {
            flow_run(pair, &from, &to, false);
            task_run(pair, &from, &to, false);
        }
        flow_run(pair, &from, &json!({ "type": "RUNNING" }), true);
        task_run(pair, &from, &json!({ "type": "RUNNING" }), true);
    }
    pair.get("/flow_run_states/?flow_run_id={run}");
    lifetimes(pair);
    retries(pair);
    caches(pair);
}

fn flow_run(pair: &mut Pair, from: &Value, to: &Value, force: bool) {
    pair.make(
        "run",
        "/flow_runs/",
        &json!({ "flow_id": "{flow}", "state": from }),
    );
    pair.post(
        "/flow_runs/{run}/set_state",
        &json!({ "state": to, "force": force }),
    );
    pair.get("/flow_runs/{run}");
}

fn task_run(pair: &mut Pair, from: &Value, to: &Value, force: bool) {
    let body = json!({ "flow_run_id": "{run}", "task_key": format!("{from}{to}{force}"), "dynamic_key": "0", "state": from });
    pair.make("task", "/task_runs/", &body);
    pair.post(
        "/task_runs/{task}/set_state",
        &json!({ "state": to, "force": force }),
    );
    pair.get("/task_runs/{task}");
}

/// Whole lives, of which the books are kept.
fn lifetimes(pair: &mut Pair) {
    for noun in ["flow", "task"] {
        pair.make("run", "/flow_runs/", &json!({ "flow_id": "{flow}" }));
        pair.make(
            "task",
            "/task_runs/",
            &json!({ "flow_run_id": "{run}", "task_key": "life", "dynamic_key": noun }),
        );
        let path = if noun == "flow" {
            "/flow_runs/{run}"
        } else {
            "/task_runs/{task}"
        };
        for kind in [
            "PENDING",
            "RUNNING",
            "FAILED",
            "SCHEDULED",
            "RUNNING",
            "PENDING",
            "COMPLETED",
        ] {
            for force in [false, true] {
                pair.post(
                    &format!("{path}/set_state"),
                    &json!({ "state": { "type": kind }, "force": force }),
                );
                pair.get(path);
            }
        }
    }
}

fn retries(pair: &mut Pair) {
    for delay in [0.0, 0.5, 30.0] {
        let policy = json!({ "max_retries": 2, "retry_delay_seconds": delay });
        pair.make("task", "/task_runs/", &json!({ "flow_run_id": "{run}", "task_key": format!("retry{delay}"), "dynamic_key": "0", "empirical_policy": policy }));
        for kind in [
            "RUNNING", "FAILED", "RUNNING", "FAILED", "RUNNING", "FAILED",
        ] {
            pair.post(
                "/task_runs/{task}/set_state",
                &json!({ "state": { "type": kind, "message": "m" } }),
            );
            pair.get("/task_runs/{task}");
            // Past the waiting.
            if kind == "RUNNING" {
                pair.post(
                    "/task_runs/{task}/set_state",
                    &json!({ "state": { "type": kind }, "force": true }),
                );
            }
        }
        pair.get("/task_run_states/?task_run_id={task}");
    }
}

fn caches(pair: &mut Pair) {
    let key =
        |key: &str, until: Option<&str>| json!({ "cache_key": key, "cache_expiration": until });
    for (index, (name, details)) in [
        ("first", key("a", None)),
        ("again", key("a", None)),
        ("old", key("b", Some("2020-01-01T00:00:00+00:00"))),
        ("old again", key("b", Some("2020-01-01T00:00:00+00:00"))),
        ("new", key("c", Some("2100-01-01T00:00:00+00:00"))),
        ("new again", key("c", None)),
    ]
    .into_iter()
    .enumerate()
    {
        pair.make("task", "/task_runs/", &json!({ "flow_run_id": "{run}", "task_key": "cache", "dynamic_key": index.to_string(), "name": name }));
        let state = |kind: &str| json!({ "state": { "type": kind, "state_details": details, "data": { "encoding": "x", "blob": name } } });
        pair.post("/task_runs/{task}/set_state", &state("RUNNING"));
        pair.post("/task_runs/{task}/set_state", &state("COMPLETED"));
        pair.get("/task_runs/{task}");
        pair.post("/task_runs/{task}/set_state", &state("RUNNING"));
    }
}
