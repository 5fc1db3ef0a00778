//! Task runs, sub-flows and graphs.

use serde_json::json;

use super::UNKNOWN;
use crate::oracle::pair::Pair;

pub fn send(pair: &mut Pair) {
    pair.make("flow", "/flows/", &json!({ "name": "task_1" }));
    pair.make("run", "/flow_runs/", &json!({ "flow_id": "{flow}" }));
    pair.make(
        "task",
        "/task_runs/",
        &json!({ "flow_run_id": "{run}", "task_key": "k", "dynamic_key": "0" }),
    );
    pair.get("/task_runs/{task}");
    creations(pair);
    states(pair);
    sub_flows(pair);
    graph(pair);
    pair.delete("/task_runs/{task}");
    pair.delete("/task_runs/{task}");
    pair.get("/task_runs/{task}");
    pair.get("/task_runs/nothing");
    pair.patch("/task_runs/{task}", &json!({}));
}

fn creations(pair: &mut Pair) {
    for (index, more) in [
        json!({ "name": "named" }),
        json!({ "name": null }),
        json!({ "name": "a/b" }),
        json!({ "task_key": null }),
        json!({ "dynamic_key": 7 }),
        json!({ "dynamic_key": "0", "task_key": "k", "name": "again" }),
        json!({ "cache_key": "c", "cache_expiration": "2030-01-01T00:00:00Z" }),
        json!({ "cache_expiration": "soon" }),
        json!({ "task_version": "3" }),
        json!({ "empirical_policy": { "max_retries": 3, "retry_delay_seconds": 2 } }),
        json!({ "empirical_policy": { "max_retries": "x" } }),
        json!({ "empirical_policy": { "max_retries": -1 } }),
        json!({ "tags": ["x"] }),
        json!({ "state": { "type": "SCHEDULED" } }),
        json!({ "state": { "type": "SCHEDULED", "state_details": { "scheduled_time": "2031-01-01T00:00:00Z" } } }),
        json!({ "state": { "type": "COMPLETED" } }),
        json!({ "state": { "type": "RUNNING" } }),
        json!({ "state": null }),
        json!({ "task_inputs": { "x": [{ "input_type": "task_run", "id": "{task}" }] } }),
        json!({ "task_inputs": { "x": [{ "input_type": "parameter", "name": "p" }, { "input_type": "constant", "type": "int" }] } }),
        json!({ "task_inputs": { "x": [] } }),
        json!({ "task_inputs": { "x": [{ "input_type": "nothing" }] } }),
        json!({ "task_inputs": { "x": [{ "input_type": "task_run" }] } }),
        json!({ "task_inputs": { "x": [{ "id": "{task}" }] } }),
        json!({ "task_inputs": { "x": { "id": "{task}" } } }),
        json!({ "task_inputs": [] }),
        json!({ "flow_run_id": "x" }),
        json!({ "id": UNKNOWN }),
        json!({ "expected_start_time": "2022-01-01" }),
    ]
    .into_iter()
    .enumerate()
    {
        let mut body = json!({ "flow_run_id": "{run}", "task_key": "made", "dynamic_key": format!("d{index}") });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        pair.post("/task_runs/", &body);
    }
    pair.post("/task_runs/", &json!({}));
    pair.post("/task_runs/", &json!({ "flow_run_id": "{run}" }));
}

fn states(pair: &mut Pair) {
    let path = "/task_runs/{task}/set_state";
    for body in [
        json!({ "state": { "type": "RUNNING" } }),
        json!({ "state": { "type": "COMPLETED", "data": { "encoding": "a", "blob": "b" } } }),
        json!({ "state": { "type": "RUNNING" } }),
        json!({ "state": { "type": "RUNNING" }, "force": true }),
        json!({ "state": { "type": "RUN" } }),
        json!({}),
    ] {
        pair.post(path, &body);
        pair.get("/task_runs/{task}");
    }
    let listed = pair.same("GET", "/task_run_states/?task_run_id={task}", None);
    pair.keep("state", &listed, "/0/id");
    pair.get("/task_run_states/{state}");
    pair.get(&format!("/task_run_states/{UNKNOWN}"));
    pair.get("/task_run_states/");
    pair.get("/task_run_states/?task_run_id=x");
    pair.get(&format!("/task_run_states/?task_run_id={UNKNOWN}"));
}

/// A sub-flow's states are told on the task run that stands for it.
fn sub_flows(pair: &mut Pair) {
    pair.make(
        "stand_in",
        "/task_runs/",
        &json!({ "flow_run_id": "{run}", "task_key": "sub", "dynamic_key": "0" }),
    );
    pair.make(
        "sub",
        "/flow_runs/",
        &json!({ "flow_id": "{flow}", "parent_task_run_id": "{stand_in}" }),
    );
    for kind in ["PENDING", "RUNNING", "FAILED", "SCHEDULED", "COMPLETED"] {
        pair.post(
            "/flow_runs/{sub}/set_state",
            &json!({ "state": { "type": kind, "message": "from below" } }),
        );
        pair.get("/task_runs/{stand_in}");
    }
    pair.get("/task_run_states/?task_run_id={stand_in}");
    pair.make("second", "/flow_runs/", &json!({ "flow_id": "{flow}", "parent_task_run_id": "{stand_in}", "state": { "type": "SCHEDULED" } }));
    pair.get("/task_runs/{stand_in}");
    pair.delete("/flow_runs/{sub}");
    pair.get("/task_runs/{stand_in}");
}

fn graph(pair: &mut Pair) {
    pair.make("run", "/flow_runs/", &json!({ "flow_id": "{flow}" }));
    pair.get("/flow_runs/{run}/graph");
    for (key, inputs) in [
        ("a", json!({})),
        (
            "b",
            json!({ "x": [{ "input_type": "task_run", "id": "{a}" }] }),
        ),
        (
            "c",
            json!({ "x": [{ "id": "{a}" }, { "id": "{b}" }], "y": [{ "id": "{b}" }] }),
        ),
    ] {
        let body = json!({
            "flow_run_id": "{run}", "task_key": key, "dynamic_key": "0", "task_inputs": inputs,
            "state": { "type": "PENDING" },
        });
        pair.make(key, "/task_runs/", &body);
    }
    pair.in_any_order("GET", "/flow_runs/{run}/graph", None);
}
