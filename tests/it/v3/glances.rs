//! What pages ask about many things at once.

use serde_json::{Value, json};

use crate::support::{Http, TestDaemon};

pub fn id(made: &Value) -> String {
    made["id"].as_str().unwrap().to_owned()
}

/// A run of a flow in a state.
pub fn run(http: &Http, flow: &str, state: &Value) -> String {
    let run = json!({ "flow_id": flow, "name": "r", "state": state });
    id(&http.post("/flow_runs/", &run).expect(201))
}

/// A task run of a flow run in a state.
pub fn task(http: &Http, run: &str, key: &str, kind: &str, inputs: &Value) -> String {
    let task = json!({
        "flow_run_id": run, "name": key, "task_key": key, "dynamic_key": "0",
        "task_inputs": inputs, "state": { "type": kind },
    });
    id(&http.post("/task_runs/", &task).expect(201))
}

pub fn flow(http: &Http, name: &str) -> String {
    id(&http.post("/flows/", &json!({ "name": name })).expect(201))
}

const NOBODY: &str = "018f0000-0000-7000-8000-00000000dead";

#[test]
fn flows_tell_how_much_they_have_and_what_is_next() {
    let daemon = TestDaemon::without_agent();
    let http = daemon.modern();
    let (one, other) = (flow(&http, "one"), flow(&http, "other"));
    let deployment = json!({ "name": "d", "flow_id": one });
    http.post("/deployments/", &deployment).expect(201);
    let due = |at: &str| json!({ "type": "SCHEDULED", "state_details": { "scheduled_time": at } });
    run(&http, &one, &due("2099-02-01T00:00:00Z"));
    let next = run(&http, &one, &due("2099-01-01T00:00:00Z"));
    run(&http, &other, &json!({ "type": "RUNNING" }));
    let asked = json!({ "flow_ids": [one, other, NOBODY] });
    let counts = http.post("/ui/flows/count-deployments", &asked).expect(200);
    assert_eq!(
        counts,
        json!({ one.as_str(): 1, other.as_str(): 0, NOBODY: 0 })
    );
    let runs = http.post("/ui/flows/next-runs", &asked).expect(200);
    let found = &runs[&one];
    assert_eq!(found["id"], next.as_str());
    assert_eq!(found["flow_id"], one.as_str());
    assert_eq!(
        (&found["state_type"], &found["state_name"]),
        (&json!("SCHEDULED"), &json!("Scheduled"))
    );
    assert_eq!(
        found["next_scheduled_start_time"],
        "2099-01-01T00:00:00.000000Z"
    );
    assert_eq!((&runs[&other], &runs[NOBODY]), (&Value::Null, &Value::Null));
    let many = json!({ "flow_ids": vec![NOBODY; 201] });
    assert_eq!(http.post("/ui/flows/next-runs", &many).status, 422);
}

#[test]
fn runs_are_charted_and_counted() {
    let daemon = TestDaemon::without_agent();
    let http = daemon.modern();
    let flow = flow(&http, "f");
    let past = json!({ "type": "SCHEDULED", "state_details": {
        "scheduled_time": "2020-01-01T00:00:00Z" } });
    let late = run(&http, &flow, &past);
    let running = run(&http, &flow, &json!({ "type": "RUNNING" }));
    let chart = http.post("/ui/flow_runs/history", &json!({})).expect(200);
    let ids: Vec<_> = chart
        .as_array()
        .unwrap()
        .iter()
        .map(|run| &run["id"])
        .collect();
    assert_eq!(ids, [&json!(running), &json!(late)]);
    assert_eq!(chart[1]["timestamp"], "2020-01-01T00:00:00.000000Z");
    assert_eq!(
        (&chart[1]["state_type"], &chart[1]["duration"]),
        (&json!("SCHEDULED"), &json!(0.0))
    );
    assert!(chart[1]["lateness"].as_f64().unwrap() > 86_400.0);
    assert_eq!(chart[0]["lateness"], 0.0);
    let asked = json!({ "limit": 1, "sort": "EXPECTED_START_TIME_ASC" });
    let first = http.post("/ui/flow_runs/history", &asked).expect(200);
    assert_eq!(
        (first.as_array().unwrap().len(), &first[0]["id"]),
        (1, &json!(late))
    );
    for (limit, status) in [(1000, 200), (1001, 422), (-1, 422)] {
        let answer = http.post("/ui/flow_runs/history", &json!({ "limit": limit }));
        assert_eq!(answer.status, status, "{limit}");
    }
    for (key, kind) in [
        ("a", "COMPLETED"),
        ("b", "COMPLETED"),
        ("c", "FAILED"),
        ("d", "RUNNING"),
    ] {
        task(&http, &running, key, kind, &json!({}));
    }
    let child = task(&http, &running, "child", "RUNNING", &json!({}));
    let sub = json!({ "flow_id": flow, "parent_task_run_id": child });
    http.post("/flow_runs/", &sub).expect(201);
    let asked = json!({ "flow_run_ids": [running, late] });
    let counts = http
        .post("/ui/flow_runs/count-task-runs", &asked)
        .expect(200);
    assert_eq!(counts, json!({ running.as_str(): 4, late.as_str(): 0 }));
    let by_state = http.post("/ui/task_runs/count", &json!({})).expect(200);
    assert_eq!(
        (&by_state["COMPLETED"], &by_state["FAILED"]),
        (&json!(2), &json!(1))
    );
    assert_eq!(
        (&by_state["RUNNING"], &by_state["CRASHED"]),
        (&json!(1), &json!(0))
    );
    let named = http.get(&format!("/ui/task_runs/{child}")).expect(200);
    assert_eq!(
        (&named["flow_run_name"], &named["name"]),
        (&json!("r"), &json!("child"))
    );
    assert_eq!(http.get(&format!("/ui/task_runs/{NOBODY}")).status, 404);
    let late_only = json!({ "flow_runs": { "id": { "any_": [late] } } });
    let none = http.post("/ui/task_runs/count", &late_only).expect(200);
    assert_eq!(none["COMPLETED"], 0);
}

#[test]
fn a_dashboard_counts_how_task_runs_ended_in_twenty_parts_of_time() {
    let daemon = TestDaemon::without_agent();
    let http = daemon.modern();
    let flow = flow(&http, "f");
    let run = run(&http, &flow, &json!({ "type": "RUNNING" }));
    for (key, kind) in [
        ("a", "COMPLETED"),
        ("b", "FAILED"),
        ("c", "CANCELLED"),
        ("d", "RUNNING"),
    ] {
        let task = task(&http, &run, key, "RUNNING", &json!({}));
        let state = json!({ "state": { "type": kind }, "force": true });
        let path = format!("/task_runs/{task}/set_state");
        http.post(&path, &state).expect(201);
    }
    let asked = json!({ "task_runs": { "start_time": { "after_": "2024-01-01T00:00:30Z" } } });
    let counts = http
        .post("/ui/task_runs/dashboard/counts", &asked)
        .expect(200);
    let counts = counts.as_array().unwrap();
    assert_eq!(counts.len(), 20);
    assert_eq!(counts[19], json!({ "completed": 2, "failed": 1 }));
    assert!(
        counts[..19]
            .iter()
            .all(|one| *one == json!({ "completed": 0, "failed": 0 }))
    );
    for odd in [json!({ "task_runs": {} }), json!({})] {
        assert_eq!(
            http.post("/ui/task_runs/dashboard/counts", &odd).status,
            422,
            "{odd}"
        );
    }
}

#[test]
fn a_run_is_told_as_a_graph() {
    let daemon = TestDaemon::without_agent();
    let http = daemon.modern();
    let flow = flow(&http, "f");
    let run = run(&http, &flow, &json!({ "type": "RUNNING" }));
    let first = task(&http, &run, "first", "COMPLETED", &json!({}));
    let from = |id: &str| json!({ "x": [{ "input_type": "task_run", "id": id }] });
    let second = task(&http, &run, "second", "RUNNING", &from(&first));
    let artifact = json!({ "flow_run_id": run, "task_run_id": first, "type": "progress", "data": 5, "key": "k" });
    http.post("/artifacts/", &artifact).expect(201);
    let own = json!({ "flow_run_id": run, "type": "markdown", "data": "# x" });
    http.post("/artifacts/", &own).expect(201);
    let graph = http.get(&format!("/flow_runs/{run}/graph-v2")).expect(200);
    assert_eq!(graph["root_node_ids"], json!([first]));
    let nodes = graph["nodes"].as_array().unwrap();
    let of = |id: &str| &nodes.iter().find(|node| node[0] == id).unwrap()[1];
    assert_eq!(of(&first)["children"], json!([{ "id": second }]));
    assert_eq!(of(&second)["parents"], json!([{ "id": first }]));
    assert_eq!(
        (&of(&second)["kind"], &of(&second)["label"]),
        (&json!("task-run"), &json!("second"))
    );
    let left = &of(&first)["artifacts"][0];
    assert_eq!(
        (&left["data"], &left["is_latest"]),
        (&json!(5), &json!(true))
    );
    // Of all but progress the data is asked for elsewhere.
    assert_eq!(graph["artifacts"][0]["data"], Value::Null);
    assert_eq!(graph["states"][0]["type"], "RUNNING");
    let ahead = http.get(&format!(
        "/flow_runs/{run}/graph-v2?since=2099-01-01T00:00:00Z"
    ));
    let ahead = ahead.expect(200)["nodes"].as_array().unwrap().len();
    assert_eq!(ahead, 1, "what has not ended");
    let odd = http.get(&format!("/flow_runs/{run}/graph-v2?since=now"));
    assert_eq!(odd.status, 422);
    let steps = http.get(&format!("/flow_runs/{run}/graph")).expect(200);
    let steps = steps.as_array().unwrap();
    let step = steps.iter().find(|step| step["id"] == second).unwrap();
    assert_eq!(step["upstream_dependencies"], from(&first)["x"]);
    assert_eq!(step["untrackable_result"], false);
    for path in ["graph", "graph-v2"] {
        assert_eq!(http.get(&format!("/flow_runs/{NOBODY}/{path}")).status, 404);
    }
}

#[test]
fn a_log_is_downloaded_whole() {
    let daemon = TestDaemon::without_agent();
    let http = daemon.modern();
    let flow = flow(&http, "f");
    let run = run(&http, &flow, &json!({ "type": "RUNNING" }));
    let line = |n: usize, message: &str| {
        json!({ "flow_run_id": run, "name": "l", "level": 20, "message": message,
                "timestamp": format!("2024-01-01T00:00:{:02}Z", n / 100) })
    };
    let mut lines: Vec<_> = (0..2500).map(|n| line(n, &n.to_string())).collect();
    lines.push(line(5900, "say \"a, b\""));
    http.post("/logs/", &lines.into()).expect(201);
    let text = http.text(&format!("/api/v3/flow_runs/{run}/logs/download"));
    let rows: Vec<_> = text.split("\r\n").collect();
    assert_eq!(
        rows.len(),
        2503,
        "a head, the lines, and nothing after the last"
    );
    assert_eq!(rows[0], "timestamp,level,flow_run_id,task_run_id,message");
    assert_eq!(rows[1], format!("2024-01-01 00:00:00+00:00,20,{run},,0"));
    assert!(
        rows[2501].ends_with(",\"say \"\"a, b\"\"\""),
        "{}",
        rows[2501]
    );
    assert_eq!(
        http.get(&format!("/flow_runs/{NOBODY}/logs/download"))
            .status,
        404
    );
}

#[test]
fn pools_and_queues_tell_who_holds_their_slots() {
    let daemon = TestDaemon::without_agent();
    let http = daemon.modern();
    let pool =
        json!({ "name": "p", "type": "process", "base_job_template": {}, "concurrency_limit": 3 });
    http.post("/work_pools/", &pool).expect(201);
    let flow = flow(&http, "f");
    let deployment = json!({ "name": "d", "flow_id": flow, "work_pool_name": "p" });
    let deployment = id(&http.post("/deployments/", &deployment).expect(201));
    let create = format!("/deployments/{deployment}/create_flow_run");
    let mut runs = Vec::new();
    for kind in ["PENDING", "RUNNING", "CANCELLING", "COMPLETED"] {
        let run = id(&http.post(&create, &json!({ "name": kind })).expect(201));
        // Something has to be there to be cancelled.
        let pid = json!({ "infrastructure_pid": "h:1" });
        http.patch(&format!("/flow_runs/{run}"), &pid).expect(204);
        let state = json!({ "state": { "type": kind }, "force": kind != "CANCELLING" });
        http.post(&format!("/flow_runs/{run}/set_state"), &state)
            .expect(201);
        runs.push(run);
    }
    let status = http
        .post("/work_pools/p/concurrency_status", &json!({}))
        .expect(200);
    assert_eq!(
        (&status["active_slots"], &status["concurrency_limit"]),
        (&json!(2), &json!(3))
    );
    assert_eq!(
        (&status["count"], &status["pages"], &status["page"]),
        (&json!(1), &json!(1), &json!(1))
    );
    let queue = &status["queues"][0];
    assert_eq!(
        (&queue["queue_name"], &queue["active_slots"]),
        (&json!("default"), &json!(2))
    );
    assert_eq!(queue["flow_runs"][0]["id"], runs[0].as_str());
    assert_eq!(queue["flow_runs"][1]["state_type"], "RUNNING");
    assert!(
        queue["flow_runs"][0]["time_in_current_state"]
            .as_f64()
            .unwrap()
            >= 0.0
    );
    let one = json!({ "flow_run_limit": 1 });
    let status = http
        .post("/work_pools/p/concurrency_status", &one)
        .expect(200);
    let queue = &status["queues"][0];
    assert_eq!(
        (
            queue["flow_runs"].as_array().unwrap().len(),
            &queue["flow_run_count"]
        ),
        (1, &json!(2))
    );
    let path = format!(
        "/work_queues/{}/concurrency_status",
        queue["queue_id"].as_str().unwrap()
    );
    let status = http
        .post(&path, &json!({ "page": 2, "limit": 2 }))
        .expect(200);
    assert_eq!(
        (&status["active_slots"], &status["pages"]),
        (&json!(3), &json!(2))
    );
    assert_eq!(status["flow_runs"][0]["id"], runs[2].as_str());
    for odd in [json!({ "page": 0 }), json!({ "limit": 201 })] {
        assert_eq!(http.post(&path, &odd).status, 422, "{odd}");
    }
    assert_eq!(
        http.post("/work_pools/q/concurrency_status", &json!({}))
            .status,
        404
    );
    let workers = http.post("/task_workers/filter", &json!({})).expect(200);
    assert_eq!(workers, json!([]));
}
