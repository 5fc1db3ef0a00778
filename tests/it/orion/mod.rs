//! The 2.0a7 dialect as its clients speak it: exact keys, upserts, proposals, refusals.

mod asking;
mod states;

use serde_json::{Value, json};

use super::support::TestDaemon;

#[track_caller]
fn keys(value: &Value, expected: &str) {
    let mut found: Vec<_> = value.as_object().unwrap().keys().cloned().collect();
    let mut wanted: Vec<_> = expected.split_whitespace().map(str::to_owned).collect();
    found.sort();
    wanted.sort();
    assert_eq!(found, wanted);
}

const STATE: &str = "id type name timestamp message data state_details";
const BOOKS: &str = "state_type run_count expected_start_time next_scheduled_start_time start_time \
                     end_time total_run_time estimated_run_time estimated_start_time_delta";

#[test]
fn every_noun_has_exactly_the_keys_that_its_clients_accept() {
    let daemon = TestDaemon::without_agent();
    let http = daemon.http();
    let flow = http.post("/flows/", &json!({ "name": "f" })).expect(201);
    keys(&flow, "id created updated name tags");
    let flow = flow["id"].as_str().unwrap();
    let deployment = http.deployment(flow, "d", &Value::Null);
    let deployment = http.get(&format!("/deployments/{deployment}")).expect(200);
    keys(
        &deployment,
        "id created updated name flow_id flow_data schedule is_schedule_active parameters tags flow_runner",
    );
    assert_eq!(
        deployment["flow_runner"],
        json!({ "type": null, "config": null })
    );
    let run = http
        .post("/flow_runs/", &json!({ "flow_id": flow }))
        .expect(201);
    let own = "id created updated name flow_id state_id deployment_id flow_version parameters \
               idempotency_key context empirical_policy empirical_config tags parent_task_run_id \
               auto_scheduled flow_runner state";
    keys(&run, &format!("{own} {BOOKS}"));
    keys(&run["state"], STATE);
    keys(
        &run["state"]["state_details"],
        "flow_run_id task_run_id child_flow_run_id scheduled_time cache_key cache_expiration",
    );
    let task = json!({ "flow_run_id": run["id"], "task_key": "k", "dynamic_key": "0" });
    let task = http.post("/task_runs/", &task).expect(201);
    let own = "id created updated name flow_run_id task_key dynamic_key cache_key cache_expiration \
               task_version empirical_policy tags state_id task_inputs state";
    keys(&task, &format!("{own} {BOOKS}"));
    let line = json!([{
        "name": "l", "level": 20, "message": "m", "timestamp": "2024-01-01T00:00:00Z",
        "flow_run_id": run["id"],
    }]);
    assert_eq!(http.post("/logs/", &line).expect(201), Value::Null);
    let lines = http
        .post("/logs/filter", &json!({ "limit": null }))
        .expect(200);
    keys(
        &lines[0],
        "id created updated name level message timestamp flow_run_id task_run_id",
    );
}

#[test]
fn creating_twice_answers_what_is_there() {
    let daemon = TestDaemon::without_agent();
    let http = daemon.http();
    let flow = http.flow("f");
    assert_eq!(
        http.post("/flows/", &json!({ "name": "f" })).expect(200)["id"],
        flow.as_str()
    );
    let run = json!({ "flow_id": flow, "idempotency_key": "k" });
    let first = http.post("/flow_runs/", &run).expect(201);
    assert_eq!(
        http.post("/flow_runs/", &run).expect(200)["id"],
        first["id"]
    );
    let task = json!({ "flow_run_id": first["id"], "task_key": "t", "dynamic_key": "0" });
    let made = http.post("/task_runs/", &task).expect(201);
    assert_eq!(
        http.post("/task_runs/", &task).expect(200)["id"],
        made["id"]
    );
    let data = json!({ "encoding": "x", "blob": "y" });
    let runner = json!({ "type": "docker", "config": { "image": "i" } });
    let deployment =
        json!({ "name": "d", "flow_id": flow, "flow_data": data, "flow_runner": runner });
    let made = http.post("/deployments/", &deployment).expect(201);
    let again = json!({ "name": "d", "flow_id": flow, "flow_data": data, "tags": ["t"] });
    let again = http.post("/deployments/", &again).expect(200);
    assert_eq!((&again["id"], &again["tags"]), (&made["id"], &json!(["t"])));
    assert_eq!(again["flow_runner"], runner, "what was not given stays");
}

#[test]
fn documents_come_back_and_nothing_else_does() {
    let daemon = TestDaemon::without_agent();
    let http = daemon.http();
    let document = http.post_text("/data/persist", "flow code").expect(201);
    keys(&document, "encoding blob");
    assert_eq!(http.post("/data/retrieve", &document).status, 200);
    let naming = |inner: Value| json!({ "encoding": "orion", "blob": inner.to_string() });
    for (bad, why) in [
        (
            naming(json!({ "encoding": "file", "blob": "/etc/passwd" })),
            "a path",
        ),
        (
            naming(json!({ "encoding": "file", "blob": "file:///blobs/../../etc/passwd" })),
            "dots",
        ),
        (
            naming(json!({ "encoding": "s3", "blob": document["blob"] })),
            "another encoding",
        ),
        (
            json!({ "encoding": "file", "blob": "/etc/passwd" }),
            "no wrapping",
        ),
        (
            json!({ "encoding": "file", "blob": "file:///blobs/../../etc/passwd" }),
            "dots, and no wrapping",
        ),
        (
            json!({ "encoding": "s3", "blob": document["blob"] }),
            "another encoding outside",
        ),
        (
            json!({ "encoding": "orion", "blob": "/etc/passwd" }),
            "a path for a document",
        ),
        (
            json!({ "encoding": "orion", "blob": "file:///blobs/../../etc/passwd" }),
            "dots for a document",
        ),
        (naming(document.clone()), "a document within a document"),
    ] {
        let answer = http.post("/data/retrieve", &bad);
        assert!(
            (400..500).contains(&answer.status),
            "{why}: {}",
            answer.status
        );
        assert!(!answer.body.to_string().contains("root:"), "{why}");
    }
}

#[test]
fn updates_change_what_they_name() {
    let daemon = TestDaemon::without_agent();
    let http = daemon.http();
    let run = http.flow_run(&http.flow("f"));
    let path = format!("/flow_runs/{run}");
    let update = json!({ "flow_version": "2", "parameters": { "a": 1 } });
    assert_eq!(http.patch(&path, &update).status, 204);
    let after = http.get(&path).expect(200);
    assert_eq!(
        (&after["flow_version"], &after["parameters"]),
        (&json!("2"), &json!({ "a": 1 }))
    );
    assert_eq!(http.delete(&path).status, 204);
    assert_eq!(http.get(&path).status, 404);
    assert_eq!(
        http.get(&format!("/flow_run_states/?flow_run_id={run}"))
            .expect(200),
        json!([])
    );
}

#[test]
fn searches_are_saved_by_name() {
    let daemon = TestDaemon::without_agent();
    let http = daemon.http();
    let save = |filters: Value| {
        http.put(
            "/saved_searches/",
            &json!({ "name": "s", "filters": filters }),
        )
    };
    let saved = save(json!({ "a": 1 })).expect(201);
    keys(&saved, "id created updated name filters");
    let again = save(json!({ "b": 2 })).expect(200);
    assert_eq!(
        (&again["id"], &again["filters"]),
        (&saved["id"], &json!({ "b": 2 }))
    );
    let path = format!("/saved_searches/{}", saved["id"].as_str().unwrap());
    assert_eq!(http.get(&path).expect(200)["name"], "s");
    assert_eq!(
        http.post("/saved_searches/filter", &json!({})).expect(200)[0]["id"],
        saved["id"]
    );
    assert_eq!(http.delete(&path).status, 204);
    assert_eq!(http.delete(&path).status, 404);
}

#[test]
fn the_database_is_cleared_only_on_confirmation() {
    let daemon = TestDaemon::without_agent();
    let http = daemon.http();
    http.flow_run(&http.flow("f"));
    assert_eq!(http.post("/admin/database/clear", &json!({})).status, 400);
    assert_eq!(http.post("/flow_runs/count", &json!({})).expect(200), 1);
    assert_eq!(
        http.post("/admin/database/clear", &json!({ "confirm": true }))
            .status,
        204
    );
    assert_eq!(http.post("/flow_runs/count", &json!({})).expect(200), 0);
    assert_eq!(http.post("/flows/count", &json!({})).expect(200), 0);
}
