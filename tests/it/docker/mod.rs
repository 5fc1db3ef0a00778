//! Runs in containers of a real Docker engine, executed by the real 2.0a7 client.

#![cfg(feature = "docker")]

mod engine;
mod faults;
mod output;

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::support::flows::{deploy, run};
use super::support::{TestDaemon, wait_for};

/// The image that `tests/run` prepared.
pub fn image() -> String {
    std::env::var("PREFECTD_TEST_IMAGE").expect("run these tests by tests/run")
}

/// Runs a Docker command and answers what it printed.
#[track_caller]
pub fn docker(words: &[&str]) -> String {
    let output = Command::new("docker").args(words).output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "docker {words:?}: {told}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// A daemon that containers reach.
pub fn daemon() -> TestDaemon {
    let daemon = TestDaemon::start();
    await_bridge(&daemon);
    daemon
}

/// Waits until containers reach it.
pub fn await_bridge(daemon: &TestDaemon) {
    wait_for("the listener on Docker's bridge", || {
        let count = daemon.status()["listeners"].as_array().unwrap().len();
        (count == 2).then_some(())
    });
}

/// A folder that containers write their marks to, and a flow runner that mounts it.
pub struct Marked {
    dir: TempDir,
}

impl Marked {
    pub fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        Self { dir }
    }

    /// A Docker flow runner with the folder as `/marks`, and other settings.
    pub fn runner(&self, settings: Value) -> Value {
        let mut config = json!({
            "image": image(),
            "volumes": [format!("{}:/marks", self.dir.path().display())],
        });
        config
            .as_object_mut()
            .unwrap()
            .extend(settings.as_object().unwrap().clone());
        json!({ "type": "docker", "config": config })
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    /// The lines that executions wrote under a name.
    pub fn lines(&self, name: &str) -> Vec<String> {
        let path: &Path = &self.dir.path().join(name);
        let text = std::fs::read_to_string(path).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }
}

/// The container of a run.
#[track_caller]
pub fn container(daemon: &TestDaemon, run: &str) -> String {
    wait_for("the run's container", || {
        let made = daemon.http().run(run)["infrastructure_pid"].clone();
        made.as_str()?.strip_prefix("docker:").map(str::to_owned)
    })
}

pub fn inspect(container: &str, what: &str) -> String {
    docker(&["inspect", "--format", what, container])
}

#[test]
fn every_kind_of_flow_runs_in_a_container() {
    let (daemon, marked) = (daemon(), Marked::new());
    deploy(&daemon, "cases.py", &marked.runner(json!({})));
    let cases = [
        ("plain", "Completed", "plain"),
        ("parameters", "Completed", "nobody 2"),
        ("tasks", "Completed", "tasks"),
        ("task-retries", "Completed", "attempt attempt attempt"),
        ("failing", "Failed", "failing"),
        ("failing-task", "Failed", "failing_task"),
        ("parent", "Completed", "parent child"),
        ("concurrent", "Completed", "a b"),
    ];
    // Together, as they would be on a busy machine.
    let begun: Vec<_> = cases
        .iter()
        .map(|(flow, ..)| run(&daemon, flow, &json!({ "mark": format!("/marks/{flow}") })))
        .collect();
    for ((flow, ends, wrote), id) in cases.iter().zip(&begun) {
        let run = daemon.http().ended(id);
        assert_eq!(
            run["state_name"], *ends,
            "{flow}: {}",
            run["state"]["message"]
        );
        let mut marks = marked.lines(flow);
        if *flow == "concurrent" {
            marks.sort();
        }
        assert_eq!(marks.join(" "), *wrote, "{flow}");
        assert_eq!(run["tags"], json!(["deployed"]));
    }
}

#[test]
fn a_container_is_named_and_labelled_after_its_run_and_its_output_kept() {
    let (daemon, marked) = (daemon(), Marked::new());
    let settings = json!({
        "image": "prefectd-test:custom",
        "env": { "FROM_TEST": "env and " },
        "labels": { "team": "etl" },
    });
    deploy(&daemon, "cases.py", &marked.runner(settings));
    let id = run(&daemon, "environment", &json!({ "mark": "/marks/m" }));
    let ended = daemon.http().ended(&id);
    assert_eq!(ended["state_name"], "Completed");
    assert_eq!(marked.lines("m"), ["env and yes"], "its env and its image");
    let container = container(&daemon, &id);
    assert_eq!(
        inspect(&container, "{{.Name}}"),
        format!("/{}", ended["name"].as_str().unwrap())
    );
    assert_eq!(
        inspect(
            &container,
            "{{index .Config.Labels \"io.prefect.flow-run-id\"}}"
        ),
        id
    );
    assert_eq!(inspect(&container, "{{.Config.Labels.team}}"), "etl");
    let id = run(&daemon, "plain", &json!({}));
    daemon.http().ended(&id);
    wait_for("the output in the run's log", || {
        let lines = daemon.http().lines(&id);
        lines
            .iter()
            .any(|line| line == "plain says hello")
            .then_some(())
    });
}

#[test]
fn both_kinds_of_network_reach_the_api_and_nobody_else_does() {
    let (daemon, marked) = (daemon(), Marked::new());
    let network = format!("prefectd-test-{}", daemon.port());
    let other = format!("{network}-other");
    for name in [&network, &other] {
        docker(&["network", "create", name]);
    }
    let removed = RemoveNetworks(vec![network.clone(), other.clone()]);
    deploy(
        &daemon,
        "cases.py",
        &marked.runner(json!({ "networks": [network, other] })),
    );
    let id = run(&daemon, "plain", &json!({ "mark": "/marks/m" }));
    let ended = daemon.http().ended(&id);
    assert_eq!(
        ended["state_name"], "Completed",
        "{}",
        ended["state"]["message"]
    );
    let joined = inspect(
        &container(&daemon, &id),
        "{{json .NetworkSettings.Networks}}",
    );
    assert!(
        joined.contains(&network) && joined.contains(&other),
        "{joined}"
    );

    let sockets = Command::new("ss").args(["-Hltn"]).output().unwrap();
    let sockets = String::from_utf8(sockets.stdout).unwrap();
    let ours = format!(":{}", daemon.port());
    let bound: Vec<_> = sockets
        .lines()
        .filter_map(|line| line.split_whitespace().nth(3))
        .filter(|address| address.ends_with(&ours))
        .collect();
    assert_eq!(bound.len(), 3, "{sockets}");
    assert!(
        bound
            .iter()
            .all(|address| !address.starts_with("0.0.0.0") && !address.starts_with('*'))
    );
    for id in daemon.containers() {
        docker(&["rm", "--force", &id]);
    }
    drop(removed);
}

/// Removes networks, after what uses them.
struct RemoveNetworks(Vec<String>);

impl Drop for RemoveNetworks {
    fn drop(&mut self) {
        for name in &self.0 {
            let removed = Command::new("docker")
                .args(["network", "rm", name])
                .output();
            if !std::thread::panicking() {
                assert!(removed.unwrap().status.success());
            }
        }
    }
}

#[test]
fn a_container_removes_itself_only_when_asked_to() {
    let (daemon, marked) = (daemon(), Marked::new());
    deploy(
        &daemon,
        "cases.py",
        &marked.runner(json!({ "auto_remove": true })),
    );
    let id = run(&daemon, "plain", &json!({ "mark": "/marks/m" }));
    assert_eq!(daemon.http().ended(&id)["state_name"], "Completed");
    wait_for("the container to be gone", || {
        daemon.containers().is_empty().then_some(())
    });
    deploy(&daemon, "cases.py", &marked.runner(json!({})));
    let id = run(&daemon, "plain", &json!({ "mark": "/marks/m" }));
    daemon.http().ended(&id);
    wait_for("its slot to be free", || {
        (daemon.status()["agent"]["slots_used"] == 0).then_some(())
    });
    assert_eq!(daemon.containers().len(), 1);
}

#[test]
fn two_runs_of_one_name_get_two_containers() {
    let (daemon, marked) = (daemon(), Marked::new());
    deploy(&daemon, "cases.py", &marked.runner(json!({})));
    let http = daemon.http();
    let deployment = http.get("/deployments/name/plain/test").expect(200);
    let path = format!(
        "/deployments/{}/create_flow_run",
        deployment["id"].as_str().unwrap()
    );
    let name = format!("same-name-{}", daemon.port());
    let body = json!({ "name": name, "state": { "type": "SCHEDULED" } });
    let mut names = Vec::new();
    for _ in 0..2 {
        let run = http.post(&path, &body).expect(201);
        let id = run["id"].as_str().unwrap();
        assert_eq!(http.ended(id)["state_name"], "Completed");
        names.push(inspect(&container(&daemon, id), "{{.Name}}"));
    }
    assert_eq!(names, [format!("/{name}"), format!("/{name}-1")]);
}

#[test]
fn a_cancelled_container_is_stopped() {
    let (daemon, marked) = (daemon(), Marked::new());
    deploy(&daemon, "cases.py", &marked.runner(json!({})));
    let id = run(&daemon, "sleeper", &json!({ "mark": "/marks/m" }));
    wait_for("the flow to start", || {
        (marked.lines("m") == ["started"]).then_some(())
    });
    let container = container(&daemon, &id);
    assert!(
        daemon
            .ctl()
            .args(["flow-run", "cancel", &id])
            .status()
            .unwrap()
            .success()
    );
    daemon.http().ended(&id);
    wait_for("the container to stop", || {
        (inspect(&container, "{{.State.Status}}") == "exited").then_some(())
    });
    assert_eq!(marked.lines("m"), ["started"]);
}

#[test]
fn extra_packages_are_installed_before_the_flow_runs() {
    let (daemon, marked) = (daemon(), Marked::new());
    // A package of our own, from a folder, so that no index is asked.
    let package = tempfile::tempdir().unwrap();
    let setup = "from setuptools import setup\nsetup(name='prefectd-extra', version='1', py_modules=['prefectd_extra'])\n";
    std::fs::write(package.path().join("setup.py"), setup).unwrap();
    std::fs::write(
        package.path().join("prefectd_extra.py"),
        "VALUE = 'extra'\n",
    )
    .unwrap();
    let mut runner = marked.runner(json!({
        "env": { "EXTRA_PIP_PACKAGES": "--no-index --no-build-isolation /extra" },
    }));
    let volume = json!(format!("{}:/extra", package.path().display()));
    runner["config"]["volumes"]
        .as_array_mut()
        .unwrap()
        .push(volume);
    deploy(&daemon, "extra.py", &runner);
    let id = run(&daemon, "uses-extra", &json!({ "mark": "/marks/m" }));
    let ended = daemon.http().ended(&id);
    assert_eq!(
        ended["state_name"],
        "Completed",
        "{:?}",
        daemon.http().lines(&id)
    );
    assert_eq!(marked.lines("m"), ["extra"]);
}
