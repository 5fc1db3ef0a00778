//! How far ahead of their time the runs of a schedule are made.

use super::super::time::{Span, Timestamp};

/// Which of a schedule's dates have runs: the first ones, until those are enough and reach far
/// enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ahead {
    /// So many are enough.
    pub least: u64,
    /// So far from the first moment is far enough.
    pub span: Span,
    /// More than this there never are.
    pub most: u64,
}

impl Ahead {
    /// As the 2.0a7 server has it: as many as there may be.
    pub const ORION: Self = Self {
        least: u64::MAX,
        span: Span::from_micros(0),
        most: 100,
    };

    /// As the 3.9 server has it: three, and for an hour.
    pub const V3: Self = Self {
        least: 3,
        span: Span::from_micros(3_600 * 1_000_000),
        most: 100,
    };

    /// Leaves those of the dates from a moment on that have runs.
    pub fn cut(self, from: Timestamp, dates: &mut Vec<Timestamp>) {
        let is_enough = |(count, date): (u64, &Timestamp)| self.is_enough(from, count, *date);
        let enough = (1..).zip(dates.iter()).position(is_enough);
        let most = usize::try_from(self.most).unwrap_or(usize::MAX);
        dates.truncate(enough.map_or(most, |last| most.min(last + 1)));
    }

    /// When more are wanted than these, which were left of those from a moment on; `None` where
    /// these are too few as it is, because the schedule had no more.
    pub fn look_at(self, from: Timestamp, dates: &[Timestamp]) -> Option<Timestamp> {
        let (count, last) = (dates.len() as u64, *dates.last()?);
        let nth = |nth: u64| dates.get(usize::try_from(nth).ok()?).copied();
        let just = Span::from_micros(1);
        if count >= self.most {
            // Many at once rather than one at a time.
            nth(self.most / 2)
        } else if self.is_enough(from, count, last) {
            let too_few = nth(count.saturating_sub(self.least.max(1)))?;
            Some(too_few.min(last - self.span) + just)
        } else {
            None
        }
    }

    fn is_enough(self, from: Timestamp, count: u64, last: Timestamp) -> bool {
        count >= self.least && last >= from + self.span
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(minutes: i64) -> Timestamp {
        Timestamp::from_micros(minutes * 60_000_000)
    }

    /// So many dates, every so many minutes, from the first on.
    fn every(minutes: i64, count: i64) -> Vec<Timestamp> {
        (0..count).map(|nth| at(nth * minutes)).collect()
    }

    fn asked(least: u64, minutes: i64, most: u64) -> Ahead {
        Ahead {
            least,
            span: at(minutes) - at(0),
            most,
        }
    }

    #[test]
    fn which_dates_have_runs() {
        let zero = asked(0, 0, 100);
        for (ahead, minutes, there, left) in [
            // Three at least, and an hour at least, the date that reaches it included.
            (Ahead::V3, 1440, 100, 3),
            (Ahead::V3, 60, 100, 3),
            (Ahead::V3, 30, 100, 3),
            (Ahead::V3, 29, 100, 4),
            (Ahead::V3, 1, 100, 61),
            // No more than there are, or may be.
            (Ahead::V3, 1440, 2, 2),
            (Ahead::V3, 1440, 0, 0),
            (asked(3, 600, 100), 1, 1000, 100),
            (Ahead::ORION, 1440, 99, 99),
            (Ahead::ORION, 1, 1000, 100),
            (
                Ahead {
                    most: 500,
                    ..Ahead::ORION
                },
                1,
                1000,
                500,
            ),
            // What a request says.
            (asked(10, 0, 100), 1440, 100, 10),
            (asked(10, 0, 5), 1440, 100, 5),
            (asked(1, 120, 100), 60, 100, 3),
            (asked(1, -60, 100), 60, 100, 1),
            (zero, 60, 100, 1),
        ] {
            let mut dates = every(minutes, there);
            ahead.cut(at(0), &mut dates);
            assert_eq!(dates.len(), left, "{ahead:?} of {there} every {minutes}");
        }
    }

    #[test]
    fn when_more_are_wanted() {
        for (ahead, minutes, there, expected) in [
            // Once two of three are left.
            (Ahead::V3, 1440, 100, Some(at(0))),
            // Once an hour is not full any more.
            (Ahead::V3, 1, 100, Some(at(0))),
            (Ahead::V3, 25, 100, Some(at(15).min(at(25)))),
            // Half of those that may be.
            (asked(3, 600, 100), 1, 1000, Some(at(50))),
            (Ahead::ORION, 1, 1000, Some(at(50))),
            // There were no more.
            (Ahead::V3, 1440, 2, None),
            (Ahead::ORION, 1440, 99, None),
            (Ahead::V3, 1440, 0, None),
        ] {
            let mut dates = every(minutes, there);
            ahead.cut(at(0), &mut dates);
            let got = ahead.look_at(at(0), &dates);
            let just = if there > 0 && expected < Some(at(50)) {
                1
            } else {
                0
            };
            let expected = expected.map(|at| at + Span::from_micros(just));
            assert_eq!(got, expected, "{ahead:?} of {there} every {minutes}");
        }
    }

    #[test]
    fn a_look_when_more_are_wanted_finds_more() {
        for minutes in [1, 7, 20, 25, 59, 60, 61, 1440] {
            let all = every(minutes, 1000);
            let mut dates = all.clone();
            Ahead::V3.cut(at(0), &mut dates);
            let look_at = Ahead::V3.look_at(at(0), &dates).unwrap();
            let seen_from = |from: Timestamp| {
                let mut left: Vec<_> = all.iter().copied().filter(|date| *date >= from).collect();
                Ahead::V3.cut(from, &mut left);
                left.last().copied()
            };
            assert!(seen_from(look_at) > dates.last().copied(), "{minutes}");
            let before = look_at - Span::from_micros(1);
            assert_eq!(seen_from(before), dates.last().copied(), "{minutes}");
        }
    }
}
