//! The latest runs of a deployment as bars, as high as they took long.

use crate::domain::glance::Glance;
use crate::domain::state::StateType;
use crate::domain::time::{Span, Timestamp};
use crate::pages::show::state::class;
use crate::pages::show::times;

/// How many runs are drawn.
pub const DRAWN: u64 = 40;
/// How high the highest is, in pixels.
const ABOVE: f64 = 58.0;
/// Where they stand.
const LINE: f64 = 64.0;

/// A run.
pub struct Bar {
    /// Its page.
    pub href: String,
    /// What it says.
    pub title: String,
    /// Its state's class.
    pub class: &'static str,
    /// Where it is, in per cent.
    pub x: String,
    /// From above, in pixels.
    pub y: String,
    /// How high it is.
    pub height: String,
    /// Whether it ended badly.
    pub is_bad: bool,
}

/// The chart.
pub struct History {
    /// Its bars, the oldest first.
    pub bars: Vec<Bar>,
    /// How wide a run's place is, in per cent.
    pub place: String,
    /// How wide a bar is.
    pub width: String,
    /// How many went well, of those that have ended.
    pub good: usize,
    /// How many have ended.
    pub ended: usize,
    /// How long those took that went well, in the middle.
    pub usual: Option<Span>,
}

impl History {
    /// Of the latest runs, the newest first.
    pub fn new(runs: &[Glance], now: Timestamp) -> Self {
        let most = runs.iter().map(|run| run.run_time(now).micros()).max();
        let most = most.unwrap_or(0).max(1) as f64;
        let place = 100.0 / DRAWN as f64;
        let left = (DRAWN as usize).saturating_sub(runs.len());
        let oldest_first = runs.iter().rev().enumerate();
        let bars = oldest_first.map(|(number, run)| {
            let took = run.run_time(now);
            let height = (took.micros() as f64 / most * ABOVE).max(3.0);
            let class = class(run.kind, run.state_name.as_deref().unwrap_or_default());
            Bar {
                href: format!("/runs/flow-run/{}", run.id),
                title: format!("{class}, {}", times::length(took)),
                x: format!("{:.2}%", (left + number) as f64 * place),
                y: format!("{:.1}", LINE - height),
                height: format!("{height:.1}"),
                is_bad: matches!(class, "failed" | "crashed"),
                class,
            }
        });
        let has_ended = |run: &&Glance| run.kind.is_some_and(StateType::is_terminal);
        let good = |run: &&Glance| run.kind == Some(StateType::Completed);
        let mut took: Vec<_> = runs
            .iter()
            .filter(good)
            .map(|run| run.total_run_time)
            .collect();
        took.sort_unstable();
        Self {
            bars: bars.collect(),
            place: format!("{place:.2}%"),
            width: format!("{:.2}%", place * 0.74),
            good: took.len(),
            ended: runs.iter().filter(has_ended).count(),
            usual: took.get(took.len() / 2).copied(),
        }
    }
}
