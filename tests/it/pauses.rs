//! Flows that wait for somebody, and go on.

#![cfg(feature = "client")]

use std::process::{Child, Stdio};

use serde_json::{Value, json};

use super::modern::{Place, deploy, names, only_run, run, states_of, wait_for_end};
use super::support::{Options, TestDaemon, wait_for};

/// Waits until a flow's only run stands in a state of that name.
fn awaits(daemon: &TestDaemon, flow: &str, name: &str) -> Value {
    wait_for(&format!("a run of {flow} to be {name}"), || {
        let asked = json!({ "flows": { "name": { "any_": [flow] } } });
        let runs = daemon.modern().post("/flow_runs/filter", &asked);
        let runs = runs.expect(200);
        let run = runs.get(0).filter(|run| run["state_name"] == name);
        run.cloned()
    })
}

fn begin(daemon: &TestDaemon, place: &Place, flow: &str, more: &[&str]) -> Child {
    let mut script = place.script_of(daemon, "pauses.py", flow, more);
    let script = script.stdout(Stdio::null()).stderr(Stdio::piped());
    script.spawn().unwrap()
}

/// Waits until a paused run has handed in the schema of what it waits for.
fn awaits_input(daemon: &TestDaemon, run: &Value) {
    let keys = &run["state"]["state_details"]["run_input_keyset"];
    let [id, key] = [&run["id"], &keys["schema"]].map(|text| text.as_str().unwrap());
    let path = format!("/flow_runs/{id}/input/{key}");
    wait_for("the schema", || {
        (daemon.modern().get(&path).status == 200).then_some(())
    });
}

/// Resumes a run; answers the status, what became of it, and why.
fn resume(daemon: &TestDaemon, run: &Value, body: &Value) -> (u16, String, String) {
    let path = format!("/flow_runs/{}/resume", run["id"].as_str().unwrap());
    let answer = daemon.modern().post(&path, body);
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let (status, details) = (&answer.body["status"], &answer.body["details"]);
    (answer.status, text(status), text(&details["reason"]))
}

#[test]
fn a_flow_waits_in_its_process_until_somebody_resumes_it() {
    let (daemon, place) = (TestDaemon::without_agent(), Place::new());
    let mut script = begin(&daemon, &place, "waits", &[]);
    let run = awaits(&daemon, "waits", "Paused");
    let (status, what, _) = resume(&daemon, &run, &json!({}));
    assert_eq!((status, what.as_str()), (201, "ACCEPT"));
    let (ended, told) = wait_for_end(&mut script);
    assert!(ended, "{told}");
    assert_eq!(place.marks_in_order(), ["before", "after"]);
    let run = only_run(&daemon, "waits");
    let states = states_of(&daemon, &run);
    let expected = ["Pending", "Running", "Paused", "Running", "Completed"];
    assert_eq!(names(&states), expected);
    // As the real server counts.
    assert_eq!(run["run_count"], 2);
    let (status, what, why) = resume(&daemon, &run, &json!({}));
    let expected = "Cannot resume a flow run that is not paused.";
    assert_eq!(
        (status, what.as_str(), why.as_str()),
        (200, "ABORT", expected)
    );
}

#[test]
fn a_pause_with_input_survives_a_restart_and_takes_what_conforms() {
    let place = Place::new();
    let mut daemon = TestDaemon::with(Options {
        flags: vec!["--no-agent", "--no-docker-bridge"],
        ..Options::default()
    });
    let mut script = begin(&daemon, &place, "asks", &[]);
    let run = awaits(&daemon, "asks", "Paused");
    awaits_input(&daemon, &run);
    daemon.kill();
    daemon.restart(Vec::new());
    for (input, why) in [
        (json!({}), "Reason: Validation failed"),
        (
            json!({ "run_input": { "number": "x" } }),
            "Reason: Validation failed for field 'number'",
        ),
        (
            json!({ "run_input": { "number": { "__prefect_kind": "none" } } }),
            "Error hydrating run input: Missing 'value' key",
        ),
    ] {
        let (status, what, told) = resume(&daemon, &run, &input);
        assert_eq!((status, what.as_str()), (200, "REJECT"), "{told}");
        assert!(told.starts_with(why), "{told}");
    }
    assert_eq!(only_run(&daemon, "asks")["state_name"], "Paused");
    let path = format!("/flow_runs/{}/resume", run["id"].as_str().unwrap());
    let refused = daemon.modern().post(&path, &json!({})).expect(200);
    // As the real server says it.
    assert_eq!(refused["details"]["type"], "abort_details");
    assert_eq!(refused["state"]["name"], "Paused");
    let number = json!({ "__prefect_kind": "json", "value": "42" });
    let input = json!({ "run_input": { "number": number, "word": "yes" } });
    let (status, what, why) = resume(&daemon, &run, &input);
    assert_eq!((status, what.as_str()), (201, "ACCEPT"), "{why}");
    let (ended, told) = wait_for_end(&mut script);
    assert!(ended, "{told}");
    assert_eq!(place.marks_in_order(), ["asked", "42 yes"]);
}

#[test]
fn a_pause_that_nobody_resumes_in_time_fails() {
    let (daemon, place) = (TestDaemon::without_agent(), Place::new());
    let mut script = begin(&daemon, &place, "waits", &["3"]);
    awaits(&daemon, "waits", "Paused");
    // The process is gone, so that nobody but the daemon can tell.
    script.kill().unwrap();
    script.wait().unwrap();
    let run = awaits(&daemon, "waits", "Failed");
    let why = "The flow was paused and never resumed.";
    assert_eq!(run["state"]["message"], why);
    assert_eq!(place.marks_in_order(), ["before"]);
}

#[test]
fn a_suspended_run_begins_anew_with_what_it_was_given() {
    let place = Place::new();
    let mut daemon = TestDaemon::with(Options {
        flags: vec!["--no-docker-bridge"],
        ..Options::default()
    });
    let deployment = deploy(&daemon, &place, ("pauses.py", "leaves"), &json!({}));
    let id = run(&daemon, &deployment);
    let suspended = awaits(&daemon, "leaves", "Suspended");
    awaits_input(&daemon, &suspended);
    wait_for("its process to be gone and its place to be free", || {
        daemon.http().run(&id)["agent"].is_null().then_some(())
    });
    daemon.kill();
    daemon.restart(Vec::new());
    let input = json!({ "run_input": { "number": 7 } });
    let (status, what, why) = resume(&daemon, &suspended, &input);
    assert_eq!((status, what.as_str()), (201, "ACCEPT"), "{why}");
    let ended = daemon.http().ended(&id);
    assert_eq!(
        ended["state_name"],
        "Completed",
        "{ended}\n{}",
        daemon.log()
    );
    assert_eq!(place.marks_in_order(), ["entered", "entered", "7 none"]);
    let states = states_of(&daemon, &ended);
    let expected = [
        "Scheduled",
        "Pending",
        "Running",
        "Suspended",
        "Resuming",
        "Pending",
        "Running",
        "Completed",
    ];
    assert_eq!(names(&states), expected);
}
