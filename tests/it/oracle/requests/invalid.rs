//! Input that is not quite what it should be.

use serde_json::{Value, json};

use super::UNKNOWN;
use crate::oracle::pair::Pair;

pub fn send(pair: &mut Pair) {
    pages(pair);
    filters(pair);
    pair.make("flow", "/flows/", &json!({ "name": "invalid_1" }));
    pair.make("run", "/flow_runs/", &json!({ "flow_id": "{flow}" }));
    for details in times() {
        pair.post("/flow_runs/{run}/set_state", &json!({ "force": true, "state": { "type": "SCHEDULED", "state_details": { "scheduled_time": details } } }));
        pair.get("/flow_runs/{run}");
    }
    for details in [
        json!({ "flow_run_id": UNKNOWN, "task_run_id": UNKNOWN, "child_flow_run_id": UNKNOWN }),
        json!({ "flow_run_id": "x" }),
        json!({ "cache_key": 5 }),
        json!({ "cache_expiration": 5 }),
        json!({ "run_count": 5 }),
        json!([]),
        json!("x"),
    ] {
        pair.post(
            "/flow_runs/{run}/set_state",
            &json!({ "state": { "type": "FAILED", "state_details": details } }),
        );
    }
    for id in [
        "00000000111142228333444444444444",
        "{00000000-1111-4222-8333-444444444444}",
        "urn:uuid:00000000-1111-4222-8333-444444444444",
        "00000000-1111-4222-8333-44444444444",
        "00000000-1111-4222-8333-44444444444g",
        "00000000-1111-4222-8333-444444444444%20",
    ] {
        pair.get(&format!(
            "/flows/{}",
            id.replace('{', "%7B").replace('}', "%7D")
        ));
        pair.post(
            "/flows/filter",
            &json!({ "flows": { "id": { "any_": [id] } } }),
        );
    }
}

/// Times in the forms that pydantic takes or refuses.
fn times() -> Vec<Value> {
    let mut times: Vec<Value> = [
        "2022-01-02T03:04:05Z",
        "2022-01-02 03:04:05Z",
        "2022-01-02T03:04Z",
        "2022-01-02",
        "2022-01-02T03:04:05Z",
        "2022-01-02T03:04:05z",
        "2022-01-02T03:04:05+0530",
        "2022-01-02T03:04:05+05",
        "2022-01-02T03:04:05-08:00",
        "2022-01-02T03:04:05.1Z",
        "2022-01-02T03:04:05.1234567Z",
        "2022-1-2T3:4:5Z",
        "2022-13-01T00:00:00",
        "2022-02-30T00:00:00",
        "2022-01-01T24:00:00",
        "1640995200",
        "1640995200000",
        "1640995200.5",
        "-5",
        "x",
        "",
        "now",
        "2022-W01-1",
        "20220102T030405",
        "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59Z",
    ]
    .iter()
    .map(|text| json!(text))
    .collect();
    times.extend([
        json!(0),
        json!(-1),
        json!(1640995200),
        json!(1640995200000_i64),
        json!(1640995200.25),
        json!(true),
        json!([]),
        json!({}),
        json!(null),
    ]);
    times
}

fn pages(pair: &mut Pair) {
    for noun in [
        "flows",
        "deployments",
        "flow_runs",
        "task_runs",
        "saved_searches",
    ] {
        for body in [
            json!({ "limit": 0 }),
            json!({ "limit": -1 }),
            json!({ "limit": 201 }),
            json!({ "limit": "x" }),
            json!({ "limit": 1.5, "offset": 100_000 }),
            json!({ "limit": "0" }),
            json!({ "limit": true, "offset": 100_000 }),
            json!({ "limit": null, "offset": 100_000 }),
            json!({ "offset": -1 }),
            json!({ "offset": "x" }),
            json!({ "offset": null, "limit": 0 }),
            json!({ "sort": "NOTHING", "limit": 0 }),
            json!({ "sort": null, "limit": 0 }),
            json!({ "unknown": 1, "limit": 0 }),
            json!([]),
            json!("x"),
        ] {
            pair.post_any_order(&format!("/{noun}/filter"), &body);
        }
    }
}

fn filters(pair: &mut Pair) {
    for noun in ["flows", "deployments", "flow_runs", "task_runs"] {
        for filter in [
            json!(null),
            json!({}),
            json!([]),
            json!("x"),
            json!({ "unknown": {} }),
            json!({ "id": null, "name": null, "tags": null }),
            json!({ "id": [] }),
            json!({ "id": { "any_": null } }),
            json!({ "id": { "any_": [] } }),
            json!({ "id": { "any_": ["x"] } }),
            json!({ "id": { "any_": UNKNOWN } }),
            json!({ "id": { "any_": [UNKNOWN, "y", 5] } }),
            json!({ "id": { "all_": [] } }),
            json!({ "name": { "any_": [5, null] } }),
            json!({ "tags": { "all_": "x" } }),
            json!({ "tags": { "is_null_": "perhaps" } }),
            json!({ "state": { "type": { "any_": ["NOTHING"] } } }),
            json!({ "start_time": { "before_": "x" } }),
            json!({ "name": "x", "id": "y", "more": 1 }),
        ] {
            pair.post(&format!("/{noun}/count"), &json!({ noun: filter }));
        }
    }
}
