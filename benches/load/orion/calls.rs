//! Single endpoints as the 2.0a7 client asks them: the cost of one call with one client, and how many a second with many.

use chrono::{TimeDelta, Utc};

use super::bodies;
use crate::call::{Call, Request};
use crate::http::{Address, Client};

/// How many runs are there to be read and to change their states.
const RUNS: usize = 512;
/// How many of them have a log that is read.
const LOGS: usize = 16;
/// How many lines go into one request.
pub const LINES: usize = 200;

/// Every call, on runs of its own that are made first.
pub async fn prepare(server: Address, flow: &str) -> anyhow::Result<Vec<Call>> {
    let runs = make_runs(server, flow).await?;
    let (logged, runs) = runs.split_at(LOGS);
    write_logs(server, logged).await?;
    let of_each = |one: &dyn Fn(&str) -> Request| runs.iter().map(|id| one(id)).collect();
    let running = |id: &str| {
        let body = bodies::set_state("RUNNING", "Running", Some(id), None);
        Request::post(format!("/flow_runs/{id}/set_state"), body, 201)
    };
    let read = |id: &str| Request::get(format!("/flow_runs/{id}"));
    let filter = |body: String| Request::post("/flow_runs/filter", body, 200);
    let made = Request::post("/flow_runs/", bodies::flow_run(flow), 201);
    let count = Request::post("/flow_runs/count", bodies::COUNT, 200);
    let history = Request::post("/flow_runs/history", history_of_an_hour(), 200);
    let lines = |id: &str| Request::post("/logs/", bodies::logs(id, LINES), 201);
    let log = |id: &String| Request::post("/logs/filter", bodies::log_page(id), 200);
    let mut writing = Call::each("write logs", of_each(&lines));
    writing.carries = LINES as u64;
    Ok(vec![
        Call::one("create a run", made),
        Call::each("set_state", of_each(&running)),
        Call::each("read a run", of_each(&read)),
        Call::one("newest 20 runs", filter(bodies::page(20))),
        Call::one("newest 200 runs", filter(bodies::page(200))),
        Call::one("an agent's poll", filter(bodies::DUE.to_owned())),
        Call::one("count running runs", count),
        Call::one("history of an hour", history),
        writing,
        Call::each("read a log", logged.iter().map(log).collect()),
    ])
}

fn history_of_an_hour() -> String {
    let now = Utc::now();
    let instant = |ago| (now - TimeDelta::minutes(ago)).format("%Y-%m-%dT%H:%M:%S+00:00");
    bodies::history(&instant(70).to_string(), &instant(10).to_string())
}

async fn make_runs(server: Address, flow: &str) -> anyhow::Result<Vec<String>> {
    let mut client = Client::connect(server).await?;
    let mut runs = Vec::new();
    for _ in 0..RUNS {
        let run = bodies::flow_run(flow);
        client.expect("POST", "/flow_runs/", &run, 201).await?;
        runs.push(client.id()?);
    }
    Ok(runs)
}

async fn write_logs(server: Address, runs: &[String]) -> anyhow::Result<()> {
    let mut client = Client::connect(server).await?;
    for id in runs {
        let lines = bodies::logs(id, LINES);
        client.expect("POST", "/logs/", &lines, 201).await?;
    }
    Ok(())
}
