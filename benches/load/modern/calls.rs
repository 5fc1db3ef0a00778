//! Single endpoints as the 3.9.1 client and the UI ask them: the cost of one call with one client,
//! and how many a second with many.

use chrono::{DateTime, TimeDelta, Utc};

use super::bodies;
use super::things::{IDLE_POOL, LINES, POOL, Things};
use crate::call::{Call, Request};
use crate::seed::Stored;

/// A span of time.
type Span = (DateTime<Utc>, DateTime<Utc>);

/// Every call. Without stored runs what is asked of their time is asked of today.
pub fn all(things: &Things, stored: Option<&Stored>) -> Vec<Call> {
    let now = Utc::now();
    let ago = |hours| (now - TimeDelta::hours(hours), now + TimeDelta::hours(1));
    let (day, hour) = (ago(24), (now - TimeDelta::hours(1), now));
    let busy = stored.map_or(hour, Stored::busy_hour);
    let all = stored.map_or(day, Stored::all);
    let mut calls = lists();
    calls.extend(histories(hour, busy, all));
    calls.extend(slots());
    calls.extend(events(things, day));
    // Last: they leave many runs that never begin.
    calls.extend(of_runs(things));
    calls
}

/// The call by which runs change their states.
pub fn set_state(things: &Things) -> Call {
    let one = |id: &String| {
        let body = bodies::set_state("RUNNING", "Running", id);
        Request::post(format!("/flow_runs/{id}/set_state"), body, 201)
    };
    Call::each("set_state", things.runs.iter().map(one).collect())
}

/// What is asked about single runs.
fn of_runs(things: &Things) -> Vec<Call> {
    let Things {
        flow,
        runs,
        logged,
        lived,
        ..
    } = things;
    let read = |id: &String| Request::get(format!("/flow_runs/{id}"));
    let lines = |id: &String| Request::post("/logs/", bodies::logs(id, LINES), 201);
    let log = |id: &String| Request::post("/logs/filter", bodies::log_page(id), 200);
    let made = Request::post("/flow_runs/", bodies::flow_run(flow), 201);
    let tasks = Request::post("/task_runs/filter", bodies::task_runs(&lived.id), 200);
    let mut writing = Call::each("write logs", runs.iter().map(lines).collect());
    writing.carries = LINES as u64;
    vec![
        Call::one("create a run", made),
        set_state(things),
        Call::each("read a run", runs.iter().map(read).collect()),
        Call::one("task runs of a run", tasks),
        writing,
        Call::each("read a log", logged.iter().map(log).collect()),
    ]
}

/// Runs as lists, and how many there are.
fn lists() -> Vec<Call> {
    let filter = |limit| Request::post("/flow_runs/filter", bodies::runs("null", limit), 200);
    let failed = r#"{"state":{"type":{"any_":["FAILED"]}}}"#;
    let failed = Request::post("/flow_runs/filter", bodies::runs(failed, 20), 200);
    let page = |page| Request::post("/flow_runs/paginate", bodies::paginate(page), 200);
    let count = |body: &str| Request::post("/flow_runs/count", body, 200);
    vec![
        Call::one("newest 20 runs", filter(20)),
        Call::one("newest 200 runs", filter(200)),
        Call::one("newest 20 failed runs", failed),
        Call::one("paginate runs, page 1", page(1)),
        Call::one("paginate runs, page 40", page(40)),
        Call::one("count all runs", count(bodies::COUNT_ALL)),
        Call::one("count running runs", count(bodies::COUNT_RUNNING)),
    ]
}

/// Runs by time.
fn histories(hour: Span, busy: Span, all: Span) -> Vec<Call> {
    let one = |name, (start, end), parts| {
        let body = bodies::history(start, end, parts);
        Call::one(name, Request::post("/flow_runs/history", body, 200))
    };
    vec![
        one("history of an hour", hour, 60),
        one("history of an hour with half of the runs", busy, 60),
        one("history of all runs", all, 100),
    ]
}

/// What workers and tasks ask for.
fn slots() -> Vec<Call> {
    let soon = Utc::now() + TimeDelta::seconds(10);
    let poll = |pool| {
        let path = format!("/work_pools/{pool}/get_scheduled_flow_runs");
        Request::post(path, bodies::poll(soon), 200)
    };
    let path = "/v2/concurrency_limits/increment-with-lease";
    let acquire = Request::post(path, bodies::acquire(POOL), 200);
    vec![
        Call::one("a worker's poll", poll(IDLE_POOL)),
        Call::one("a worker's poll, 20 runs due", poll(POOL)),
        Call::slot("concurrency, acquire and release", acquire),
    ]
}

/// Events that are looked for.
fn events(things: &Things, (start, end): Span) -> Vec<Call> {
    let about = format!("prefect.flow-run.{}", things.lived.id);
    let filter = |resource| {
        let body = bodies::events(start, end, resource);
        Request::post("/events/filter", body, 200)
    };
    let by_hour = bodies::events_by_hour(start, end);
    let by_hour = Request::post("/events/count-by/time", by_hour, 200);
    vec![
        Call::one("newest 50 events of a day", filter(None)),
        Call::one("events of a run", filter(Some(&about))),
        Call::one("count events of a day by hours", by_hour),
    ]
}
