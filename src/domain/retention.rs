//! What is kept of the past, and what may go.

use super::state::StateType;
use super::time::{Span, Timestamp};

/// Nothing goes that ended more recently than this, however many newer ones there are:
/// somebody may still be looking at it.
pub const GRACE: Span = Span::from_micros(3_600_000_000);

/// How much is kept. By default everything is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Retention {
    /// Of flow runs that have ended, with all that belongs to them.
    pub flow_runs: RetentionLimit,
    /// Of log lines, while their runs stay.
    pub logs: RetentionLimit,
    /// Of events.
    pub events: RetentionLimit,
}

/// How much of one kind is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RetentionLimit {
    /// For how long; absent: for ever.
    pub at_most_for: Option<Span>,
    /// How many, the newest; absent: all.
    pub at_most: Option<u64>,
}

impl RetentionLimit {
    /// What is older than this may go; `None` when nothing may. `beyond` is the time of the
    /// newest one that is too many, if there is one.
    pub fn horizon(self, now: Timestamp, beyond: Option<Timestamp>) -> Option<Timestamp> {
        let by_age = self.at_most_for.map(|age| now - age);
        let by_count = beyond.map(|newest| newest + Span::from_micros(1));
        by_age.max(by_count).map(|horizon| horizon.min(now - GRACE))
    }
}

/// Whether a run that entered its state or ended at `ended` may go.
pub fn may_go(kind: Option<StateType>, ended: Timestamp, horizon: Timestamp) -> bool {
    kind.is_some_and(StateType::is_terminal) && ended < horizon
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 86_400;

    fn at(secs: i64) -> Timestamp {
        Timestamp::from_micros(secs * 1_000_000)
    }

    fn keep(days: Option<i64>, at_most: Option<u64>) -> RetentionLimit {
        RetentionLimit {
            at_most_for: days.map(|days| Span::from_micros(days * DAY * 1_000_000)),
            at_most,
        }
    }

    #[test]
    fn age_and_count_both_bound_what_stays() {
        let now = at(100 * DAY);
        for (keep, beyond, horizon) in [
            (keep(None, None), None, None),
            (keep(Some(30), None), None, Some(at(70 * DAY))),
            (keep(None, Some(5)), None, None),
            (keep(Some(30), Some(5)), None, Some(at(70 * DAY))),
            (keep(Some(30), Some(5)), Some(at(10)), Some(at(70 * DAY))),
        ] {
            assert_eq!(keep.horizon(now, beyond), horizon, "{keep:?} {beyond:?}");
        }
        let by_count = keep(Some(30), Some(5)).horizon(now, Some(at(90 * DAY)));
        assert_eq!(
            by_count,
            Some(Timestamp::from_micros(90 * DAY * 1_000_000 + 1))
        );
    }

    #[test]
    fn what_has_only_just_ended_stays() {
        let now = at(100 * DAY);
        let horizon = keep(None, Some(0)).horizon(now, Some(now));
        assert_eq!(horizon, Some(now - GRACE));
    }

    #[test]
    fn only_what_has_ended_before_the_horizon_may_go() {
        for kind in StateType::ALL {
            assert_eq!(may_go(Some(kind), at(1), at(2)), kind.is_terminal());
            assert!(!may_go(Some(kind), at(2), at(2)));
        }
        assert!(!may_go(None, at(1), at(2)));
    }
}
