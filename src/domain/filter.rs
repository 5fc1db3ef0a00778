//! Filters, sorts and pages as typed values. What a dialect allows to be asked is its own
//! business; what can be asked of the store is here.

use super::ids::{DeploymentId, FlowId, FlowRunId, TaskRunId};
use super::state::StateType;
use super::time::Timestamp;

/// The most items that one page holds.
pub const MAX_PAGE: u64 = 200;

/// What has ids and names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Noun {
    /// Flows.
    Flow,
    /// Deployments.
    Deployment,
    /// Flow runs.
    FlowRun,
    /// Task runs.
    TaskRun,
}

impl Noun {
    /// What the word of a path means, such as `flow_runs`.
    pub fn from_word(word: &str) -> Option<Self> {
        Some(match word {
            "flows" => Self::Flow,
            "deployments" => Self::Deployment,
            "flow_runs" => Self::FlowRun,
            "task_runs" => Self::TaskRun,
            _ => return None,
        })
    }
}

/// Which part of the result to answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    /// At most so many items.
    pub limit: u64,
    /// After skipping so many.
    pub offset: u64,
}

impl Default for Page {
    fn default() -> Self {
        Self {
            limit: MAX_PAGE,
            offset: 0,
        }
    }
}

/// A question about tags.
#[derive(Clone, Debug, PartialEq)]
pub enum TagCriterion {
    /// Carries each of these.
    HasAll(Vec<String>),
    /// Carries none at all (true) or at least one (false).
    IsEmpty(bool),
}

/// A question about an instant that may be absent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum TimeCriterion {
    /// At this instant or earlier.
    AtOrBefore(Timestamp),
    /// At this instant or later.
    AtOrAfter(Timestamp),
    /// Absent (true) or present (false).
    IsNull(bool),
}

/// A question about a flow.
#[derive(Clone, Debug, PartialEq)]
pub enum FlowCriterion {
    /// One of these ids.
    IdIn(Vec<FlowId>),
    /// One of these names.
    NameIn(Vec<String>),
    /// By tags.
    Tags(TagCriterion),
}

/// A question about a deployment.
#[derive(Clone, Debug, PartialEq)]
pub enum DeploymentCriterion {
    /// One of these ids.
    IdIn(Vec<DeploymentId>),
    /// One of these names.
    NameIn(Vec<String>),
    /// Its schedule is followed, or not.
    ScheduleActive(bool),
    /// By tags.
    Tags(TagCriterion),
}

/// A question about a flow run.
#[derive(Clone, Debug, PartialEq)]
pub enum FlowRunCriterion {
    /// One of these ids.
    IdIn(Vec<FlowRunId>),
    /// None of these ids.
    IdNotIn(Vec<FlowRunId>),
    /// One of these names.
    NameIn(Vec<String>),
    /// A name that holds this, whatever its case; `%` stands for any characters, `_` for one.
    NameLike(String),
    /// By tags.
    Tags(TagCriterion),
    /// From one of these deployments.
    DeploymentIn(Vec<DeploymentId>),
    /// Without a deployment (true) or with one (false).
    DeploymentIsNull(bool),
    /// In a state of one of these types.
    StateTypeIn(Vec<StateType>),
    /// In a state of one of these names.
    StateNameIn(Vec<String>),
    /// Of one of these flow versions.
    FlowVersionIn(Vec<String>),
    /// By its start.
    StartTime(TimeCriterion),
    /// By its expected start.
    ExpectedStartTime(TimeCriterion),
    /// By when it is due next.
    NextScheduledStartTime(TimeCriterion),
    /// Stood for by one of these task runs.
    ParentTaskRunIn(Vec<TaskRunId>),
    /// Not a sub-flow's run (true) or one (false).
    ParentTaskRunIsNull(bool),
}

/// A question about a task run.
#[derive(Clone, Debug, PartialEq)]
pub enum TaskRunCriterion {
    /// One of these ids.
    IdIn(Vec<TaskRunId>),
    /// One of these names.
    NameIn(Vec<String>),
    /// By tags.
    Tags(TagCriterion),
    /// In a state of one of these types.
    StateTypeIn(Vec<StateType>),
    /// In a state of one of these names.
    StateNameIn(Vec<String>),
    /// By its start.
    StartTime(TimeCriterion),
    /// Stands for a sub-flow's run, or not.
    IsSubflow(bool),
}

/// A question about a log line.
#[derive(Clone, Debug, PartialEq)]
pub enum LogCriterion {
    /// Of this level or above.
    LevelAtLeast(i64),
    /// Of this level or below.
    LevelAtMost(i64),
    /// By its time; a log line's time is never absent.
    Timestamp(TimeCriterion),
    /// Said by one of these flow runs.
    FlowRunIn(Vec<FlowRunId>),
    /// Said by one of these task runs.
    TaskRunIn(Vec<TaskRunId>),
}

/// Questions about an item and the items around it. All given ones must hold; `Some` of an
/// empty list asks only that such a neighbour exists.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Filters {
    /// About its flow.
    pub flows: Option<Vec<FlowCriterion>>,
    /// About its flow run, or one of them.
    pub flow_runs: Option<Vec<FlowRunCriterion>>,
    /// About its task run, or one of them.
    pub task_runs: Option<Vec<TaskRunCriterion>>,
    /// About its deployment, or one of them.
    pub deployments: Option<Vec<DeploymentCriterion>>,
}

/// The order of flow runs and of task runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RunSort {
    /// Newest first.
    #[default]
    IdDesc,
    /// By expected start, earliest first.
    ExpectedStartTimeAsc,
    /// By expected start, latest first.
    ExpectedStartTimeDesc,
    /// By when they are due next, earliest first.
    NextScheduledStartTimeAsc,
    /// By their end, latest first.
    EndTimeDesc,
}

/// The column that log lines are ordered by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogKey {
    /// When it was said.
    Timestamp,
    /// Its level.
    Level,
    /// The flow run that said it.
    FlowRunId,
    /// The task run that said it.
    TaskRunId,
}

/// The order of log lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogSort {
    /// By what.
    pub key: LogKey,
    /// From the largest down.
    pub descending: bool,
}
