//! Runs over time as a chart: bars of what went well or goes on above the line, trouble below.

use crate::domain::history::{Buckets, Tally};
use crate::domain::state::StateType;
use crate::domain::time::{Span, Timestamp};
use crate::pages::show::state::class;
use crate::pages::show::times::zoned;

/// How many hours back, and ahead.
const BACK: i64 = 24;
const AHEAD: i64 = 6;
/// How long a bar is.
const STEP: i64 = 1800;
/// Where the line is, in pixels; above it there is room for bars, and below.
const LINE: f64 = 98.0;
const ABOVE: f64 = 88.0;
const BELOW: f64 = 36.0;
/// What stands above the line, from below upwards, and what hangs from it.
const UP: &[&str] = &[
    "completed",
    "running",
    "pending",
    "paused",
    "scheduled",
    "late",
];
const DOWN: &[&str] = &["failed", "crashed", "cancelled", "cancelling"];

/// A part of a bar.
pub struct Part {
    /// Its state's class.
    pub class: &'static str,
    /// From above, in pixels.
    pub y: String,
    /// How high it is.
    pub height: String,
}

/// A bar: the runs of half an hour.
pub struct Bar {
    /// The runs.
    pub href: String,
    /// What it says.
    pub title: String,
    /// Where it is, in per cent.
    pub x: String,
    /// Its parts.
    pub parts: Vec<Part>,
}

/// An hour.
pub struct Tick {
    /// Where it is, in per cent.
    pub x: String,
    /// What it says.
    pub label: String,
    /// Left out where there is little room.
    pub class: &'static str,
}

/// The chart.
pub struct Timeline {
    /// Its bars.
    pub bars: Vec<Bar>,
    /// Its hours.
    pub ticks: Vec<Tick>,
    /// How wide a bar's place is, in per cent.
    pub place: String,
    /// How wide a bar is.
    pub width: String,
    /// Where now is.
    pub now: String,
}

/// The times that the chart is about.
pub fn buckets(now: Timestamp) -> Buckets {
    let step = Span::from_micros(STEP * 1_000_000);
    let hours = |hours: i64| Span::from_micros(hours * 3600 * 1_000_000);
    let micros = now.micros() - now.micros().rem_euclid(step.micros());
    let start = Timestamp::from_micros(micros) + step - hours(BACK);
    Buckets::exact(start, start + hours(BACK + AHEAD), step)
}

/// How many runs there are of a class until now.
pub fn sum(tallies: &[Tally], wanted: &str) -> i64 {
    let fitting = tallies
        .iter()
        .filter(|tally| class(Some(tally.kind), &tally.name) == wanted);
    fitting.map(|tally| tally.count).sum()
}

/// The middle of how long runs took that completed, as far as tallies tell.
pub fn mean_run_time(tallies: &[Tally]) -> Option<Span> {
    let completed = || {
        tallies
            .iter()
            .filter(|tally| tally.kind == StateType::Completed)
    };
    let count: i64 = completed().map(|tally| tally.count).sum();
    let time: i64 = completed().map(|tally| tally.run_time.micros()).sum();
    (count > 0).then(|| Span::from_micros(time / count))
}

impl Timeline {
    /// Of the tallies of those times.
    pub fn new(buckets: Buckets, tallies: &[Tally], now: Timestamp) -> Self {
        let number = buckets.each().count().max(1);
        let place = 100.0 / number as f64;
        let sums = |bucket: i64, classes: &[&str]| {
            let of = tallies.iter().filter(|tally| {
                tally.bucket == bucket && classes.contains(&class(Some(tally.kind), &tally.name))
            });
            of.map(|tally| tally.count).sum::<i64>()
        };
        let most = |classes: &[&str]| {
            let each = buckets.each().map(|(bucket, _, _)| sums(bucket, classes));
            each.max().unwrap_or(0)
        };
        let per_run = (ABOVE / most(UP).max(4) as f64).min(BELOW / most(DOWN).max(2) as f64);
        let bars = buckets.each().filter_map(|(bucket, from, to)| {
            let of: Vec<_> = tallies
                .iter()
                .filter(|tally| tally.bucket == bucket)
                .collect();
            (!of.is_empty()).then(|| bar(&of, (from, to), bucket as f64 * place, per_run))
        });
        let whole = (buckets.end() - buckets.start()).micros() as f64;
        let at = |instant: Timestamp| (instant - buckets.start()).micros() as f64 / whole * 100.0;
        Self {
            bars: bars.collect(),
            ticks: ticks(buckets, &at),
            place: format!("{place:.2}%"),
            width: format!("{:.2}%", place * 0.76),
            now: format!("{:.2}%", at(now)),
        }
    }
}

fn bar(of: &[&Tally], (from, to): (Timestamp, Timestamp), x: f64, per_run: f64) -> Bar {
    let count = |wanted: &str| {
        let fitting = of
            .iter()
            .filter(|tally| class(Some(tally.kind), &tally.name) == wanted);
        fitting.map(|tally| tally.count).sum::<i64>()
    };
    let mut parts = Vec::new();
    let mut words = Vec::new();
    let mut reached = LINE - 2.0;
    for class in UP {
        let height = push(&mut words, class, count(class), per_run);
        if height > 0.0 {
            reached -= height;
            parts.push(part(class, reached, height));
            reached -= 1.0;
        }
    }
    reached = LINE + 2.0;
    for class in DOWN {
        let height = push(&mut words, class, count(class), per_run);
        if height > 0.0 {
            parts.push(part(class, reached, height));
            reached += height + 1.0;
        }
    }
    let clock = zoned(from).map(|at| at.strftime("%H:%M").to_string());
    let secs = |at: Timestamp| at.micros() / 1_000_000;
    Bar {
        href: format!("/runs?from={}&to={}", secs(from), secs(to)),
        title: format!("{}: {}", clock.unwrap_or_default(), words.join(", ")),
        x: format!("{x:.2}%"),
        parts,
    }
}

fn push(words: &mut Vec<String>, class: &str, count: i64, per_run: f64) -> f64 {
    if count == 0 {
        return 0.0;
    }
    words.push(format!("{count} {class}"));
    (count as f64 * per_run).max(3.0)
}

fn part(class: &'static str, y: f64, height: f64) -> Part {
    Part {
        class,
        y: format!("{y:.1}"),
        height: format!("{height:.1}"),
    }
}

/// Each third hour; fewer where there is little room.
fn ticks(buckets: Buckets, at: &dyn Fn(Timestamp) -> f64) -> Vec<Tick> {
    let each = buckets.each().filter_map(|(_, from, _)| {
        let zoned = zoned(from)?;
        let (hour, minute) = (zoned.hour(), zoned.minute());
        let x = at(from);
        let has_room = (2.0..98.0).contains(&x);
        (minute == 0 && hour % 3 == 0 && has_room).then(|| Tick {
            x: format!("{x:.2}%"),
            label: zoned.strftime("%H:%M").to_string(),
            class: match hour % 6 {
                0 => "",
                _ => "w2",
            },
        })
    });
    each.collect()
}
