//! Artifacts, alone and by key.

use serde_json::{Value, json};

use crate::support::{Http, TestDaemon};

/// Leaves an artifact; answers its id.
fn left(http: &Http, artifact: &Value) -> String {
    let made = http.post("/artifacts/", artifact).expect(201);
    made["id"].as_str().unwrap().to_owned()
}

/// The data of what is found.
fn data(found: &Value) -> Vec<Value> {
    let found = found.as_array().unwrap().iter();
    found.map(|it| it["data"].clone()).collect()
}

/// A flow run with a task run.
fn run(http: &Http, flow: &str) -> (String, String) {
    let flow = http.post("/flows/", &json!({ "name": flow })).expect(201);
    let run = json!({ "flow_id": flow["id"], "state": { "type": "RUNNING" } });
    let run = http.post("/flow_runs/", &run).expect(201)["id"].clone();
    let task = json!({ "flow_run_id": run, "task_key": "t", "dynamic_key": "0" });
    let task = http.post("/task_runs/", &task).expect(201)["id"].clone();
    let text = |id: Value| id.as_str().unwrap().to_owned();
    (text(run), text(task))
}

#[test]
fn an_artifact_is_told_whole_and_changed_in_part() {
    let daemon = TestDaemon::without_agent();
    let http = daemon.modern();
    let (flow_run, task_run) = run(&http, "f");
    let new = json!({
        "key": "report-1", "type": "markdown", "description": "d", "data": "# One",
        "metadata_": { "a": "b", "long": "x".repeat(501) },
        "flow_run_id": flow_run, "task_run_id": task_run,
    });
    let made = http.post("/artifacts/", &new).expect(201);
    let id = made["id"].as_str().unwrap();
    for (field, value) in new.as_object().unwrap() {
        if field != "metadata_" {
            assert_eq!(made[field], *value, "{field}");
        }
    }
    let cut = format!("{}...", "x".repeat(500));
    assert_eq!(made["metadata_"], json!({ "a": "b", "long": cut }));
    let path = format!("/artifacts/{id}");
    assert_eq!(http.get(&path).expect(200), made);
    let change = json!({ "data": { "n": [1, null] }, "description": null });
    http.patch(&path, &change).expect(204);
    let changed = http.get(&path).expect(200);
    assert_eq!(changed["data"], json!({ "n": [1, null] }));
    assert_eq!(changed["description"], Value::Null);
    assert_eq!(changed["metadata_"], made["metadata_"]);
    assert_eq!(changed["created"], made["created"]);
    assert_ne!(changed["updated"], made["updated"]);
    let latest = http.get("/artifacts/report-1/latest").expect(200);
    assert_eq!(latest["data"], changed["data"]);
    assert_eq!(latest["updated"], changed["updated"]);
    http.delete(&path).expect(204);
    for answer in [
        http.get(&path),
        http.patch(&path, &json!({})),
        http.delete(&path),
        http.get("/artifacts/report-1/latest"),
    ] {
        assert_eq!(answer.expect(404)["detail"], "Artifact not found.");
    }
}

#[test]
fn keys_are_small_letters_digits_and_dashes() {
    let daemon = TestDaemon::without_agent();
    let http = daemon.modern();
    for key in ["A", "a_b", "a b", "é"] {
        let answer = http.post("/artifacts/", &json!({ "key": key }));
        assert_eq!(answer.status, 422, "{key}: {}", answer.body);
    }
    for key in [json!("a-1"), json!(""), Value::Null] {
        http.post("/artifacts/", &json!({ "key": key })).expect(201);
    }
}

#[test]
fn of_a_key_the_latest_is_told_and_the_one_before_it_once_that_is_gone() {
    let daemon = TestDaemon::without_agent();
    let http = daemon.modern();
    let one =
        |n: i64| json!({ "key": "k", "type": "number", "data": n, "description": n.to_string() });
    let ids: Vec<_> = (1..=3).map(|n| left(&http, &one(n))).collect();
    left(&http, &json!({ "key": "other", "data": 9 }));
    left(&http, &json!({ "data": "of no key" }));
    let latest = |http: &Http| {
        let asked = json!({ "artifacts": { "key": { "any_": ["k"] } } });
        http.post("/artifacts/latest/filter", &asked).expect(200)
    };
    let found = latest(&http);
    assert_eq!(data(&found), [3]);
    assert_eq!(found[0]["latest_id"], ids[2].as_str());
    assert_ne!(found[0]["id"], found[0]["latest_id"]);
    let by_key = http.get("/artifacts/k/latest").expect(200);
    // As on the reference.
    assert_eq!(by_key["id"], found[0]["id"]);
    assert!(by_key.get("latest_id").is_none());
    let count = |path: &str| http.post(path, &json!({})).expect(200);
    assert_eq!(count("/artifacts/latest/count"), 2);
    assert_eq!(count("/artifacts/count"), 5);
    // One that is not the latest goes, and nothing else changes.
    http.delete(&format!("/artifacts/{}", ids[1])).expect(204);
    assert_eq!(latest(&http), found);
    http.delete(&format!("/artifacts/{}", ids[2])).expect(204);
    let stepped_back = latest(&http);
    assert_eq!(data(&stepped_back), [1]);
    assert_eq!(stepped_back[0]["latest_id"], ids[0].as_str());
    assert_eq!(stepped_back[0]["description"], "1");
    assert_eq!(stepped_back[0]["id"], found[0]["id"]);
    http.delete(&format!("/artifacts/{}", ids[0])).expect(204);
    assert_eq!(latest(&http), json!([]));
    assert_eq!(count("/artifacts/latest/count"), 1);
    let told = told_of_collections(&http);
    let happened = [
        "created", "updated", "updated", "created", "updated", "deleted",
    ];
    assert_eq!(told, happened);
}

/// What was told of collections, in order.
fn told_of_collections(http: &Http) -> Vec<String> {
    let asked = json!({ "filter": {
        "event": { "prefix": ["prefect.artifact-collection."] }, "order": "ASC" } });
    let told = http.post("/events/filter", &asked).expect(200);
    let told = told["events"].as_array().unwrap().iter();
    let names = told.map(|event| event["event"].as_str().unwrap());
    names
        .map(|name| name.rsplit('.').next().unwrap().to_owned())
        .collect()
}

#[test]
fn artifacts_are_found_by_what_they_are_and_by_who_left_them() {
    let daemon = TestDaemon::without_agent();
    let http = daemon.modern();
    let (one, task) = run(&http, "one");
    let (other, _) = run(&http, "other");
    for artifact in [
        json!({ "key": "a-b", "type": "table", "data": 1, "flow_run_id": one, "task_run_id": task }),
        json!({ "key": "a-c", "type": "markdown", "data": 2, "flow_run_id": other }),
        json!({ "data": 3, "type": "result" }),
    ] {
        left(&http, &artifact);
    }
    for (asked, wanted, wanted_latest) in [
        (json!({}), vec![1, 2, 3], vec![1, 2]),
        (
            json!({ "artifacts": { "key": { "like_": "A-" } } }),
            vec![1, 2],
            vec![1, 2],
        ),
        (
            json!({ "artifacts": { "key": { "exists_": false } } }),
            vec![3],
            vec![],
        ),
        (
            json!({ "artifacts": { "key": { "exists_": true } } }),
            vec![1, 2],
            vec![1, 2],
        ),
        (
            json!({ "artifacts": { "type": { "any_": ["table"] } } }),
            vec![1],
            vec![1],
        ),
        (
            json!({ "artifacts": { "type": { "not_any_": ["result"] } } }),
            vec![1, 2],
            vec![1, 2],
        ),
        (
            json!({ "artifacts": { "flow_run_id": { "any_": [other] } } }),
            vec![2],
            vec![2],
        ),
        (
            json!({ "artifacts": { "task_run_id": { "any_": [task] } } }),
            vec![1],
            vec![1],
        ),
        (
            json!({ "flow_runs": { "id": { "any_": [one] } } }),
            vec![1],
            vec![1],
        ),
        (
            json!({ "flows": { "name": { "any_": ["other"] } } }),
            vec![2],
            vec![2],
        ),
        (
            json!({ "task_runs": { "id": { "any_": [task] } } }),
            vec![1],
            vec![1],
        ),
        (
            json!({ "deployments": { "name": { "any_": ["d"] } } }),
            vec![],
            vec![],
        ),
        (
            json!({ "artifacts": { "operator": "or_", "key": { "any_": ["a-b"] },
                 "type": { "any_": ["result"] } } }),
            vec![1, 3],
            vec![1],
        ),
    ] {
        for (path, wanted) in [("/artifacts", wanted), ("/artifacts/latest", wanted_latest)] {
            let found = http.post(&format!("{path}/filter"), &asked).expect(200);
            let mut numbers: Vec<_> = data(&found).iter().map(|n| n.as_i64().unwrap()).collect();
            numbers.sort_unstable();
            assert_eq!(numbers, wanted, "{path} {asked}");
            let count = http.post(&format!("{path}/count"), &asked).expect(200);
            assert_eq!(count, wanted.len(), "{path} {asked}");
        }
    }
    for (sort, wanted) in [
        ("KEY_ASC", [1, 2]),
        ("KEY_DESC", [2, 1]),
        ("ID_DESC", [2, 1]),
        ("CREATED_DESC", [2, 1]),
        ("UPDATED_DESC", [2, 1]),
    ] {
        let asked = json!({ "sort": sort });
        let found = http.post("/artifacts/latest/filter", &asked).expect(200);
        assert_eq!(data(&found), wanted, "{sort}");
        let page = json!({ "sort": sort, "limit": 1, "offset": 1 });
        let found = http.post("/artifacts/latest/filter", &page).expect(200);
        assert_eq!(data(&found), wanted[1..], "{sort}");
    }
    let filter = |asked: Value| http.post("/artifacts/filter", &asked).status;
    assert_eq!(filter(json!({ "sort": "NAME_ASC" })), 422);
    assert_eq!(filter(json!({ "limit": 201 })), 422);
}

#[cfg(feature = "client")]
#[test]
fn today_s_client_leaves_artifacts_of_every_kind_and_its_command_line_shows_them() {
    use crate::modern::Place;
    use crate::support::flows::file;
    let daemon = TestDaemon::without_agent();
    let (http, place) = (daemon.modern(), Place::new());
    let says = |program: &str, words: &[&str]| {
        let output = place
            .program(&daemon, program)
            .args(words)
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let trouble = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{words:?}: {text}\n{trouble}");
        text
    };
    says("python", &[file("artifacts.py").to_str().unwrap()]);
    let of_table = json!({ "artifacts": { "key": { "any_": ["table"] } } });
    let table = http.post("/artifacts/filter", &of_table).expect(200);
    assert_eq!(table[0]["type"], "table");
    for run in ["flow_run_id", "task_run_id"] {
        assert!(table[0][run].is_string(), "{run}");
    }
    let listed = says("prefect", &["artifact", "ls"]);
    for key in ["report", "table", "link", "image", "progress", "apart"] {
        assert!(listed.contains(key), "{key}: {listed}");
    }
    let shown = says("prefect", &["artifact", "inspect", "report"]);
    assert!(
        shown.contains("# First") && shown.contains("# Second"),
        "{shown}"
    );
    says("prefect", &["--no-prompt", "artifact", "delete", "report"]);
    let left = http.post("/artifacts/count", &json!({})).expect(200);
    assert_eq!(left, 5);
    assert_eq!(http.get("/artifacts/report/latest").status, 404);
}
