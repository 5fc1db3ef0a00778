//! Proposals of states, and what the rules answer.

use serde_json::{Value, json};

use super::super::support::{Http, TestDaemon};

pub fn propose(http: &Http, noun: &str, id: &str, state: Value) -> (u16, Value) {
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
