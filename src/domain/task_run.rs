//! A task run: one execution of a task within a flow run.

use super::JsonMap;
use super::ids::{FlowRunId, TaskRunId};
use super::run::RunStatistics;
use super::state::{ProposedState, State, StateType};
use super::time::{Span, Timestamp};

/// How a task run retries.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct RetryPolicy {
    /// How many times a failed attempt is followed by another.
    pub max_retries: i64,
    /// How long to wait before it.
    pub retry_delay: Span,
}

/// A task run as it is stored.
#[derive(Clone, Debug, PartialEq)]
pub struct TaskRun {
    /// Its id.
    pub id: TaskRunId,
    /// When it was created.
    pub created: Timestamp,
    /// When it last changed.
    pub updated: Timestamp,
    /// What the client said of it, its first state apart.
    pub spec: TaskRunSpec,
    /// Counts and times.
    pub statistics: RunStatistics,
    /// Where it stands; absent only between two steps of one transaction.
    pub state: Option<State>,
}

impl TaskRun {
    /// A run that begins now, and the state that it should enter first.
    pub fn create(new: NewTaskRun, now: Timestamp) -> (Self, ProposedState) {
        let run = Self {
            id: TaskRunId::new(),
            created: now,
            updated: now,
            spec: new.spec,
            statistics: RunStatistics::default(),
            state: None,
        };
        let pending = || ProposedState::new(StateType::Pending);
        (run, new.state.unwrap_or_else(pending))
    }
}

/// What a client says of a task run and what stays with it.
#[derive(Clone, Debug, PartialEq)]
pub struct TaskRunSpec {
    /// Its name.
    pub name: String,
    /// The flow run that it is part of.
    pub flow_run_id: FlowRunId,
    /// Names the task within the flow's code.
    pub task_key: String,
    /// Tells apart the runs of one task within one flow run.
    pub dynamic_key: String,
    /// The key under which its result is cached.
    pub cache_key: Option<String>,
    /// Until when that holds.
    pub cache_expiration: Option<Timestamp>,
    /// The task's version.
    pub task_version: Option<String>,
    /// How it retries.
    pub policy: RetryPolicy,
    /// Tags.
    pub tags: Vec<String>,
    /// Where its arguments come from: by argument, a list of objects with an `input_type`.
    pub task_inputs: JsonMap,
}

/// A task run to be created.
#[derive(Clone, Debug, PartialEq)]
pub struct NewTaskRun {
    /// What it is.
    pub spec: TaskRunSpec,
    /// Its first state; absent: Pending.
    pub state: Option<ProposedState>,
}
