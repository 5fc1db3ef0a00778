//! The 2.0a7 dialect as its clients speak it: exact keys, upserts, proposals, refusals.

use serde_json::{Value, json};

use super::support::{Http, TestDaemon};

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

fn propose(http: &Http, noun: &str, id: &str, state: Value) -> (u16, Value) {
    let answer = http.post(
        &format!("/{noun}/{id}/set_state"),
        &json!({ "state": state }),
    );
    (answer.status, answer.body)
}

#[test]
fn proposals_are_answered_by_the_rules() {
    let daemon = TestDaemon::without_agent();
    let http = daemon.http();
    let flow = http.flow("f");
    let run = http.flow_run(&flow);
    let (status, body) = propose(&http, "flow_runs", &run, json!({ "type": "RUNNING" }));
    assert_eq!((status, &body["status"]), (201, &json!("ACCEPT")));
    assert_eq!(body["details"], json!({ "type": "accept_details" }));

    let later = json!({ "type": "SCHEDULED", "state_details": { "scheduled_time": "2100-01-01T00:00:00Z" } });
    propose(&http, "flow_runs", &run, later);
    let (status, body) = propose(&http, "flow_runs", &run, json!({ "type": "RUNNING" }));
    assert_eq!(
        (status, &body["status"], &body["state"]),
        (200, &json!("WAIT"), &Value::Null)
    );
    assert!(body["details"]["delay_seconds"].as_i64().unwrap() > 1_000_000);

    let task = json!({
        "flow_run_id": run, "task_key": "t", "dynamic_key": "0",
        "empirical_policy": { "max_retries": 1, "retry_delay_seconds": 0 },
    });
    let task = http.post("/task_runs/", &task).expect(201);
    let task = task["id"].as_str().unwrap();
    let step = |kind: &str| propose(&http, "task_runs", task, json!({ "type": kind })).1;
    assert_eq!(step("RUNNING")["state"]["name"], "Running");
    let retry = step("FAILED");
    assert_eq!(
        (&retry["status"], &retry["state"]["name"]),
        (&json!("REJECT"), &json!("AwaitingRetry"))
    );
    assert_eq!(step("RUNNING")["state"]["name"], "Retrying");
    assert_eq!(step("FAILED")["state"]["name"], "Failed");
    assert_eq!(step("RUNNING")["status"], "ABORT");
    let task = http.get(&format!("/task_runs/{task}")).expect(200);
    assert_eq!(
        (&task["run_count"], &task["state_type"]),
        (&json!(2), &json!("FAILED"))
    );
}

#[test]
fn a_cached_result_is_answered_instead_of_running() {
    let daemon = TestDaemon::without_agent();
    let http = daemon.http();
    let run = http.flow_run(&http.flow("f"));
    let task = |key: &str| {
        let task = json!({ "flow_run_id": run, "task_key": "t", "dynamic_key": key });
        http.post("/task_runs/", &task).expect(201)["id"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let cached = json!({ "cache_key": "c" });
    let data = json!({ "encoding": "x", "blob": "result" });
    let first = task("0");
    let running = json!({ "type": "RUNNING", "state_details": cached });
    assert_eq!(
        propose(&http, "task_runs", &first, running.clone()).1["status"],
        "ACCEPT"
    );
    let completed = json!({ "type": "COMPLETED", "data": data, "state_details": cached });
    propose(&http, "task_runs", &first, completed);
    let (_, body) = propose(&http, "task_runs", &task("1"), running);
    assert_eq!(
        (&body["status"], &body["state"]["name"]),
        (&json!("REJECT"), &json!("Cached"))
    );
    assert_eq!(body["state"]["data"], data);
}

#[test]
fn a_sub_flow_s_states_reach_the_task_that_stands_for_it() {
    let daemon = TestDaemon::without_agent();
    let http = daemon.http();
    let flow = http.flow("f");
    let parent = http.flow_run(&flow);
    let task = json!({ "flow_run_id": parent, "task_key": "t", "dynamic_key": "0" });
    let task = http.post("/task_runs/", &task).expect(201);
    let child = json!({ "flow_id": flow, "parent_task_run_id": task["id"] });
    let child = http.post("/flow_runs/", &child).expect(201);
    propose(
        &http,
        "flow_runs",
        child["id"].as_str().unwrap(),
        json!({ "type": "RUNNING" }),
    );
    let task = http
        .get(&format!("/task_runs/{}", task["id"].as_str().unwrap()))
        .expect(200);
    assert_eq!(task["state_type"], "RUNNING");
    assert_eq!(
        task["state"]["state_details"]["child_flow_run_id"],
        child["id"]
    );
}

#[test]
fn only_one_of_two_agents_gets_a_run() {
    let daemon = TestDaemon::without_agent();
    let http = daemon.http();
    let deployment = http.deployment(&http.flow("f"), "d", &Value::Null);
    let run = http.run_deployment(&deployment);
    let id = run["id"].as_str().unwrap();
    let pending =
        || propose(&http, "flow_runs", id, json!({ "type": "PENDING" })).1["status"].clone();
    assert_eq!((pending(), pending()), (json!("ACCEPT"), json!("ABORT")));
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
    assert_eq!(http.get("/admin/version").expect(200), "2.0a7");
    assert_eq!(http.get("/admin/hello").expect(200), "👋");
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
