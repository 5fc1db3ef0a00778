//! What the dashboard of Prefect 3.9.1's own UI asks of the server until it stands.
//! `dashboard.jsonl` has a line for each request; those that it makes for each work pool and so on
//! are there once, and are repeated here for what the server has.

use anyhow::Context;
use chrono::{TimeDelta, Utc};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::things::insist;
use crate::call::{Call, Request};
use crate::http::{Address, Client, Speaker};

const LINES: &str = include_str!("dashboard.jsonl");
/// Of how many failed runs it counts the task runs.
const FAILED_RUNS: usize = 3;
/// How many runs of each pool it charts, and asks the deployment and flow of each.
const CHARTED: usize = 24;

/// A line.
#[derive(Deserialize)]
struct Line<'a> {
    method: &'a str,
    path: &'a str,
    /// What it is made for, each time anew.
    each: Option<Each>,
    #[serde(borrow)]
    body: Option<&'a RawValue>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Each {
    /// A pool that is not paused.
    Pool,
    /// A run of such a pool.
    PoolRun,
    /// A flow with failures.
    Flow,
    /// One of the last runs that failed.
    Run,
}

/// What is put where a line has a name in braces.
type Filling = Vec<(&'static str, String)>;

/// What the server has.
#[derive(Default)]
struct Found {
    /// What is the same in all lines.
    always: Filling,
    pools: Vec<Filling>,
    pool_runs: Vec<Filling>,
    flows: Vec<Filling>,
    runs: Vec<Filling>,
}

/// All requests as one call.
pub async fn call(server: Address) -> anyhow::Result<Call> {
    let mut client = Client::connect(server.as_spoken_by(Speaker::Browser)).await?;
    let found = Found::at(&mut client).await?;
    let mut requests = Vec::new();
    for line in LINES.lines() {
        let line: Line<'_> = serde_json::from_str(line).context("dashboard.jsonl")?;
        requests.extend(found.requests(&line));
    }
    let name = "official UI's dashboard, all calls";
    Ok(Call::all(name, requests).by(Speaker::Browser))
}

impl Found {
    /// The requests of a line.
    fn requests(&self, line: &Line<'_>) -> Vec<Request> {
        let once = [Filling::new()];
        let each = match line.each {
            None => once.as_slice(),
            Some(Each::Pool) => &self.pools,
            Some(Each::PoolRun) => &self.pool_runs,
            Some(Each::Flow) => &self.flows,
            Some(Each::Run) => &self.runs,
        };
        let requests = each.iter().map(|more| {
            let fill = |text: &str| {
                let all = self.always.iter().chain(more);
                all.fold(text.to_owned(), |text, (name, value)| {
                    text.replace(name, value)
                })
            };
            let path = fill(line.path);
            match line.method {
                "GET" => Request::get(path),
                _ => Request::post(path, fill(line.body.map_or("{}", RawValue::get)), 200),
            }
        });
        requests.collect()
    }

    /// What there is.
    async fn at(client: &mut Client) -> anyhow::Result<Self> {
        // The UI asks for a day up to the last full minute.
        let instant = |days| (Utc::now() - TimeDelta::days(days)).format("%Y-%m-%dT%H:%M:00.000Z");
        let [to, from, before] = [0, 1, 2].map(|days| instant(days).to_string());
        let day = format!(r#""expected_start_time":{{"after_":"{from}","before_":"{to}"}}"#);
        let runs = runs(client, &day, 200).await?;
        let mut found = Self {
            always: vec![
                ("{from}", from),
                ("{to}", to),
                ("{before}", before),
                ("\"{flows}\"", listed(&texts(&runs, "flow_id"))),
                ("\"{deployments}\"", listed(&texts(&runs, "deployment_id"))),
            ],
            ..Self::default()
        };
        found.add_failures(client, &day).await?;
        found.add_pools(client, &day).await?;
        Ok(found)
    }

    async fn add_failures(&mut self, client: &mut Client, day: &str) -> anyhow::Result<()> {
        let failed = format!(r#"{day},"state":{{"type":{{"any_":["FAILED","CRASHED"]}}}}"#);
        let failed = runs(client, &failed, 200).await?;
        let flows = texts(&failed, "flow_id");
        self.always.push(("\"{failed_flows}\"", listed(&flows)));
        self.flows = flows.into_iter().map(|id| vec![("{flow}", id)]).collect();
        let ids = texts(&failed, "id").into_iter().take(FAILED_RUNS);
        self.runs = ids.map(|id| vec![("{run}", id)]).collect();
        Ok(())
    }

    async fn add_pools(&mut self, client: &mut Client, day: &str) -> anyhow::Result<()> {
        insist(client, "/work_pools/filter", r#"{"offset":0}"#).await?;
        let pools: Vec<Value> = serde_json::from_str(&client.body())?;
        for pool in &pools {
            let [name, id] = ["name", "id"].map(|name| text(pool, name).unwrap_or_default());
            let of_pool = format!(
                r#"{{"sort":"EXPECTED_START_TIME_DESC","limit":{CHARTED},"work_pools":{{"id":{{"any_":["{id}"]}}}},"flow_runs":{{{day}}}}}"#
            );
            insist(client, "/flow_runs/filter", &of_pool).await?;
            let runs: Vec<Value> = serde_json::from_str(&client.body())?;
            self.pool_runs.extend(runs.iter().filter_map(|run| {
                Some(vec![
                    ("{pool_deployment}", text(run, "deployment_id")?),
                    ("{pool_flow}", text(run, "flow_id")?),
                ])
            }));
            self.pools.push(vec![("{pool}", name), ("{pool_id}", id)]);
        }
        Ok(())
    }
}

/// Runs that a filter is met by, the last ones due first.
async fn runs(client: &mut Client, filter: &str, limit: usize) -> anyhow::Result<Vec<Value>> {
    let body = format!(
        r#"{{"sort":"EXPECTED_START_TIME_DESC","limit":{limit},"flow_runs":{{{filter}}}}}"#
    );
    insist(client, "/flow_runs/filter", &body).await?;
    Ok(serde_json::from_str(&client.body())?)
}

fn text(thing: &Value, name: &str) -> Option<String> {
    Some(thing.get(name)?.as_str()?.to_owned())
}

/// The texts of that name, each once.
fn texts(things: &[Value], name: &str) -> Vec<String> {
    let mut texts = Vec::new();
    for text in things.iter().filter_map(|thing| text(thing, name)) {
        if !texts.contains(&text) {
            texts.push(text);
        }
    }
    texts
}

/// Texts as the members of a list.
fn listed(texts: &[String]) -> String {
    let quoted = texts.iter().map(|text| format!("\"{text}\""));
    quoted.collect::<Vec<_>>().join(",")
}
