//! Limits on what goes on at once, as today's client sets them and as they hold.

#![cfg(feature = "client")]

use std::time::Duration;

use serde_json::{Value, json};

use super::modern::{Place, deploy, run, run_suits, told};
use super::support::{Options, TestDaemon, wait_for};

/// Without an engine, and with everything else.
fn daemon() -> TestDaemon {
    TestDaemon::with(Options {
        flags: vec!["--no-docker-bridge"],
        ..Options::default()
    })
}

/// Each that began has ended before the next began.
#[track_caller]
fn one_after_another(marks: &[String], many: usize) {
    let expected: Vec<_> = std::iter::repeat_n(["begin", "end"], many)
        .flatten()
        .collect();
    assert_eq!(marks, expected);
}

#[test]
fn runs_of_a_deployment_of_one_slot_go_one_after_another_whatever_dies() {
    let (mut daemon, place) = (daemon(), Place::new());
    let more = json!({
        "concurrency_limit": 1,
        "concurrency_options": { "collision_strategy": "ENQUEUE" },
    });
    let deployment = deploy(&daemon, &place, ("limits.py", "alone"), &more);
    let many = match std::env::var_os("PREFECTD_TEST_LONG") {
        Some(_) => 20,
        None => 6,
    };
    let runs: Vec<_> = (0..many).map(|_| run(&daemon, &deployment)).collect();
    for some in [3, many + 1] {
        wait_for("some of them to have begun", || {
            (place.marks().len() >= some).then_some(())
        });
        daemon.kill();
        std::thread::sleep(Duration::from_millis(100));
        daemon.restart(Vec::new());
    }
    for id in &runs {
        let ended = daemon.http().ended(id);
        assert_eq!(ended["state_name"], "Completed", "{ended}");
        assert_eq!(ended["run_count"], 1);
    }
    one_after_another(&place.marks_in_order(), many);
    wait_for("all slots to be given back", || {
        (daemon.leases() == 0).then_some(())
    });
}

#[test]
fn todays_client_holds_on_to_its_slot_and_gives_it_back() {
    let (daemon, place) = (daemon(), Place::new());
    let options = json!({ "collision_strategy": "ENQUEUE", "grace_period_seconds": 60 });
    let more = json!({ "concurrency_limit": 1, "concurrency_options": options });
    let deployment = deploy(&daemon, &place, ("limits.py", "alone"), &more);
    let runs: Vec<_> = (0..3).map(|_| run(&daemon, &deployment)).collect();
    for id in &runs {
        let ended = daemon.http().ended(id);
        assert_eq!(
            ended["state_name"],
            "Completed",
            "{ended}\n{}",
            daemon.log()
        );
        run_suits(&daemon, id);
    }
    one_after_another(&place.marks_in_order(), 3);
    assert_eq!(daemon.leases(), 0);
}

#[test]
fn a_run_that_finds_no_slot_is_cancelled_where_that_is_wanted() {
    let (daemon, place) = (daemon(), Place::new());
    let go = place.mark().with_extension("go");
    let words = format!(
        "sh -c 'while ! test -e {}; do sleep 0.05; done'",
        go.display()
    );
    let more = json!({
        "concurrency_limit": 1,
        "concurrency_options": { "collision_strategy": "CANCEL_NEW" },
        "job_variables": { "command": words },
    });
    let deployment = deploy(&daemon, &place, ("limits.py", "alone"), &more);
    let first = run(&daemon, &deployment);
    wait_for("the slot to be taken", || {
        (daemon.leases() == 1).then_some(())
    });
    let second = run(&daemon, &deployment);
    let ended = daemon.http().ended(&second);
    assert_eq!(ended["state_name"], "Cancelled");
    let why = "Deployment concurrency limit reached.";
    assert_eq!(ended["state"]["message"], why);
    std::fs::write(go, "").unwrap();
    daemon.http().ended(&first);
    wait_for("the slot to be given back", || {
        (daemon.leases() == 0).then_some(())
    });
    let third = run(&daemon, &deployment);
    assert_ne!(daemon.http().ended(&third)["state_name"], "Cancelled");
}

/// What a command of the client says.
#[track_caller]
fn prefect(daemon: &TestDaemon, place: &Place, words: &[&str]) -> String {
    let output = place.program(daemon, "prefect").args(words).output();
    let output = output.unwrap();
    assert!(output.status.success(), "{words:?}: {}", told(&output));
    told(&output)
}

fn script(daemon: &TestDaemon, place: &Place, flow: &str) {
    let output = place.script_of(daemon, "limits.py", flow, &[]).output();
    let output = output.unwrap();
    assert!(output.status.success(), "{}", told(&output));
}

fn taken(daemon: &TestDaemon, name: &str) -> Value {
    let path = format!("/v2/concurrency_limits/{name}");
    daemon.modern().get(&path).expect(200)["active_slots"].clone()
}

#[test]
fn limits_by_name_hold_and_are_managed_by_the_client() {
    let (daemon, place) = (TestDaemon::without_agent(), Place::new());
    let say = |words: &[&str]| prefect(&daemon, &place, words);
    say(&["gcl", "create", "db", "--limit", "1"]);
    let rate = [
        "gcl",
        "create",
        "rate",
        "--limit",
        "2",
        "--slot-decay-per-second",
        "2",
    ];
    say(&rate);
    let list = say(&["gcl", "ls"]);
    assert!(list.contains("db") && list.contains("rate"), "{list}");
    script(&daemon, &place, "crowd");
    one_after_another(&place.marks_in_order(), 4);
    assert_eq!(taken(&daemon, "db"), 0);
    assert_eq!(daemon.leases(), 0);

    let place_of_rate = Place::new();
    script(&daemon, &place_of_rate, "paced");
    let times = place_of_rate.marks_in_order();
    let times: Vec<f64> = times.iter().map(|time| time.parse().unwrap()).collect();
    // Two at once, and then one each half a second.
    assert!(times[4] - times[0] > 1.0, "{times:?}");

    say(&["gcl", "update", "db", "--limit", "7"]);
    say(&["gcl", "disable", "db"]);
    let shown = say(&["gcl", "inspect", "db", "--output", "json"]);
    assert!(shown.contains("\"limit\": 7"), "{shown}");
    assert!(shown.contains("\"active\": false"), "{shown}");
    say(&["gcl", "enable", "db"]);
    let mut delete = place.program(&daemon, "prefect");
    let output = delete.args(["--no-prompt", "gcl", "delete", "db"]).output();
    let output = output.unwrap();
    assert!(output.status.success(), "{}", told(&output));
    let gone = daemon.modern().get("/v2/concurrency_limits/db");
    assert_eq!(gone.status, 404);
}

#[test]
fn limits_of_deployments_are_listed_and_changed_among_the_others() {
    let (daemon, place) = (TestDaemon::without_agent(), Place::new());
    let more = json!({ "concurrency_limit": 2 });
    let deployment = deploy(&daemon, &place, ("limits.py", "alone"), &more);
    let say = |words: &[&str]| prefect(&daemon, &place, words);
    let told = || {
        let path = format!("/deployments/{deployment}");
        daemon.modern().get(&path).expect(200)["global_concurrency_limit"].clone()
    };
    say(&["gcl", "create", "db", "--limit", "1"]);
    let name = format!("deployment:{deployment}");
    let list = say(&["gcl", "ls"]);
    assert!(list.contains("db") && list.contains(&name), "{list}");
    say(&["gcl", "update", &name, "--limit", "5"]);
    assert_eq!(told()["limit"], 5);
    assert_eq!(told()["active_slots"], 0);
    let run = format!("/deployments/{deployment}/create_flow_run");
    let run = daemon.modern().post(&run, &json!({})).expect(201)["id"].clone();
    let state = format!("/flow_runs/{}/set_state", run.as_str().unwrap());
    let pending = json!({ "state": { "type": "PENDING" } });
    daemon.modern().post(&state, &pending).expect(201);
    assert_eq!(told()["active_slots"], 1);
    let path = format!("/v2/concurrency_limits/{name}");
    assert_eq!(daemon.modern().get(&path).expect(200), told());
    let off = daemon.modern().patch(&path, &json!({ "active": false }));
    assert_eq!(off.status, 422, "{}", off.body);
    say(&["--no-prompt", "gcl", "delete", &name]);
    assert_eq!(told(), Value::Null);
    let list = say(&["gcl", "ls"]);
    assert!(!list.contains(&name), "{list}");
}

#[test]
fn limits_of_tags_hold_and_are_managed_by_the_client() {
    let (daemon, place) = (TestDaemon::without_agent(), Place::new());
    let say = |words: &[&str]| prefect(&daemon, &place, words);
    say(&["concurrency-limit", "create", "few", "1"]);
    let list = say(&["concurrency-limit", "ls"]);
    assert!(list.contains("few"), "{list}");
    script(&daemon, &place, "tags");
    one_after_another(&place.marks_in_order(), 4);
    assert_eq!(taken(&daemon, "tag:few"), 0);
    let http = daemon.modern();
    let one = "104212f2-c0a9-465b-a300-490419706a90";
    let slots = json!({ "names": ["few", "many"], "task_run_id": one });
    let got = http
        .post("/concurrency_limits/increment", &slots)
        .expect(200);
    assert_eq!((&got[0]["name"], &got[1]), (&json!("few"), &Value::Null));
    let full = http.post("/concurrency_limits/increment", &slots);
    let why = "Concurrency limit for the few tag has been reached";
    assert_eq!((full.status, &full.body["detail"]), (423, &json!(why)));
    let shown = say(&["concurrency-limit", "inspect", "few"]);
    assert!(shown.contains(one), "{shown}");
    say(&["concurrency-limit", "reset", "few"]);
    assert_eq!(taken(&daemon, "tag:few"), 0);
    say(&["concurrency-limit", "delete", "few"]);
    let gone = http.get("/concurrency_limits/tag/few");
    assert_eq!(gone.status, 404);
}

#[test]
fn task_runs_that_are_told_of_by_http_wait_for_slots_of_their_tags() {
    let daemon = TestDaemon::without_agent();
    let http = daemon.modern();
    let limit = json!({ "tag": "few", "concurrency_limit": 1 });
    http.post("/concurrency_limits/", &limit).expect(201);
    let flow = http.flow("f");
    let run = http
        .post("/flow_runs/", &json!({ "flow_id": flow }))
        .expect(201);
    let propose = |noun: &str, run: &Value, kind: &str| {
        let path = format!("/{noun}/{}/set_state", run["id"].as_str().unwrap());
        let answer = http.post(&path, &json!({ "state": { "type": kind } }));
        answer.body
    };
    propose("flow_runs", &run, "RUNNING");
    let task = |key: &str| {
        let task = json!({
            "flow_run_id": run["id"], "task_key": "k", "dynamic_key": key, "tags": ["few", "x"] });
        http.post("/task_runs/", &task).expect(201)
    };
    let (one, other) = (task("1"), task("2"));
    assert_eq!(propose("task_runs", &one, "RUNNING")["status"], "ACCEPT");
    assert_eq!(taken(&daemon, "tag:few"), 1);
    let wait = propose("task_runs", &other, "RUNNING");
    assert_eq!(wait["status"], "WAIT");
    let why = "Concurrency limit reached for tags: few";
    assert_eq!(wait["details"]["reason"], why);
    assert_eq!(propose("task_runs", &one, "COMPLETED")["status"], "ACCEPT");
    assert_eq!(taken(&daemon, "tag:few"), 0);
    assert_eq!(propose("task_runs", &other, "RUNNING")["status"], "ACCEPT");
    let none = json!({ "tag": "x", "concurrency_limit": 0 });
    http.post("/concurrency_limits/", &none).expect(201);
    let never = propose("task_runs", &task("3"), "RUNNING");
    assert_eq!(never["status"], "ABORT");
}

#[test]
fn slots_are_answered_for_as_by_the_real_server() {
    let daemon = TestDaemon::without_agent();
    let http = daemon.modern();
    let limit = json!({ "name": "a", "limit": 1 });
    let made = http.post("/v2/concurrency_limits/", &limit).expect(201);
    assert_eq!(made["avg_slot_occupancy_seconds"], 2.0);
    assert_eq!(http.post("/v2/concurrency_limits/", &limit).status, 409);
    let wanted = json!({ "names": ["a", "unknown"], "slots": 1 });
    let take = |body: &Value| http.post("/v2/concurrency_limits/increment", body);
    let got = take(&wanted).expect(200);
    let expected = json!([{ "id": made["id"], "name": "a", "limit": 1 }]);
    assert_eq!(got, expected);
    let full = take(&wanted);
    assert_eq!(
        (full.status, full.body),
        (423, json!({ "detail": "Locked" }))
    );
    let more = take(&json!({ "names": ["a"], "slots": 2 }));
    let why = "Slots requested is greater than the limit";
    assert_eq!((more.status, &more.body["detail"]), (422, &json!(why)));
    for body in [
        json!({ "names": [], "slots": 1 }),
        json!({ "names": ["a"], "slots": 0 }),
        json!({ "names": ["a"], "slots": 1, "mode": "rate_limit" }),
        json!({ "names": ["a"], "slots": 1, "mode": "other" }),
    ] {
        assert_eq!(take(&body).status, 422, "{body}");
    }
    let back = json!({ "names": ["a"], "slots": 1, "occupancy_seconds": 3.5 });
    let back = http.post("/v2/concurrency_limits/decrement", &back);
    assert_eq!(back.expect(200), expected);
    let lease = |more: Value| {
        let mut body = json!({ "names": ["a"], "slots": 1 });
        body.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        http.post("/v2/concurrency_limits/increment-with-lease", &body)
    };
    assert_eq!(lease(json!({ "lease_duration": 59 })).status, 422);
    let holder = json!({ "holder": { "type": "task_run", "id": made["id"] } });
    let held = lease(holder).expect(200);
    assert_eq!(held["limits"], expected);
    let by_id = format!("/v2/concurrency_limits/{}", made["id"].as_str().unwrap());
    assert_eq!(http.get(&by_id).expect(200)["active_slots"], 1);
    let renew = |id: &str, secs: u64| {
        let path = format!("/v2/concurrency_limits/leases/{id}/renew");
        http.post(&path, &json!({ "lease_duration": secs })).status
    };
    let id = held["lease_id"].as_str().unwrap();
    assert_eq!((renew(id, 300), renew(id, 59)), (204, 422));
    let release = || {
        let path = "/v2/concurrency_limits/decrement-with-lease";
        http.post(path, &json!({ "lease_id": id })).status
    };
    assert_eq!((release(), release(), renew(id, 300)), (204, 204, 410));
    assert_eq!(taken(&daemon, "a"), 0);
}
