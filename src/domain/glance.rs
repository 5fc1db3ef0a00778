//! Flow runs at a glance: what lists and charts of very many need of each.

use super::ids::{FlowId, FlowRunId};
use super::state::StateType;
use super::time::{Span, Timestamp};

/// A flow run at a glance.
#[derive(Clone, Debug, PartialEq)]
pub struct Glance {
    /// Its id.
    pub id: FlowRunId,
    /// Its flow.
    pub flow_id: FlowId,
    /// Its name.
    pub name: String,
    /// The type of its state.
    pub kind: Option<StateType>,
    /// The name of its state.
    pub state_name: Option<String>,
    /// Since when it is in that.
    pub since: Option<Timestamp>,
    /// When it was first expected to start.
    pub expected_start_time: Option<Timestamp>,
    /// When it is due next.
    pub next_scheduled_start_time: Option<Timestamp>,
    /// When it first ran.
    pub start_time: Option<Timestamp>,
    /// How long it has run up to its latest change of state.
    pub total_run_time: Span,
}

impl Glance {
    /// How long it has run up to `now`.
    pub fn run_time(&self, now: Timestamp) -> Span {
        match (self.kind, self.since) {
            (Some(StateType::Running), Some(since)) => self.total_run_time + (now - since),
            _ => self.total_run_time,
        }
    }

    /// How late it started, or, while it has not, how late it is at `now`.
    pub fn lateness(&self, now: Timestamp) -> Span {
        let has_ended = self.kind.is_some_and(StateType::is_terminal);
        match (self.expected_start_time, self.start_time) {
            (Some(expected), Some(started)) if started > expected => started - expected,
            (Some(expected), None) if !has_ended && expected < now => now - expected,
            _ => Span::ZERO,
        }
    }

    /// When it started, or is expected to.
    pub fn beginning(&self) -> Option<Timestamp> {
        self.start_time.or(self.expected_start_time)
    }
}

/// How the task runs of one part of time ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outcomes {
    /// The number of that part.
    pub bucket: i64,
    /// How many failed or crashed.
    pub failed: i64,
    /// How many ended otherwise.
    pub completed: i64,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: i64) -> Timestamp {
        Timestamp::from_micros(secs * 1_000_000)
    }

    #[test]
    fn run_times_and_lateness_go_on_until_the_run_does_not() {
        let glance = |kind, started: Option<i64>| Glance {
            id: FlowRunId::new(),
            flow_id: FlowId::new(),
            name: "n".to_owned(),
            kind: Some(kind),
            state_name: None,
            since: Some(at(30)),
            expected_start_time: Some(at(10)),
            next_scheduled_start_time: None,
            start_time: started.map(at),
            total_run_time: Span::from_micros(5_000_000),
        };
        for (kind, started, run_time, lateness) in [
            (StateType::Running, Some(20), 15, 10),
            (StateType::Completed, Some(20), 5, 10),
            (StateType::Scheduled, None, 5, 30),
            (StateType::Cancelled, None, 5, 0),
            (StateType::Running, Some(5), 15, 0),
        ] {
            let glance = glance(kind, started);
            assert_eq!(glance.run_time(at(40)).whole_secs(), run_time, "{kind:?}");
            assert_eq!(glance.lateness(at(40)).whole_secs(), lateness, "{kind:?}");
        }
    }
}
