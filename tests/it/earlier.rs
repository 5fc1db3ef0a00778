//! Clients of Prefect 2, by what they send: bodies that were recorded of them, and what they look
//! for in the answers.

mod agents;

use serde_json::{Value, json};

use crate::support::{Http, TestDaemon};

/// As clients of 2.3, of 2.7 to 2.14, and of 2.20 name themselves.
fn clients(daemon: &TestDaemon) -> [(&'static str, Http); 3] {
    let named = |name: &str, api: &str| Http::named(&daemon.url(), name).speaking(api);
    [
        ("2.3", named("python-httpx/0.23.3", "0.8.0")),
        ("2.10", named("python-httpx/0.25.2", "0.8.4")),
        ("2.20", named("prefect/2.20.26 (API 0.8.4)", "0.8.4")),
    ]
}

fn cron() -> Value {
    json!({ "cron": "0 6 * * *", "timezone": "UTC", "day_or": true })
}

/// As `deployment apply` of 2.3.2 sends it.
fn applied(flow: &Value, name: &str) -> Value {
    json!({
        "flow_id": flow, "name": name, "version": "7", "schedule": cron(), "description": null,
        "work_queue_name": "q", "tags": ["t"], "parameters": { "x": 1.50 }, "manifest_path": null,
        "storage_document_id": null, "path": "/flows", "entrypoint": "f.py:f",
        "infrastructure_document_id": null, "is_schedule_active": false,
        "infra_overrides": { "env.A": "1" },
        "parameter_openapi_schema": { "title": "Parameters", "type": "object", "properties": {},
            "required": null, "definitions": null },
    })
}

#[test]
fn deployments_of_prefect_2_are_kept_and_told_in_the_words_of_each() {
    let daemon = TestDaemon::without_agent();
    let modern = daemon.modern().speaking("0.8.4");
    for (version, http) in clients(&daemon) {
        let flow = http.post("/flows/", &json!({ "name": "f" })).body["id"].clone();
        let made = http
            .post("/deployments/", &applied(&flow, version))
            .expect(201);
        let path = format!("/deployments/{}", made["id"].as_str().unwrap());
        for told in [made, http.get(&path).expect(200)] {
            assert_eq!(told["schedule"], cron(), "{version}");
            assert_eq!(told["is_schedule_active"], false);
            assert_eq!(told["infra_overrides"], json!({ "env.A": "1" }));
            assert_eq!(told["manifest_path"], Value::Null);
        }
        let told = modern.get(&path).expect(200);
        assert_eq!(told["paused"], true);
        assert_eq!(told["job_variables"], json!({ "env.A": "1" }));
        assert_eq!(told["schedules"].as_array().unwrap().len(), 1);
        assert_eq!(told["schedules"][0]["active"], true);
        for field in ["infra_overrides", "is_schedule_active", "manifest_path"] {
            assert!(told.get(field).is_none(), "{field}");
        }
        let runs = || {
            let of = json!({ "deployments": { "id": { "any_": [told["id"]] } } });
            modern.post("/flow_runs/count", &of).expect(200)
        };
        assert_eq!(runs(), 0);
        let active = format!("{path}/set_schedule_active");
        http.post(&active, &json!({})).expect(200);
        assert_eq!(http.get(&path).body["is_schedule_active"], true);
        assert_ne!(runs(), 0);
        // What has moved is only found by who does not know that.
        assert_eq!(modern.post(&active, &json!({})).status, 404);
        let change = json!({ "schedule": null, "is_schedule_active": true,
            "infra_overrides": {}, "manifest_path": null, "tags": [] });
        assert_eq!(http.patch(&path, &change).status, 204);
        let told = http.get(&path).body;
        assert_eq!(
            (&told["schedule"], &told["schedules"]),
            (&Value::Null, &json!([]))
        );
        assert_eq!(told["infra_overrides"], json!({}));
        assert_eq!(runs(), 0);
    }
    let found = clients(&daemon)[1]
        .1
        .post("/deployments/filter", &json!({}));
    for told in found.expect(200).as_array().unwrap() {
        assert!(told.get("infra_overrides").is_some());
    }
    let compat = modern.get("/v3/prefectd/compat").expect(200);
    assert_eq!(compat, json!([]), "fields that are not known");
}

#[test]
fn schedules_of_2_20_say_more_than_they_mean() {
    let daemon = TestDaemon::without_agent();
    let [_, _, (_, http)] = clients(&daemon);
    let flow = http.post("/flows/", &json!({ "name": "f" })).body["id"].clone();
    let schedule =
        json!({ "schedule": cron(), "active": true, "max_active_runs": null, "catchup": false });
    let body = json!({ "flow_id": flow, "name": "d", "schedule": null, "schedules": [schedule] });
    let made = http.post("/deployments/", &body).expect(201);
    let path = format!("/deployments/{}/schedules", made["id"].as_str().unwrap());
    let more = json!([{ "schedule": { "interval": 60 }, "active": false, "catchup": true, "max_active_runs": 2 }]);
    let more = http.post(&path, &more).expect(201);
    let one = format!("{path}/{}", more[0]["id"].as_str().unwrap());
    assert_eq!(
        http.patch(&one, &json!({ "active": true, "catchup": false }))
            .status,
        204
    );
    let told = http.get(&path).expect(200);
    assert_eq!(told.as_array().unwrap().len(), 2);
    // Clients refuse the schedule itself with any other members.
    let interval = told
        .as_array()
        .unwrap()
        .iter()
        .find(|it| it["id"] == more[0]["id"]);
    let members = interval.unwrap()["schedule"].as_object().unwrap();
    assert_eq!(
        members.keys().collect::<Vec<_>>(),
        ["interval", "anchor_date", "timezone"]
    );
    assert_eq!(
        daemon.modern().get("/v3/prefectd/compat").expect(200),
        json!([])
    );
}

/// A flow run with tasks in these states, all of them entered; answers their ids.
fn run_with_tasks(http: &Http, retries: u32, ends: &[&str]) -> (String, Vec<String>) {
    let id = |value: &Value| value["id"].as_str().unwrap().to_owned();
    let flow = http.post("/flows/", &json!({ "name": "f" })).body["id"].clone();
    let run = json!({ "flow_id": flow, "empirical_policy": { "retries": retries } });
    let run = id(&http.post("/flow_runs/", &run).expect(201));
    let enter = |path: &str, kind: &str| {
        let body = json!({ "state": { "type": kind } });
        http.post(&format!("{path}/set_state"), &body).expect(201)
    };
    enter(&format!("/flow_runs/{run}"), "RUNNING");
    let tasks = ends.iter().enumerate().map(|(number, end)| {
        let task =
            json!({ "flow_run_id": run, "task_key": "t", "dynamic_key": number.to_string() });
        let task = id(&http.post("/task_runs/", &task).expect(201));
        let path = format!("/task_runs/{task}");
        enter(&path, "RUNNING");
        enter(&path, end);
        task
    });
    let tasks = tasks.collect();
    (run, tasks)
}

#[test]
fn failed_tasks_wait_with_their_flow_where_its_client_leaves_that_to_the_server() {
    let daemon = TestDaemon::without_agent();
    for (version, http) in clients(&daemon) {
        let (run, tasks) = run_with_tasks(&http, 1, &["FAILED", "COMPLETED"]);
        let failed = json!({ "state": { "type": "FAILED" } });
        let path = format!("/flow_runs/{run}/set_state");
        let decision = http.post(&path, &failed).expect(201);
        assert_eq!(decision["status"], "REJECT", "{version}");
        assert_eq!(decision["state"]["name"], "AwaitingRetry");
        let of = |task: &String| http.get(&format!("/task_runs/{task}")).expect(200);
        let (retried, kept) = (of(&tasks[0]), of(&tasks[1]));
        let (name, count) = match version {
            "2.3" => ("AwaitingRetry", 0),
            _ => ("Failed", 1),
        };
        assert_eq!(retried["state_name"], name, "{version}");
        assert_eq!(retried["run_count"], count);
        assert_eq!(kept["state_name"], "Completed");
    }
}

#[test]
fn runs_that_are_cancelled_or_paused_are_listed_to_those_who_know_no_such_states() {
    let daemon = TestDaemon::without_agent();
    let [(_, old), (_, newer), _] = clients(&daemon);
    let (paused, _) = run_with_tasks(&newer, 0, &[]);
    let pause = json!({ "state": { "type": "PAUSED", "state_details": { "pause_key": "1" } } });
    let path = format!("/flow_runs/{paused}/set_state");
    newer.post(&path, &pause).expect(201);
    let (stopping, _) = run_with_tasks(&newer, 0, &[]);
    let stop = json!({ "state": { "type": "CANCELLING" } });
    let path = format!("/flow_runs/{stopping}/set_state");
    newer.post(&path, &stop).expect(201);
    for (id, known, nearest) in [
        (&paused, "PAUSED", "SCHEDULED"),
        (&stopping, "CANCELLING", "CANCELLED"),
    ] {
        let by_id = json!({ "flow_runs": { "id": { "any_": [id] } } });
        for (http, expected) in [(&newer, known), (&old, nearest)] {
            let listed = http.post("/flow_runs/filter", &by_id).expect(200)[0].clone();
            for told in [listed, http.get(&format!("/flow_runs/{id}")).expect(200)] {
                assert_eq!(told["state_type"], expected);
                assert_eq!(told["state"]["type"], expected);
            }
            let states = http.get(&format!("/flow_run_states/?flow_run_id={id}"));
            assert_eq!(states.expect(200)[2]["type"], expected);
        }
    }
}
