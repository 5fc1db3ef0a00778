//! A line that a flow, a task or a run's process said.

use super::ids::{FlowRunId, LogId, TaskRunId};
use super::time::Timestamp;

/// The logger under which a container's or subprocess's own output is kept.
pub const OUTPUT_LOGGER: &str = "prefectd.container";
/// The logger under which the agent tells what it does for a run.
pub const AGENT_LOGGER: &str = "prefectd.agent";

/// Python's level for ordinary messages.
pub const INFO: i64 = 20;
/// Python's level for errors.
pub const ERROR: i64 = 40;

/// Where a process printed a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// On its standard output.
    Stdout,
    /// On its standard error.
    Stderr,
}

impl Stream {
    /// The word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Stream::Stdout => "stdout",
            Stream::Stderr => "stderr",
        }
    }

    /// What the word means.
    pub fn from_word(word: &str) -> Option<Self> {
        [Stream::Stdout, Stream::Stderr]
            .into_iter()
            .find(|stream| stream.word() == word)
    }
}

/// A log line as it is stored.
#[derive(Clone, Debug, PartialEq)]
pub struct Log {
    /// Its id.
    pub id: LogId,
    /// When it was stored.
    pub created: Timestamp,
    /// What was said, and when.
    pub line: NewLog,
}

/// A log line as somebody sends it.
#[derive(Clone, Debug, PartialEq)]
pub struct NewLog {
    /// The logger's name.
    pub name: String,
    /// Python's level number: 10 debug, 20 info, 30 warning, 40 error, 50 critical.
    pub level: i64,
    /// The line itself.
    pub message: String,
    /// When it was said.
    pub timestamp: Timestamp,
    /// The flow run that said it; a task that runs outside of any flow has none.
    pub flow_run_id: Option<FlowRunId>,
    /// The task run, when a task said it.
    pub task_run_id: Option<TaskRunId>,
    /// Where a run's process printed it; absent for what was logged.
    pub stream: Option<Stream>,
}

/// A line's place in its run's log: lines are in the order of their time, equal times in the
/// order of arrival.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogPosition {
    /// When the line was said.
    pub at: Timestamp,
    /// Its id.
    pub id: LogId,
}

/// From where on, and in which order, lines of a run are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// After that place, or from the first line on, in the log's order.
    After(Option<LogPosition>),
    /// Before that place, or from the last line on, backwards.
    Before(Option<LogPosition>),
    /// What was stored after that line, in the order of arrival; ids grow with it.
    Arrived(LogId),
}

/// Lines of one run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The run.
    pub run: FlowRunId,
    /// Of this level or above.
    pub level: i64,
    /// Said then or later.
    pub since: Option<Timestamp>,
    /// Which of them.
    pub from: Start,
    /// At most so many.
    pub limit: u64,
}

/// A page of a run's lines.
#[derive(Clone, Debug, PartialEq)]
pub struct Lines {
    /// The lines.
    pub lines: Vec<Log>,
    /// The line of any run that was stored last when they were read.
    pub last: Option<LogId>,
}

/// How a run's log stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutputState {
    /// Whether the run has ended.
    pub ended: bool,
    /// Whether nothing more is to be expected in its log.
    pub complete: bool,
    /// Whether the agent that stores what its process printed is there; true where none does.
    pub agent_is_there: bool,
}

/// How much of a run's own output is stored: whoever attaches to it again goes on from here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OutputSeen {
    /// How many lines in all.
    pub lines: u64,
    /// The last line's time, and how many lines carry it.
    pub last: Option<(Timestamp, u64)>,
}

impl OutputSeen {
    /// Another line was seen, of that time.
    pub fn count(&mut self, at: Timestamp) {
        self.lines += 1;
        self.last = match self.last {
            Some((last, lines)) if last == at => Some((at, lines + 1)),
            _ => Some((at, 1)),
        };
    }
}
