//! Task runs and sub-flows over time, as bars.

use crate::domain::graph::{Graph, Node};
use crate::domain::state::StateType;
use crate::domain::time::{Span, Timestamp};
use crate::pages::show::state::Look;
use crate::pages::show::{Html, short, times};

/// The most rows.
pub const MOST: usize = 200;
/// How high a row is, in pixels.
const ROW: usize = 26;
/// Where the first begins.
const TOP: usize = 18;

/// A row: one task run.
pub struct Bar {
    /// Its page.
    pub href: String,
    /// Its name.
    pub label: Html,
    /// The shape of its state.
    pub icon: Html,
    /// Its state's class.
    pub class: &'static str,
    /// Its state's word.
    pub word: Html,
    /// How long it took.
    pub took: String,
    /// Where it begins and how long it is, in per cent.
    pub x: String,
    /// See `x`.
    pub width: String,
    /// Where it ends.
    pub end: String,
    /// Where it is from above, in pixels.
    pub y: usize,
    /// Where its words are.
    pub text_y: usize,
    /// Whether it is a sub-flow's.
    pub is_flow_run: bool,
}

/// A line with a time.
pub struct Tick {
    /// Where it is, in per cent.
    pub x: String,
    /// What it says.
    pub label: String,
}

/// The chart.
pub struct Gantt {
    /// Its rows.
    pub bars: Vec<Bar>,
    /// Its times.
    pub ticks: Vec<Tick>,
    /// How high it is.
    pub height: usize,
    /// How far down its lines go.
    pub bottom: usize,
    /// How many rows were left out.
    pub left_out: usize,
    /// What became of the task runs.
    pub summary: String,
}

/// The page of what a node stands for.
pub fn href(node: &Node) -> String {
    match node.is_flow_run {
        true => format!("/runs/flow-run/{}", node.id),
        false => format!("/runs/task-run/{}", node.id),
    }
}

impl Gantt {
    /// Of a run that goes on until `now` where it has not ended; `None` without any task run.
    pub fn new(graph: &Graph, now: Timestamp) -> Option<Self> {
        let first = graph.nodes.iter().map(|node| node.start_time).min()?;
        let start = graph.start_time.map_or(first, |start| start.min(first));
        let ends = graph.nodes.iter().map(|node| end_of(node, now));
        let end = ends.chain(graph.end_time).max().unwrap_or(now).max(start);
        let scale = Scale {
            start,
            whole: (end - start).micros().max(1000),
        };
        let some = graph.nodes.iter().take(MOST).enumerate();
        let bars: Vec<_> = some
            .map(|(row, node)| bar(row, node, &scale, now))
            .collect();
        let height = TOP + bars.len() * ROW + 2;
        Some(Self {
            ticks: ticks(&scale),
            bottom: height.saturating_sub(2),
            left_out: graph.nodes.len().saturating_sub(MOST),
            summary: summary(&graph.nodes),
            height,
            bars,
        })
    }
}

fn end_of(node: &Node, now: Timestamp) -> Timestamp {
    let is_under_way = node.kind.is_some_and(|kind| !kind.is_terminal());
    match node.end_time {
        Some(end) => end,
        None if is_under_way && node.kind == Some(StateType::Running) => now.max(node.start_time),
        None => node.start_time,
    }
}

struct Scale {
    start: Timestamp,
    whole: i64,
}

impl Scale {
    fn percent(&self, micros: i64) -> f64 {
        (micros as f64 / self.whole as f64 * 100.0).clamp(0.0, 100.0)
    }

    fn at(&self, at: Timestamp) -> f64 {
        self.percent((at - self.start).micros())
    }
}

fn bar(row: usize, node: &Node, scale: &Scale, now: Timestamp) -> Bar {
    let end = end_of(node, now);
    let look = Look::new(node.kind, None);
    let (x, until) = (scale.at(node.start_time), scale.at(end));
    let waits = matches!(
        node.kind,
        Some(StateType::Scheduled | StateType::Pending | StateType::Paused) | None
    );
    Bar {
        href: href(node),
        label: short(&node.label),
        icon: look.icon(),
        class: look.class,
        took: match waits {
            true => "waits".to_owned(),
            false => times::length(end - node.start_time),
        },
        word: look.word,
        x: format!("{x:.2}%"),
        width: format!("{:.2}%", (until - x).max(0.3)),
        end: format!("{until:.2}%"),
        y: TOP + row * ROW + 7,
        text_y: TOP + row * ROW + 17,
        is_flow_run: node.is_flow_run,
    }
}

/// At most six times that are round.
fn ticks(scale: &Scale) -> Vec<Tick> {
    const STEPS: &[i64] = &[
        1,
        2,
        5,
        10,
        20,
        50,
        100,
        200,
        500,
        1000,
        2000,
        5000,
        10_000,
        15_000,
        30_000,
        60_000,
        120_000,
        300_000,
        600_000,
        1_800_000,
        3_600_000,
        7_200_000,
        21_600_000,
        43_200_000,
        86_400_000,
        604_800_000,
        2_592_000_000,
        31_536_000_000,
    ];
    let millis = scale.whole / 1000;
    let step = STEPS.iter().find(|step| millis / **step <= 5);
    let step = step.copied().unwrap_or(millis.max(1)) * 1000;
    let number = (scale.whole / step).min(6);
    let each = (0..=number).map(|place| {
        let micros = place * step;
        Tick {
            x: format!("{:.2}%", scale.percent(micros)),
            label: match place {
                0 => "0".to_owned(),
                _ => times::length(Span::from_micros(micros)),
            },
        }
    });
    // One at the very end would be cut.
    each.filter(|tick| tick.x != "100.00%").collect()
}

fn summary(nodes: &[Node]) -> String {
    let of = |word: &str, fits: fn(StateType) -> bool| {
        let fitting = nodes.iter().filter(|node| node.kind.is_some_and(fits));
        match fitting.count() {
            0 => None,
            count => Some(format!("{count} {word}")),
        }
    };
    let parts = [
        of("completed", |kind| kind == StateType::Completed),
        of("running", |kind| kind == StateType::Running),
        of("failed", |kind| {
            matches!(kind, StateType::Failed | StateType::Crashed)
        }),
        of("cancelled", |kind| {
            matches!(kind, StateType::Cancelled | StateType::Cancelling)
        }),
        of("waiting", |kind| {
            matches!(
                kind,
                StateType::Pending | StateType::Scheduled | StateType::Paused
            )
        }),
    ];
    let parts: Vec<_> = parts.into_iter().flatten().collect();
    format!("{}: {}", nodes.len(), parts.join(", "))
}
