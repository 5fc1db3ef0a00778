//! Which log lines somebody wants to hear as they come.

use std::collections::HashSet;

use super::filter::TextQuery;
use super::ids::{FlowRunId, TaskRunId};
use super::log::Log;
use super::time::Timestamp;

/// What is asked of a line; all that is given must hold.
///
/// Mirrors `log_matches_filter` of the 3.9 server.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LogFilter {
    /// Of this level or above.
    pub least_level: Option<i64>,
    /// Of this level or below.
    pub most_level: Option<i64>,
    /// Said then or later.
    pub since: Option<Timestamp>,
    /// Said then or earlier.
    pub until: Option<Timestamp>,
    /// Said by one of these flow runs.
    pub flow_runs: Option<HashSet<FlowRunId>>,
    /// Said by one of these task runs.
    pub task_runs: Option<HashSet<TaskRunId>>,
    /// Said by some task run, or by none.
    pub is_of_task: Option<bool>,
    /// What is searched for in the line and its logger's name.
    pub text: Option<TextQuery>,
}

impl LogFilter {
    /// Whether a line is wanted.
    pub fn takes(&self, log: &Log) -> bool {
        let line = &log.line;
        let is_within = |runs: &HashSet<_>| line.flow_run_id.is_some_and(|id| runs.contains(&id));
        let is_of = |tasks: &HashSet<_>| line.task_run_id.is_some_and(|id| tasks.contains(&id));
        let says = |text: &TextQuery| text.finds(&[&line.message, &line.name]);
        self.least_level.is_none_or(|least| line.level >= least)
            && self.most_level.is_none_or(|most| line.level <= most)
            && self.since.is_none_or(|since| line.timestamp >= since)
            && self.until.is_none_or(|until| line.timestamp <= until)
            && self.flow_runs.as_ref().is_none_or(is_within)
            && self.task_runs.as_ref().is_none_or(is_of)
            && self
                .is_of_task
                .is_none_or(|is_of_task| line.task_run_id.is_some() == is_of_task)
            && self.text.as_ref().is_none_or(says)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::LogId;
    use crate::domain::log::NewLog;

    #[test]
    fn all_that_is_asked_must_hold() {
        let (run, task) = (FlowRunId::new(), TaskRunId::new());
        let line = NewLog {
            name: "prefect.flow_runs".to_owned(),
            level: 20,
            message: "Hello World".to_owned(),
            timestamp: Timestamp::from_micros(5),
            flow_run_id: Some(run),
            task_run_id: None,
            stream: None,
        };
        let log = Log {
            id: LogId::new(),
            created: line.timestamp,
            line,
        };
        let any = LogFilter::default;
        let at = |micros| Some(Timestamp::from_micros(micros));
        let text = |text: &str| Some(TextQuery::read(text));
        let cases = [
            (any(), true),
            (
                LogFilter {
                    least_level: Some(20),
                    most_level: Some(20),
                    ..any()
                },
                true,
            ),
            (
                LogFilter {
                    least_level: Some(21),
                    ..any()
                },
                false,
            ),
            (
                LogFilter {
                    most_level: Some(19),
                    ..any()
                },
                false,
            ),
            (
                LogFilter {
                    since: at(5),
                    until: at(5),
                    ..any()
                },
                true,
            ),
            (
                LogFilter {
                    since: at(6),
                    ..any()
                },
                false,
            ),
            (
                LogFilter {
                    until: at(4),
                    ..any()
                },
                false,
            ),
            (
                LogFilter {
                    flow_runs: Some([run].into()),
                    ..any()
                },
                true,
            ),
            (
                LogFilter {
                    flow_runs: Some([FlowRunId::new()].into()),
                    ..any()
                },
                false,
            ),
            (
                LogFilter {
                    flow_runs: Some(HashSet::new()),
                    ..any()
                },
                false,
            ),
            (
                LogFilter {
                    task_runs: Some([task].into()),
                    ..any()
                },
                false,
            ),
            (
                LogFilter {
                    is_of_task: Some(false),
                    ..any()
                },
                true,
            ),
            (
                LogFilter {
                    is_of_task: Some(true),
                    ..any()
                },
                false,
            ),
            (
                LogFilter {
                    text: text("hello -absent"),
                    ..any()
                },
                true,
            ),
            (
                LogFilter {
                    text: text("flow_runs"),
                    ..any()
                },
                true,
            ),
            (
                LogFilter {
                    text: text("hello -world"),
                    ..any()
                },
                false,
            ),
            (
                LogFilter {
                    text: text("+hello +absent"),
                    ..any()
                },
                false,
            ),
        ];
        for (filter, is_taken) in cases {
            assert_eq!(filter.takes(&log), is_taken, "{filter:?}");
        }
    }
}
