//! Follows a run: its states and what it says, as they come.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::fold::Fold;
use super::sink::Sink;
use super::waiting::tell_why;
use super::{Wanted, page, stored};
use crate::api::v3::wire::{FlowRun, LinesQuery, Log, OutputState, State};
use crate::cli::args::Output;
use crate::cli::client::Client;
use crate::cli::failure::Result;
use crate::cli::news::News;
use crate::domain::state::StateType;

/// How often is looked where there is something to do but to wait for news.
const POLL_INTERVAL: Duration = Duration::from_millis(200);
/// For how long a line is held back for those that were said before it: Prefect hands in its
/// lines every two seconds, and what a process prints comes at once.
const HOLD: Duration = Duration::from_millis(2300);
/// How long a run that has ended may say nothing before it is taken to have said all, though its
/// agent did not tell so.
const SILENCE: Duration = Duration::from_secs(60);
/// The same, where its agent is not there.
const GONE: Duration = Duration::from_secs(5);

/// True when the run has ended.
pub fn has_ended(run: &FlowRun) -> bool {
    let kind = run.state_type.as_deref().and_then(StateType::from_word);
    kind.is_some_and(StateType::is_terminal)
}

/// Something to be shown.
enum Item {
    Line(Log),
    State(State),
}

impl Item {
    fn at(&self) -> DateTime<Utc> {
        match self {
            Item::Line(line) => line.timestamp.utc(),
            Item::State(state) => state.timestamp.utc(),
        }
    }
}

/// What was read and may have to wait.
struct Held {
    items: Vec<(Instant, Item)>,
    fold: Fold,
}

impl Held {
    fn take(&mut self, item: Item, since: Instant) {
        self.items.push((since, item));
    }

    /// Shows what has waited long enough, and what was said before that; or everything.
    fn release(&mut self, everything: bool, sink: &mut Sink) -> Result<()> {
        let has_waited = |since: &Instant| everything || since.elapsed() >= HOLD;
        let ripe = self.items.iter().filter(|(since, _)| has_waited(since));
        let Some(until) = ripe.map(|(_, item)| item.at()).max() else {
            return Ok(());
        };
        let (mut free, held): (Vec<_>, Vec<_>) = self
            .items
            .drain(..)
            .partition(|(_, item)| item.at() <= until);
        self.items = held;
        // A state comes before what was said at the same moment.
        free.sort_by_key(|(_, item)| (item.at(), matches!(item, Item::Line(_))));
        for (_, item) in &free {
            match item {
                Item::Line(line) if self.fold.admits(line) => sink.line(line)?,
                Item::Line(_) => {}
                Item::State(state) => sink.state(state)?,
            }
        }
        sink.flush()
    }
}

/// Prints lines until the run has ended and all is said.
pub(super) async fn lines(
    client: &Client,
    run: Uuid,
    wanted: &Wanted,
    sink: &mut Sink,
) -> Result<()> {
    follow(client, run, wanted, false, sink).await
}

/// Prints states and lines until the run has ended and all is said, and answers the run; for
/// programs, only that.
pub async fn run_to_its_end(client: &Client, id: Uuid, output: Output) -> Result<FlowRun> {
    if output == Output::Table {
        let mut sink = Sink::new(output, true, false);
        let wanted = Wanted::default();
        tokio::select! {
            followed = follow(client, id, &wanted, true, &mut sink) => followed?,
            never = tell_why(client, id) => match never {},
        }
        sink.finish()?;
    }
    until_ended(client, id).await
}

/// Waits until a run has ended, and answers it.
pub async fn until_ended(client: &Client, id: Uuid) -> Result<FlowRun> {
    let mut news = News::of_run();
    loop {
        let run: FlowRun = client.get(&format!("/flow_runs/{id}")).await?;
        if has_ended(&run) {
            return Ok(run);
        }
        news.wait(client).await;
    }
}

async fn follow(
    client: &Client,
    run: Uuid,
    wanted: &Wanted,
    with_states: bool,
    sink: &mut Sink,
) -> Result<()> {
    let mut held = Held {
        items: Vec::new(),
        fold: Fold::new(wanted.console),
    };
    let (mut seen, mut states) = (HashSet::new(), HashSet::new());
    let mut from = begin(client, run, wanted, &mut seen, &mut held, sink).await?;
    let mut heard = Instant::now();
    let mut news = News::of_run();
    loop {
        // Asked before the lines, so that none comes after the last answer.
        let output: OutputState = client
            .get(&format!("/prefectd/flow_runs/{run}/output"))
            .await?;
        let before = held.items.len();
        if with_states {
            new_states(client, run, &mut states, &mut held).await?;
        }
        from = new_lines(client, run, wanted, from, &mut seen, &mut held).await?;
        if held.items.len() > before {
            heard = Instant::now();
        }
        let most = if output.agent_is_there { SILENCE } else { GONE };
        let is_silent = output.ended && heard.elapsed() >= most;
        held.release(output.complete || is_silent, sink)?;
        if output.complete || is_silent {
            return Ok(());
        }
        // Lines that are held back, and the silence at the end, have their own time.
        let has_time = !held.items.is_empty() || output.ended;
        let most = if has_time {
            POLL_INTERVAL
        } else {
            Duration::MAX
        };
        // In vain is as good.
        let _ = tokio::time::timeout(most, news.wait(client)).await;
    }
}

/// Shows what is stored already, but for the latest, which what comes may precede.
async fn begin(
    client: &Client,
    run: Uuid,
    wanted: &Wanted,
    seen: &mut HashSet<Uuid>,
    held: &mut Held,
    sink: &mut Sink,
) -> Result<Uuid> {
    let now = Utc::now();
    let recent = now - HOLD;
    // Those are read again that are stored while the pages are read.
    let again = now - Duration::from_secs(3600);
    let show = |line: &Log| {
        let at = line.timestamp.utc();
        if at >= again {
            seen.insert(line.id);
        }
        if at >= recent {
            held.take(Item::Line(line.clone()), Instant::now());
            return Ok(());
        }
        if held.fold.admits(line) {
            sink.line(line)
        } else {
            Ok(())
        }
    };
    let from = stored(client, run, wanted, show).await?;
    sink.flush()?;
    Ok(from)
}

async fn new_lines(
    client: &Client,
    run: Uuid,
    wanted: &Wanted,
    mut from: Uuid,
    seen: &mut HashSet<Uuid>,
    held: &mut Held,
) -> Result<Uuid> {
    loop {
        let query = LinesQuery {
            arrived_after: Some(from),
            ..wanted.query(run)
        };
        let (page, is_last) = page(client, &query).await?;
        let reached = if is_last {
            page.last
        } else {
            page.lines.last().map(|line| line.id)
        };
        from = reached.filter(|reached| *reached > from).unwrap_or(from);
        for line in page.lines {
            if !seen.remove(&line.id) {
                held.take(Item::Line(line), Instant::now());
            }
        }
        if is_last {
            return Ok(from);
        }
    }
}

async fn new_states(
    client: &Client,
    run: Uuid,
    seen: &mut HashSet<Uuid>,
    held: &mut Held,
) -> Result<()> {
    let path = format!("/flow_run_states/?flow_run_id={run}");
    let states: Vec<State> = client.get(&path).await?;
    for state in states {
        if seen.insert(state.id) {
            held.take(Item::State(state), Instant::now());
        }
    }
    Ok(())
}
