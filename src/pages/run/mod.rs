//! One flow run: what it does, why it waits or why it died, its states, its log, its task runs.

mod about;
pub mod actions;
mod facts;
mod gantt;
mod graph;
pub mod log;
pub mod usage;

use askama::Template;
use axum::extract::State;

use super::answer::{Answer, moved, ok};
use super::names::{Names, Origin};
use super::nouns::artifact;
use super::path::Id;
use super::runs::row::{Row, Tag, tags};
use super::show::json::{Pair, pairs};
use super::show::state::Look;
use super::show::{Html, lines, short, times};
use super::visitor::{Frame, Visitor};
use crate::api::{Ctx, Need, Operation};
use crate::domain::error::Result;
use crate::domain::filter::{Filters, Page, Sort, flow_run};
use crate::domain::flow_run::FlowRun;
use crate::domain::graph::Graph;
use crate::domain::ids::FlowRunId;
use crate::domain::state;
use crate::domain::state::StateType;
use crate::domain::time::Timestamp;
use crate::domain::why::Code;
use facts::Tile;
use gantt::Gantt;
use graph::Drawing;

/// The most states that are shown.
const MOST_STATES: usize = 12;
/// The most runs of sub-flows that are listed.
const MOST_SUBRUNS: usize = 50;

/// What there is to ask.
pub fn operations() -> Vec<Operation> {
    let mut all = vec![
        Operation::get("/runs/flow-run/{id}", "Shows a flow run").needs(Need::Inspect, show),
        Operation::get("/flow-runs/flow-run/{id}", "Leads to a flow run").needs(Need::Inspect, old),
        Operation::get("/flow-run/{id}", "Leads to a flow run").needs(Need::Inspect, old),
    ];
    all.extend(actions::operations());
    all
}

async fn old(Id(id): Id<FlowRunId>) -> Answer {
    Ok(moved(&format!("/runs/flow-run/{id}")))
}

/// A state that the run was in.
struct Step {
    look: Look,
    at: Html,
    note: Html,
}

/// Why the run is not further.
struct Reason {
    class: &'static str,
    title: &'static str,
    words: Html,
    holders: Vec<(String, Html)>,
    more_holders: u64,
    ahead: u64,
    may_start: Html,
}

/// What can be pressed.
#[derive(Clone, Copy, Default)]
struct Acts {
    cancel: bool,
    retry: bool,
    pause: bool,
    resume: bool,
    delete: bool,
}

/// The page, and the parts of it that change.
#[derive(Template)]
#[template(
    path = "run.html",
    blocks = [
        "head",
        "facts",
        "why",
        "states",
        "tasks",
        "subruns",
        "artifacts",
        "uses"
    ]
)]
pub struct RunPage {
    frame: Frame,
    id: String,
    name: Html,
    origin: Origin,
    badge: Html,
    lead: Html,
    acts: Acts,
    tiles: Vec<Tile>,
    reason: Option<Reason>,
    steps: Vec<Step>,
    log: log::Shown,
    gantt: Option<Gantt>,
    drawing: Option<Drawing>,
    subruns: Vec<Row>,
    artifacts: Vec<artifact::Shown>,
    /// What it uses of the machine, where somebody has looked for a while.
    pub usage: Vec<usage::Curve>,
    about: Vec<Pair>,
    parameters: Vec<Pair>,
    tags: Vec<Tag>,
}

async fn show(State(ctx): State<Ctx>, Id(id): Id<FlowRunId>, visitor: Visitor) -> Answer {
    let log = log::read(&ctx, &visitor, id).await?;
    ok(&read(&ctx, &visitor, id, log).await?)
}

/// A run's page as things stand, with that of its log.
///
/// # Errors
/// Where there is no such run, or the store cannot be read.
pub async fn read(ctx: &Ctx, visitor: &Visitor, id: FlowRunId, log: log::Shown) -> Result<RunPage> {
    let run = ctx.app.flow_run(id).await?;
    let run = visitor.masked(*run).await?;
    let now = ctx.app.now();
    let names = visitor
        .masked(Names::of(&ctx.app, std::slice::from_ref(&run)).await?)
        .await?;
    let usual = facts::usual(ctx, run.deployment_id).await?;
    let tasks = ctx
        .app
        .count_task_runs_by_state(Filters::of_flow_run(id))
        .await?;
    let graph = ctx.app.flow_run_graph(id, None).await?;
    let graph = visitor.masked(graph).await?;
    let states = ctx.app.flow_run_states(id).await?;
    let states = visitor.masked(states).await?;
    let look = Look::of(run.state.as_ref());
    let stream = format!("/live/run/{id}?{}", log.query);
    let frame = visitor
        .frame(ctx, "runs", &format!("{}, {}", run.name, look.word))
        .await?;
    Ok(RunPage {
        frame: frame.live(stream),
        id: id.to_string(),
        name: short(&run.name),
        origin: names.origin(&run),
        badge: look.badge(),
        lead: facts::lead(&run, usual, now),
        acts: acts(&run, visitor),
        tiles: facts::tiles(&run, usual, &tasks, now),
        reason: reason(ctx, visitor, &run, now).await?,
        steps: steps(&states, now),
        gantt: Gantt::new(&graph, now),
        drawing: Drawing::new(&graph.nodes),
        subruns: subruns(ctx, visitor, &graph, now).await?,
        artifacts: artifact::of_run(ctx, visitor, id).await?,
        usage: Vec::new(),
        about: about::pairs(&run, &names, ctx.on_cluster(&run).await, now),
        parameters: pairs(&run.parameters),
        tags: tags(&run.tags),
        log,
    })
}

/// The runs of its sub-flows.
async fn subruns(ctx: &Ctx, visitor: &Visitor, graph: &Graph, now: Timestamp) -> Result<Vec<Row>> {
    let nodes = graph.nodes.iter().filter(|node| node.is_flow_run);
    let ids: Vec<_> = nodes.map(|node| node.id).take(MOST_SUBRUNS).collect();
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let page = Page {
        limit: ids.len() as u64,
        offset: 0,
    };
    let filters = Filters {
        flow_runs: Some(vec![flow_run::ID.is_one_of_ids(ids)].into()),
        ..Filters::default()
    };
    let found = ctx
        .app
        .flow_runs(filters, Sort::up("start_time"), page)
        .await?;
    let found = visitor.masked(found).await?;
    let names = visitor.masked(Names::of(&ctx.app, &found).await?).await?;
    Ok(Row::all(&found, &names, now))
}

fn acts(run: &FlowRun, visitor: &Visitor) -> Acts {
    let Some(kind) = run.state.as_ref().map(|state| state.kind) else {
        return Acts::default();
    };
    if !visitor.may_act() {
        return Acts::default();
    }
    Acts {
        cancel: !kind.is_terminal() && kind != StateType::Cancelling,
        retry: kind.is_terminal() && run.deployment_id.is_some(),
        pause: kind == StateType::Running && run.deployment_id.is_some(),
        resume: kind == StateType::Paused,
        delete: kind.is_terminal(),
    }
}

fn steps(states: &[state::State], now: Timestamp) -> Vec<Step> {
    let skipped = states.len().saturating_sub(MOST_STATES);
    let latest = states.iter().skip(skipped);
    latest
        .map(|state| Step {
            look: Look::of(Some(state)),
            at: times::when(state.timestamp, now),
            note: first_line(state.message.as_deref().unwrap_or_default()),
        })
        .collect()
}

fn first_line(message: &str) -> Html {
    let line = message.lines().find(|line| !line.trim().is_empty());
    short(line.unwrap_or_default().trim())
}

/// Why a run waits, or what it died of; nothing of one that runs or went well.
async fn reason(
    ctx: &Ctx,
    visitor: &Visitor,
    run: &FlowRun,
    now: Timestamp,
) -> Result<Option<Reason>> {
    let Some(state) = &run.state else {
        return Ok(None);
    };
    match state.kind {
        StateType::Completed | StateType::Running | StateType::Cancelled => return Ok(None),
        StateType::Failed | StateType::Crashed => {
            let words = state
                .message
                .as_deref()
                .unwrap_or("Nothing was said of why.");
            return Ok(Some(Reason {
                class: Look::of(Some(state)).class,
                title: match state.kind {
                    StateType::Crashed => "What was made for the run ended before the run did",
                    _ => "The flow failed",
                },
                words: Html::of(format!("<span class=\"why lines\">{}</span>", lines(words))),
                holders: Vec::new(),
                more_holders: 0,
                ahead: 0,
                may_start: Html::default(),
            }));
        }
        _ => {}
    }
    let why = visitor.masked(ctx.why(run.id).await?).await?;
    let holders = why.holders.iter().map(|holder| {
        let href = format!("/runs/flow-run/{}", holder.id);
        (href, short(&holder.name))
    });
    Ok(Some(Reason {
        class: Look::of(Some(state)).class,
        title: title(why.code),
        words: lines(&why.reason),
        holders: holders.collect(),
        more_holders: why.more_holders,
        ahead: why.ahead,
        may_start: why
            .may_start
            .map(|at| times::apart(at, now))
            .unwrap_or_default(),
    }))
}

fn title(code: Code) -> &'static str {
    match code {
        Code::NotDeployed => "Nobody takes this run",
        Code::NotDue => "Its time has not come",
        Code::RetryDelay => "Waits to be tried again",
        Code::NoAgent => "There is no agent",
        Code::AgentGone => "The agent that took it has gone",
        Code::EngineAway => "The container engine does not answer",
        Code::QueuePaused => "Its queue is paused",
        Code::LimitReached => "As many run as may",
        Code::ServedByWorker => "Waits for a worker",
        Code::NoWorker => "There is no worker",
        Code::ServedByProcess => "Waits for the process that serves it",
        Code::SlotsTaken => "Every slot is in use",
        Code::PullingImage => "Its image is being pulled",
        Code::Unplaced => "No node takes it",
        Code::Starting => "About to start",
        Code::Running => "Running",
        Code::Paused => "Paused",
        Code::Stopping => "Being stopped",
        Code::Ended => "Ended",
    }
}
