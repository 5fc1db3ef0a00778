//! `prefectctl` on limits, and on runs that wait for their slots or are executed elsewhere.

use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::sync::mpsc;

use serde_json::{Value, json};

use super::support::words::{json_of, refused, said};
use super::support::{Http, PATIENCE, TestDaemon};

fn deployment(http: &Http, name: &str, more: &Value) -> String {
    let flow = http.flow("f");
    let mut new = json!({ "name": name, "flow_id": flow, "entrypoint": "f.py:f" });
    let fields = new.as_object_mut().unwrap();
    fields.extend(more.as_object().unwrap().clone());
    let made = http.post("/deployments/", &new).expect(201);
    made["id"].as_str().unwrap().to_owned()
}

fn run(http: &Http, deployment: &str, name: &str) -> String {
    let path = format!("/deployments/{deployment}/create_flow_run");
    let made = http.post(&path, &json!({ "name": name })).expect(201);
    made["id"].as_str().unwrap().to_owned()
}

fn enter(http: &Http, run: &str, kind: &str) {
    let state = json!({ "state": { "type": kind } });
    let path = format!("/flow_runs/{run}/set_state");
    http.post(&path, &state).expect(201);
}

#[test]
fn limits_are_listed_with_who_holds_them() {
    let daemon = TestDaemon::without_agent();
    let http = daemon.modern();
    assert!(said(&daemon, &["limit", "ls"]).starts_with("There are no limits"));
    let limit = json!({ "name": "database", "limit": 2 });
    let limit = http.post("/v2/concurrency_limits/", &limit).expect(201);
    let share = json!({ "global_concurrency_limit_id": limit["id"] });
    let sharing = deployment(&http, "sharing", &share);
    let own = deployment(&http, "own", &json!({ "concurrency_limit": 1 }));
    enter(&http, &run(&http, &sharing, "one"), "PENDING");
    enter(&http, &run(&http, &own, "two"), "PENDING");
    // What was due and waits for a slot is no run to come.
    enter(&http, &run(&http, &own, "three"), "PENDING");
    let listed = said(&daemon, &["flow-run", "ls"]);
    for words in ["one", "two", "three", "AwaitingConcurrencySlot"] {
        assert!(listed.contains(words), "{words}: {listed}");
    }
    let listed = said(&daemon, &["limit", "ls"]);
    for words in ["database", "1 of 2", "deployment:f/own", "1 of 1"] {
        assert!(listed.contains(words), "{words}: {listed}");
    }
    let shown = said(&daemon, &["deployment", "inspect", "f/sharing"]);
    assert!(
        shown.contains("database, which others may share: 2 at once (1 now)"),
        "{shown}"
    );
    for (limit, holder) in [("database", "one"), ("deployment:f/own", "two")] {
        let held = json_of(&daemon, &["limit", "holders", limit]);
        assert_eq!(held.as_array().unwrap().len(), 1, "{held}");
        assert_eq!(
            (&held[0]["kind"], &held[0]["name"]),
            (&json!("flow_run"), &json!(holder))
        );
        assert!(said(&daemon, &["limit", "holders", limit]).contains(holder));
    }
    refused(&daemon, &["limit", "holders", "absent"], 1);
}

#[test]
fn schedules_that_are_paused_by_themselves_are_told() {
    let daemon = TestDaemon::without_agent();
    let http = daemon.modern();
    let off = json!({ "cron": "0 6 * * *" });
    let off = json!({ "schedules": [{ "schedule": off, "active": false }] });
    deployment(&http, "off", &off);
    let listed = said(&daemon, &["deployment", "ls"]);
    assert!(listed.contains("0 6 * * * (paused)"), "{listed}");
    let shown = said(&daemon, &["deployment", "inspect", "f/off"]);
    for words in [["next date", "none"], ["paused", "1 of 1 schedules"]] {
        let mut lines = shown.lines();
        let line = lines.find(|line| line.starts_with(words[0])).unwrap();
        assert!(line.ends_with(words[1]), "{line}");
    }
    let told = said(&daemon, &["deployment", "resume", "f/off"]);
    assert!(
        told.contains("of its 1 schedules 1 are paused by themselves"),
        "{told}"
    );
}

#[test]
fn what_is_executed_elsewhere_is_asked_to_stop_and_a_script_s_run_is_cancelled_at_once() {
    let daemon = TestDaemon::without_agent();
    let http = daemon.modern();
    let served = deployment(&http, "served", &json!({}));
    let begun = run(&http, &served, "begun");
    enter(&http, &begun, "PENDING");
    enter(&http, &begun, "RUNNING");
    run(&http, &served, "waiting");
    let script = http.flow_run(&http.flow("f"));
    enter(&http, &script, "RUNNING");
    for (run, state) in [
        ("begun", "Cancelling"),
        ("waiting", "Cancelled"),
        (script.as_str(), "Cancelled"),
    ] {
        let told = said(&daemon, &["flow-run", "cancel", run]);
        assert!(told.trim_end().ends_with(&format!("is {state}")), "{told}");
    }
    // Asked once more it stays as it is, and so does how long that may take.
    let before = http.get(&format!("/flow_runs/{begun}")).expect(200);
    said(&daemon, &["flow-run", "cancel", "begun"]);
    let after = http.get(&format!("/flow_runs/{begun}")).expect(200);
    assert_eq!(before["state"], after["state"]);
    // Whoever executes it says when it has stopped, and nothing else counts.
    let completed = json!({ "state": { "type": "COMPLETED" } });
    let path = format!("/flow_runs/{begun}/set_state");
    http.post(&path, &completed).expect(200);
    assert_eq!(
        http.get(&format!("/flow_runs/{begun}")).expect(200)["state_name"],
        "Cancelling"
    );
    enter(&http, &begun, "CANCELLED");
    assert_eq!(
        http.get(&format!("/flow_runs/{begun}")).expect(200)["state_name"],
        "Cancelled"
    );
}

#[test]
fn job_variables_that_the_pool_does_not_have_are_refused() {
    let daemon = TestDaemon::without_agent();
    let http = daemon.modern();
    said(&daemon, &["work-pool", "create", "p", "--type", "process"]);
    deployment(&http, "pooled", &json!({ "work_pool_name": "p" }));
    let run = [
        "deployment",
        "run",
        "f/pooled",
        "--job-variable",
        "wroking_dir=/srv",
    ];
    let told = refused(&daemon, &run, 2);
    assert!(
        told.contains("no job variable wroking_dir; it has") && told.contains("working_dir"),
        "{told}"
    );
    said(&daemon, &[&run[..], &["--unchecked"]].concat());
    let listed = json_of(&daemon, &["work-pool", "ls"]);
    assert_eq!(listed[0]["active_slots"], 0);
    assert_eq!(
        said(&daemon, &["work-pool", "delete", "p"]),
        "Deleted the work pool p\n"
    );
    refused(&daemon, &["work-pool", "delete", "p"], 1);
    let kube = ["work-pool", "create", "k", "--type", "kubernetes"];
    let own = said(&daemon, &kube);
    assert!(own.contains("prefect worker start --pool k"), "{own}");
    let events = |since: &str| said(&daemon, &["event", "ls", "--since", since]);
    assert!(events("1h").contains("prefect.flow-run.Scheduled"));
    assert!(!events("0s").contains("prefect.flow-run.Scheduled"));
}

#[test]
fn who_watches_a_run_that_does_not_begin_is_told_why() {
    let daemon = TestDaemon::without_agent();
    let http = daemon.modern();
    said(&daemon, &["work-pool", "create", "p", "--type", "process"]);
    said(&daemon, &["work-pool", "pause", "p"]);
    deployment(&http, "pooled", &json!({ "work_pool_name": "p" }));
    let mut watching = daemon.ctl();
    watching.args(["deployment", "run", "f/pooled", "--watch"]);
    watching.stdout(Stdio::null()).stderr(Stdio::piped());
    let mut watching = watching.spawn().unwrap();
    let errors = BufReader::new(watching.stderr.take().unwrap());
    let (tell, told) = mpsc::channel();
    std::thread::spawn(move || tell.send(errors.lines().next()));
    let told = told.recv_timeout(PATIENCE);
    watching.kill().unwrap();
    watching.wait().unwrap();
    let told = told.unwrap().unwrap().unwrap();
    assert!(
        told.starts_with("It waits: ") && told.contains("paused"),
        "{told}"
    );
}
