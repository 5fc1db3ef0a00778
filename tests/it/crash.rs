//! The daemon is killed at named points of a run's life; no run is lost, none runs twice.

#![cfg(feature = "docker")]

mod slots;

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;

use super::docker::{Marked, daemon};
use super::support::flows::{deploy, run};
use super::support::{Options, TestDaemon, wait_for};

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

/// What a run does while its daemon dies, and where it ends.
struct Case {
    point: &'static str,
    flow: &'static str,
    ends: &'static str,
    marks: &'static [&'static str],
}

const fn plain(point: &'static str) -> Case {
    Case {
        point,
        flow: "plain",
        ends: "Completed",
        marks: &["plain"],
    }
}

const fn dying(point: &'static str) -> Case {
    Case {
        point,
        flow: "dying",
        ends: "Crashed",
        marks: &["started", "dying"],
    }
}

const fn cancelled(point: &'static str) -> Case {
    Case {
        point,
        flow: "sleeper",
        ends: "Cancelled",
        marks: &["started"],
    }
}

const CASES: &[Case] = &[
    plain("before-claim"),
    plain("after-claim"),
    plain("before-create"),
    plain("after-create"),
    plain("after-record"),
    plain("after-start"),
    plain("after-output"),
    plain("after-exit"),
    plain("before-remove"),
    plain("after-remove"),
    plain("before-commit:2"),
    plain("after-commit:1"),
    plain("after-commit:4"),
    dying("before-end"),
    dying("after-end"),
    cancelled("before-stop"),
    cancelled("after-stop"),
];

/// How many of them are under way at once.
const AT_ONCE: usize = 4;

#[test]
fn a_daemon_that_dies_anywhere_leaves_no_run_lost_or_doubled() {
    for point in prefectd::fault::POINTS {
        let is_here = |case: &Case| case.point.split(':').next() == Some(point);
        assert!(CASES.iter().any(is_here), "{point} is not tried");
    }
    let marked = Marked::new();
    let mut seed = TestDaemon::without_agent();
    deploy(
        &seed,
        "cases.py",
        &marked.runner(json!({ "auto_remove": true })),
    );
    assert!(seed.terminate().success());
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        let work = || {
            while let Some(case) = CASES.get(next.fetch_add(1, Ordering::SeqCst)) {
                dies_at(case, &seed, &marked);
            }
        };
        for _ in 0..AT_ONCE {
            scope.spawn(work);
        }
    });
}

fn dies_at(case: &Case, seed: &TestDaemon, marked: &Marked) {
    let point = case.point;
    let mut daemon = TestDaemon::with(Options {
        flags: vec!["--no-agent", "--no-docker-bridge"],
        seed: Some(seed.state_dir()),
        ..Options::default()
    });
    let id = run(
        &daemon,
        case.flow,
        &json!({ "mark": format!("/marks/{point}") }),
    );
    assert!(daemon.terminate().success());
    daemon.doom(Vec::new(), point, |daemon| {
        if case.ends == "Cancelled" {
            wait_for("the flow to start", || {
                (marked.lines(point) == ["started"]).then_some(())
            });
            let cancel = json!({ "state": { "type": "CANCELLING" } });
            let path = format!("/v3/flow_runs/{id}/set_state");
            // It may die before this is answered; that it was heard is seen by the end.
            daemon.http().post_to_the_dying(&path, &cancel);
        }
    });
    daemon.restart(Vec::new());
    let run = daemon.http().ended(&id);
    assert_eq!(
        run["state_name"], case.ends,
        "{point}: {}",
        run["state"]["message"]
    );
    assert_eq!(run["run_count"], 1, "{point}");
    wait_for("its container to be removed", || {
        daemon.containers().is_empty().then_some(())
    });
    assert_eq!(marked.lines(point), case.marks, "{point}");
    assert!(daemon.terminate().success());
    daemon.check_database();
}
