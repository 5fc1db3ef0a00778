//! What flow runs and task runs have in common: the statistics kept on every change of state.

use super::state::{State, StateType};
use super::time::{Span, Timestamp};

/// A run's counts and times, kept by every transition.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RunStatistics {
    /// How often the run entered a running state.
    pub run_count: i64,
    /// When the run was first expected to start.
    pub expected_start_time: Option<Timestamp>,
    /// When it is due next; present only while it is scheduled.
    pub next_scheduled_start_time: Option<Timestamp>,
    /// When it first ran.
    pub start_time: Option<Timestamp>,
    /// When it ended; present only while it has ended.
    pub end_time: Option<Timestamp>,
    /// How long it has run, all attempts together, up to its latest change of state.
    pub total_run_time: Span,
}

/// How a step is booked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recording {
    /// Whether entering a running state begins an attempt; going on after a pause does not.
    pub is_counted: bool,
    /// Whether a run that ends without having run began at that moment, as the 3.9 server has it.
    pub ends_begun: bool,
}

impl Recording {
    /// As on the 2.0a7 server, which knows neither.
    pub const PLAIN: Self = Self {
        is_counted: true,
        ends_begun: false,
    };
}

impl RunStatistics {
    /// Books the step from `from` (absent: the run's first state) to `to`.
    ///
    /// Mirrors the global transforms of the servers, which apply to every transition, forced
    /// ones included.
    pub fn record(&mut self, from: Option<&State>, to: &State, how: Recording) {
        let left = from.map(|state| state.kind);
        if to.kind == StateType::Running {
            self.start_time.get_or_insert(to.timestamp);
            self.run_count += i64::from(how.is_counted);
        }
        if to.kind.is_terminal() && how.ends_begun {
            self.start_time.get_or_insert(to.timestamp);
        }
        if left.is_some_and(StateType::is_terminal) && !to.kind.is_terminal() {
            self.end_time = None;
        }
        if to.kind.is_terminal() && self.start_time.is_some() {
            self.end_time.get_or_insert(to.timestamp);
        }
        if let Some(from) = from.filter(|state| state.kind == StateType::Running) {
            self.total_run_time += to.timestamp - from.timestamp;
        }
        let due = match to.kind {
            StateType::Scheduled => to.details.scheduled_time,
            _ => None,
        };
        self.expected_start_time
            .get_or_insert(due.unwrap_or(to.timestamp));
        // What has ended is never due: pages of runs that ended rely on it.
        let is_scheduled = to.kind == StateType::Scheduled;
        if left == Some(StateType::Scheduled) || due.is_some() || !is_scheduled {
            self.next_scheduled_start_time = due;
        }
    }

    /// How long the run has run up to `now`, the current attempt included.
    pub fn estimated_run_time(&self, current: Option<&State>, now: Timestamp) -> Span {
        match current {
            Some(state) if state.kind == StateType::Running => {
                self.total_run_time + (now - state.timestamp)
            }
            _ => self.total_run_time,
        }
    }

    /// How late the run started, or, while it has not, how late it is at `now`.
    pub fn lateness(&self, current: Option<&State>, now: Timestamp) -> Span {
        let Some(expected) = self.expected_start_time else {
            return Span::ZERO;
        };
        let ended = current.is_some_and(|state| state.kind.is_terminal());
        match self.start_time {
            Some(started) if started > expected => started - expected,
            None if !ended && expected < now => now - expected,
            _ => Span::ZERO,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::state::ProposedState;

    fn at(secs: i64) -> Timestamp {
        Timestamp::from_micros(secs * 1_000_000)
    }

    /// Books a run through the given states, one every ten seconds from t = 10 s on.
    fn walk(kinds: &[StateType]) -> (RunStatistics, Option<State>) {
        let mut statistics = RunStatistics::default();
        let mut current: Option<State> = None;
        for (step, kind) in kinds.iter().enumerate() {
            let now = at(10 * (step as i64 + 1));
            let next = State::enter(ProposedState::new(*kind), now);
            statistics.record(current.as_ref(), &next, Recording::PLAIN);
            current = Some(next);
        }
        (statistics, current)
    }

    #[test]
    fn a_run_that_completes_is_timed_from_running_to_the_end() {
        use StateType::*;
        let (statistics, _) = walk(&[Scheduled, Pending, Running, Completed]);
        assert_eq!(statistics.run_count, 1);
        assert_eq!(statistics.expected_start_time, Some(at(10)));
        assert_eq!(statistics.next_scheduled_start_time, None);
        assert_eq!(statistics.start_time, Some(at(30)));
        assert_eq!(statistics.end_time, Some(at(40)));
        assert_eq!(statistics.total_run_time, at(40) - at(30));
    }

    #[test]
    fn a_retry_sums_the_attempts_and_keeps_the_first_start() {
        use StateType::*;
        let (statistics, _) = walk(&[Pending, Running, Scheduled, Running, Failed]);
        assert_eq!(statistics.run_count, 2);
        assert_eq!(statistics.start_time, Some(at(20)));
        assert_eq!(statistics.total_run_time.whole_secs(), 20);
        assert_eq!(statistics.end_time, Some(at(50)));
    }

    #[test]
    fn leaving_a_terminal_state_clears_the_end() {
        use StateType::*;
        let (statistics, _) = walk(&[Running, Completed, Running]);
        assert_eq!(statistics.end_time, None);
        let (statistics, _) = walk(&[Running, Completed, Failed]);
        assert_eq!(statistics.end_time, Some(at(20)), "the first end stays");
    }

    #[test]
    fn a_run_that_never_ran_has_no_end() {
        use StateType::*;
        let (statistics, _) = walk(&[Scheduled, Pending, Crashed]);
        assert_eq!((statistics.start_time, statistics.end_time), (None, None));
    }

    #[test]
    fn a_step_that_goes_on_is_not_counted_and_an_end_may_be_a_beginning() {
        use StateType::*;
        let how = Recording {
            is_counted: false,
            ends_begun: true,
        };
        let mut statistics = RunStatistics::default();
        let running = State::enter(ProposedState::new(Running), at(10));
        statistics.record(None, &running, how);
        assert_eq!(
            (statistics.run_count, statistics.start_time),
            (0, Some(at(10)))
        );
        let mut statistics = RunStatistics::default();
        let crashed = State::enter(ProposedState::new(Crashed), at(20));
        statistics.record(None, &crashed, how);
        assert_eq!(statistics.start_time, Some(at(20)));
        assert_eq!(statistics.end_time, Some(at(20)));
    }

    #[test]
    fn running_counts_up_to_now_in_the_estimate() {
        use StateType::*;
        let (statistics, current) = walk(&[Pending, Running]);
        let estimate = statistics.estimated_run_time(current.as_ref(), at(25));
        assert_eq!(estimate.whole_secs(), 5);
    }

    #[test]
    fn lateness_grows_until_the_start_and_then_stands_still() {
        use StateType::*;
        let (statistics, current) = walk(&[Scheduled]);
        assert_eq!(
            statistics.lateness(current.as_ref(), at(70)).whole_secs(),
            60
        );
        let (statistics, current) = walk(&[Scheduled, Pending, Running]);
        assert_eq!(
            statistics.lateness(current.as_ref(), at(70)).whole_secs(),
            20
        );
        let (statistics, current) = walk(&[Scheduled, Cancelled]);
        assert_eq!(statistics.lateness(current.as_ref(), at(70)), Span::ZERO);
    }
}
