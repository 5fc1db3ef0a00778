//! How many runs were expected to start when, and what became of them.

use super::state::StateType;
use super::time::{Span, Timestamp};

/// The most buckets that a history has.
pub const MOST_BUCKETS: i64 = 500;

/// A row of buckets of equal length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Buckets {
    start: Timestamp,
    step: Span,
    count: i64,
}

impl Buckets {
    /// From `start` until `end` is covered, one bucket at least and [`MOST_BUCKETS`] at
    /// most. Starts and lengths are cut to milliseconds, as the 2.0a7 server does.
    pub fn new(start: Timestamp, end: Timestamp, step: Span) -> Self {
        let cut = |micros: i64| micros - micros.rem_euclid(1000);
        let start = Timestamp::from_micros(cut(start.micros()));
        let step = Span::from_micros(cut(step.micros()).max(1000));
        let length = (end - start).micros();
        let count = length / step.micros() + i64::from(length % step.micros() > 0);
        Self {
            start,
            step,
            count: count.clamp(1, MOST_BUCKETS),
        }
    }

    /// From `start` until `end` is covered, [`MOST_BUCKETS`] at most and none where nothing lies
    /// between, as the 3.9 server has it. `step` is a length of time and not none.
    pub fn exact(start: Timestamp, end: Timestamp, step: Span) -> Self {
        Self::of_at_most(MOST_BUCKETS, (start, end), step)
    }

    /// The same, `most` at most.
    pub fn of_at_most(most: i64, (start, end): (Timestamp, Timestamp), step: Span) -> Self {
        let (length, each) = ((end - start).micros(), step.micros().max(1));
        let count = length / each + i64::from(length % each > 0);
        Self {
            start,
            step: Span::from_micros(each),
            count: count.clamp(0, most),
        }
    }

    /// Where the first begins.
    pub fn start(&self) -> Timestamp {
        self.start
    }

    /// How long each is.
    pub fn step(&self) -> Span {
        self.step
    }

    /// Where the last ends.
    pub fn end(&self) -> Timestamp {
        self.start + Span::from_micros(self.step.micros().saturating_mul(self.count))
    }

    /// Each bucket's number, start and end.
    pub fn each(&self) -> impl Iterator<Item = (i64, Timestamp, Timestamp)> {
        let (start, step) = (self.start, self.step.micros());
        let at = move |number: i64| start + Span::from_micros(step.saturating_mul(number));
        (0..self.count).map(move |number| (number, at(number), at(number + 1)))
    }
}

/// The runs of one bucket that are in one kind of state.
#[derive(Clone, Debug, PartialEq)]
pub struct Tally {
    /// The bucket's number.
    pub bucket: i64,
    /// The state's type.
    pub kind: StateType,
    /// The state's name.
    pub name: String,
    /// How many runs.
    pub count: i64,
    /// How long they have run, together.
    pub run_time: Span,
    /// How late they are, together.
    pub lateness: Span,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_micros(millis * 1000)
    }

    #[test]
    fn exact_buckets_cover_what_lies_between_and_nothing_else() {
        let step = Span::from_micros(10_000_000);
        let count = |end| Buckets::exact(at(0), at(end), step).each().count();
        assert_eq!(
            (count(0), count(-5), count(1), count(10_000), count(10_001)),
            (0, 0, 1, 1, 2)
        );
        assert_eq!(count(100_000_000), 500);
        let start = Timestamp::from_micros(1);
        let buckets = Buckets::exact(start, at(25_000), step);
        assert_eq!(buckets.start(), start);
    }

    #[test]
    fn buckets_cover_the_range_and_are_bounded() {
        let step = Span::from_micros(10_000_000);
        let count = |end| Buckets::new(at(0), at(end), step).each().count();
        assert_eq!(
            (count(0), count(-5), count(10_000), count(10_001)),
            (1, 1, 1, 2)
        );
        assert_eq!(count(100_000_000), 500);
        let buckets = Buckets::new(at(0), at(25_000), step);
        assert_eq!(buckets.end(), at(30_000));
        assert_eq!(buckets.each().last(), Some((2, at(20_000), at(30_000))));
    }
}
