//! `prefectctl` against a real daemon.

use std::process::{Command, Output};

use serde_json::{Value, json};

use super::support::TestDaemon;

fn said(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[track_caller]
fn json_of(output: &Output) -> Value {
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Runs `prefectctl` with the words of a line.
fn ctl(daemon: &TestDaemon, line: &str) -> Output {
    daemon.ctl().args(line.split_whitespace()).output().unwrap()
}

#[track_caller]
fn refused(output: &Output, code: i32, word: &str) {
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{told}");
    assert!(told.contains(word), "{told}");
    assert_eq!(told.trim_end().lines().count(), 1, "one line: {told}");
}

#[track_caller]
fn refused_usage(output: &Output) {
    assert_eq!(output.status.code(), Some(2));
}

/// A daemon with a deployment `etl/nightly` and one run of it.
fn populated() -> (TestDaemon, Value) {
    let daemon = TestDaemon::without_agent();
    let http = daemon.http();
    let flow = http.flow("etl");
    let runner = json!({ "type": "subprocess", "config": {} });
    let deployment = http.deployment(&flow, "nightly", &runner);
    let run = http.run_deployment(&deployment);
    (daemon, run)
}

#[test]
fn status_shows_the_daemon_in_every_form() {
    let daemon = TestDaemon::without_agent();
    let table = said(&ctl(&daemon, "status"));
    assert!(
        table.contains(&daemon.url()) && table.contains("none"),
        "{table}"
    );
    let status = json_of(&ctl(&daemon, "status --output json"));
    assert_eq!(status["listeners"], json!([daemon.url()]));
    let yaml = said(&ctl(&daemon, "--output yaml status"));
    assert!(yaml.contains("listeners:\n- http://"), "{yaml}");
}

#[test]
fn deployments_are_listed_inspected_run_and_deleted() {
    let (daemon, _) = populated();
    let listed = said(&ctl(&daemon, "deployment ls"));
    assert!(listed.contains("etl/nightly"), "{listed}");
    let shown = json_of(&ctl(&daemon, "deployment inspect etl/nightly -o json"));
    assert_eq!(shown["name"], "nightly");
    let run = json_of(&ctl(
        &daemon,
        "deployment run etl/nightly -p n=3 -p s=x -o json",
    ));
    assert_eq!(run["parameters"], json!({ "n": 3, "s": "x" }));
    assert_eq!(run["state_type"], "SCHEDULED");
    let at = "2100-01-01T02:00:00+02:00";
    let later = json_of(&ctl(
        &daemon,
        &format!("deployment run etl/nightly --at {at} -o json"),
    ));
    assert_eq!(
        later["next_scheduled_start_time"],
        "2100-01-01T00:00:00.000000Z"
    );
    refused_usage(&ctl(&daemon, "deployment run etl/nightly --at soon"));
    assert!(
        ctl(&daemon, "deployment delete etl/nightly")
            .status
            .success()
    );
    refused(
        &ctl(&daemon, "deployment inspect etl/nightly"),
        1,
        "deployment ls",
    );
}

#[test]
fn flow_runs_are_found_by_name_id_and_start_of_id() {
    let (daemon, run) = populated();
    let (id, name) = (run["id"].as_str().unwrap(), run["name"].as_str().unwrap());
    for word in [id, name, id.get(..20).unwrap()] {
        let found = json_of(&ctl(&daemon, &format!("flow-run inspect {word} -o json")));
        assert_eq!(found["id"], id, "by {word}");
        assert_eq!(found["states"][0]["name"], "Scheduled");
    }
    let scheduled = json_of(&ctl(
        &daemon,
        "flow-run ls --state scheduled --flow etl -o json",
    ));
    assert_eq!(scheduled.as_array().unwrap().len(), 1);
    let running = json_of(&ctl(&daemon, "flow-run ls --state RUNNING -o json"));
    assert_eq!(running, json!([]));
    refused(&ctl(&daemon, "flow-run inspect nobody"), 1, "nobody");
}

#[test]
fn a_cancel_that_comes_too_late_leaves_the_end_as_it_is() {
    let (daemon, run) = populated();
    let http = daemon.http();
    let id = run["id"].as_str().unwrap();
    for told in ["RUNNING", "COMPLETED"] {
        let state = json!({ "force": true, "state": { "type": told } });
        http.post(&format!("/flow_runs/{id}/set_state"), &state)
            .expect(201);
    }
    // What prefectctl sends once it has read a run that had not ended.
    let cancel = format!("/v3/prefectd/flow_runs/{id}/cancel");
    let decision = http.post(&cancel, &json!({})).expect(200);
    assert_eq!(decision["status"], "ABORT", "{decision}");
    assert_eq!(decision["state"], json!(null));
    assert_eq!(http.states(id), ["Scheduled", "Running", "Completed"]);
    refused(
        &ctl(&daemon, &format!("flow-run cancel {id}")),
        1,
        "has ended already: Completed",
    );
}

#[test]
fn a_run_is_cancelled_once_and_deleted_after_its_end() {
    let (daemon, run) = populated();
    let name = run["name"].as_str().unwrap();
    refused(
        &ctl(&daemon, &format!("flow-run delete {name}")),
        1,
        "has not ended",
    );
    assert!(
        ctl(&daemon, &format!("flow-run cancel {name}"))
            .status
            .success()
    );
    let states = daemon.http().states(run["id"].as_str().unwrap());
    assert_eq!(states, ["Scheduled", "Cancelled"]);
    refused(
        &ctl(&daemon, &format!("flow-run cancel {name}")),
        1,
        "already",
    );
    assert!(
        ctl(&daemon, &format!("flow-run delete {name}"))
            .status
            .success()
    );
    refused(
        &ctl(&daemon, &format!("flow-run inspect {name}")),
        1,
        "no flow run",
    );
}

#[test]
fn logs_are_followed_to_the_end_of_the_run() {
    let (daemon, run) = populated();
    let http = daemon.http();
    let id = run["id"].as_str().unwrap();
    let say = |message: &str| {
        let line = json!([{
            "name": "t", "level": 20, "message": message,
            "timestamp": "2024-01-01T00:00:00Z", "flow_run_id": id,
        }]);
        http.post("/logs/", &line).expect(201);
    };
    say("before");
    let following = daemon
        .ctl()
        .args(["flow-run", "logs", id, "-f"])
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    say("while");
    let ended = json!({ "state": { "type": "COMPLETED" }, "force": true });
    http.post(&format!("/flow_runs/{id}/set_state"), &ended)
        .expect(201);
    let output = following.wait_with_output().unwrap();
    let text = said(&output);
    assert!(
        output.status.success() && text.contains("before") && text.contains("while"),
        "{text}"
    );
}

#[test]
fn mistakes_are_told_in_one_line_with_what_to_do() {
    let daemon = TestDaemon::without_agent();
    refused(&ctl(&daemon, "deployment run nothing"), 2, "FLOW/NAME");
    refused(
        &ctl(&daemon, "deployment create /no/such.py"),
        2,
        "/no/such.py",
    );
    refused(&ctl(&daemon, "deployment create Cargo.toml"), 2, ".yaml");
    refused(&ctl(&daemon, "flow-run ls --state nonsense"), 2, "NONSENSE");
    let nobody = Command::new(env!("CARGO_BIN_EXE_prefectctl"))
        .args(["--socket", "/no/such.sock", "status"])
        .output()
        .unwrap();
    refused(&nobody, 1, "is it running?");
}

#[test]
fn completions_are_made_for_shells() {
    let daemon = TestDaemon::without_agent();
    for shell in ["bash", "zsh", "fish"] {
        let script = said(&ctl(&daemon, &format!("completions {shell}")));
        assert!(script.contains("prefectctl"), "{shell}");
    }
}

#[test]
fn tcp_serves_as_well_as_the_socket() {
    let daemon = TestDaemon::without_agent();
    let output = Command::new(env!("CARGO_BIN_EXE_prefectctl"))
        .args([
            "--api",
            &format!("{}/api", daemon.url()),
            "version",
            "-o",
            "json",
        ])
        .output()
        .unwrap();
    assert_eq!(json_of(&output)["prefectd"], env!("CARGO_PKG_VERSION"));
}
