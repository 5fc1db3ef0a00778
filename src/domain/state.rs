//! States: where a run stands and what it carries there.
//!
//! ```text
//! Scheduled ──► Pending ──► Running ──► Completed
//!     ▲                       │  │ ├──► Failed
//!     └──── AwaitingRetry ◄───┘  │ └──► Crashed
//!                                ├────► Paused ──► Running
//!                                └────► Cancelling ──► Cancelled
//! ```

use std::collections::BTreeMap;
use std::fmt;

use serde_json::Value;
use uuid::Uuid;

use super::JsonMap;
use super::ids::{FlowRunId, LeaseId, StateId, TaskRunId};
use super::time::Timestamp;

/// What kind of place a state is. The set is that of the modern API; the 2.0a7 generation
/// knows the first six.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StateType {
    /// To be started at a time.
    Scheduled,
    /// Taken by an agent, infrastructure on its way.
    Pending,
    /// The flow's or task's code runs.
    Running,
    /// Ended well.
    Completed,
    /// Ended by its own error.
    Failed,
    /// Ended by somebody's wish.
    Cancelled,
    /// Ended by its infrastructure: killed, out of memory, never started.
    Crashed,
    /// Waits for somebody to resume it.
    Paused,
    /// Somebody asked for its end; the infrastructure is being stopped.
    Cancelling,
}

impl StateType {
    /// Every type, in the order in which the modern API lists them.
    pub const ALL: [StateType; 9] = [
        StateType::Scheduled,
        StateType::Pending,
        StateType::Running,
        StateType::Completed,
        StateType::Failed,
        StateType::Cancelled,
        StateType::Crashed,
        StateType::Paused,
        StateType::Cancelling,
    ];

    /// True when a run in such a state has ended.
    pub const fn is_terminal(self) -> bool {
        matches!(
            self,
            StateType::Completed | StateType::Failed | StateType::Cancelled | StateType::Crashed
        )
    }

    /// The type's word, as rows and both dialects write it.
    pub const fn word(self) -> &'static str {
        match self {
            StateType::Scheduled => "SCHEDULED",
            StateType::Pending => "PENDING",
            StateType::Running => "RUNNING",
            StateType::Completed => "COMPLETED",
            StateType::Failed => "FAILED",
            StateType::Cancelled => "CANCELLED",
            StateType::Crashed => "CRASHED",
            StateType::Paused => "PAUSED",
            StateType::Cancelling => "CANCELLING",
        }
    }

    /// The type that a word names; `None` for any other word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }

    /// The name of a state whose proposer gave none: the type's word, capitalised.
    pub fn default_name(self) -> String {
        let (first, rest) = self.word().split_at(1);
        format!("{first}{}", rest.to_ascii_lowercase())
    }
}

impl fmt::Display for StateType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// What a state knows beyond its type.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StateDetails {
    /// The flow run it belongs to.
    pub flow_run_id: Option<FlowRunId>,
    /// The task run it belongs to; on a sub-flow's state, the parent's task run.
    pub task_run_id: Option<TaskRunId>,
    /// On the state of a task run that stands for a sub-flow: that sub-flow's run.
    pub child_flow_run_id: Option<FlowRunId>,
    /// When a scheduled state is due.
    pub scheduled_time: Option<Timestamp>,
    /// The key under which a completed task's result is cached.
    pub cache_key: Option<String>,
    /// Until when that cache entry holds; absent: for ever.
    pub cache_expiration: Option<Timestamp>,
    /// When a pause that nobody resumes is over.
    pub pause_timeout: Option<Timestamp>,
    /// Whether a paused run's process ends, so that it goes on by a new one.
    pub pause_reschedule: bool,
    /// Names a pause within its attempt.
    pub pause_key: Option<String>,
    /// By which keys a paused run's input is kept: `schema`, `response`, `description`.
    pub run_input_keyset: Option<BTreeMap<String, String>>,
    /// Whether a task runs although its result is cached.
    pub refresh_cache: Option<bool>,
    /// Whether a failed task may be tried again; absent: as its policy says.
    pub retriable: Option<bool>,
    /// Names a step, so that one that is told twice is taken once.
    pub transition_id: Option<Uuid>,
    /// The run's hold on a slot of its deployment.
    pub lease: Option<LeaseId>,
    /// Details that only some dialect or the agent knows, kept as they came.
    pub extra: JsonMap,
}

/// A state in a run's history.
#[derive(Clone, Debug, PartialEq)]
pub struct State {
    /// Its id.
    pub id: StateId,
    /// What kind of place it is.
    pub kind: StateType,
    /// Its name: the kind's own, or a finer one such as "AwaitingRetry" or "Late".
    pub name: String,
    /// When the run came here.
    pub timestamp: Timestamp,
    /// Why, for people.
    pub message: Option<String>,
    /// The result document, as the client wrote it.
    pub data: Option<Value>,
    /// The rest.
    pub details: StateDetails,
}

impl StateDetails {
    /// Whether its task was handed in for others to run, in the background.
    pub fn is_deferred(&self) -> bool {
        self.extra.get("deferred") == Some(&Value::Bool(true))
    }
}

impl State {
    /// Whether a task waits here for those who run tasks in the background.
    pub fn waits_in_background(&self) -> bool {
        self.kind == StateType::Scheduled && self.details.is_deferred()
    }

    /// A new state at `at`, from what was proposed.
    pub fn enter(proposed: ProposedState, at: Timestamp) -> Self {
        let mut details = proposed.details;
        if proposed.kind == StateType::Scheduled && details.scheduled_time.is_none() {
            details.scheduled_time = Some(at);
        }
        Self {
            id: proposed.id.unwrap_or_default(),
            kind: proposed.kind,
            name: proposed
                .name
                .unwrap_or_else(|| proposed.kind.default_name()),
            timestamp: at,
            message: proposed.message,
            data: proposed.data,
            details,
        }
    }

    /// The same place proposed anew: everything but the id and the time.
    pub fn as_proposal(&self) -> ProposedState {
        ProposedState {
            id: None,
            kind: self.kind,
            name: Some(self.name.clone()),
            message: self.message.clone(),
            data: self.data.clone(),
            details: self.details.clone(),
            worker: None,
        }
    }
}

/// A state that somebody would like a run to be in.
#[derive(Clone, Debug, PartialEq)]
pub struct ProposedState {
    /// The id that the state gets; absent: a new one. Whoever may have to propose a state
    /// again, because the answer was lost, names it the same each time.
    pub id: Option<StateId>,
    /// What kind of place it is.
    pub kind: StateType,
    /// Its name; absent: the kind's own.
    pub name: Option<String>,
    /// Why, for people.
    pub message: Option<String>,
    /// The result document.
    pub data: Option<Value>,
    /// The rest.
    pub details: StateDetails,
    /// The worker of a work pool that proposes it, or that made the process which does.
    pub worker: Option<String>,
}

impl ProposedState {
    /// A state of that kind and nothing more.
    pub fn new(kind: StateType) -> Self {
        Self {
            id: None,
            kind,
            name: None,
            message: None,
            data: None,
            details: StateDetails::default(),
            worker: None,
        }
    }

    /// A scheduled state that is due at `at`.
    pub fn scheduled(at: Timestamp) -> Self {
        let mut proposed = Self::new(StateType::Scheduled);
        proposed.details.scheduled_time = Some(at);
        proposed
    }

    /// The same with a message for people.
    #[must_use]
    pub fn because(mut self, message: impl Into<String>) -> Self {
        self.message = Some(message.into());
        self
    }

    /// The same under a finer name.
    #[must_use]
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_names_its_own_type() {
        for kind in StateType::ALL {
            assert_eq!(StateType::from_word(kind.word()), Some(kind));
        }
        assert_eq!(StateType::from_word("completed"), None);
    }

    #[test]
    fn a_state_without_a_name_is_called_after_its_type() {
        let at = Timestamp::from_micros(7);
        let state = State::enter(ProposedState::new(StateType::Cancelling), at);
        assert_eq!(state.name, "Cancelling");
        assert_eq!(state.timestamp, at);
    }

    #[test]
    fn a_scheduled_state_without_a_time_is_due_at_once() {
        let at = Timestamp::from_micros(7);
        let state = State::enter(ProposedState::new(StateType::Scheduled), at);
        assert_eq!(state.details.scheduled_time, Some(at));
    }
}
