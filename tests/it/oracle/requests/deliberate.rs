//! What is answered otherwise on purpose, each under the reason that the list gives.

use serde_json::json;

use super::UNKNOWN;
use crate::oracle::pair::Pair;

pub fn send(pair: &mut Pair) {
    pair.make("flow", "/flows/", &json!({ "name": "deliberate_1" }));
    pair.make("run", "/flow_runs/", &json!({ "flow_id": "{flow}" }));
    pair.make(
        "deployment",
        "/deployments/",
        &json!({ "flow_id": "{flow}", "name": "d", "flow_data": { "encoding": "x", "blob": "y" } }),
    );
    unknown(pair);
    documents(pair);
    submissions(pair);
    retries(pair);
    deletions(pair);
    faults(pair);
    let task = json!({ "flow_run_id": "{run}", "task_key": "k", "dynamic_key": "0",
        "task_inputs": { "x": [{ "name": "a parameter" }] } });
    pair.post("/task_runs/", &task);
    pair.differs(
        "graph with a parameter",
        "GET",
        "/flow_runs/{run}/graph",
        None,
    );
    pair.differs("its own settings", "GET", "/admin/settings", None);
    pair.differs(
        "deleted with what belongs to it",
        "DELETE",
        "/flows/{flow}",
        None,
    );
}

/// A run of a schedule that has begun and waits for its next attempt while its deployment is
/// paused.
fn retries(pair: &mut Pair) {
    let document = json!({ "encoding": "x", "blob": "y" });
    let deployment = json!({ "flow_id": "{flow}", "name": "paused", "flow_data": document,
        "schedule": { "interval": 3600 } });
    pair.make("paused", "/deployments/", &deployment);
    let date = json!({ "start_time": "2020-01-01T00:00:00Z", "end_time": "2020-01-01T00:30:00Z" });
    pair.post("/deployments/{paused}/schedule", &date);
    let first = json!({ "sort": "NEXT_SCHEDULED_START_TIME_ASC", "limit": 1,
        "flow_runs": { "deployment_id": { "any_": ["{paused}"] } } });
    let found = pair.send_raw("POST", "/flow_runs/filter", Some(&first.to_string()));
    pair.keep("tried", &found, "/0/id");
    for state in [
        json!({ "type": "RUNNING" }),
        json!({ "type": "SCHEDULED", "name": "AwaitingRetry" }),
    ] {
        let body = json!({ "state": state, "force": true });
        pair.post("/flow_runs/{tried}/set_state", &body);
    }
    pair.post("/deployments/{paused}/set_schedule_inactive", &json!({}));
    pair.differs("waiting for an attempt", "GET", "/flow_runs/{tried}", None);
}

fn unknown(pair: &mut Pair) {
    let state = json!({ "state": { "type": "RUNNING" } });
    for noun in ["flow_runs", "task_runs"] {
        pair.post_differs(
            "unknown run",
            &format!("/{noun}/{UNKNOWN}/set_state"),
            &state,
        );
    }
    let path = format!("/flow_runs/{UNKNOWN}/graph");
    pair.differs("unknown run", "GET", &path, None);
    let document = json!({ "encoding": "x", "blob": "y" });
    let deployment = json!({ "name": "lost", "flow_id": UNKNOWN, "flow_data": document });
    let task = json!({ "flow_run_id": UNKNOWN, "task_key": "k", "dynamic_key": "0" });
    for (path, body) in [
        ("/deployments/", deployment),
        ("/task_runs/", task),
        ("/flow_runs/", json!({ "flow_id": UNKNOWN })),
        (
            "/flow_runs/",
            json!({ "flow_id": "{flow}", "deployment_id": UNKNOWN }),
        ),
        (
            "/flow_runs/",
            json!({ "flow_id": "{flow}", "parent_task_run_id": UNKNOWN }),
        ),
    ] {
        pair.post_differs("unknown parent", path, &body);
    }
}

fn documents(pair: &mut Pair) {
    let path = json!({ "encoding": "file", "blob": "file:///etc/hostname" }).to_string();
    for body in [
        json!({ "encoding": "orion", "blob": path }),
        json!({ "encoding": "orion", "blob": "x" }),
        json!({ "encoding": "x", "blob": "y" }),
    ] {
        pair.post_differs("foreign document", "/data/retrieve", &body);
    }
}

/// What two agents propose.
fn submissions(pair: &mut Pair) {
    let scheduled = json!({ "state": { "type": "SCHEDULED" } });
    let path = "/deployments/{deployment}/create_flow_run";
    pair.make("deployed", path, &scheduled);
    let pending = json!({ "state": { "type": "PENDING" } });
    pair.post("/flow_runs/{deployed}/set_state", &pending);
    pair.post_differs(
        "one submission",
        "/flow_runs/{deployed}/set_state",
        &pending,
    );
    let running = json!({ "state": { "type": "RUNNING" } });
    pair.post("/flow_runs/{deployed}/set_state", &running);
    pair.make("cancelled", path, &scheduled);
    let cancelled = json!({ "state": { "type": "CANCELLED" } });
    pair.post("/flow_runs/{cancelled}/set_state", &cancelled);
    pair.post_differs(
        "one submission",
        "/flow_runs/{cancelled}/set_state",
        &pending,
    );
}

fn deletions(pair: &mut Pair) {
    let document = json!({ "encoding": "x", "blob": "y" });
    let deployment = json!({ "flow_id": "{flow}", "name": "short", "flow_data": document });
    pair.make("short", "/deployments/", &deployment);
    let scheduled = json!({ "state": { "type": "SCHEDULED" } });
    pair.make(
        "waiting",
        "/deployments/{short}/create_flow_run",
        &scheduled,
    );
    pair.delete("/deployments/{short}");
    let path = "/flow_runs/{waiting}";
    pair.differs("deleted with what belongs to it", "GET", path, None);
}

/// What that server answers with 500.
fn faults(pair: &mut Pair) {
    let at = |time: serde_json::Value| {
        let details = json!({ "scheduled_time": time });
        json!({ "force": true, "state": { "type": "SCHEDULED", "state_details": details } })
    };
    let path = "/flow_runs/{run}/set_state";
    for time in [
        "2022-01-02T03:04:05",
        "2022-01-02 03:04",
        "2022-1-2T3:4:5.5",
    ] {
        pair.post_differs("time without a zone", path, &at(json!(time)));
    }
    for time in [
        json!(1e300),
        json!("9999-12-31T23:59:59-01:00"),
        json!("inf"),
    ] {
        pair.post_differs("time beyond the calendar", path, &at(time));
    }
    pair.differs("not a number", "POST", "/flows/", Some("NaN"));
    let body = r#"{"name":NaN}"#;
    pair.differs("not a number", "POST", "/flows/", Some(body));
    pair.post_differs("no lines", "/logs/", &json!([]));
    let line = r#"[{"name":"x","level":LEVEL,"message":"a\ud800b","timestamp":"2022-01-01T00:00:00Z","flow_run_id":"{run}"}]"#;
    let half = line.replace("LEVEL", "20");
    pair.differs("half a character", "POST", "/logs/", Some(&half));
    let level = line.replace("LEVEL", "9223372036854775808");
    pair.differs("number beyond 64 bits", "POST", "/logs/", Some(&level));
    too_much(pair);
    let document = json!({ "encoding": "x", "blob": "y" });
    let unreadable = json!({ "rrule": "x" });
    let body =
        json!({ "name": "x", "flow_id": "{flow}", "flow_data": document, "schedule": unreadable });
    pair.post_differs("unreadable rule", "/deployments/", &body);
    let costly = json!({ "rrule": "FREQ=SECONDLY EXRULE:FREQ=SECONDLY" });
    let document = json!({ "encoding": "x", "blob": "y" });
    let body =
        json!({ "name": "x", "flow_id": "{flow}", "flow_data": document, "schedule": costly });
    pair.post_differs("costly schedule", "/deployments/", &body);
    let task = json!({ "flow_run_id": "{run}", "task_key": "k", "dynamic_key": "1",
        "empirical_policy": { "retry_delay_seconds": 1e17 } });
    pair.post_differs("length beyond reason", "/task_runs/", &task);
    over_a_clock_change(pair);
}

fn too_much(pair: &mut Pair) {
    let long = json!({ "name": "x".repeat(20_000) });
    pair.post_differs("too much", "/flows/", &long);
    let deep = format!(r#"{{"x":{}1{}}}"#, "[".repeat(130), "]".repeat(130));
    let deep = format!(r#"{{"flow_id":"{{flow}}","parameters":{deep}}}"#);
    pair.differs("too much", "POST", "/flow_runs/", Some(&deep));
    let many = json!({ "flows": { "name": { "any_": vec!["x"; 6000] } } });
    pair.post_differs("too much", "/flows/count", &many);
}

/// Clocks in Berlin skip an hour on 2031-03-30.
fn over_a_clock_change(pair: &mut Pair) {
    let cron = json!({ "cron": "30 2 * * *", "timezone": "Europe/Berlin" });
    let deployment = json!({ "name": "early", "flow_id": "{flow}", "schedule": cron,
        "flow_data": { "encoding": "x", "blob": "y" } });
    pair.make("early", "/deployments/", &deployment);
    let days = json!({ "start_time": "2031-03-29T00:00:00Z", "end_time": "2031-04-01T00:00:00Z" });
    pair.post("/deployments/{early}/schedule", &days);
    let asked = json!({ "deployments": { "id": { "any_": ["{early}"] } },
        "sort": "EXPECTED_START_TIME_ASC" });
    pair.post_differs("cron over a clock change", "/flow_runs/filter", &asked);
}
