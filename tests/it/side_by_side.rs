//! What clients of 2.0a7 and of 3.9.1 made on one daemon: each lists and shows all of it by its own
//! command line, and runs what the other deployed.

#![cfg(feature = "client")]

use serde_json::{Value, json};

use super::modern::{self, Place};
use super::serving;
use super::support::flows::{self, prefect_says};
use super::support::{Options, TestDaemon};

/// Every kind of state, some under names of their own.
const STATES: &[(&str, &str)] = &[
    ("SCHEDULED", "Scheduled"),
    ("SCHEDULED", "Late"),
    ("SCHEDULED", "AwaitingRetry"),
    ("SCHEDULED", "AwaitingConcurrencySlot"),
    ("SCHEDULED", "Resuming"),
    ("PENDING", "Submitting"),
    ("RUNNING", "Retrying"),
    ("PAUSED", "Paused"),
    ("PAUSED", "Suspended"),
    ("CANCELLING", "Cancelling"),
    ("CANCELLED", "Cancelled"),
    ("COMPLETED", "Cached"),
    ("COMPLETED", "RolledBack"),
    ("FAILED", "TimedOut"),
    ("CRASHED", "Crashed"),
];

/// Its agent runs processes of 2.0a7 with that client.
fn daemon() -> TestDaemon {
    let python = flows::venv().join("bin/python");
    TestDaemon::with(Options {
        flags: vec!["--no-docker-bridge"],
        env: vec![("PREFECTD_RUNNERS__PYTHON", python.display().to_string())],
        ..Options::default()
    })
}

/// A deployment of `told` of each: `told/test` of 2.0a7, and `told/today`, which has a schedule.
fn deploy(daemon: &TestDaemon, place: &Place) {
    let runner = json!({ "type": "subprocess", "config": {} });
    flows::deploy(daemon, "generations.py", &runner);
    let yearly = json!({ "active": true, "schedule": { "cron": "0 0 1 1 *", "timezone": "UTC" } });
    let more = json!({
        "name": "today",
        "parameters": {},
        "schedules": [yearly],
        "concurrency_limit": 3,
    });
    modern::deploy(daemon, place, ("generations.py", "told"), &more);
}

fn id(made: &Value) -> String {
    made["id"].as_str().unwrap().to_owned()
}

/// The id of the only run that has begun of a deployment of `told`; it ended well.
fn completed(daemon: &TestDaemon, deployment: &str) -> String {
    let asked = json!({
        "deployments": { "name": { "any_": [deployment] } },
        "flows": { "name": { "any_": ["told"] } },
    });
    let runs = daemon
        .modern()
        .post("/flow_runs/filter", &asked)
        .expect(200);
    let runs: Vec<_> = { runs.as_array().unwrap().iter() }
        .filter(|run| run["auto_scheduled"] == false)
        .map(id)
        .collect();
    let [run] = &runs[..] else {
        panic!("one run: {runs:?}");
    };
    let ended = daemon.http().ended(run);
    assert_eq!(ended["state_name"], "Completed", "{}", daemon.log());
    run.clone()
}

/// A run of each kind of state, made by one client or the other in turn.
fn in_every_state(daemon: &TestDaemon) -> Vec<String> {
    let [old, new] = [daemon.http(), daemon.modern()];
    let runs = STATES.iter().enumerate().map(|(nth, (kind, name))| {
        let maker = [&old, &new][nth % 2];
        let run = maker.flow_run(&maker.flow("told"));
        let details = json!({ "scheduled_time": "2090-01-01T00:00:00Z" });
        let state = json!({ "type": kind, "name": name, "state_details": details });
        let path = format!("/flow_runs/{run}/set_state");
        let forced = new.post(&path, &json!({ "state": state, "force": true }));
        assert_eq!(forced.expect(201)["status"], "ACCEPT", "{name}");
        run
    });
    runs.collect()
}

#[test]
fn each_client_lists_shows_and_runs_what_the_other_made() {
    let (daemon, place) = (daemon(), Place::new());
    deploy(&daemon, &place);
    let old = |words: &[&str]| prefect_says(&daemon, words);
    let new = |words: &[&str]| serving::prefect(&daemon, &place, words);

    old(&["deployment", "run", "told/today"]);
    let shown = new(&["deployment", "run", "told/test", "--watch"]);
    assert!(shown.contains("Completed"), "{shown}\n{}", daemon.log());
    let (of_new, of_old) = (completed(&daemon, "today"), completed(&daemon, "test"));

    let ids = in_every_state(&daemon);
    let lists = [
        old(&["flow-run", "ls", "--limit", "200"]),
        new(&["flow-run", "ls", "--limit", "200"]),
    ];
    for list in &lists {
        for id in ids.iter().chain([&of_new, &of_old]) {
            assert!(list.contains(id.as_str()), "{id}: {list}");
        }
    }
    for (kind, _) in STATES {
        assert!(lists[1].contains(kind), "{kind}: {}", lists[1]);
    }
    for id in ids.iter().chain([&of_new]) {
        assert!(old(&["flow-run", "inspect", id]).contains(id.as_str()));
    }
    let shown = new(&["flow-run", "inspect", &of_old]);
    assert!(shown.contains(&of_old), "{shown}");
    let lines = new(&["flow-run", "logs", &of_old]);
    assert!(lines.contains("prefect 2.0a7 speaks"), "{lines}");
    let tasks = new(&["task-run", "ls", "--limit", "50"]);
    assert!(tasks.contains("shaky"), "{tasks}");

    for list in [old(&["deployment", "ls"]), new(&["deployment", "ls"])] {
        for name in ["told/test", "told/today", "sleeper/test"] {
            assert!(list.contains(name), "{name}: {list}");
        }
    }
    for name in ["told/test", "told/today"] {
        let plain = name.rsplit('/').next().unwrap();
        let shown = old(&["deployment", "inspect", name]);
        assert!(shown.contains(&format!("name='{plain}'")), "{shown}");
        let shown = new(&["deployment", "inspect", name]);
        assert!(shown.contains(&format!("'name': '{plain}'")), "{shown}");
    }
    let listed = new(&["flow", "ls"]);
    assert!(
        listed.contains("told") && listed.contains("sleeper"),
        "{listed}"
    );
}
