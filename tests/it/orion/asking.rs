//! Questions, and requests that are refused.

use serde_json::{Value, json};

use super::super::support::TestDaemon;
use super::keys;
use super::states::propose;

#[test]
fn bad_input_is_refused_whole_in_that_server_s_words() {
    let daemon = TestDaemon::without_agent();
    let http = daemon.http();
    let refused = http
        .post("/flows/", &json!({ "nam": "x", "tags": "t" }))
        .expect(422);
    keys(&refused, "exception_message exception_detail request_body");
    let expected = json!([
        { "loc": ["body", "name"], "msg": "field required", "type": "value_error.missing" },
        { "loc": ["body", "tags"], "msg": "value is not a valid list", "type": "type_error.list" },
        { "loc": ["body", "nam"], "msg": "extra fields not permitted", "type": "value_error.extra" },
    ]);
    assert_eq!(refused["exception_detail"], expected);
    let uuid = http.get("/flows/not-a-uuid").expect(422);
    assert_eq!(uuid["exception_detail"][0]["loc"], json!(["path", "id"]));
    let unknown = uuid::Uuid::nil();
    for path in [
        "flows",
        "deployments",
        "flow_runs",
        "task_runs",
        "flow_run_states",
    ] {
        http.get(&format!("/{path}/{unknown}")).expect(404);
    }
    let state = json!({ "state": { "type": "RUNNING" } });
    http.post(&format!("/flow_runs/{unknown}/set_state"), &state)
        .expect(404);
    http.post("/flow_runs/", &json!({ "flow_id": unknown }))
        .expect(409);
    let state = json!({ "state": { "type": "RUNNING", "timestamp": "2024-01-01T00:00:00Z" } });
    http.post(&format!("/flow_runs/{unknown}/set_state"), &state)
        .expect(422);
    assert_eq!(http.post_text("/flows/", "{\"name\": ").status, 422);
    assert_eq!(
        http.post("/flow_runs/filter", &json!({ "limit": 201 }))
            .status,
        422
    );
    assert_eq!(
        http.post("/flows/count", &Value::Null).expect(200),
        0,
        "nothing was written"
    );
}

#[test]
fn a_body_beyond_the_limit_is_refused_and_the_daemon_lives() {
    let daemon = TestDaemon::without_agent();
    let http = daemon.http();
    let huge = format!("{{\"name\": \"{}\"}}", "x".repeat(100 * 1024 * 1024));
    let refused = http.post_text("/flows/", &huge);
    assert_eq!(refused.status, 413);
    assert!(refused.body["detail"].as_str().unwrap().contains("32 MiB"));
    assert_eq!(http.post("/flows/count", &json!({})).expect(200), 0);
}

#[test]
fn paths_are_mended_and_unknown_ones_are_not() {
    let daemon = TestDaemon::without_agent();
    let http = daemon.http();
    let moved = http.post("/flows", &json!({ "name": "f" }));
    let to = format!("{}/api/flows/", daemon.url());
    assert_eq!((moved.status, moved.location), (307, Some(to)));
    assert_eq!(
        http.get("/nothing").expect(404),
        json!({ "detail": "Not Found" })
    );
    assert_eq!(http.put("/flows/filter", &json!({})).status, 405);
    // Taken as an id, which it is not.
    assert_eq!(http.delete("/flows/filter").status, 422);
    assert_eq!(http.get("/orion/admin/version").expect(200), "2.0a7");
    assert_eq!(http.get("/admin/hello").expect(200), "👋");
}

#[test]
fn filters_find_what_they_ask_for() {
    let daemon = TestDaemon::without_agent();
    let http = daemon.http();
    let (one, two) = (http.flow("one"), http.flow("two"));
    let first = http.flow_run(&one);
    let second = http.flow_run(&two);
    let tagged = json!({ "flow_id": two, "tags": ["a", "b"], "name": "tagged" });
    let tagged = http.post("/flow_runs/", &tagged).expect(201);
    propose(&http, "flow_runs", &second, json!({ "type": "RUNNING" }));
    let found = |filter: Value| {
        let runs = http.post("/flow_runs/filter", &filter).expect(200);
        let runs = runs.as_array().unwrap().iter();
        let ids: Vec<_> = runs
            .map(|run| run["id"].as_str().unwrap().to_owned())
            .collect();
        ids
    };
    let tagged = tagged["id"].as_str().unwrap().to_owned();
    let by = |noun: &str, filter: Value| found(json!({ noun: filter }));
    assert_eq!(
        found(json!({})),
        [tagged.as_str(), &second, &first],
        "newest first"
    );
    assert_eq!(
        by("flows", json!({ "name": { "any_": ["one"] } })),
        [first.as_str()]
    );
    assert_eq!(
        by("flow_runs", json!({ "tags": { "all_": ["a", "b"] } })),
        [tagged.as_str()]
    );
    assert_eq!(
        by(
            "flow_runs",
            json!({ "state": { "type": { "any_": ["RUNNING"] } } })
        ),
        [second.as_str()]
    );
    assert_eq!(
        by(
            "flow_runs",
            json!({ "id": { "not_any_": [tagged, second] } })
        ),
        [first.as_str()]
    );
    assert_eq!(
        by("task_runs", json!({})),
        Vec::<String>::new(),
        "a run with task runs"
    );
    let page = found(json!({ "limit": 1, "offset": 1 }));
    assert_eq!(page, [second.as_str()]);
    let count = http.post(
        "/flow_runs/count",
        &json!({ "flows": { "id": { "any_": [two] } } }),
    );
    assert_eq!(count.expect(200), 2);
}

#[test]
fn a_history_counts_runs_by_bucket_and_state() {
    let daemon = TestDaemon::without_agent();
    let http = daemon.http();
    let flow = http.flow("f");
    for at in [
        "2024-01-01T00:10:00Z",
        "2024-01-01T00:20:00Z",
        "2024-01-01T02:00:00Z",
    ] {
        let state = json!({ "type": "SCHEDULED", "state_details": { "scheduled_time": at } });
        http.post("/flow_runs/", &json!({ "flow_id": flow, "state": state }))
            .expect(201);
    }
    let asked = |secs: f64| {
        json!({
            "history_start": "2024-01-01T00:00:00Z",
            "history_end": "2024-01-01T03:00:00Z",
            "history_interval_seconds": secs,
        })
    };
    let history = http.post("/flow_runs/history", &asked(3600.0)).expect(200);
    let counts: Vec<_> = history
        .as_array()
        .unwrap()
        .iter()
        .map(|bucket| bucket["states"][0]["count_runs"].as_i64().unwrap_or(0))
        .collect();
    assert_eq!(counts, [2, 0, 1]);
    keys(
        &history[0]["states"][0],
        "state_type state_name count_runs sum_estimated_run_time sum_estimated_lateness",
    );
    assert!(history[0]["states"][0]["sum_estimated_lateness"].as_f64() > Some(0.0));
    let many = http.post("/task_runs/history", &asked(1.0)).expect(200);
    assert_eq!(many.as_array().unwrap().len(), 500);
    http.post("/flow_runs/history", &asked(0.5)).expect(422);
}

#[test]
fn a_graph_names_the_task_runs_whose_results_are_taken() {
    let daemon = TestDaemon::without_agent();
    let http = daemon.http();
    let run = http.flow_run(&http.flow("f"));
    let task = |key: &str, inputs: Value| {
        let task = json!({ "flow_run_id": run, "task_key": key, "dynamic_key": "0", "task_inputs": inputs });
        http.post("/task_runs/", &task).expect(201)["id"].clone()
    };
    let first = task("a", json!({}));
    let source = json!({ "input_type": "task_run", "id": first });
    let parameter = json!({ "input_type": "parameter", "name": "p" });
    let second = task("b", json!({ "x": [source], "y": [source, parameter] }));
    let graph = http.get(&format!("/flow_runs/{run}/graph")).expect(200);
    let of = |id: &Value| {
        graph
            .as_array()
            .unwrap()
            .iter()
            .find(|node| node["id"] == *id)
            .unwrap()
    };
    assert_eq!(of(&second)["upstream_dependencies"], json!([source]));
    assert_eq!(of(&first)["upstream_dependencies"], json!([]));
    http.get(&format!("/flow_runs/{}/graph", uuid::Uuid::nil()))
        .expect(404);
}
