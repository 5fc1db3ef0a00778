//! A task run: one execution of a task within a flow run.

use serde_json::Value;

use super::JsonMap;
use super::ids::{FlowRunId, TaskRunId};
use super::run::RunStatistics;
use super::state::{ProposedState, State, StateType};
use super::time::{Span, Timestamp};

/// The most characters of the key by which a result is cached, as in the reference.
pub const LONGEST_CACHE_KEY: usize = 2000;
/// How many delays a policy may list, as in the reference.
pub const MOST_DELAYS: usize = 50;

/// How a task run retries.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct RetryPolicy {
    /// How many times a failed attempt is followed by another.
    pub max_retries: i64,
    /// How long to wait before it.
    pub retry_delay: Span,
}

impl RetryPolicy {
    /// As far as it can be said in these words, the policy that a modern client says: `retries`
    /// and `retry_delay`, which may be a list of delays, or the older `max_retries` and
    /// `retry_delay_seconds`.
    pub fn told(policy: &JsonMap) -> Self {
        let whole = |name| policy.get(name).and_then(Value::as_i64);
        let secs = |name| match policy.get(name) {
            Some(Value::Array(delays)) => delays.first().and_then(Value::as_f64),
            delay => delay.and_then(Value::as_f64),
        };
        let retries = whole("retries").filter(|retries| *retries != 0);
        let delay = secs("retry_delay").filter(|delay| *delay != 0.0);
        let delay = delay.or_else(|| secs("retry_delay_seconds"));
        Self {
            max_retries: retries.or_else(|| whole("max_retries")).unwrap_or_default(),
            retry_delay: delay.and_then(Span::of_secs).unwrap_or_default(),
        }
    }
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
    /// How often its flow run had run when it last began to.
    pub flow_run_run_count: i64,
    /// Counts and times.
    pub statistics: RunStatistics,
    /// Where it stands; absent only between two steps of one transaction.
    pub state: Option<State>,
}

impl TaskRun {
    /// A run that begins now, and the state that it should enter first.
    pub fn create(new: NewTaskRun, now: Timestamp) -> (Self, ProposedState) {
        let run = Self {
            id: new.id.unwrap_or_default(),
            created: now,
            updated: now,
            spec: new.spec,
            flow_run_run_count: 0,
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
    /// The flow run that it is part of; absent for a task that runs outside of any flow.
    pub flow_run_id: Option<FlowRunId>,
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
    /// How it retries as a modern client says it, with all that it says; empty for others.
    pub empirical_policy: JsonMap,
    /// Tags.
    pub tags: Vec<String>,
    /// Labels: plain values by their names.
    pub labels: JsonMap,
    /// Where its arguments come from: by argument, a list of objects with an `input_type`.
    pub task_inputs: JsonMap,
}

/// A task run to be created.
#[derive(Clone, Debug, PartialEq)]
pub struct NewTaskRun {
    /// Its id; absent: a new one.
    pub id: Option<TaskRunId>,
    /// What it is.
    pub spec: TaskRunSpec,
    /// Its first state; absent: Pending.
    pub state: Option<ProposedState>,
}

/// What may be changed of a task run after its creation; what is absent stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TaskRunUpdate {
    /// The name.
    pub name: Option<String>,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_a_modern_client_says_of_retries_is_understood() {
        for (told, max_retries, micros) in [
            (json!({}), 0, 0),
            (json!({ "retries": 2, "retry_delay": 0.5 }), 2, 500_000),
            (json!({ "retries": 3, "retry_delay": [1, 2] }), 3, 1_000_000),
            (
                json!({ "retries": null, "max_retries": 4, "retry_delay_seconds": 2 }),
                4,
                2_000_000,
            ),
            (json!({ "retries": "x", "retry_delay": [] }), 0, 0),
        ] {
            let policy = RetryPolicy::told(told.as_object().unwrap());
            assert_eq!(policy.max_retries, max_retries, "{told}");
            assert_eq!(policy.retry_delay.micros(), micros, "{told}");
        }
    }
}
