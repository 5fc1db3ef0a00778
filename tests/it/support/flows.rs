//! Deploys the flows of `tests/flows` with the real 2.0a7 client.

#![cfg(feature = "client")]

use std::path::PathBuf;
use std::process::{Command, Output};

use serde_json::{Value, json};

use super::TestDaemon;

/// The environment with the real client, set up by `tests/run`.
pub fn venv() -> PathBuf {
    let venv = std::env::var("PREFECTD_TEST_VENV");
    venv.expect("run these tests by tests/run, which prepares the client")
        .into()
}

/// A file of `tests/flows`.
pub fn file(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/flows")
        .join(name)
}

/// A command of the real client, pointed to the daemon.
pub fn prefect(daemon: &TestDaemon, words: &[&str]) -> Command {
    let mut command = Command::new(venv().join("bin/prefect"));
    command
        .env("PREFECT_ORION_HOST", format!("{}/api/", daemon.url()))
        .env("COLUMNS", "200")
        .args(words);
    command
}

/// Runs it and answers what it printed.
#[track_caller]
pub fn prefect_says(daemon: &TestDaemon, words: &[&str]) -> String {
    let output: Output = prefect(daemon, words).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success(),
        "prefect {words:?}: {said}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    said
}

/// Deploys every flow of a file by the client's own functions, each under the name `test`
/// and on the given flow runner.
#[track_caller]
pub fn deploy(daemon: &TestDaemon, name: &str, runner: &Value) {
    let output = Command::new(venv().join("bin/python"))
        .arg(file("deploy.py"))
        .arg(file(name))
        .arg(runner.to_string())
        .env("PREFECT_ORION_HOST", format!("{}/api/", daemon.url()))
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// Runs the deployment `<flow>/test` with parameters, and answers the run's id.
#[track_caller]
pub fn run(daemon: &TestDaemon, flow: &str, parameters: &Value) -> String {
    let http = daemon.http();
    let deployment = http
        .get(&format!("/deployments/name/{flow}/test"))
        .expect(200);
    let body = json!({ "state": { "type": "SCHEDULED" }, "parameters": parameters });
    let path = format!(
        "/deployments/{}/create_flow_run",
        deployment["id"].as_str().unwrap()
    );
    http.post(&path, &body).expect(201)["id"]
        .as_str()
        .unwrap()
        .to_owned()
}
