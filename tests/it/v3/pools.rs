//! What is told of pools and queues, what is found by them, and what is done to many at once.

use serde_json::{Value, json};

use crate::support::{Http, TestDaemon};

struct Furnished {
    http: Http,
    pool: String,
    deployments: Vec<String>,
}

/// A process pool `p` with the queues `default` and `q`; deployments `in-default` and `in-q` of
/// flows of the same names, and `free` without a pool; a run of each.
fn furnished(daemon: &TestDaemon) -> Furnished {
    let http = daemon.modern();
    let pool = json!({ "name": "p", "type": "process", "base_job_template": {} });
    let pool = http.post("/work_pools/", &pool).expect(201);
    http.post("/work_pools/p/queues", &json!({ "name": "q" }))
        .expect(201);
    let mut deployments = Vec::new();
    for (name, place) in [
        ("in-default", json!({ "work_pool_name": "p" })),
        (
            "in-q",
            json!({ "work_pool_name": "p", "work_queue_name": "q" }),
        ),
        ("free", json!({})),
    ] {
        let flow = http.post("/flows/", &json!({ "name": name })).expect(201);
        let mut deployment = json!({ "name": name, "flow_id": flow["id"], "entrypoint": "f.py:f" });
        let fields = deployment.as_object_mut().unwrap();
        fields.extend(place.as_object().unwrap().clone());
        let deployment = http.post("/deployments/", &deployment).expect(201);
        let id = deployment["id"].as_str().unwrap().to_owned();
        let run = json!({ "name": format!("run-{name}"), "state": scheduled() });
        http.post(&format!("/deployments/{id}/create_flow_run"), &run)
            .expect(201);
        deployments.push(id);
    }
    Furnished {
        pool: pool["id"].as_str().unwrap().to_owned(),
        http,
        deployments,
    }
}

/// Far ahead, so that nobody takes it.
fn scheduled() -> Value {
    json!({ "type": "SCHEDULED", "state_details": { "scheduled_time": "2099-01-01T00:00:00Z" } })
}

fn names(found: &Value) -> Vec<String> {
    let found = found.as_array().unwrap().iter();
    let mut names: Vec<_> = found
        .map(|it| it["name"].as_str().unwrap().to_owned())
        .collect();
    names.sort();
    names
}

#[test]
fn runs_tell_their_queue_and_pool_and_are_found_by_them() {
    let daemon = TestDaemon::without_agent();
    let Furnished { http, pool, .. } = furnished(&daemon);
    let runs = http.post("/flow_runs/filter", &json!({})).expect(200);
    let of = |name: &str| {
        let mut runs = runs.as_array().unwrap().iter();
        runs.find(|run| run["name"] == name).unwrap().clone()
    };
    let in_q = of("run-in-q");
    assert_eq!(in_q["work_queue_name"], "q");
    assert_eq!(in_q["work_pool_name"], "p");
    assert_eq!(in_q["work_pool_id"], pool.as_str());
    let queue = http.get("/work_pools/p/queues/q").expect(200);
    assert_eq!(in_q["work_queue_id"], queue["id"]);
    assert_eq!(of("run-in-default")["work_queue_name"], "default");
    for field in ["work_pool_id", "work_pool_name", "work_queue_name"] {
        assert_eq!(of("run-free")[field], Value::Null);
    }

    let by_pool = json!({ "work_pools": { "name": { "any_": ["p"] } } });
    let by_queue = json!({ "work_pool_queues": { "name": { "startswith_": ["Q"] } } });
    let both = json!({ "work_pools": { "type": { "any_": ["docker"] } }, "work_pool_queues": {} });
    let own = json!({ "flow_runs": { "work_queue_name": { "any_": ["q"] } } });
    let none = json!({ "flow_runs": { "work_queue_name": { "is_null_": true } } });
    for (noun, prefix) in [("flow_runs", "run-"), ("deployments", ""), ("flows", "")] {
        let find = |query: &Value| {
            let found = names(&http.post(&format!("/{noun}/filter"), query).expect(200));
            let count = http.post(&format!("/{noun}/count"), query).expect(200);
            assert_eq!(count, found.len());
            let page = http.post(&format!("/{noun}/paginate"), query).expect(200);
            assert_eq!(names(&page["results"]), found);
            found
        };
        let all = [format!("{prefix}in-default"), format!("{prefix}in-q")];
        assert_eq!(find(&by_pool), all, "{noun}");
        assert_eq!(find(&by_queue), all[1..], "{noun}");
        assert_eq!(find(&both), [] as [&str; 0], "{noun}");
        assert_eq!(find(&own), all[1..], "{noun}");
        assert_eq!(find(&none), [format!("{prefix}free")], "{noun}");
    }
    let deployments = json!({ "deployments": { "work_queue_name": { "any_": ["q"] } } });
    let found = http.post("/deployments/filter", &deployments).expect(200);
    assert_eq!(names(&found), ["in-q"]);
    let history = json!({
        "history_start": "2098-12-31T00:00:00Z", "history_end": "2099-01-02T00:00:00Z",
        "history_interval_seconds": 172_800, "work_pools": { "name": { "any_": ["p"] } },
    });
    let history = http.post("/flow_runs/history", &history).expect(200);
    assert_eq!(history[0]["states"][0]["count_runs"], 2, "{history}");
    let nothing = json!({ "flow_runs": { "created_by": { "type_": ["SCHEDULE"] } } });
    let found = http.post("/flow_runs/filter", &nothing).expect(200);
    assert_eq!(found, json!([]));
}

#[test]
fn a_run_is_begun_in_a_pool_without_a_deployment() {
    let daemon = TestDaemon::without_agent();
    let Furnished { http, .. } = furnished(&daemon);
    let flow = http.get("/flows/name/free").expect(200);
    let run = |pool: &str, queue: Value| {
        let run = json!({
            "flow_id": flow["id"], "state": scheduled(),
            "work_pool_name": pool, "work_queue_name": queue,
        });
        http.post("/flow_runs/", &run)
    };
    let made = run("p", json!("q")).expect(201);
    assert_eq!(made["work_queue_name"], "q");
    assert_eq!(made["work_pool_name"], "p");
    assert_eq!(
        run("p", Value::Null).expect(201)["work_queue_name"],
        "default"
    );
    run("p", json!("r")).expect(404);
    run("r", Value::Null).expect(404);
}

#[test]
fn many_are_changed_and_deleted_at_once() {
    let daemon = TestDaemon::without_agent();
    let Furnished {
        http, deployments, ..
    } = furnished(&daemon);
    let first = &deployments[0];
    let wishes = json!([{ "name": "one" }, { "name": "two", "state": scheduled() }]);
    let made = http
        .post(
            &format!("/deployments/{first}/create_flow_run/bulk"),
            &wishes,
        )
        .expect(200);
    let made = made["results"].as_array().unwrap();
    assert!(made.iter().all(|it| it["status"] == "CREATED"), "{made:?}");
    let ids: Vec<_> = made.iter().map(|it| it["flow_run_id"].clone()).collect();
    let these = json!({ "id": { "any_": ids } });

    let cancelled = json!({ "flow_runs": these, "state": { "type": "CANCELLED" } });
    let decided = http
        .post("/flow_runs/bulk_set_state", &cancelled)
        .expect(200);
    let decided = decided["results"].as_array().unwrap();
    assert_eq!(decided.len(), 2);
    for one in decided {
        assert_eq!(one["status"], "ACCEPT");
        assert_eq!(one["state"]["type"], "CANCELLED");
        assert!(ids.contains(&one["flow_run_id"]));
    }
    // A run that has ended is not begun again, which is said of it alone.
    let running = json!({ "state": { "type": "RUNNING" }, "flow_runs": these, "limit": 1 });
    let decided = http.post("/flow_runs/bulk_set_state", &running).expect(200);
    assert_eq!(decided["results"].as_array().unwrap().len(), 1);

    // What would widen the selection is refused, whoever asks.
    let unknown = json!({ "flow_runs": { "nmae": { "any_": ["one"] } } });
    http.post("/flow_runs/bulk_delete", &unknown).expect(422);
    for limit in [0, 51] {
        let limited = json!({ "limit": limit });
        http.post("/flow_runs/bulk_delete", &limited).expect(422);
    }
    let deleted = http
        .post("/flow_runs/bulk_delete", &json!({ "flow_runs": these }))
        .expect(200);
    assert_eq!(deleted["deleted"].as_array().unwrap().len(), 2);
    let left = http.post("/flow_runs/count", &json!({})).expect(200);
    assert_eq!(left, 3);

    let one = json!({ "deployments": { "name": { "any_": ["in-q"] } } });
    let deleted = http.post("/deployments/bulk_delete", &one).expect(200);
    assert_eq!(deleted["deleted"], json!([deployments[1]]));
    http.post("/flows/bulk_delete", &json!({ "flows": {} }))
        .expect(200);
    for noun in ["flows", "deployments", "flow_runs"] {
        let left = http.post(&format!("/{noun}/count"), &json!({})).expect(200);
        assert_eq!(left, 0, "{noun}");
    }
}

#[test]
fn a_queue_of_tags_hands_out_the_runs_that_have_them_all() {
    let daemon = TestDaemon::without_agent();
    let http = daemon.modern();
    let mut ids = Vec::new();
    for tags in [json!(["a", "b"]), json!(["a"]), json!(["a", "b", "c"])] {
        let flow = http.post("/flows/", &json!({ "name": "f" })).body;
        let name = format!("d{}", ids.len());
        let made = json!({ "name": name, "flow_id": flow["id"], "tags": tags });
        let made = http.post("/deployments/", &made).expect(201);
        let path = format!(
            "/deployments/{}/create_flow_run",
            made["id"].as_str().unwrap()
        );
        let run = json!({ "name": name, "state": scheduled(), "tags": tags });
        let run = http.post(&path, &run).expect(201);
        ids.push((made["id"].clone(), run["id"].as_str().unwrap().to_owned()));
    }
    let queue = |name: &str, filter: Value| {
        let new = json!({ "name": name, "filter": filter });
        let made = http.post("/work_queues/", &new).expect(201);
        format!("/work_queues/{}", made["id"].as_str().unwrap())
    };
    let runs = |path: &str, before: &str| {
        let asked = json!({ "scheduled_before": before });
        names(&http.post(&format!("{path}/get_runs"), &asked).expect(200))
    };
    let late = "2099-01-01T00:00:00Z";
    let tagged = queue("tagged", json!({ "tags": ["a", "b"] }));
    assert_eq!(runs(&tagged, late), ["d0", "d2"]);
    assert!(runs(&tagged, "2098-12-31T23:59:59Z").is_empty());
    let one = json!({ "tags": ["a", "b"], "deployment_ids": [ids[2].0] });
    assert_eq!(runs(&queue("one", one), late), ["d2"]);
    let set_state = format!("/flow_runs/{}/set_state", ids[0].1);
    let running = json!({ "state": { "type": "RUNNING" }, "force": true });
    http.post(&set_state, &running).expect(201);
    assert_eq!(runs(&tagged, late), ["d2"]);
    http.patch(&tagged, &json!({ "concurrency_limit": 1 }));
    assert!(runs(&tagged, late).is_empty(), "its one slot is taken");
    http.patch(
        &tagged,
        &json!({ "concurrency_limit": 2, "is_paused": true }),
    );
    assert!(runs(&tagged, late).is_empty(), "it is paused");
}
