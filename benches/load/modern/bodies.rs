//! What the 3.9.1 client sends over HTTP, field for field.

use std::fmt::Write;

use chrono::{DateTime, Utc};

use crate::call::FRESH;

/// An instant as the client writes it.
pub fn instant(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%dT%H:%M:%S%.6fZ").to_string()
}

/// `POST /flow_runs/`: a run as its own process makes it.
pub fn flow_run(flow: &str) -> String {
    let state = r#"{"type":"PENDING","name":"Pending","message":null,"state_details":{"traceparent":null},"data":null}"#;
    flow_run_in(state, flow)
}

/// `POST /flow_runs/`: a run that is due now.
pub fn due_flow_run(flow: &str) -> String {
    flow_run_in(&due(), flow)
}

fn flow_run_in(state: &str, flow: &str) -> String {
    format!(
        r#"{{"state":{state},"name":null,"flow_id":"{flow}","flow_version":"5cec19bf974a65a469801d67b18317cd","parameters":{{"x":1}},"context":{{}},"parent_task_run_id":null,"empirical_policy":{{"retries":0,"retry_delay":0}},"tags":[]}}"#
    )
}

/// `POST /deployments/{id}/create_flow_run`: a run that is due now.
pub fn run_of_deployment() -> String {
    let state = due();
    format!(
        r#"{{"state":{state},"name":null,"parameters":{{"x":5}},"context":{{}},"tags":[],"idempotency_key":null,"parent_task_run_id":null,"job_variables":{{}},"labels":{{}}}}"#
    )
}

fn due() -> String {
    let now = instant(Utc::now());
    format!(
        r#"{{"type":"SCHEDULED","name":"Scheduled","message":null,"state_details":{{"scheduled_time":"{now}","traceparent":null}},"data":null}}"#
    )
}

/// `POST /flow_runs/{id}/set_state`. Each transition has an id of its own.
pub fn set_state(kind: &str, name: &str, run: &str) -> String {
    let is_last = kind == "COMPLETED";
    format!(
        r#"{{"state":{{"type":"{kind}","name":"{name}","message":null,"state_details":{{"flow_run_id":"{run}","task_run_id":null,"child_flow_run_id":null,"scheduled_time":null,"cache_key":null,"cache_expiration":null,"deferred":null,"untrackable_result":{is_last},"pause_timeout":null,"pause_reschedule":false,"pause_key":null,"run_input_keyset":null,"refresh_cache":null,"retriable":null,"transition_id":"{FRESH}","task_parameters_id":null,"traceparent":null,"deployment_concurrency_lease_id":null}},"data":null}},"force":false}}"#
    )
}

/// `POST /logs/`, so many lines of now.
pub fn logs(run: &str, lines: usize) -> String {
    let now = Utc::now().format("%Y-%m-%dT%H:%M:%S").to_string();
    let mut body = String::from("[");
    for line in 0..lines {
        let comma = if line == 0 { "" } else { "," };
        // Writing to a string cannot fail.
        let _ = write!(
            body,
            r#"{comma}{{"name":"prefect.flow_runs","level":20,"message":"Finished step {line} of the work in state Completed()","timestamp":"{now}.{line:06}Z","flow_run_id":"{run}","task_run_id":null}}"#
        );
    }
    body.push(']');
    body
}

/// `POST /logs/filter` of one run's log.
pub fn log_page(run: &str) -> String {
    format!(
        r#"{{"logs":{{"operator":"and_","level":null,"timestamp":null,"flow_run_id":{{"any_":["{run}"]}},"task_run_id":null,"text":null}},"limit":200,"offset":0,"sort":"TIMESTAMP_ASC"}}"#
    )
}

/// `POST /flow_runs/filter`: some of the runs that the filter is met by, the last ones due first.
pub fn runs(filter: &str, limit: usize) -> String {
    format!(
        r#"{{"flows":null,"flow_runs":{filter},"task_runs":null,"deployments":null,"work_pools":null,"work_pool_queues":null,"sort":"EXPECTED_START_TIME_DESC","limit":{limit},"offset":0}}"#
    )
}

/// `POST /task_runs/filter`: those of one flow run.
pub fn task_runs(run: &str) -> String {
    format!(
        r#"{{"flows":null,"flow_runs":null,"task_runs":{{"operator":"and_","id":null,"name":null,"tags":null,"state":null,"start_time":null,"end_time":null,"subflow_runs":null,"flow_run_id":{{"any_":["{run}"]}}}},"deployments":null,"sort":"EXPECTED_START_TIME_DESC","limit":200,"offset":0}}"#
    )
}

/// `POST /flow_runs/count` of all.
pub const COUNT_ALL: &str = r#"{"flow_runs":null}"#;

/// `POST /flow_runs/count` of what runs.
pub const COUNT_RUNNING: &str =
    r#"{"flow_runs":{"operator":"and_","state":{"operator":"and_","type":{"any_":["RUNNING"]}}}}"#;

/// `POST /flow_runs/paginate` as the UI's list of runs asks.
pub fn paginate(page: usize) -> String {
    format!(r#"{{"page":{page},"limit":20,"sort":"START_TIME_DESC"}}"#)
}

/// `POST /flow_runs/history` of that time in so many parts.
pub fn history(start: DateTime<Utc>, end: DateTime<Utc>, parts: i64) -> String {
    let seconds = (end - start).num_seconds() / parts;
    let (start, end) = (instant(start), instant(end));
    format!(
        r#"{{"history_start":"{start}","history_end":"{end}","history_interval_seconds":{seconds}}}"#
    )
}

/// `POST /work_pools/{name}/get_scheduled_flow_runs` as a worker polls.
pub fn poll(before: DateTime<Utc>) -> String {
    let before = before.format("%Y-%m-%d %H:%M:%S%.6f+00:00");
    format!(r#"{{"work_queue_names":[],"scheduled_before":"{before}"}}"#)
}

/// `POST /v2/concurrency_limits/increment-with-lease` of one slot.
pub fn acquire(limit: &str) -> String {
    format!(
        r#"{{"names":["{limit}"],"slots":1,"mode":"concurrency","lease_duration":60,"holder":{{"type":"task_run","id":"{FRESH}"}}}}"#
    )
}

/// `POST /events/filter` as the UI asks: the newest of that time, about that resource or any.
pub fn events(start: DateTime<Utc>, end: DateTime<Utc>, resource: Option<&str>) -> String {
    format!(
        r#"{{"filter":{},"limit":50}}"#,
        event_filter(start, end, resource)
    )
}

/// `POST /events/count-by/time` of that time by hours, as the UI asks.
pub fn events_by_hour(start: DateTime<Utc>, end: DateTime<Utc>) -> String {
    let filter = event_filter(start, end, None);
    format!(r#"{{"filter":{filter},"time_unit":"hour","time_interval":1}}"#)
}

fn event_filter(start: DateTime<Utc>, end: DateTime<Utc>, resource: Option<&str>) -> String {
    let (start, end) = (instant(start), instant(end));
    let about = resource.map(|id| format!(r#""any_resource":{{"id":["{id}"]}},"#));
    let about = about.unwrap_or_default();
    format!(
        r#"{{"occurred":{{"since":"{start}","until":"{end}"}},"order":"DESC",{about}"event":{{"exclude_name":["prefect.log.write"]}}}}"#
    )
}
