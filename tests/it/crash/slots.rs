//! Runs of a deployment of one slot: wherever the daemon dies, the slot is given back, and the next run
//! gets it.

use serde_json::{Value, json};

use super::super::docker::{Marked, daemon};
use super::super::support::flows::file;
use super::super::support::{Options, TestDaemon, wait_for};
use super::{AT_ONCE, CASES, Case};

/// Those that are tried each time; all of them at full size.
const SOME: [&str; 4] = ["after-claim", "before-end", "after-stop", "after-commit:4"];

fn cases() -> Vec<&'static Case> {
    let is_known = |point: &&str| CASES.iter().any(|case| case.point == *point);
    assert!(SOME.iter().all(is_known));
    let is_long = std::env::var_os("PREFECTD_TEST_LONG").is_some();
    let tried = |case: &&Case| is_long || SOME.contains(&case.point);
    CASES.iter().filter(tried).collect()
}

/// A deployment of `alone` of `limits.py` to a pool of containers; answers its id.
fn deploy(daemon: &TestDaemon, marked: &Marked) -> String {
    std::fs::copy(file("limits.py"), marked.path().join("limits.py")).unwrap();
    let http = daemon.modern();
    let pool = json!({ "name": "p", "type": "docker", "base_job_template": {} });
    http.post("/work_pools/", &pool).expect(201);
    let flow = http
        .post("/flows/", &json!({ "name": "alone" }))
        .expect(201);
    let image = std::env::var("PREFECTD_TEST_IMAGE_3").expect("run these tests by tests/run");
    let deployment = json!({
        "name": "test",
        "flow_id": flow["id"],
        "work_pool_name": "p",
        "path": "/marks",
        "entrypoint": "limits.py:alone",
        "concurrency_limit": 1,
        "concurrency_options": { "collision_strategy": "ENQUEUE" },
        "job_variables": {
            "image": image,
            "auto_remove": true,
            "volumes": [format!("{}:/marks", marked.path().display())],
        },
    });
    let made = http.post("/deployments/", &deployment).expect(201);
    made["id"].as_str().unwrap().to_owned()
}

/// How the first of two runs goes: its parameters, its job variables, and what it notes.
fn first(case: &Case) -> (Value, Value, &'static [&'static str]) {
    let mark = format!("/marks/{}", case.point);
    match case.ends {
        "Cancelled" => (
            json!({ "mark": mark, "seconds": 300 }),
            json!({}),
            &["begin"],
        ),
        // Its own command would tell the end of the process that it begins.
        "Crashed" => (
            json!({ "mark": mark, "dies": true }),
            json!({ "command": "python -m prefect.engine" }),
            &["begin"],
        ),
        _ => (json!({ "mark": mark }), json!({}), &["begin", "end"]),
    }
}

fn run(daemon: &TestDaemon, deployment: &str, parameters: &Value, variables: &Value) -> String {
    let path = format!("/deployments/{deployment}/create_flow_run");
    let asked = json!({
        "state": { "type": "SCHEDULED" },
        "parameters": parameters,
        "job_variables": variables,
    });
    let made = daemon.modern().post(&path, &asked).expect(201);
    made["id"].as_str().unwrap().to_owned()
}

#[test]
fn no_slot_leaks_wherever_the_daemon_dies() {
    let marked = Marked::new();
    let mut seed = daemon();
    let deployment = deploy(&seed, &marked);
    assert!(seed.terminate().success());
    let cases = cases();
    let next = std::sync::atomic::AtomicUsize::new(0);
    std::thread::scope(|scope| {
        let work = || {
            while let Some(case) = cases.get(next.fetch_add(1, std::sync::atomic::Ordering::SeqCst))
            {
                dies_at(case, &seed, &deployment, &marked);
            }
        };
        for _ in 0..AT_ONCE {
            scope.spawn(work);
        }
    });
}

fn dies_at(case: &Case, seed: &TestDaemon, deployment: &str, marked: &Marked) {
    let point = case.point;
    let mut daemon = TestDaemon::with(Options {
        flags: vec!["--no-agent", "--no-docker-bridge"],
        seed: Some(seed.state_dir()),
        ..Options::default()
    });
    let (parameters, variables, marks) = first(case);
    let one = run(&daemon, deployment, &parameters, &variables);
    let plain = json!({ "mark": format!("/marks/{point}") });
    let other = run(&daemon, deployment, &plain, &json!({}));
    assert!(daemon.terminate().success());
    daemon.doom(Vec::new(), point, |daemon| {
        if case.ends == "Cancelled" {
            wait_for("the flow to start", || {
                (marked.lines(point) == ["begin"]).then_some(())
            });
            let cancel = json!({ "state": { "type": "CANCELLING" } });
            let path = format!("/v3/flow_runs/{one}/set_state");
            daemon.http().post_to_the_dying(&path, &cancel);
        }
    });
    daemon.restart(Vec::new());
    for (id, ends) in [(&one, case.ends), (&other, "Completed")] {
        let run = daemon.http().ended(id);
        let why = &run["state"]["message"];
        assert_eq!(run["state_name"], ends, "{point}: {why}");
    }
    let in_order = [marks, &["begin", "end"]].concat();
    assert_eq!(marked.lines(point), in_order, "{point}: {}", daemon.log());
    wait_for("the slot to be given back", || {
        (daemon.leases() == 0).then_some(())
    });
    wait_for("the containers to be removed", || {
        daemon.containers().is_empty().then_some(())
    });
    assert!(daemon.terminate().success());
    daemon.check_database();
}
