//! What the 2.0a7 client sends, field for field.

use std::fmt::Write;

/// A state within a run that is created: it names no run yet.
fn state(kind: &str, name: &str, flow_run: Option<&str>, task_run: Option<&str>) -> String {
    let id = |id: Option<&str>| id.map_or("null".to_owned(), |id| format!("\"{id}\""));
    format!(
        r#"{{"type": "{kind}", "name": "{name}", "message": null, "data": null, "state_details": {{"flow_run_id": {}, "task_run_id": {}, "child_flow_run_id": null, "scheduled_time": null, "cache_key": null, "cache_expiration": null}}}}"#,
        id(flow_run),
        id(task_run)
    )
}

/// `POST /flow_runs/`.
pub fn flow_run(flow: &str) -> String {
    let pending = state("PENDING", "Pending", None, None);
    format!(
        r#"{{"name": null, "flow_id": "{flow}", "deployment_id": null, "flow_version": "d41d8cd98f00b204", "parameters": {{"x": 1}}, "idempotency_key": null, "context": {{}}, "tags": [], "parent_task_run_id": null, "flow_runner": null, "state": {pending}}}"#
    )
}

/// `POST /task_runs/`.
pub fn task_run(flow_run: &str, key: usize) -> String {
    let pending = state("PENDING", "Pending", None, None);
    format!(
        r#"{{"name": "extract-f3a5c1d2-{key}", "flow_run_id": "{flow_run}", "task_key": "f3a5c1d28e0b4a7790c2d1e4b5a69788", "dynamic_key": "{key}", "cache_key": null, "cache_expiration": null, "task_version": null, "empirical_policy": {{"max_retries": 0, "retry_delay_seconds": 0.0}}, "tags": [], "task_inputs": {{}}, "state": {pending}}}"#
    )
}

/// `POST …/set_state` of a flow run, or of one of its task runs.
pub fn set_state(kind: &str, name: &str, flow_run: Option<&str>, task_run: Option<&str>) -> String {
    let state = state(kind, name, flow_run, task_run);
    format!(r#"{{"state": {state}, "force": false}}"#)
}

/// `POST /logs/`, so many lines.
pub fn logs(flow_run: &str, lines: usize) -> String {
    let mut body = String::from("[");
    for line in 0..lines {
        let comma = if line == 0 { "" } else { ", " };
        // Writing to a string cannot fail.
        let _ = write!(
            body,
            r#"{comma}{{"name": "prefect.flow_runs", "level": 20, "message": "Finished step {line} of the work in state Completed()", "timestamp": "2022-03-01T12:00:00.{line:06}+00:00", "flow_run_id": "{flow_run}", "task_run_id": null}}"#
        );
    }
    body.push(']');
    body
}

/// `POST …/filter` of runs: the newest.
pub fn page(limit: usize) -> String {
    format!(
        r#"{{"flows": null, "flow_runs": null, "task_runs": null, "deployments": null, "sort": "ID_DESC", "limit": {limit}, "offset": 0}}"#
    )
}

/// `POST …/filter` of runs as an agent polls: what is due.
pub const DUE: &str = r#"{"flows": null, "flow_runs": {"state": {"type": {"any_": ["SCHEDULED"]}}, "deployment_id": {"is_null_": false}, "next_scheduled_start_time": {"before_": "2022-03-01T12:00:00+00:00"}}, "task_runs": null, "deployments": null, "sort": "NEXT_SCHEDULED_START_TIME_ASC", "limit": 200, "offset": 0}"#;

/// `POST /flow_runs/count` of what runs.
pub const COUNT: &str = r#"{"flows": null, "flow_runs": {"state": {"type": {"any_": ["RUNNING"]}}}, "task_runs": null, "deployments": null}"#;

/// `POST /flow_runs/history` of an hour by minutes.
pub fn history(start: &str, end: &str) -> String {
    format!(
        r#"{{"history_start": "{start}", "history_end": "{end}", "history_interval_seconds": 60}}"#
    )
}

/// `POST /logs/filter` of one run's log.
pub fn log_page(flow_run: &str) -> String {
    format!(
        r#"{{"logs": {{"flow_run_id": {{"any_": ["{flow_run}"]}}}}, "limit": 200, "offset": 0, "sort": "TIMESTAMP_ASC"}}"#
    )
}
