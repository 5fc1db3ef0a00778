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
    faults(pair);
    let task = json!({ "flow_run_id": "{run}", "task_key": "k", "dynamic_key": "0",
        "task_inputs": { "x": [{ "name": "a parameter" }] } });
    pair.post("/task_runs/", &task);
    pair.differs("failing value", "GET", "/flow_runs/{run}/graph", None);
    pair.differs("its own settings", "GET", "/admin/settings", None);
    pair.differs("flow with deployments", "DELETE", "/flows/{flow}", None);
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
        pair.post_differs("failing value", path, &at(json!(time)));
    }
    pair.post_differs("failing value", path, &at(json!(1e300)));
    pair.differs("failing value", "POST", "/flows/", Some("NaN"));
    pair.differs("failing value", "POST", "/flows/", Some(r#"{"name":NaN}"#));
    pair.post_differs("failing value", "/logs/", &json!([]));
    let document = json!({ "encoding": "x", "blob": "y" });
    let unreadable = json!({ "rrule": "x" });
    let body =
        json!({ "name": "x", "flow_id": "{flow}", "flow_data": document, "schedule": unreadable });
    pair.post_differs("failing value", "/deployments/", &body);
}
