//! The daemon is killed at named points of a run's life; no run is lost, none runs twice.

#![cfg(feature = "docker")]

use serde_json::json;

use super::docker::{Marked, daemon};
use super::support::flows::{deploy, run};
use super::support::wait_for;

#[test]
fn a_running_container_is_adopted_after_kill_9() {
    let (mut daemon, marked) = (daemon(), Marked::new());
    deploy(&daemon, "cases.py", &marked.runner(json!({})));
    let id = run(
        &daemon,
        "sleeper",
        &json!({ "mark": "/marks/m", "seconds": 5 }),
    );
    wait_for("the flow to start", || {
        (marked.lines("m") == ["started"]).then_some(())
    });
    daemon.kill();
    daemon.restart(Vec::new());
    let run = daemon.http().ended(&id);
    assert_eq!(
        (&run["state_name"], &run["run_count"]),
        (&json!("Completed"), &json!(1))
    );
    assert_eq!(marked.lines("m"), ["started", "ended"]);
    assert_eq!(daemon.containers().len(), 1);
    wait_for("its output, once", || {
        let lines = daemon.http().lines(&id);
        let said = lines
            .iter()
            .filter(|line| *line == "sleeper started")
            .count();
        (said == 1).then_some(())
    });
}

#[test]
fn a_container_that_died_while_nobody_looked_crashes_its_run() {
    let (mut daemon, marked) = (daemon(), Marked::new());
    deploy(&daemon, "cases.py", &marked.runner(json!({})));
    let id = run(&daemon, "sleeper", &json!({ "mark": "/marks/m" }));
    wait_for("the flow to start", || {
        (marked.lines("m") == ["started"]).then_some(())
    });
    let container = super::docker::container(&daemon, &id);
    daemon.kill();
    super::docker::docker(&["kill", &container]);
    daemon.restart(Vec::new());
    let run = daemon.http().ended(&id);
    assert_eq!(run["state_type"], "CRASHED");
    let message = run["state"]["message"].as_str().unwrap();
    assert!(message.contains("exit code 137"), "{message}");
}

#[test]
fn a_daemon_that_dies_during_a_submission_finishes_it_once() {
    for point in [
        "after-claim",
        "after-create",
        "after-record",
        "after-start",
        "after-exit",
    ] {
        let (mut daemon, marked) = (daemon(), Marked::new());
        deploy(&daemon, "cases.py", &marked.runner(json!({})));
        daemon.kill();
        daemon.restart(vec![("PREFECTD_FAULT", point.to_owned())]);
        wait_for("the bridge", || {
            (daemon.status()["listeners"].as_array().unwrap().len() == 2).then_some(())
        });
        let id = run(&daemon, "plain", &json!({ "mark": "/marks/m" }));
        let died = daemon.wait();
        assert!(!died.success(), "the daemon did not die at {point}");
        daemon.restart(Vec::new());
        let run = daemon.http().ended(&id);
        assert_eq!(
            run["state_name"], "Completed",
            "{point}: {}",
            run["state"]["message"]
        );
        assert_eq!(marked.lines("m"), ["plain"], "{point}");
        assert_eq!(run["run_count"], 1, "{point}");
    }
}
