//! The dashboard: is all well, what runs, what is late and why, what went wrong, what is next,
//! what is free.

mod pools;
mod timeline;

use askama::Template;
use axum::extract::State;

use super::answer::{Answer, ok};
use super::names::Names;
use super::runs::row::Row;
use super::show::{Html, lines, times};
use super::visitor::{Frame, Visitor};
use crate::api::{Ctx, Need, Operation};
use crate::domain::error::Result;
use crate::domain::filter::{Criterion, Filters, Page, Sort, Test, flow_run};
use crate::domain::flow_run::FlowRun;
use crate::domain::state::StateType;
use crate::domain::time::{Span, Timestamp};
pub use pools::Slots;
use timeline::{Timeline, mean_run_time, sum};

/// How many runs each list has.
const LISTED: u64 = 8;
/// For how many late runs the reason is told.
const REASONS: usize = 4;
const DAY: Span = Span::from_micros(24 * 3600 * 1_000_000);
const HOUR: Span = Span::from_micros(3600 * 1_000_000);

/// What there is to ask.
pub fn operations() -> Vec<Operation> {
    vec![
        Operation::get("/", "Shows how all stands").needs(Need::Inspect, show),
        Operation::get("/dashboard", "Leads to how all stands").needs(Need::Inspect, old),
    ]
}

async fn old() -> Answer {
    Ok(super::answer::moved("/"))
}

/// A number with a word on it.
struct Count {
    href: &'static str,
    name: &'static str,
    class: &'static str,
    value: String,
    note: String,
    is_hot: bool,
}

/// A run that is late, and why.
struct Late {
    row: Row,
    why: Html,
}

/// The page, and the parts of it that change.
#[derive(Template)]
#[template(
    path = "dashboard.html",
    blocks = ["summary", "counts", "timeline", "late", "running", "trouble", "next", "pools"]
)]
pub struct DashboardPage {
    frame: Frame,
    verdict: Verdict,
    engine_trouble: Option<Html>,
    counts: Vec<Count>,
    timeline: Timeline,
    late: Vec<Late>,
    running: Vec<Row>,
    trouble: Vec<Row>,
    next: Vec<Row>,
    pools: Vec<Slots>,
    database: String,
    is_empty: bool,
}

/// The one sentence.
struct Verdict {
    class: &'static str,
    icon: &'static str,
    words: String,
    lead: Html,
}

async fn show(State(ctx): State<Ctx>, visitor: Visitor) -> Answer {
    ok(&read(&ctx, &visitor).await?)
}

/// The dashboard as things stand.
///
/// # Errors
/// Where the store cannot be read.
pub async fn read(ctx: &Ctx, visitor: &Visitor) -> Result<DashboardPage> {
    let now = ctx.app.now();
    let buckets = timeline::buckets(now);
    let tallies = ctx
        .app
        .flow_run_history(Filters::default(), buckets)
        .await?;
    let running = list(ctx, visitor, vec![of(UNDER_WAY)], START_DOWN).await?;
    // Late runs were all due before; those that are due later need not be looked at.
    let was_due = flow_run::NEXT_SCHEDULED_START_TIME.asked(Test::AtMost(now.micros()));
    let of_late = flow_run::late_ones().into_iter().chain([was_due]).collect();
    let late = list(ctx, visitor, of_late, DUE_UP).await?;
    let bad = vec![
        of(&[StateType::Failed, StateType::Crashed]),
        flow_run::END_TIME.asked(Test::AtLeast((now - DAY).micros())),
    ];
    let trouble = list(ctx, visitor, bad, Sort::down("end_time")).await?;
    let due = flow_run::NEXT_SCHEDULED_START_TIME.asked(Test::AtLeast(now.micros()));
    let next = list(ctx, visitor, vec![of(&[StateType::Scheduled]), due], DUE_UP).await?;
    let all: Vec<FlowRun> = [&running, &late, &trouble, &next]
        .into_iter()
        .flatten()
        .cloned()
        .collect();
    let names = visitor.masked(Names::of(&ctx.app, &all).await?).await?;
    let rows = |runs: &[FlowRun]| Row::all(runs, &names, now);
    let vitals = ctx.app.vitals().await?;
    let trouble_of_engine = ctx.host.engine_trouble().await;
    let counted = |kind| {
        vitals
            .runs
            .iter()
            .find(|(known, _)| *known == kind)
            .map_or(0, |it| it.1)
    };
    let numbers = Numbers {
        running: counted(StateType::Running) + counted(StateType::Cancelling),
        starting: counted(StateType::Pending),
        late: late.len() as u64,
        next_hour: next_hour(&tallies, buckets, now),
        failed: sum(&tallies, "failed"),
        crashed: sum(&tallies, "crashed"),
        completed: sum(&tallies, "completed"),
        usual: mean_run_time(&tallies),
        first: next
            .first()
            .and_then(|run| run.statistics.next_scheduled_start_time),
    };
    let is_empty = vitals.runs.iter().all(|(_, count)| *count == 0);
    Ok(DashboardPage {
        frame: visitor
            .frame(ctx, "home", "Dashboard")
            .await?
            .live("/live/dashboard"),
        verdict: verdict(&numbers, trouble_of_engine.is_some(), now),
        engine_trouble: trouble_of_engine.map(|words| lines(&words)),
        counts: numbers.counts(now),
        timeline: Timeline::new(buckets, &tallies, now),
        late: with_reasons(ctx, visitor, &late, &names, now).await?,
        running: rows(&running),
        trouble: rows(&trouble),
        next: rows(&next),
        pools: pools::read(ctx).await?,
        database: super::show::bytes(ctx.app.database_bytes()),
        is_empty,
    })
}

const UNDER_WAY: &[StateType] = &[
    StateType::Running,
    StateType::Pending,
    StateType::Cancelling,
];
const START_DOWN: Sort = Sort::NEWEST;
const DUE_UP: Sort = Sort::up("next_scheduled_start_time");

fn of(kinds: &[StateType]) -> Criterion {
    flow_run::STATE_TYPE.is_one_of(kinds.iter().map(|kind| kind.word()))
}

async fn list(
    ctx: &Ctx,
    visitor: &Visitor,
    asked: Vec<Criterion>,
    sort: Sort,
) -> Result<Vec<FlowRun>> {
    let filters = Filters {
        flow_runs: Some(asked.into()),
        ..Filters::default()
    };
    let page = Page {
        limit: LISTED,
        offset: 0,
    };
    visitor
        .masked(ctx.app.flow_runs(filters, sort, page).await?)
        .await
}

async fn with_reasons(
    ctx: &Ctx,
    visitor: &Visitor,
    runs: &[FlowRun],
    names: &Names,
    now: Timestamp,
) -> Result<Vec<Late>> {
    let mut all = Vec::new();
    for (place, run) in runs.iter().enumerate() {
        let why = match place < REASONS {
            true => visitor.masked(ctx.app.why(run.id).await?).await?.reason,
            false => String::new(),
        };
        all.push(Late {
            row: Row::new(run, names, now),
            why: super::show::text(&why),
        });
    }
    Ok(all)
}

fn next_hour(
    tallies: &[crate::domain::history::Tally],
    buckets: crate::domain::history::Buckets,
    now: Timestamp,
) -> i64 {
    let soon = buckets
        .each()
        .filter(|(_, from, to)| *to > now && *from < now + HOUR);
    let soon: Vec<_> = soon.map(|(bucket, _, _)| bucket).collect();
    let due = tallies.iter().filter(|tally| {
        soon.contains(&tally.bucket) && tally.kind == StateType::Scheduled && tally.name != "Late"
    });
    due.map(|tally| tally.count).sum()
}

struct Numbers {
    running: u64,
    starting: u64,
    late: u64,
    next_hour: i64,
    failed: i64,
    crashed: i64,
    completed: i64,
    usual: Option<Span>,
    first: Option<Timestamp>,
}

fn verdict(numbers: &Numbers, has_trouble: bool, now: Timestamp) -> Verdict {
    let under_way = match (numbers.running, numbers.starting) {
        (0, 0) => "Nothing runs.".to_owned(),
        (running, 0) => format!("{running} running."),
        (running, starting) => format!("{running} running, {starting} starting."),
    };
    let next = numbers
        .first
        .map(|at| format!(" Next {}.", times::apart(at, now)));
    let lead = under_way + &next.unwrap_or_default();
    let (class, icon, words) = match (has_trouble, numbers.late, numbers.crashed + numbers.failed) {
        (true, ..) => (
            "failed",
            "failed",
            "The container engine does not answer".to_owned(),
        ),
        (_, 1.., _) => (
            "late",
            "late",
            match numbers.late {
                1 => "1 run is late".to_owned(),
                LISTED.. => format!("{LISTED} runs and more are late"),
                late => format!("{late} runs are late"),
            },
        ),
        (_, _, 1..) if numbers.completed == 0 => {
            ("failed", "failed", "Nothing went well today".to_owned())
        }
        _ => ("ok", "completed", "All well".to_owned()),
    };
    Verdict {
        class,
        icon,
        words,
        lead: Html::of(lead),
    }
}

impl Numbers {
    fn counts(&self, now: Timestamp) -> Vec<Count> {
        let count = |href, name, class, value: i64, note: String| Count {
            href,
            name,
            class,
            value: super::show::number(value.max(0).unsigned_abs()),
            note,
            is_hot: value > 0 && !matches!(class, "scheduled" | "completed"),
        };
        let signed = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        let starting = match self.starting {
            0 => String::new(),
            starting => format!("{starting} starting"),
        };
        let first = self.first.filter(|at| *at - now < HOUR);
        vec![
            count(
                "/runs?state=running,pending",
                "Running",
                "running",
                signed(self.running),
                starting,
            ),
            count(
                "/runs?state=late",
                "Late",
                "late",
                signed(self.late),
                match self.late {
                    0 => "none waits past its time".to_owned(),
                    _ => String::new(),
                },
            ),
            count(
                "/runs?state=scheduled&sort=start",
                "Next hour",
                "scheduled",
                self.next_hour,
                first
                    .map(|at| format!("first in {}", times::coarse(at - now)))
                    .unwrap_or_default(),
            ),
            count(
                "/runs?state=failed&last=24h",
                "Failed, 24 h",
                "failed",
                self.failed,
                String::new(),
            ),
            count(
                "/runs?state=crashed&last=24h",
                "Crashed, 24 h",
                "crashed",
                self.crashed,
                String::new(),
            ),
            count(
                "/runs?state=completed&last=24h",
                "Completed, 24 h",
                "completed",
                self.completed,
                self.usual
                    .map(|usual| format!("on average {}", times::length(usual)))
                    .unwrap_or_default(),
            ),
        ]
    }
}
