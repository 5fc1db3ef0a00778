//! Single endpoints: the cost of one call with one client, and how many a second with many.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::Context;
use chrono::{TimeDelta, Utc};

use super::bodies;
use super::http::Client;
use super::lifecycle::expect;
use super::load::{self, Outcome};

/// How many runs are there to be read and to change their states.
const RUNS: usize = 512;
/// How many of them have a log that is read.
const LOGS: usize = 16;
/// How many lines go into one request.
pub const LINES: usize = 200;

/// An endpoint and what is sent to it, round and round.
pub struct Call {
    /// What it is called in the table.
    pub name: &'static str,
    /// How many of what the table counts one request carries.
    pub carries: u64,
    requests: Arc<Vec<Request>>,
}

struct Request {
    method: &'static str,
    path: String,
    body: String,
    status: u16,
}

impl Call {
    fn new(name: &'static str, requests: Vec<Request>) -> Self {
        Self {
            name,
            carries: 1,
            requests: Arc::new(requests),
        }
    }

    /// Calls for as long as `time`, each of `clients` one after the other.
    pub fn measure(
        &self,
        server: SocketAddr,
        clients: usize,
        time: Duration,
    ) -> impl Future<Output = Outcome> + use<> {
        let requests = Arc::clone(&self.requests);
        let next = Arc::new(AtomicUsize::new(0));
        load::run(server, clients, time, move |mut client, _| {
            let requests = Arc::clone(&requests);
            let at = next.fetch_add(1, Ordering::Relaxed) % requests.len();
            async move {
                let ask = requests.get(at).context("nothing to ask")?;
                expect(&mut client, ask.method, &ask.path, &ask.body, ask.status).await?;
                Ok(client)
            }
        })
    }
}

/// Every call, on runs of its own that are made first.
pub async fn prepare(server: SocketAddr, flow: &str) -> anyhow::Result<Vec<Call>> {
    let runs = make_runs(server, flow).await?;
    let (logged, runs) = runs.split_at(LOGS);
    write_logs(server, logged).await?;
    let post = |path: &str, body: String, status| Request {
        method: "POST",
        path: path.to_owned(),
        body,
        status,
    };
    let of_each = |one: &dyn Fn(&str) -> Request| runs.iter().map(|id| one(id)).collect();
    let now = Utc::now();
    let instant = |ago| (now - TimeDelta::minutes(ago)).format("%Y-%m-%dT%H:%M:%S+00:00");
    let history = bodies::history(&instant(70).to_string(), &instant(10).to_string());
    let running = |id: &str| {
        let body = bodies::set_state("RUNNING", "Running", Some(id), None);
        post(&format!("/flow_runs/{id}/set_state"), body, 201)
    };
    let read = |id: &str| Request {
        method: "GET",
        path: format!("/flow_runs/{id}"),
        body: String::new(),
        status: 200,
    };
    let filter = |body: String| vec![post("/flow_runs/filter", body, 200)];
    let mut writing = Call::new(
        "write logs",
        of_each(&|id| post("/logs/", bodies::logs(id, LINES), 201)),
    );
    writing.carries = LINES as u64;
    Ok(vec![
        Call::new(
            "create a run",
            vec![post("/flow_runs/", bodies::flow_run(flow), 201)],
        ),
        Call::new("set_state", of_each(&running)),
        Call::new("read a run", of_each(&read)),
        Call::new("newest 20 runs", filter(bodies::page(20))),
        Call::new("newest 200 runs", filter(bodies::page(200))),
        Call::new("an agent's poll", filter(bodies::DUE.to_owned())),
        Call::new(
            "count running runs",
            vec![post("/flow_runs/count", bodies::COUNT.to_owned(), 200)],
        ),
        Call::new(
            "history of an hour",
            vec![post("/flow_runs/history", history, 200)],
        ),
        writing,
        Call::new(
            "read a log",
            logged
                .iter()
                .map(|id| post("/logs/filter", bodies::log_page(id), 200))
                .collect(),
        ),
    ])
}

async fn make_runs(server: SocketAddr, flow: &str) -> anyhow::Result<Vec<String>> {
    let mut client = Client::connect(server).await?;
    let mut runs = Vec::new();
    for _ in 0..RUNS {
        expect(
            &mut client,
            "POST",
            "/flow_runs/",
            &bodies::flow_run(flow),
            201,
        )
        .await?;
        runs.push(client.id()?.to_owned());
    }
    Ok(runs)
}

async fn write_logs(server: SocketAddr, runs: &[String]) -> anyhow::Result<()> {
    let mut client = Client::connect(server).await?;
    for id in runs {
        expect(&mut client, "POST", "/logs/", &bodies::logs(id, LINES), 201).await?;
    }
    Ok(())
}
