//! What modern clients ask for, and in which order.

use serde_json::{Value, json};

use crate::support::{Http, TestDaemon};

/// The names of what a question finds.
fn found(http: &Http, noun: &str, question: Value) -> Vec<String> {
    let found = http.post(&format!("/{noun}/filter"), &question).expect(200);
    let found = found.as_array().unwrap().iter();
    found
        .map(|it| it["name"].as_str().unwrap().to_owned())
        .collect()
}

struct Furnished {
    daemon: TestDaemon,
    http: Http,
    flows: Vec<String>,
    deployment: String,
}

/// Flows a, b and Car; a deployment `dep` of a; runs of each.
fn furnished() -> Furnished {
    let daemon = TestDaemon::without_agent();
    let http = daemon.modern();
    let mut flows = Vec::new();
    for (name, tags) in [
        ("a", json!(["x", "y"])),
        ("b", json!(["x"])),
        ("Car", json!([])),
    ] {
        let flow = http
            .post("/flows/", &json!({ "name": name, "tags": tags }))
            .expect(201);
        flows.push(flow["id"].as_str().unwrap().to_owned());
    }
    let deployment = json!({ "name": "dep", "flow_id": flows[0], "tags": ["d"], "paused": true });
    let deployment = http.post("/deployments/", &deployment).expect(201);
    let deployment = deployment["id"].as_str().unwrap().to_owned();
    for (number, flow) in flows.iter().enumerate() {
        let run = json!({
            "flow_id": flow,
            "name": format!("run-{number}"),
            "tags": if number == 0 { json!(["p", "q"]) } else { json!(["q"]) },
            "idempotency_key": format!("key-{number}"),
            "state": { "type": if number == 2 { "RUNNING" } else { "PENDING" } },
        });
        http.post("/flow_runs/", &run).expect(201);
    }
    Furnished {
        daemon,
        http,
        flows,
        deployment,
    }
}

#[test]
fn flows_and_deployments_are_found() {
    let it = furnished();
    let flows = |filter: Value| found(&it.http, "flows", json!({ "flows": filter }));
    assert_eq!(flows(json!({})), ["Car", "a", "b"]);
    let (a, b) = (&it.flows[0], &it.flows[1]);
    assert_eq!(
        flows(json!({ "id": { "any_": [a, b], "not_any_": [b] } })),
        ["a"]
    );
    assert_eq!(flows(json!({ "name": { "like_": "A" } })), ["Car", "a"]);
    assert_eq!(
        flows(json!({ "deployment": { "is_null_": true } })),
        ["Car", "b"]
    );
    assert_eq!(flows(json!({ "deployment": { "is_null_": false } })), ["a"]);
    assert_eq!(flows(json!({ "tags": { "all_": ["x"] } })), ["a", "b"]);
    assert_eq!(flows(json!({ "tags": { "is_null_": true } })), ["Car"]);
    let either = |operator: &str| {
        let name = json!({ "any_": ["b"] });
        let tags = json!({ "all_": ["y"], "is_null_": null });
        flows(json!({ "operator": operator, "name": name, "tags": tags, "id": null }))
    };
    assert_eq!(either("or_"), ["a", "b"]);
    assert_eq!(either("and_"), [] as [&str; 0]);
    let sorted = |sort: &str| found(&it.http, "flows", json!({ "sort": sort, "limit": 2 }));
    assert_eq!(sorted("NAME_DESC"), ["b", "a"]);
    assert_eq!(sorted("CREATED_DESC"), ["Car", "b"]);

    let deployments =
        |filter: Value| found(&it.http, "deployments", json!({ "deployments": filter }));
    for filter in [
        json!({ "name": { "like_": "de" } }),
        json!({ "flow_or_deployment_name": { "like_": "A" } }),
        json!({ "flow_or_deployment_name": { "like_": "EP" } }),
        json!({ "paused": { "eq_": true } }),
        json!({ "tags": { "any_": ["d", "other"] } }),
        json!({ "id": { "any_": [it.deployment] }, "concurrency_limit": { "is_null_": true } }),
    ] {
        assert_eq!(deployments(filter.clone()), ["dep"], "{filter}");
    }
    for filter in [
        json!({ "flow_or_deployment_name": { "like_": "b" } }),
        json!({ "paused": { "eq_": false } }),
        json!({ "tags": { "any_": [] } }),
        json!({ "id": { "not_any_": [it.deployment] } }),
    ] {
        assert_eq!(deployments(filter.clone()), [] as [&str; 0], "{filter}");
    }
    assert!(it.daemon.log().matches("ERROR").count() == 0);
}

#[test]
fn runs_are_found() {
    let it = furnished();
    let runs = |filter: Value| {
        let asked = json!({ "flow_runs": filter, "sort": "NAME_ASC" });
        found(&it.http, "flow_runs", asked)
    };
    assert_eq!(runs(json!({ "tags": { "any_": ["p"] } })), ["run-0"]);
    assert_eq!(
        runs(json!({ "state": { "type": { "not_any_": ["PENDING"] } } })),
        ["run-2"]
    );
    let state = json!({
        "operator": "or_",
        "type": { "any_": ["RUNNING"] },
        "name": { "any_": null, "not_any_": [] },
    });
    assert_eq!(runs(json!({ "state": state })), ["run-2"]);
    assert_eq!(
        runs(json!({ "idempotency_key": { "any_": ["key-1"] } })),
        ["run-1"]
    );
    assert_eq!(
        runs(json!({ "idempotency_key": { "not_any_": ["key-1"] } })),
        ["run-0", "run-2"]
    );
    assert_eq!(runs(json!({ "end_time": { "is_null_": true } })).len(), 3);
    // What has not begun counts by when it was expected to.
    assert_eq!(
        runs(json!({ "start_time": { "after_": "2020-01-01T00:00:00Z" } })).len(),
        3
    );
    assert_eq!(
        runs(json!({ "start_time": { "is_null_": true } })),
        ["run-0", "run-1"]
    );
    let parent = it.http.post("/flow_runs/filter", &json!({})).expect(200)[0]["id"].clone();
    assert_eq!(
        runs(json!({ "parent_flow_run_id": { "any_": [parent] } })),
        [] as [&str; 0]
    );
    let refused = |asked: Value| it.http.post("/flow_runs/filter", &asked).expect(422);
    let most = "Invalid limit: must be less than or equal to 200.";
    assert_eq!(refused(json!({ "limit": 201 })), json!({ "detail": most }));
    let least = "Invalid limit: must be greater than or equal to 0.";
    assert_eq!(refused(json!({ "limit": -1 })), json!({ "detail": least }));
    assert!(
        refused(json!({ "sort": "OTHER" }))
            .to_string()
            .contains("ID_DESC")
    );
    let kind = refused(json!({ "flow_runs": { "state": { "type": { "any_": ["X"] } } } }));
    let place = json!(["body", "flow_runs", "state", "type", "any_", 0]);
    assert_eq!(kind["exception_detail"][0]["loc"], place);
    assert_eq!(
        it.http
            .post("/flow_runs/filter", &json!({ "limit": 0 }))
            .expect(200),
        json!([])
    );
}

#[test]
fn pages_are_numbered() {
    let it = furnished();
    let page = |noun: &str, page: u64| {
        let asked = json!({ "page": page, "limit": 2, "sort": "NAME_ASC" });
        it.http.post(&format!("/{noun}/paginate"), &asked)
    };
    let second = page("flow_runs", 2).expect(200);
    let results = second["results"].as_array().unwrap();
    assert_eq!((results.len(), &results[0]["name"]), (1, &json!("run-2")));
    let told = ["count", "limit", "pages", "page"].map(|key| second[key].as_u64().unwrap());
    assert_eq!(told, [3, 2, 2, 2]);
    assert_eq!(
        page("flows", 1).expect(200)["results"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
    assert_eq!(page("deployments", 1).expect(200)["pages"], 1);
    assert_eq!(page("task_runs", 9).expect(200)["results"], json!([]));
    assert_eq!(page("flows", 0).status, 422);
    assert_eq!(page("flows", u64::MAX).expect(200)["results"], json!([]));
}

#[test]
fn lines_are_searched() {
    let it = furnished();
    let run = it.http.post("/flow_runs/filter", &json!({})).expect(200)[0]["id"].clone();
    let line = |message: &str| {
        json!({
            "name": "prefect.flow_runs",
            "level": 20,
            "message": message,
            "timestamp": "2026-01-01T00:00:00Z",
            "flow_run_id": run,
        })
    };
    let lines = json!([line("Connection timeout"), line("100% done"), line("plain")]);
    it.http.post("/logs/", &lines).expect(201);
    let count = |query: &str| {
        let asked = json!({ "logs": { "text": { "query": query } } });
        let found = it.http.post("/logs/filter", &asked).expect(200);
        found.as_array().unwrap().len()
    };
    for (query, expected) in [
        ("timeout", 1),
        ("TIMEOUT plain", 2),
        ("\"connection timeout\"", 1),
        ("+done -plain", 1),
        ("%", 1),
        ("flow_runs", 3),
        ("-plain", 2),
        ("", 3),
    ] {
        assert_eq!(count(query), expected, "{query}");
    }
    let long = json!({ "logs": { "text": { "query": "x".repeat(201) } } });
    assert_eq!(it.http.post("/logs/filter", &long).status, 422);
}
