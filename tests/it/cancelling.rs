//! Runs of today's client that are cancelled by it.

#![cfg(feature = "client")]

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::modern::{Place, deploy, only_run, run, states_of, told};
use super::support::{Options, TestDaemon, wait_for};

/// How long a run has to end by itself.
const GRACE: Duration = Duration::from_secs(2);

/// Asserts that a run was cancelled, and how long that took: from the state in which it was asked for
/// to the one that says that it is done.
#[track_caller]
fn cancelled_in_time(daemon: &TestDaemon, id: &str) {
    let ended = daemon.http().ended(id);
    assert_eq!(ended["state_name"], "Cancelled", "{ended}");
    let states = states_of(daemon, &ended);
    let at = |name: &str| {
        let mut states = states.as_array().unwrap().iter();
        let state: &Value = states.find(|state| state["name"] == name).unwrap();
        let told = state["timestamp"].as_str().unwrap();
        told.parse::<DateTime<Utc>>().unwrap()
    };
    let took = at("Cancelled") - at("Cancelling");
    let most = GRACE + Duration::from_secs(2);
    assert!(took.to_std().unwrap() < most, "{took}");
}

/// Stops a run within two seconds.
fn daemon() -> TestDaemon {
    TestDaemon::with(Options {
        flags: vec!["--no-docker-bridge"],
        env: vec![("PREFECTD_AGENT__STOP_GRACE_SECS", "2".to_owned())],
        ..Options::default()
    })
}

fn cancel(daemon: &TestDaemon, place: &Place, id: &str) {
    let mut cancel = place.program(daemon, "prefect");
    let output = cancel.args(["flow-run", "cancel", id]).output().unwrap();
    assert!(output.status.success(), "{}", told(&output));
}

#[test]
fn a_run_that_does_not_listen_ends_cancelled_in_time() {
    let (daemon, place) = (daemon(), Place::new());
    let deployment = deploy(&daemon, &place, ("cancelled.py", "deaf"), &json!({}));
    let id = run(&daemon, &deployment);
    wait_for("it to run", || (place.marks() == ["deaf"]).then_some(()));
    cancel(&daemon, &place, &id);
    cancelled_in_time(&daemon, &id);
}

#[test]
fn the_sub_flows_of_a_cancelled_run_are_cancelled() {
    let (daemon, place) = (daemon(), Place::new());
    let deployment = deploy(&daemon, &place, ("cancelled.py", "above"), &json!({}));
    let id = run(&daemon, &deployment);
    wait_for("its sub-flow to run", || {
        (place.marks() == ["below"]).then_some(())
    });
    cancel(&daemon, &place, &id);
    let ended = daemon.http().ended(&id);
    assert_eq!(ended["state_name"], "Cancelled", "{ended}");
    let below = only_run(&daemon, "below");
    let ended = daemon.http().ended(below["id"].as_str().unwrap());
    assert_eq!(ended["state_name"], "Cancelled", "{ended}");
    let asked = json!({ "flow_runs": { "id": { "any_": [id] } } });
    let tasks = daemon.modern().post("/task_runs/filter", &asked);
    assert_eq!(tasks.expect(200)[0]["state_name"], "Cancelled");
}

#[test]
fn a_scheduled_run_is_cancelled_at_once() {
    let (daemon, place) = (daemon(), Place::new());
    let deployment = deploy(&daemon, &place, ("cancelled.py", "deaf"), &json!({}));
    let path = format!("/deployments/{deployment}/create_flow_run");
    let later = json!({ "state": { "type": "SCHEDULED", "state_details": {
        "scheduled_time": "2100-01-01T00:00:00Z" } } });
    let made = daemon.modern().post(&path, &later).expect(201);
    let id = made["id"].as_str().unwrap();
    cancel(&daemon, &place, id);
    assert_eq!(daemon.http().run(id)["state_name"], "Cancelled");
}

#[cfg(feature = "docker")]
mod containers {
    use std::path::Path;

    use super::*;
    use crate::docker::{await_bridge, docker};
    use crate::support::flows::file;

    #[test]
    fn a_container_that_does_not_listen_is_killed_in_time() {
        let place = Place::new();
        let flows = file("cancelled.py");
        let flows = flows.parent().unwrap();
        let marks = place.mark();
        let marks = marks.parent().unwrap();
        let daemon = TestDaemon::with(Options {
            env: vec![
                ("PREFECTD_AGENT__STOP_GRACE_SECS", "2".to_owned()),
                (
                    "PREFECTD_DOCKER__ALLOW__HOST_VOLUMES",
                    json!([flows, marks]).to_string(),
                ),
            ],
            ..Options::default()
        });
        await_bridge(&daemon);
        let id = deployed(&daemon, flows, marks);
        wait_for("it to run", || (place.marks() == ["deaf"]).then_some(()));
        cancel(&daemon, &place, &id);
        cancelled_in_time(&daemon, &id);
        let [container] = &daemon.containers()[..] else {
            panic!("one container");
        };
        let status = docker(&["inspect", "--format", "{{.State.Status}}", container]);
        assert_eq!(status, "exited");
    }

    /// A run in a pool of containers.
    fn deployed(daemon: &TestDaemon, flows: &Path, marks: &Path) -> String {
        let http = daemon.modern();
        let pool = json!({ "name": "c", "type": "docker", "base_job_template": {} });
        http.post("/work_pools/", &pool).expect(201);
        let flow = http.post("/flows/", &json!({ "name": "deaf" })).expect(201);
        let volumes = [
            format!("{}:/flows:ro", flows.display()),
            format!("{}:/marks", marks.display()),
        ];
        let image = std::env::var("PREFECTD_TEST_IMAGE_3").expect("run these tests by tests/run");
        let deployment = json!({
            "name": "test",
            "flow_id": flow["id"],
            "work_pool_name": "c",
            "path": "/flows",
            "entrypoint": "cancelled.py:deaf",
            "parameters": { "mark": "/marks/mark" },
            "job_variables": { "image": image, "volumes": volumes },
        });
        let made = http.post("/deployments/", &deployment).expect(201);
        run(daemon, made["id"].as_str().unwrap())
    }
}
