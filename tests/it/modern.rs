//! Flows of today's client, the real 3.9.1.

#![cfg(feature = "client")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

mod bundles;
#[cfg(feature = "docker")]
pub(super) mod pools;

use super::support::client_log::{TALKATIVE, has_no_failure};
use super::support::flows::file;
use super::support::{Options, PATIENCE, TestDaemon, wait_for, wait_or_else};

/// The environment with the real client of 3.9.1, set up by `tests/run`.
pub(super) fn venv() -> PathBuf {
    let venv = std::env::var("PREFECTD_TEST_VENV_3");
    venv.expect("run these tests by tests/run").into()
}

/// A deployment of a flow of a file in `tests/flows`, in a pool of processes of this machine;
/// `more` is laid over it.
pub(super) fn deploy(
    daemon: &TestDaemon,
    place: &Place,
    flow: (&str, &str),
    more: &Value,
) -> String {
    let http = daemon.modern();
    let pool = json!({ "name": "p", "type": "process", "base_job_template": {} });
    http.post("/work_pools/", &pool);
    let python = venv().join("bin/python");
    let (name, flow) = flow;
    let made = http.post("/flows/", &json!({ "name": flow })).body;
    let mut deployment = json!({
        "name": "test",
        "flow_id": made["id"],
        "work_pool_name": "p",
        "path": file(name).parent().unwrap(),
        "entrypoint": format!("{name}:{flow}"),
        "parameters": { "mark": place.mark() },
        "job_variables": {
            "command": format!("{} -m prefect.engine", python.display()),
            "env": {
                "PREFECT_HOME": place.0.path(),
                "PREFECT_LOGGING_LEVEL": "DEBUG",
                TALKATIVE.0: TALKATIVE.1,
            },
        },
    });
    for (name, value) in more.as_object().unwrap() {
        deployment[name] = value.clone();
    }
    let made = http.post("/deployments/", &deployment).expect(201);
    made["id"].as_str().unwrap().to_owned()
}

/// Runs a deployment now; answers the run's id.
pub(super) fn run(daemon: &TestDaemon, deployment: &str) -> String {
    let path = format!("/deployments/{deployment}/create_flow_run");
    let now = json!({ "state": { "type": "SCHEDULED" } });
    let run = daemon.modern().post(&path, &now).expect(201);
    run["id"].as_str().unwrap().to_owned()
}

/// A folder for the client's own files and for the marks that flows leave.
pub(super) struct Place(pub TempDir);

impl Place {
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub fn mark(&self) -> PathBuf {
        self.0.path().join("mark")
    }

    /// What the flows have noted, sorted.
    pub fn marks(&self) -> Vec<String> {
        let mut lines = self.marks_in_order();
        lines.sort();
        lines
    }

    /// The same as it was noted.
    pub fn marks_in_order(&self) -> Vec<String> {
        let text = std::fs::read_to_string(self.mark()).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    /// A program of the environment, pointed to the daemon.
    pub fn program(&self, daemon: &TestDaemon, name: &str) -> Command {
        let mut command = Command::new(venv().join("bin").join(name));
        command
            .env("PREFECT_API_URL", format!("{}/api", daemon.url()))
            .env("PREFECT_HOME", self.0.path())
            .env("COLUMNS", "200")
            .envs([TALKATIVE]);
        command
    }

    /// A flow of `tests/flows/modern.py`, run as a script is.
    fn script(&self, daemon: &TestDaemon, flow: &str, more: &[&str]) -> Command {
        self.script_of(daemon, "modern.py", flow, more)
    }

    /// A flow of another file of that folder.
    pub fn script_of(&self, daemon: &TestDaemon, name: &str, flow: &str, more: &[&str]) -> Command {
        let mut command = self.program(daemon, "python");
        command
            .arg(file(name))
            .arg(flow)
            .arg(self.mark())
            .args(more);
        command
    }
}

pub(super) fn told(output: &Output) -> String {
    let text = [&output.stdout[..], &output.stderr[..]].concat();
    String::from_utf8_lossy(&text).into_owned()
}

/// What a client says whatever the server is like: that as it ended something was yet to be sent; and,
/// on a slow machine, that one of its processes did not hear another within a second.
const OF_ITSELF: [&str; 3] = [
    "Still processing items",
    "outcome receipt was not acknowledged",
    "Attempt control negotiation response was malformed",
];

/// Nothing in a client's log that it says of a server that does not suit it.
#[track_caller]
pub(super) fn suits(log: &str) {
    let is_told = |line: &&str| {
        let says = |word: &str| line.contains(word);
        ["WARN", "events client"].into_iter().any(says) && !OF_ITSELF.into_iter().any(says)
    };
    let told: Vec<_> = log.lines().filter(is_told).collect();
    assert!(told.is_empty(), "{told:?}: {log}");
    has_no_failure(log);
}

/// The daemon suits a client that ended well, and knows all that it sent.
#[track_caller]
pub(super) fn is_content(daemon: &TestDaemon, output: &Output) {
    suits(&told(output));
    let compat = daemon
        .ctl()
        .args(["compat", "-o", "json"])
        .output()
        .unwrap();
    let unknown: Value = serde_json::from_slice(&compat.stdout).unwrap();
    assert_eq!(unknown, json!([]), "fields that are not known");
}

/// What a run whose requests are logged (see [`TALKATIVE`]) has printed: nothing in it says that the
/// daemon does not suit its client.
#[track_caller]
pub(super) fn run_suits(daemon: &TestDaemon, id: &str) {
    // That ends once all of its output is there.
    let words = ["flow-run", "logs", id, "--console", "--follow"];
    let output = daemon.ctl().args(words).output().unwrap();
    assert!(output.status.success(), "{}", told(&output));
    suits(&told(&output));
}

pub(super) fn only_run(daemon: &TestDaemon, flow: &str) -> Value {
    let asked = json!({ "flows": { "name": { "any_": [flow] } } });
    let runs = daemon
        .modern()
        .post("/flow_runs/filter", &asked)
        .expect(200);
    assert_eq!(runs.as_array().unwrap().len(), 1, "{runs}");
    runs[0].clone()
}

pub(super) fn names(states: &Value) -> Vec<&str> {
    let states = states.as_array().unwrap().iter();
    states.map(|it| it["name"].as_str().unwrap()).collect()
}

pub(super) fn states_of(daemon: &TestDaemon, run: &Value) -> Value {
    let id = run["id"].as_str().unwrap();
    let path = format!("/flow_run_states/?flow_run_id={id}");
    daemon.modern().get(&path).expect(200)
}

/// The task runs of a flow run once all of them have ended: what a client tells of them comes by
/// a connection of its own.
pub(super) fn ended_tasks(daemon: &TestDaemon, run: &Value, many: usize) -> Vec<Value> {
    let asked = json!({ "flow_runs": { "id": { "any_": [run["id"]] } } });
    let seen = || {
        let tasks = daemon
            .modern()
            .post("/task_runs/filter", &asked)
            .expect(200);
        tasks.as_array().unwrap().clone()
    };
    let is_over = |task: &Value| task["state_type"] == "COMPLETED";
    let ended = wait_or_else(PATIENCE, || {
        let tasks = seen();
        (tasks.len() == many && tasks.iter().all(is_over)).then_some(tasks)
    });
    ended.unwrap_or_else(|| {
        let tasks = seen();
        let left: Vec<_> = tasks.iter().filter(|task| !is_over(task)).collect();
        let (came, log) = (tasks.len(), daemon.log());
        let lines = daemon.http().lines(run["id"].as_str().unwrap()).join("\n");
        panic!(
            "{came} of {many} task runs came, of which these did not end: {left:?}\n{lines}\n{log}"
        );
    })
}

#[test]
fn a_flow_with_tasks_runs_as_a_script() {
    let (daemon, place) = (TestDaemon::without_agent(), Place::new());
    let mut script = place.script(&daemon, "mapped", &["5"]);
    let output = script
        .env("PREFECT_LOGGING_LEVEL", "DEBUG")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", told(&output));
    is_content(&daemon, &output);
    assert_eq!(place.marks(), ["0", "1", "2", "3", "4"]);
    let run = only_run(&daemon, "mapped");
    let states = states_of(&daemon, &run);
    assert_eq!(names(&states), ["Pending", "Running", "Completed"]);
    for task in ended_tasks(&daemon, &run, 5) {
        let id = task["id"].as_str().unwrap();
        let states = daemon
            .modern()
            .get(&format!("/task_run_states/?task_run_id={id}"));
        assert_eq!(
            names(&states.expect(200)),
            ["Pending", "Running", "Completed"]
        );
        assert_eq!(task["run_count"], 1);
    }
    let id = run["id"].as_str().unwrap();
    wait_for("what it printed", || {
        let lines = daemon.http().lines(id);
        lines.iter().any(|line| line == "5 are done").then_some(())
    });
}

#[test]
fn retries_and_sub_flows_are_told() {
    let (daemon, place) = (TestDaemon::without_agent(), Place::new());
    let output = place.script(&daemon, "retried", &[]).output().unwrap();
    assert!(output.status.success(), "{}", told(&output));
    assert_eq!(place.marks(), ["tried"; 3]);
    let run = only_run(&daemon, "retried");
    let task = &ended_tasks(&daemon, &run, 1)[0];
    assert_eq!(task["run_count"], 3);

    let place = Place::new();
    let output = place.script(&daemon, "outer", &[]).output().unwrap();
    assert!(output.status.success(), "{}", told(&output));
    assert_eq!(place.marks(), ["inner", "outer"]);
    let (outer, inner) = (only_run(&daemon, "outer"), only_run(&daemon, "inner"));
    let stub = &ended_tasks(&daemon, &outer, 1)[0];
    assert_eq!(inner["parent_task_run_id"], stub["id"]);
    assert_eq!(inner["state_name"], "Completed");
}

#[test]
fn a_failing_flow_retries() {
    let (daemon, place) = (TestDaemon::without_agent(), Place::new());
    let output = place.script(&daemon, "failing", &[]).output().unwrap();
    assert!(!output.status.success(), "{}", told(&output));
    assert_eq!(place.marks(), ["failing"; 2]);
    let run = only_run(&daemon, "failing");
    let states = states_of(&daemon, &run);
    let expected = ["Pending", "Running", "AwaitingRetry", "Running", "Failed"];
    assert_eq!(names(&states), expected);
    assert_eq!(run["run_count"], 2);
}

#[test]
fn no_task_run_is_lost_while_the_daemon_is_killed() {
    let place = Place::new();
    let mut daemon = TestDaemon::with(Options {
        flags: vec!["--no-agent", "--no-docker-bridge"],
        ..Options::default()
    });
    let mut script = place.script(&daemon, "holding", &["40"]);
    let mut script = script
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A client that asks for what its events are related to, and is not answered, drops the event;
    // once one has come it knows, and keeps the others until they are confirmed.
    wait_for("the first event of a task", || {
        let runs = daemon.modern().post("/task_runs/count", &json!({}));
        (runs.expect(200) != json!(0)).then_some(())
    });
    for _ in 0..3 {
        daemon.kill();
        std::thread::sleep(Duration::from_millis(200));
        daemon.restart(Vec::new());
        std::thread::sleep(Duration::from_secs(1));
    }
    // A client at its end does not ask whether the last that it sent was kept: that comes now.
    std::fs::write(place.mark().with_extension("go"), "").unwrap();
    let output = wait_for_end(&mut script);
    assert!(output.0, "{}", output.1);
    assert_eq!(place.marks().len(), 40);
    let run = only_run(&daemon, "holding");
    assert_eq!(run["state_name"], "Completed");
    for task in ended_tasks(&daemon, &run, 40) {
        let id = task["id"].as_str().unwrap();
        let states = daemon
            .modern()
            .get(&format!("/task_run_states/?task_run_id={id}"));
        assert_eq!(
            names(&states.expect(200)),
            ["Pending", "Running", "Completed"]
        );
    }
}

pub(super) fn wait_for_end(child: &mut std::process::Child) -> (bool, String) {
    let status = wait_for("the script to end", || child.try_wait().unwrap());
    let mut told = String::new();
    std::io::Read::read_to_string(child.stderr.as_mut().unwrap(), &mut told).unwrap();
    (status.success(), told)
}
