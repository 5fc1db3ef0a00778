//! `prefectctl flow-run why` of runs that wait for a slot of a limit: it names who holds them.

use serde_json::{Value, json};

use super::support::words::{json_of, said};
use super::support::{Http, TestDaemon};

/// A daemon with the deployment `f/d` in the pool `p`, with this laid over both.
fn limited(pool: &Value, deployment: &Value) -> (TestDaemon, String) {
    let daemon = TestDaemon::without_agent();
    let http = daemon.modern();
    let laid_over = |mut under: Value, over: &Value| {
        let over = over.as_object().unwrap().clone();
        under.as_object_mut().unwrap().extend(over);
        under
    };
    let body = laid_over(json!({ "name": "p", "type": "process" }), pool);
    http.post("/work_pools/", &body).expect(201);
    let flow = http.post("/flows/", &json!({ "name": "f" })).expect(201);
    let body = json!({ "name": "d", "flow_id": flow["id"], "work_pool_name": "p" });
    let body = laid_over(body, deployment);
    let deployment = http.post("/deployments/", &body).expect(201);
    let path = format!(
        "/deployments/{}/create_flow_run",
        deployment["id"].as_str().unwrap()
    );
    (daemon, path)
}

/// Makes runs of these names, and proposes that each becomes Pending.
fn begin(http: &Http, path: &str, names: &[&str]) {
    for name in names {
        let run = http.post(path, &json!({ "name": name })).expect(201);
        let path = format!("/flow_runs/{}/set_state", run["id"].as_str().unwrap());
        http.post(&path, &json!({ "state": { "type": "PENDING" } }))
            .expect(201);
    }
}

#[test]
fn a_deployment_s_limit_is_told_with_the_runs_that_hold_it() {
    let (daemon, path) = limited(&json!({}), &json!({ "concurrency_limit": 2 }));
    begin(&daemon.modern(), &path, &["one", "two", "late"]);
    let told = json_of(&daemon, &["flow-run", "why", "late"]);
    assert_eq!(told["code"], "limit_reached", "{told}");
    assert!(told["may_start"].is_string(), "it asks again then: {told}");
    let shown = said(&daemon, &["flow-run", "why", "late"]);
    let reason = "The run's deployment has as many runs under way as it may, 2: ";
    assert!(shown.starts_with(reason), "{shown}");
    for name in ["one", "two"] {
        assert!(shown.contains(&format!("\n  {name} (")), "{shown}");
    }
}

#[test]
fn the_limit_of_a_pool_or_a_queue_is_told_with_a_few_of_the_runs_that_hold_it() {
    for (of_pool, reason) in [
        (
            true,
            "The work pool 'p' has as many runs under way as it may, 12: ",
        ),
        (
            false,
            "The queue 'default' of the work pool 'p' has as many runs under way as it may, 12: ",
        ),
    ] {
        let limit = json!({ "concurrency_limit": 12 });
        let none = json!({});
        let (daemon, path) = limited(if of_pool { &limit } else { &none }, &none);
        let http = daemon.modern();
        if !of_pool {
            let queue = "/work_pools/p/queues/default";
            http.patch(queue, &limit).expect(204);
        }
        let names: Vec<_> = (0..12).map(|number| format!("run-{number}")).collect();
        let names: Vec<_> = names.iter().map(String::as_str).collect();
        begin(&http, &path, &names);
        http.post(&path, &json!({ "name": "late" })).expect(201);
        let shown = said(&daemon, &["flow-run", "why", "late"]);
        assert!(shown.starts_with(reason), "{shown}");
        assert!(shown.contains(" and 2 more.\n"), "{shown}");
        assert!(shown.ends_with("\n  and 2 more\n"), "{shown}");
        let told = json_of(&daemon, &["flow-run", "why", "late"]);
        assert_eq!(told["holders"].as_array().unwrap().len(), 10, "{told}");
        assert_eq!(told["more_holders"], 2, "{told}");
    }
}
