//! Who gets in from a container, and what for.

#![cfg(feature = "docker")]

use std::process::Command;

use serde_json::{Value, json};

use super::docker::{Marked, daemon, docker, image};
use super::support::flows::deploy;
use super::support::{Http, KeyFile, TestDaemon, wait_for, with_key};

/// Sends requests and prints the status of each answer.
const ASK: &str = "
import json, sys, urllib.error, urllib.request
for method, url, body in json.loads(sys.argv[1]):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data=data, method=method)
    request.add_header('Content-Type', 'application/json')
    try:
        print(urllib.request.urlopen(request, timeout=120).status)
    except urllib.error.HTTPError as error:
        print(error.code)
";

/// One request and the status that it should get.
type Case = (&'static str, String, Value, &'static str);

fn url(daemon: &TestDaemon, path: &str) -> String {
    let prefix = match path {
        "/metrics" | "/relay/orders" => "",
        _ => "/api",
    };
    format!(
        "http://host.docker.internal:{}{prefix}{path}",
        daemon.port()
    )
}

/// Waits until containers reach it; the key may be needed to ask, so its log tells.
pub fn await_relay(daemon: &TestDaemon) {
    wait_for("the relay on Docker's bridge", || {
        let log = daemon.log();
        let mut places = log
            .lines()
            .filter(|line| line.contains("runs reach the API"));
        places.any(|line| !line.contains("127.0.0.2")).then_some(())
    });
}

/// Asks from within a container that runs.
fn ask_within(container: &str, daemon: &TestDaemon, cases: &[Case]) {
    let asked: Vec<_> = cases
        .iter()
        .map(|(method, path, body, _)| json!([method, url(daemon, path), body]))
        .collect();
    let asked = Value::from(asked).to_string();
    let answered = docker(&["exec", container, "python", "-c", ASK, &asked]);
    let answered: Vec<_> = answered.lines().collect();
    assert_eq!(answered.len(), cases.len());
    for ((method, path, body, expected), status) in cases.iter().zip(answered) {
        assert_eq!(status, *expected, "{method} {path} {body}");
    }
}

fn line(flow_run: &str) -> Value {
    json!([{ "flow_run_id": flow_run, "name": "n", "level": 20, "message": "from a test",
             "timestamp": "2024-01-01T00:00:00+00:00" }])
}

fn task(flow_run: &str) -> Value {
    json!({ "flow_run_id": flow_run, "task_key": "k", "dynamic_key": "0" })
}

fn running() -> Value {
    json!({ "state": { "type": "RUNNING" } })
}

/// A run that sleeps in its container, once it has begun.
pub fn sleeper(http: &Http, marked: &Marked, mark: &str) -> (String, String) {
    let made = http.get("/deployments/name/sleeper/test").expect(200);
    let path = format!(
        "/deployments/{}/create_flow_run",
        made["id"].as_str().unwrap()
    );
    let body = json!({ "state": { "type": "SCHEDULED" },
                       "parameters": { "mark": format!("/marks/{mark}") } });
    let run = http.post(&path, &body).expect(201)["id"]
        .as_str()
        .unwrap()
        .to_owned();
    wait_for("the flow to start", || {
        (marked.lines(mark) == ["started"]).then_some(())
    });
    let made = http.run(&run)["infrastructure_pid"].clone();
    let container = made.as_str().unwrap().strip_prefix("docker:").unwrap();
    (run, container.to_owned())
}

#[test]
fn a_container_that_is_no_run_gets_nothing_and_is_named_in_the_log() {
    let daemon = daemon();
    let own_label = format!(
        "io.prefect.flow-run-id={}",
        daemon.http().flow_run(&daemon.http().flow("f"))
    );
    let unknown = "io.prefect.flow-run-id=018f0000-0000-7000-8000-000000000001";
    let name = format!("prefectd-test-stranger-{}", daemon.port());
    let instance = "io.prefectd.instance=another";
    for labels in [&[][..], &[unknown], &[own_label.as_str(), instance]] {
        let mut words = vec!["run", "--detach", "--rm", "--name", &name];
        words.extend(["--add-host", "host.docker.internal:host-gateway"]);
        for label in labels {
            words.extend(["--label", label]);
        }
        let image = image();
        words.extend(["--entrypoint", "sleep", &image, "300"]);
        let stranger = Stranger(docker(&words));
        ask_within(
            &stranger.0,
            &daemon,
            &[
                ("GET", "/health".to_owned(), Value::Null, "200"),
                ("POST", "/flows/filter".to_owned(), json!({}), "403"),
                (
                    "POST",
                    "/orion/flows/".to_owned(),
                    json!({ "name": "x" }),
                    "403",
                ),
                ("GET", "/admin/version".to_owned(), Value::Null, "403"),
                ("POST", "/data/persist".to_owned(), json!("x"), "403"),
                ("GET", "/metrics".to_owned(), Value::Null, "403"),
                ("POST", "/relay/orders".to_owned(), json!({}), "403"),
            ],
        );
        let told = format!("to container {name} ({}, image {image})", &stranger.0[..12]);
        assert!(daemon.log().contains(&told), "{}", daemon.log());
    }
}

/// Removes a container of a test's own.
pub struct Stranger(pub String);

impl Drop for Stranger {
    fn drop(&mut self) {
        let removed = Command::new("docker")
            .args(["rm", "--force", &self.0])
            .output();
        assert!(removed.unwrap().status.success());
        // The next one may take its name.
        wait_for("the container to be gone", || {
            let found = Command::new("docker").args(["inspect", &self.0]).output();
            (!found.unwrap().status.success()).then_some(())
        });
    }
}

#[test]
fn a_run_s_container_aims_at_its_own_and_at_nothing_else_key_or_not() {
    let (mut daemon, marked, key) = (daemon(), Marked::new(), KeyFile::new());
    deploy(
        &daemon,
        "cases.py",
        &marked.runner(json!({ "env": { "API_KEY": "s3cret" } })),
    );
    assert!(daemon.terminate().success());
    daemon.restart(key.env());
    await_relay(&daemon);
    let http = with_key(&daemon);
    let (other, _) = sleeper(&http, &marked, "other");
    let (own, container) = sleeper(&http, &marked, "own");
    let flow = http.flow("sleeper");
    let deployment = http.get("/deployments/name/plain/test").expect(200)["id"].clone();
    let deployment = deployment.as_str().unwrap();
    let task_of = |run: &str| {
        let made = http.post("/task_runs/", &task(run));
        made.body["id"].as_str().unwrap().to_owned()
    };
    let (own_task, other_task) = (task_of(&own), task_of(&other));
    let sub_flow = |parent: &str| json!({ "flow_id": flow, "parent_task_run_id": parent });
    let child = http.post("/flow_runs/", &sub_flow(&own_task)).expect(201)["id"].clone();
    let child = child.as_str().unwrap();
    let subprocess = json!({ "type": "subprocess", "config": { "env": { "PYTHONPATH": "/tmp" } } });
    let escape = json!({ "flow_runner": subprocess });
    let at = |path: &str, id: &str| path.replace("ID", id);
    let create = at("/deployments/ID/create_flow_run", deployment);
    let before = daemon.log().matches("refused ").count();
    let refused = [
        (
            "POST",
            at("/flow_runs/ID/set_state", &other),
            running(),
            "403",
        ),
        (
            "POST",
            at("/orion/flow_runs/ID/set_state", &other),
            running(),
            "403",
        ),
        (
            "POST",
            at("/v3/task_runs/ID/set_state", &other_task),
            running(),
            "403",
        ),
        (
            "PATCH",
            at("/flow_runs/ID", &other),
            json!({ "name": "x" }),
            "403",
        ),
        (
            "PATCH",
            at("/orion/flow_runs/ID", &own),
            escape.clone(),
            "403",
        ),
        ("DELETE", at("/flow_runs/ID", &other), Value::Null, "403"),
        ("DELETE", at("/flow_runs/ID", &own), Value::Null, "403"),
        ("POST", "/logs/".to_owned(), line(&other), "403"),
        ("POST", "/task_runs/".to_owned(), task(&other), "403"),
        (
            "POST",
            "/flow_runs/".to_owned(),
            sub_flow(&other_task),
            "403",
        ),
        (
            "POST",
            "/flow_runs/".to_owned(),
            json!({ "flow_id": flow }),
            "403",
        ),
        ("POST", create.clone(), escape, "403"),
        (
            "POST",
            "/deployments/".to_owned(),
            json!({ "name": "x", "flow_id": flow }),
            "403",
        ),
        (
            "DELETE",
            at("/deployments/ID", deployment),
            Value::Null,
            "403",
        ),
        (
            "POST",
            at("/orion/deployments/ID/set_schedule_inactive", deployment),
            Value::Null,
            "403",
        ),
        (
            "POST",
            "/orion/admin/database/clear".to_owned(),
            json!({ "confirm": true }),
            "403",
        ),
        (
            "GET",
            "/orion/admin/settings".to_owned(),
            Value::Null,
            "403",
        ),
        ("GET", "/v3/prefectd/status".to_owned(), Value::Null, "403"),
        (
            "POST",
            "/v3/prefectd/agents/x/claim".to_owned(),
            json!({}),
            "403",
        ),
        ("GET", "/metrics".to_owned(), Value::Null, "403"),
    ];
    ask_within(&container, &daemon, &refused);
    let log = daemon.log();
    assert_eq!(
        log.matches("refused ").count() - before,
        refused.len(),
        "{log}"
    );
    assert_eq!(
        log.matches(&format!("({}, image", &container[..12]))
            .count(),
        refused.len()
    );
    ask_within(
        &container,
        &daemon,
        &[
            ("GET", at("/flow_runs/ID", &other), Value::Null, "200"),
            ("POST", "/flow_runs/filter".to_owned(), json!({}), "200"),
            (
                "PATCH",
                at("/flow_runs/ID", &own),
                json!({ "name": "renamed" }),
                "204",
            ),
            ("POST", "/orion/logs/".to_owned(), line(&own), "201"),
            ("POST", "/orion/logs/".to_owned(), line(child), "201"),
            (
                "POST",
                at("/v3/task_runs/ID/set_state", &own_task),
                running(),
                "201",
            ),
            (
                "POST",
                at("/v3/flow_runs/ID/set_state", child),
                running(),
                "201",
            ),
            ("POST", "/orion/task_runs/".to_owned(), task(child), "201"),
        ],
    );
    let seen = docker(&[
        "exec",
        &container,
        "python",
        "-c",
        "import sys, urllib.request; print(urllib.request.urlopen(sys.argv[1]).read().decode())",
        &url(&daemon, &at("/orion/deployments/ID", deployment)),
    ]);
    assert!(
        seen.contains("********") && !seen.contains("s3cret"),
        "{seen}"
    );
    // The run ends, and its container goes on.
    let completed = json!({ "state": { "type": "COMPLETED" }, "force": true });
    http.post(&at("/flow_runs/ID/set_state", &own), &completed)
        .expect(201);
    ask_within(
        &container,
        &daemon,
        &[
            ("POST", "/orion/logs/".to_owned(), line(&own), "201"),
            ("POST", "/orion/logs/".to_owned(), line(&other), "403"),
            (
                "POST",
                at("/flow_runs/ID/set_state", &own),
                running(),
                "403",
            ),
            ("POST", "/flow_runs/filter".to_owned(), json!({}), "200"),
            ("GET", at("/flow_runs/ID", &own), Value::Null, "200"),
            ("POST", "/data/persist".to_owned(), json!("x"), "403"),
        ],
    );
}
