//! The real 2.0a7 client: its commands, its engine as a subprocess, its agent.

#![cfg(feature = "client")]

use std::path::Path;
use std::process::{Child, Stdio};

use serde_json::{Value, json};

use super::support::flows::{deploy, file, prefect, prefect_says, run, venv};
use super::support::{Options, TestDaemon, wait_for};

/// A daemon whose subprocess runs use the test's client.
fn daemon() -> TestDaemon {
    TestDaemon::with(Options {
        flags: vec!["--no-docker-bridge"],
        env: vec![(
            "PREFECTD_RUNNERS__PYTHON",
            venv().join("bin/python").display().to_string(),
        )],
        ..Options::default()
    })
}

fn on_subprocess() -> Value {
    json!({ "type": "subprocess", "config": {} })
}

/// The lines that executions wrote.
fn marks(mark: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(mark).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

/// Runs one of the cases to its end; answers the run and what it wrote.
#[track_caller]
fn case(daemon: &TestDaemon, flow: &str) -> (Value, Vec<String>) {
    let dir = tempfile::tempdir().unwrap();
    let mark = dir.path().join("mark");
    let id = run(daemon, flow, &json!({ "mark": mark }));
    (daemon.http().ended(&id), marks(&mark))
}

#[test]
fn every_kind_of_flow_runs_as_a_subprocess() {
    let daemon = daemon();
    deploy(&daemon, "cases.py", &on_subprocess());
    for (flow, ends, wrote) in [
        ("plain", "Completed", &["plain"][..]),
        ("parameters", "Completed", &["nobody 2"]),
        ("tasks", "Completed", &["tasks"]),
        (
            "task-retries",
            "Completed",
            &["attempt", "attempt", "attempt"],
        ),
        ("failing", "Failed", &["failing"]),
        ("failing-task", "Failed", &["failing_task"]),
        ("parent", "Completed", &["parent", "child"]),
    ] {
        let (run, marks) = case(&daemon, flow);
        assert_eq!(
            (&run["state_name"], &marks[..]),
            (&json!(ends), wrote.map_to_owned().as_slice()),
            "{flow}"
        );
        assert_eq!(run["run_count"], 1, "{flow}");
        assert_eq!(run["tags"], json!(["deployed"]));
    }
    let (run, mut both) = case(&daemon, "concurrent");
    both.sort();
    assert_eq!(
        (&run["state_name"], &both[..]),
        (&json!("Completed"), &["a".to_owned(), "b".to_owned()][..])
    );
}

/// Words as owned strings.
trait ToOwnedAll {
    fn map_to_owned(&self) -> Vec<String>;
}

impl ToOwnedAll for [&str] {
    fn map_to_owned(&self) -> Vec<String> {
        self.iter().map(|word| (*word).to_owned()).collect()
    }
}

#[test]
fn parameters_override_the_deployment_s() {
    let daemon = daemon();
    deploy(&daemon, "cases.py", &on_subprocess());
    let dir = tempfile::tempdir().unwrap();
    let mark = dir.path().join("mark");
    let given = json!({ "name": "Ada", "number": 41, "mark": mark });
    let id = run(&daemon, "parameters", &given);
    assert_eq!(daemon.http().ended(&id)["state_name"], "Completed");
    assert_eq!(marks(&mark), ["Ada 42"]);
}

#[test]
fn a_task_s_retries_are_told_in_its_states() {
    let daemon = daemon();
    deploy(&daemon, "cases.py", &on_subprocess());
    let (run, _) = case(&daemon, "task-retries");
    let http = daemon.http();
    let asked = json!({ "flow_runs": { "id": { "any_": [run["id"]] } } });
    let tasks = http.post("/task_runs/filter", &asked).expect(200);
    let task = &tasks.as_array().unwrap()[0];
    assert_eq!(task["run_count"], 3);
    let path = format!(
        "/task_run_states/?task_run_id={}",
        task["id"].as_str().unwrap()
    );
    let states = http.get(&path).expect(200);
    let names: Vec<_> = states
        .as_array()
        .unwrap()
        .iter()
        .map(|state| &state["name"])
        .collect();
    let expected = [
        "Pending",
        "Running",
        "AwaitingRetry",
        "Retrying",
        "AwaitingRetry",
        "Retrying",
        "Completed",
    ];
    assert_eq!(names, expected.map(Value::from).iter().collect::<Vec<_>>());
}

/// This generation's `@flow` takes no retries; a failed run is retried by scheduling it.
#[test]
fn a_failed_flow_run_that_is_scheduled_again_runs_again() {
    let daemon = daemon();
    deploy(&daemon, "cases.py", &on_subprocess());
    let dir = tempfile::tempdir().unwrap();
    let mark = dir.path().join("mark");
    let id = run(&daemon, "second-try", &json!({ "mark": mark }));
    let http = daemon.http();
    assert_eq!(http.ended(&id)["state_name"], "Failed");
    let again = json!({ "state": { "type": "SCHEDULED" } });
    http.post(&format!("/flow_runs/{id}/set_state"), &again)
        .expect(201);
    wait_for("the second attempt", || {
        (http.run(&id)["run_count"] == 2).then_some(())
    });
    let run = http.ended(&id);
    assert_eq!(
        (&run["state_name"], &run["run_count"]),
        (&json!("Completed"), &json!(2))
    );
    assert_eq!(marks(&mark), ["try", "try"]);
}

#[test]
fn what_a_subprocess_prints_is_in_the_run_s_log() {
    let daemon = daemon();
    deploy(&daemon, "cases.py", &on_subprocess());
    let (run, _) = case(&daemon, "plain");
    let id = run["id"].as_str().unwrap();
    let said = || {
        daemon
            .http()
            .lines(id)
            .iter()
            .any(|line| line == "plain says hello")
    };
    wait_for("the line in the log", || said().then_some(()));
}

#[test]
fn ten_runs_at_once_complete_once_each() {
    let daemon = daemon();
    deploy(&daemon, "cases.py", &on_subprocess());
    let dir = tempfile::tempdir().unwrap();
    let mark = dir.path().join("mark");
    let ids: Vec<_> = (0..10)
        .map(|_| run(&daemon, "tasks", &json!({ "mark": mark })))
        .collect();
    for id in &ids {
        let run = daemon.http().ended(id);
        assert_eq!(
            (&run["state_name"], &run["run_count"]),
            (&json!("Completed"), &json!(1))
        );
    }
    assert_eq!(marks(&mark).len(), 10);
    let tasks = daemon
        .http()
        .post("/task_runs/count", &json!({}))
        .expect(200);
    assert_eq!(tasks, 30);
}

#[test]
fn a_process_that_is_killed_ends_its_run() {
    let daemon = daemon();
    deploy(&daemon, "cases.py", &on_subprocess());
    let dir = tempfile::tempdir().unwrap();
    let mark = dir.path().join("mark");
    let id = run(&daemon, "sleeper", &json!({ "mark": mark }));
    wait_for("the flow to start", || {
        (marks(&mark) == ["started"]).then_some(())
    });
    let killed = std::process::Command::new("pkill")
        .args(["-9", "-f", &format!("prefect.engine {id}")])
        .status()
        .unwrap();
    assert!(killed.success());
    let run = daemon.http().ended(&id);
    assert_eq!(run["state_type"], "CRASHED");
    let message = run["state"]["message"].as_str().unwrap();
    assert!(message.contains("exit code 137"), "{message}");
    let told = daemon.http().get(&format!("/flow_runs/{id}")).expect(200);
    assert_eq!(
        (&told["state_type"], &told["state"]["name"]),
        (&json!("FAILED"), &json!("Crashed"))
    );
}

#[test]
fn a_subprocess_survives_the_daemon_and_is_found_again() {
    let mut daemon = daemon();
    deploy(&daemon, "cases.py", &on_subprocess());
    let dir = tempfile::tempdir().unwrap();
    let mark = dir.path().join("mark");
    let id = run(&daemon, "sleeper", &json!({ "mark": mark, "seconds": 4 }));
    wait_for("the flow to start", || {
        (marks(&mark) == ["started"]).then_some(())
    });
    daemon.kill();
    daemon.restart(Vec::new());
    let run = daemon.http().ended(&id);
    assert_eq!(run["state_name"], "Completed");
    assert_eq!(marks(&mark), ["started", "ended"]);
    let started = daemon.http().lines(&id);
    let started = started.iter().filter(|line| *line == "sleeper started");
    assert_eq!(started.count(), 1, "output is kept once");
}

#[test]
fn cancelling_ends_the_process() {
    let daemon = daemon();
    deploy(&daemon, "cases.py", &on_subprocess());
    let dir = tempfile::tempdir().unwrap();
    let mark = dir.path().join("mark");
    let id = run(&daemon, "sleeper", &json!({ "mark": mark }));
    wait_for("the flow to start", || {
        (marks(&mark) == ["started"]).then_some(())
    });
    let cancelled = daemon
        .ctl()
        .args(["flow-run", "cancel", &id])
        .status()
        .unwrap();
    assert!(cancelled.success());
    let ended = daemon.http().ended(&id);
    assert_eq!(
        ended["state_type"], "CANCELLED",
        "{}",
        ended["state"]["message"]
    );
    let alive = || {
        let found = std::process::Command::new("pgrep")
            .args(["-f", &id])
            .status()
            .unwrap();
        found.success()
    };
    wait_for("the process to be gone", || (!alive()).then_some(()));
    assert_eq!(marks(&mark), ["started"]);
}

#[test]
fn an_interpreter_that_is_not_there_ends_the_run_at_once() {
    let daemon = daemon();
    let runner = json!({ "type": "subprocess", "config": { "virtualenv": "/no/such/venv" } });
    deploy(&daemon, "cases.py", &runner);
    let (run, _) = case(&daemon, "plain");
    assert_eq!(run["state_type"], "CRASHED");
    let message = run["state"]["message"].as_str().unwrap();
    assert!(message.contains("/no/such/venv/bin/python"), "{message}");
}

#[test]
fn the_client_s_own_commands_work() {
    let daemon = TestDaemon::without_agent();
    let script = file("specification.py");
    let script = script.to_str().unwrap();
    let created = prefect_says(&daemon, &["deployment", "create", script]);
    assert!(
        created.contains("Created deployment 'example'"),
        "{created}"
    );
    assert!(prefect_says(&daemon, &["deployment", "ls"]).contains("specified/example"));
    let shown = prefect_says(&daemon, &["deployment", "inspect", "specified/example"]);
    assert!(shown.contains("name='example'"), "{shown}");
    let run = prefect_says(&daemon, &["deployment", "run", "specified/example"]);
    assert!(run.contains("Created flow run"), "{run}");
    prefect_says(&daemon, &["deployment", "execute", "specified/example"]);
    let listed = prefect_says(&daemon, &["flow-run", "ls"]);
    assert!(
        listed.contains("COMPLETED") && listed.contains("SCHEDULED"),
        "{listed}"
    );
    let runs = daemon
        .http()
        .post("/flow_runs/filter", &json!({}))
        .expect(200);
    let id = runs[0]["id"].as_str().unwrap();
    let shown = prefect_says(&daemon, &["flow-run", "inspect", id]);
    assert!(shown.contains(id), "{shown}");
}

#[test]
fn prefectctl_creates_deployments_with_the_user_s_python() {
    let daemon = TestDaemon::without_agent();
    for name in ["specification.py", "specification.yaml"] {
        let output = daemon
            .ctl()
            .args(["deployment", "create"])
            .arg(file(name))
            .arg("--python")
            .arg(venv().join("bin/python"))
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(
            output.status.success(),
            "{name}: {said}{}",
            String::from_utf8_lossy(&output.stderr)
        );
        assert!(said.contains("Created deployment 'specified/"), "{said}");
    }
    let found = daemon
        .http()
        .post("/deployments/count", &json!({}))
        .expect(200);
    assert_eq!(found, 2);
    let output = daemon
        .ctl()
        .args(["deployment", "create"])
        .arg(file("deploy.py"))
        .arg("--python")
        .arg(venv().join("bin/python"))
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1), "a script that fails");
}

/// The real agent, ended when dropped.
struct RealAgent(Child);

impl RealAgent {
    fn start(daemon: &TestDaemon) -> Self {
        let child = prefect(daemon, &["agent", "start"])
            .env("PREFECT_AGENT_QUERY_INTERVAL", "0.2")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self(child)
    }
}

impl Drop for RealAgent {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

#[test]
fn two_real_agents_run_each_run_once() {
    let daemon = TestDaemon::without_agent();
    deploy(&daemon, "cases.py", &on_subprocess());
    let dir = tempfile::tempdir().unwrap();
    let mark = dir.path().join("mark");
    let _agents = [RealAgent::start(&daemon), RealAgent::start(&daemon)];
    let ids: Vec<_> = (0..4)
        .map(|_| run(&daemon, "plain", &json!({ "mark": mark })))
        .collect();
    for id in &ids {
        let run = daemon.http().ended(id);
        assert_eq!(
            (&run["state_name"], &run["run_count"]),
            (&json!("Completed"), &json!(1))
        );
    }
    assert_eq!(marks(&mark).len(), 4);
}
