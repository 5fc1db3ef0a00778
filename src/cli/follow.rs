//! Follows a run: its states and what it says, as they come.

use std::collections::HashSet;
use std::time::Duration;

use chrono::Local;
use uuid::Uuid;

use super::client::Client;
use super::failure::Result;
use super::render;
use crate::api::v3::wire::{FlowRun, Instant, Log, LogQuery, State};

/// How often to look.
const LOOK: Duration = Duration::from_millis(200);
/// Types of state in which a run has ended.
const ENDED: &[&str] = &["COMPLETED", "FAILED", "CANCELLED", "CRASHED"];

/// How many of the lines that were seen are asked for again: a line may arrive after one that
/// was said later.
const OVERLAP: u64 = 150;

/// Prints a run's lines, from the first on.
pub struct Lines {
    run: Uuid,
    seen: HashSet<Uuid>,
}

impl Lines {
    /// Of that run.
    pub fn of(run: Uuid) -> Self {
        Self {
            run,
            seen: HashSet::new(),
        }
    }

    /// Prints what has come since the last call.
    pub async fn print_new(&mut self, client: &Client) -> Result<()> {
        self.each_new(client, |line| render::line(&shown(line)))
            .await
    }

    /// Hands over what has come since the last call, line by line.
    async fn each_new(
        &mut self,
        client: &Client,
        mut take: impl FnMut(&Log) -> Result<()>,
    ) -> Result<()> {
        let mut from = (self.seen.len() as u64).saturating_sub(OVERLAP);
        loop {
            let query = LogQuery::of_flow_run(self.run, from);
            let page: Vec<Log> = client.post("/logs/filter", &query).await?;
            if page.is_empty() {
                return Ok(());
            }
            from += page.len() as u64;
            for line in page.iter().filter(|line| self.seen.insert(line.id)) {
                take(line)?;
            }
        }
    }
}

/// True when the run has ended.
pub fn has_ended(run: &FlowRun) -> bool {
    run.state_type
        .as_deref()
        .is_some_and(|kind| ENDED.contains(&kind))
}

/// Prints lines until the run has ended and all is shown.
pub async fn lines(client: &Client, run: Uuid) -> Result<()> {
    let mut lines = Lines::of(run);
    loop {
        // Asked before the lines, so that none comes after the last look.
        let ended = has_ended(&client.get(&format!("/flow_runs/{run}")).await?);
        lines.print_new(client).await?;
        if ended {
            return Ok(());
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// Prints states and lines until the run has ended, those of one look by their time; answers
/// the run.
pub async fn run(client: &Client, id: Uuid) -> Result<FlowRun> {
    let mut lines = Lines::of(id);
    let mut seen = HashSet::new();
    loop {
        let run: FlowRun = client.get(&format!("/flow_runs/{id}")).await?;
        let ended = has_ended(&run);
        let mut said = Vec::new();
        let keep = |line: &Log| {
            said.push((line.timestamp.utc(), shown(line)));
            Ok(())
        };
        lines.each_new(client, keep).await?;
        let states: Vec<State> = client
            .get(&format!("/flow_run_states/?flow_run_id={id}"))
            .await?;
        let fresh = states.iter().filter(|state| seen.insert(state.id));
        // A state comes before what was said at the same moment.
        let mut news: Vec<_> = fresh
            .map(|state| (state.timestamp.utc(), entered(state)))
            .chain(said)
            .collect();
        news.sort_by_key(|(at, _)| *at);
        for (_, text) in news {
            render::line(&text)?;
        }
        if ended {
            return Ok(run);
        }
        tokio::time::sleep(LOOK).await;
    }
}

fn entered(state: &State) -> String {
    let why = state.message.as_deref().map(|why| format!(": {why}"));
    let why = why.unwrap_or_default();
    format!("{}  ▶ {}{why}", clock(state.timestamp), state.name)
}

fn shown(line: &Log) -> String {
    format!("{}  {}", clock(line.timestamp), line.message)
}

fn clock(at: Instant) -> String {
    at.utc()
        .with_timezone(&Local)
        .format("%H:%M:%S%.3f")
        .to_string()
}
