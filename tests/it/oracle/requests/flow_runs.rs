//! Flow runs and their states.

use serde_json::json;

use super::UNKNOWN;
use crate::oracle::pair::Pair;

pub fn send(pair: &mut Pair) {
    pair.make("flow", "/flows/", &json!({ "name": "run_1" }));
    pair.make("run", "/flow_runs/", &json!({ "flow_id": "{flow}" }));
    pair.get("/flow_runs/{run}");
    creations(pair);
    updates(pair);
    states(pair);
    pair.get("/flow_runs/{run}/graph");
    pair.get("/flow_runs/nothing/graph");
    pair.delete("/flow_runs/{run}");
    pair.delete("/flow_runs/{run}");
    pair.get("/flow_runs/{run}");
    pair.get(&format!("/flow_runs/{UNKNOWN}"));
    pair.get("/flow_runs/nothing");
}

fn creations(pair: &mut Pair) {
    for more in [
        json!({ "name": "named_2" }),
        json!({ "name": "" }),
        json!({ "name": null }),
        json!({ "name": "with / slash" }),
        json!({ "state": { "type": "SCHEDULED" } }),
        json!({ "state": { "type": "SCHEDULED", "state_details": { "scheduled_time": "2022-01-01T00:00:00Z" } } }),
        json!({ "state": { "type": "SCHEDULED", "state_details": { "scheduled_time": 1640995200 } } }),
        json!({ "state": { "type": "SCHEDULED", "state_details": { "scheduled_time": "2022-01-01" } } }),
        json!({ "state": { "type": "SCHEDULED", "state_details": { "scheduled_time": "2022-01-01T00:00:00.123456789Z" } } }),
        json!({ "state": { "type": "RUNNING" } }),
        json!({ "state": { "type": "COMPLETED", "name": "Done", "message": "m", "data": { "encoding": "x", "blob": "y" } } }),
        json!({ "state": { "type": "FAILED", "data": null } }),
        json!({ "state": { "type": "CANCELLED" } }),
        json!({ "state": { "type": "CRASHED" } }),
        json!({ "state": { "type": "completed" } }),
        json!({ "state": { "type": "COMPLETED", "timestamp": "2022-01-01T00:00:00Z" } }),
        json!({ "state": { "type": "COMPLETED", "id": UNKNOWN } }),
        json!({ "state": { "type": "COMPLETED", "state_details": { "cache_key": "k", "cache_expiration": "2022-01-01T00:00:00Z" } } }),
        json!({ "state": { "type": "COMPLETED", "state_details": { "nothing": 1 } } }),
        json!({ "state": { "type": "COMPLETED", "state_details": null } }),
        json!({ "state": { "type": "COMPLETED", "name": null, "message": null } }),
        json!({ "state": "COMPLETED" }),
        json!({ "flow_version": "1.0" }),
        json!({ "flow_version": 3 }),
        json!({ "parameters": { "a": [1, "x", null, { "b": 1.5 }] } }),
        json!({ "parameters": "x" }),
        json!({ "context": { "a": 1 } }),
        json!({ "tags": ["z", "a"] }),
        json!({ "empirical_policy": {} }),
        json!({ "empirical_policy": { "max_retries": 3, "retry_delay_seconds": 1.5 } }),
        json!({ "empirical_policy": { "more": 3 } }),
        json!({ "empirical_policy": null }),
        json!({ "empirical_config": { "x": 1 } }),
        json!({ "estimated_run_time": 5 }),
        json!({ "deployment_id": null, "parent_task_run_id": null, "idempotency_key": null, "flow_runner": null }),
        json!({ "deployment_id": "x" }),
        json!({ "parent_task_run_id": "x" }),
        json!({ "flow_runner": { "type": "docker", "config": { "image": "x" } } }),
        json!({ "idempotency_key": "one" }),
        json!({ "idempotency_key": "one", "name": "other_name", "parameters": { "x": 1 } }),
        json!({ "idempotency_key": 5 }),
        json!({ "auto_scheduled": true }),
        json!({ "id": UNKNOWN }),
    ] {
        let mut body = json!({ "flow_id": "{flow}" });
        body.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        pair.post("/flow_runs/", &body);
    }
    pair.post("/flow_runs/", &json!({}));
    pair.post("/flow_runs/", &json!({ "flow_id": "nothing" }));
}

fn updates(pair: &mut Pair) {
    for body in [
        json!({ "name": "new_name" }),
        json!({ "flow_version": "9", "tags": ["new"], "parameters": { "p": 1 } }),
        json!({ "empirical_policy": { "max_retries": 2 } }),
        json!({}),
        json!({ "tags": null }),
        json!({ "name": null }),
        json!({ "parameters": null }),
        json!({ "name": 5 }),
        json!({ "state": null }),
        json!({ "flow_id": UNKNOWN }),
    ] {
        pair.patch("/flow_runs/{run}", &body);
        pair.get("/flow_runs/{run}");
    }
    pair.patch(&format!("/flow_runs/{UNKNOWN}"), &json!({ "name": "x" }));
    pair.patch("/flow_runs/nothing", &json!({}));
}

fn states(pair: &mut Pair) {
    let path = "/flow_runs/{run}/set_state";
    for body in [
        json!({ "state": { "type": "RUNNING" } }),
        json!({ "state": { "type": "RUNNING", "name": "Again", "message": "twice" } }),
        json!({ "state": { "type": "COMPLETED" }, "force": true }),
        json!({ "state": { "type": "FAILED", "data": { "encoding": "a", "blob": "b" } }, "force": "yes" }),
        json!({ "state": null }),
        json!({}),
        json!({ "state": { "type": "RUNNING" }, "force": "perhaps" }),
        json!({ "state": { "type": "RUNNING" }, "more": 1 }),
        json!({ "type": "RUNNING" }),
    ] {
        pair.post(path, &body);
    }
    pair.same("POST", path, None);
    pair.post("/flow_runs/nothing/set_state", &json!({}));
    let listed = pair.same("GET", "/flow_run_states/?flow_run_id={run}", None);
    pair.keep("state", &listed, "/0/id");
    pair.get("/flow_run_states/{state}");
    pair.get(&format!("/flow_run_states/{UNKNOWN}"));
    pair.get("/flow_run_states/nothing");
    pair.get("/flow_run_states/");
    pair.get("/flow_run_states/?flow_run_id=");
    pair.get("/flow_run_states/?flow_run_id=x");
    pair.get(&format!("/flow_run_states/?flow_run_id={UNKNOWN}"));
    pair.get("/flow_run_states/?flow_run_id={run}&more=1");
}
