//! Ranges of the two times of a run, and how they are made of whole parts of time and what is left
//! at their ends.

use crate::domain::history::Buckets;
use crate::storage::parts::Parts;
use crate::storage::run_counts::MISSING;

/// From a time on, and before a time, in microseconds; the smallest and the largest numbers are no
/// bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Range {
    pub from: i64,
    pub to: i64,
}

impl Range {
    /// Whatever the time, and where there is none.
    pub const ALL: Self = Self {
        from: i64::MIN,
        to: i64::MAX,
    };

    /// Where there is no time.
    pub const NONE: Self = Self {
        from: MISSING,
        to: MISSING + 1,
    };

    /// Then or later.
    pub fn at_least(self, time: i64) -> Self {
        Self {
            from: self.from.max(time).max(MISSING + 1),
            ..self
        }
    }

    /// Then or earlier.
    pub fn at_most(self, time: i64) -> Self {
        self.before(time.saturating_add(1))
    }

    /// Before that.
    pub fn before(self, time: i64) -> Self {
        Self {
            to: self.to.min(time),
            ..self.at_least(MISSING)
        }
    }

    /// Where both are.
    pub fn within(self, other: Self) -> Self {
        Self {
            from: self.from.max(other.from),
            to: self.to.min(other.to),
        }
    }

    /// The part of it that buckets make up.
    pub fn of_buckets(self, buckets: Buckets) -> Self {
        let start = Self::ALL.at_least(buckets.start().micros());
        self.within(start.before(buckets.end().micros()))
    }

    /// Whether only what has a time lies within.
    pub fn has_time(self) -> bool {
        self.from >= Self::NONE.to
    }

    /// Whether it has a beginning and an end.
    pub fn is_bounded(self) -> bool {
        self.from > Self::NONE.to && self.to < i64::MAX
    }

    /// Whether nothing lies within.
    pub fn is_empty(self) -> bool {
        self.from >= self.to
    }

    /// The whole parts of time within.
    fn inner(self, step: i64) -> Self {
        Self {
            from: up(self.from, step),
            to: down(self.to, step),
        }
    }

    /// The parts of time that lie within it somewhere.
    fn outer(self, step: i64) -> Self {
        Self {
            from: down(self.from, step),
            to: up(self.to, step),
        }
    }

    /// The part of time that begins there.
    fn part(start: i64, step: i64) -> Self {
        match start {
            MISSING => Self::NONE,
            _ => Self {
                from: start,
                to: start.saturating_add(step),
            },
        }
    }

    /// What is left of it beside some of it; all, where that is nothing.
    fn beside(self, inner: Self) -> impl Iterator<Item = Self> {
        let (left, right) = match inner.is_empty() {
            true => (
                self,
                Self {
                    from: self.to,
                    ..self
                },
            ),
            false => (
                Self {
                    to: inner.from,
                    ..self
                },
                Self {
                    from: inner.to,
                    ..self
                },
            ),
        };
        [left, right].into_iter().filter(|it| !it.is_empty())
    }
}

/// The start of a part of time, or the next one; where no time is meant nothing changes.
fn up(time: i64, step: i64) -> i64 {
    match time {
        i64::MIN | i64::MAX => time,
        _ if time == Range::NONE.to => time,
        _ => time.next_of(step),
    }
}

/// The same, or the one before.
fn down(time: i64, step: i64) -> i64 {
    match time {
        i64::MIN | i64::MAX => time,
        _ if time == Range::NONE.to => time,
        _ => time.last_of(step),
    }
}

/// Runs that were expected to start, and started, within ranges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Within {
    /// The number that they are told under.
    pub bucket: i64,
    pub expected: Range,
    pub started: Range,
}

/// What becomes of some of these at one length of parts.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Split {
    /// What whole parts make up.
    pub whole: Vec<Within>,
    /// What lies beside them, to be made of shorter parts.
    pub ends: Vec<Within>,
    /// Whole parts in which runs were expected, with a range in which they started that is no whole
    /// part. Only some of the parts have such runs; these are looked for one by one.
    pub mixed: Vec<Within>,
}

impl Split {
    /// Of all of them.
    pub fn of(all: &[Within], step: i64) -> Self {
        let mut split = Self::default();
        for it in all {
            split.add(*it, step);
        }
        split
    }

    fn add(&mut self, it: Within, step: i64) {
        let (expected, started) = (it.expected.inner(step), it.started.inner(step));
        let ends = it.expected.beside(expected);
        self.ends
            .extend(ends.map(|expected| Within { expected, ..it }));
        if expected.is_empty() {
            return;
        }
        if !started.is_empty() {
            self.whole.push(Within {
                expected,
                started,
                ..it
            });
        }
        let mixed = it.started.beside(started);
        self.mixed.extend(mixed.map(|started| Within {
            expected,
            started,
            ..it
        }));
    }
}

impl Within {
    /// The parts of time in which its runs may have started.
    pub fn started_in(&self, step: i64) -> Range {
        self.started.outer(step)
    }

    /// Those of its runs that were expected in one part of time.
    pub fn of_part(&self, start: i64, step: i64) -> Self {
        Self {
            expected: Range::part(start, step),
            ..*self
        }
    }
}
