//! Filters, sorts and pages. An operator that is not understood is refused, never passed
//! over.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::Instant;
use crate::domain::error::{Error, Result};
use crate::domain::filter::{
    DeploymentCriterion, Filters, FlowCriterion, FlowRunCriterion, LogCriterion, LogKey, LogSort,
    MAX_PAGE, Page, RunSort, TagCriterion, TaskRunCriterion, TimeCriterion,
};
use crate::domain::ids::{DeploymentId, FlowId, FlowRunId, TaskRunId};
use crate::domain::state::StateType;

/// The most characters of a part of a name.
const MAX_LIKE: usize = 200;

/// The body of the `filter` and `count` routes.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Query {
    /// About flows.
    pub flows: Option<FlowFilter>,
    /// About flow runs.
    pub flow_runs: Option<FlowRunFilter>,
    /// About task runs.
    pub task_runs: Option<TaskRunFilter>,
    /// About deployments.
    pub deployments: Option<DeploymentFilter>,
    /// The order, by the modern API's words.
    pub sort: Option<String>,
    /// At most so many.
    pub limit: Option<u64>,
    /// After skipping so many.
    pub offset: u64,
}

/// By id.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ById {
    /// One of these.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub any_: Option<Vec<Uuid>>,
    /// None of these; only flow runs are asked so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_any_: Option<Vec<Uuid>>,
    /// Absent or present; only where an id may be absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_null_: Option<bool>,
}

/// By text.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ByText {
    /// One of these.
    pub any_: Option<Vec<String>>,
}

/// By name.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ByName {
    /// One of these.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub any_: Option<Vec<String>>,
    /// Holding this, whatever its case; as in Prefect `%` stands for any characters and `_` for
    /// one. 200 characters at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub like_: Option<String>,
}

/// By tags.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ByTags {
    /// All of these.
    pub all_: Option<Vec<String>>,
    /// None at all, or some.
    pub is_null_: Option<bool>,
}

/// By an instant.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ByTime {
    /// Then or earlier.
    pub before_: Option<Instant>,
    /// Then or later.
    pub after_: Option<Instant>,
    /// Absent or present.
    pub is_null_: Option<bool>,
}

/// By state.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ByState {
    /// By its type.
    #[serde(rename = "type")]
    pub kind: Option<ByText>,
    /// By its name.
    pub name: Option<ByText>,
}

/// About flows.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct FlowFilter {
    /// By id.
    pub id: Option<ById>,
    /// By name.
    pub name: Option<ByText>,
    /// By tags.
    pub tags: Option<ByTags>,
}

/// About deployments.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct DeploymentFilter {
    /// By id.
    pub id: Option<ById>,
    /// By name.
    pub name: Option<ByText>,
    /// By tags.
    pub tags: Option<ByTags>,
}

/// About flow runs.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct FlowRunFilter {
    /// By id.
    pub id: Option<ById>,
    /// By name.
    pub name: Option<ByName>,
    /// By tags.
    pub tags: Option<ByTags>,
    /// By deployment.
    pub deployment_id: Option<ById>,
    /// By state.
    pub state: Option<ByState>,
    /// By flow version.
    pub flow_version: Option<ByText>,
    /// By start.
    pub start_time: Option<ByTime>,
    /// By expected start.
    pub expected_start_time: Option<ByTime>,
    /// By when they are due next.
    pub next_scheduled_start_time: Option<ByTime>,
    /// By the task run that stands for them.
    pub parent_task_run_id: Option<ById>,
}

/// About task runs.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TaskRunFilter {
    /// By id.
    pub id: Option<ById>,
    /// By name.
    pub name: Option<ByText>,
    /// By tags.
    pub tags: Option<ByTags>,
    /// By state.
    pub state: Option<ByState>,
    /// By start.
    pub start_time: Option<ByTime>,
}

impl Query {
    /// What is asked, in what order, and which part of it.
    pub fn parts(self) -> Result<(Filters, RunSort, Page)> {
        let sort = match self.sort.as_deref() {
            None | Some("ID_DESC") => RunSort::IdDesc,
            Some("EXPECTED_START_TIME_ASC") => RunSort::ExpectedStartTimeAsc,
            Some("EXPECTED_START_TIME_DESC") => RunSort::ExpectedStartTimeDesc,
            Some("NEXT_SCHEDULED_START_TIME_ASC") => RunSort::NextScheduledStartTimeAsc,
            Some("END_TIME_DESC") => RunSort::EndTimeDesc,
            Some(other) => return Err(Error::invalid(format!("Unknown sort {other:?}."))),
        };
        let page = page(self.limit, self.offset)?;
        let filters = Filters {
            flows: self.flows.map(FlowFilter::criteria).transpose()?,
            flow_runs: self.flow_runs.map(FlowRunFilter::criteria).transpose()?,
            task_runs: self.task_runs.map(TaskRunFilter::criteria).transpose()?,
            deployments: self
                .deployments
                .map(DeploymentFilter::criteria)
                .transpose()?,
        };
        Ok((filters, sort, page))
    }
}

fn page(limit: Option<u64>, offset: u64) -> Result<Page> {
    let limit = limit.unwrap_or(MAX_PAGE);
    if limit > MAX_PAGE {
        return Err(Error::invalid(format!("limit must be at most {MAX_PAGE}.")));
    }
    Ok(Page { limit, offset })
}

impl FlowFilter {
    fn criteria(self) -> Result<Vec<FlowCriterion>> {
        let mut asked = Vec::new();
        asked
            .extend(only_any(self.id)?.map(|ids| FlowCriterion::IdIn(all(ids, FlowId::from_uuid))));
        asked.extend(text(self.name).map(FlowCriterion::NameIn));
        asked.extend(tags(self.tags).map(FlowCriterion::Tags));
        Ok(asked)
    }
}

impl DeploymentFilter {
    fn criteria(self) -> Result<Vec<DeploymentCriterion>> {
        use DeploymentCriterion as Ask;
        let mut asked = Vec::new();
        asked.extend(only_any(self.id)?.map(|ids| Ask::IdIn(all(ids, DeploymentId::from_uuid))));
        asked.extend(text(self.name).map(Ask::NameIn));
        asked.extend(tags(self.tags).map(Ask::Tags));
        Ok(asked)
    }
}

impl FlowRunFilter {
    fn criteria(self) -> Result<Vec<FlowRunCriterion>> {
        use FlowRunCriterion as Ask;
        let mut asked = Vec::new();
        if let Some(mut id) = self.id {
            let except = id.not_any_.take();
            asked.extend(except.map(|ids| Ask::IdNotIn(all(ids, FlowRunId::from_uuid))));
            asked.extend(only_any(Some(id))?.map(|ids| Ask::IdIn(all(ids, FlowRunId::from_uuid))));
        }
        let name = self.name.unwrap_or_default();
        asked.extend(name.any_.map(Ask::NameIn));
        asked.extend(name.like_.map(held).transpose()?.map(Ask::NameLike));
        asked.extend(tags(self.tags).map(Ask::Tags));
        if let Some(mut id) = self.deployment_id {
            asked.extend(id.is_null_.take().map(Ask::DeploymentIsNull));
            let ids = only_any(Some(id))?;
            asked.extend(ids.map(|ids| Ask::DeploymentIn(all(ids, DeploymentId::from_uuid))));
        }
        if let Some(state) = self.state {
            asked.extend(kinds(state.kind)?.map(Ask::StateTypeIn));
            asked.extend(text(state.name).map(Ask::StateNameIn));
        }
        asked.extend(text(self.flow_version).map(Ask::FlowVersionIn));
        asked.extend(times(self.start_time).map(Ask::StartTime));
        asked.extend(times(self.expected_start_time).map(Ask::ExpectedStartTime));
        asked.extend(times(self.next_scheduled_start_time).map(Ask::NextScheduledStartTime));
        if let Some(mut id) = self.parent_task_run_id {
            asked.extend(id.is_null_.take().map(Ask::ParentTaskRunIsNull));
            let ids = only_any(Some(id))?;
            asked.extend(ids.map(|ids| Ask::ParentTaskRunIn(all(ids, TaskRunId::from_uuid))));
        }
        Ok(asked)
    }
}

impl TaskRunFilter {
    fn criteria(self) -> Result<Vec<TaskRunCriterion>> {
        use TaskRunCriterion as Ask;
        let mut asked = Vec::new();
        asked.extend(only_any(self.id)?.map(|ids| Ask::IdIn(all(ids, TaskRunId::from_uuid))));
        asked.extend(text(self.name).map(Ask::NameIn));
        asked.extend(tags(self.tags).map(Ask::Tags));
        if let Some(state) = self.state {
            asked.extend(kinds(state.kind)?.map(Ask::StateTypeIn));
            asked.extend(text(state.name).map(Ask::StateNameIn));
        }
        asked.extend(times(self.start_time).map(Ask::StartTime));
        Ok(asked)
    }
}

/// The body of the logs' `filter` route.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct LogQuery {
    /// About lines.
    pub logs: Option<LogFilter>,
    /// `TIMESTAMP_ASC` or `TIMESTAMP_DESC`.
    pub sort: Option<String>,
    /// At most so many.
    pub limit: Option<u64>,
    /// After skipping so many.
    pub offset: u64,
}

/// About lines.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct LogFilter {
    /// By level.
    pub level: Option<ByLevel>,
    /// By time.
    pub timestamp: Option<ByTime>,
    /// By the flow run that said them.
    pub flow_run_id: Option<ById>,
    /// By the task run that said them.
    pub task_run_id: Option<ById>,
}

/// By level.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ByLevel {
    /// Of this level or above.
    pub ge_: Option<i64>,
    /// Of this level or below.
    pub le_: Option<i64>,
}

impl LogQuery {
    /// What one flow run said, from a line on.
    pub fn of_flow_run(id: Uuid, offset: u64) -> Self {
        let run = ById {
            any_: Some(vec![id]),
            ..ById::default()
        };
        Self {
            logs: Some(LogFilter {
                flow_run_id: Some(run),
                ..LogFilter::default()
            }),
            offset,
            ..Self::default()
        }
    }

    /// What is asked, in what order, and which part of it.
    pub fn parts(self) -> Result<(Vec<LogCriterion>, LogSort, Page)> {
        use LogCriterion as Ask;
        let descending = match self.sort.as_deref() {
            None | Some("TIMESTAMP_ASC") => false,
            Some("TIMESTAMP_DESC") => true,
            Some(other) => return Err(Error::invalid(format!("Unknown sort {other:?}."))),
        };
        let sort = LogSort {
            key: LogKey::Timestamp,
            descending,
        };
        let filter = self.logs.unwrap_or_default();
        let mut asked = Vec::new();
        let level = filter.level.unwrap_or_default();
        asked.extend(level.ge_.map(Ask::LevelAtLeast));
        asked.extend(level.le_.map(Ask::LevelAtMost));
        asked.extend(times(filter.timestamp).map(Ask::Timestamp));
        let runs = only_any(filter.flow_run_id)?;
        asked.extend(runs.map(|ids| Ask::FlowRunIn(all(ids, FlowRunId::from_uuid))));
        let tasks = only_any(filter.task_run_id)?;
        asked.extend(tasks.map(|ids| Ask::TaskRunIn(all(ids, TaskRunId::from_uuid))));
        Ok((asked, sort, page(self.limit, self.offset)?))
    }
}

fn all<T>(ids: Vec<Uuid>, from: impl Fn(Uuid) -> T) -> Vec<T> {
    ids.into_iter().map(from).collect()
}

/// The ids asked for, where nothing else can be asked.
fn only_any(by: Option<ById>) -> Result<Option<Vec<Uuid>>> {
    let by = by.unwrap_or_default();
    if by.not_any_.is_some() || by.is_null_.is_some() {
        return Err(Error::invalid(
            "not_any_ and is_null_ cannot be asked of this id.",
        ));
    }
    Ok(by.any_)
}

/// A part of a name that is short enough to be looked for in many.
fn held(part: String) -> Result<String> {
    match part.chars().count() {
        0..=MAX_LIKE => Ok(part),
        _ => Err(Error::invalid(format!(
            "like_ must have at most {MAX_LIKE} characters."
        ))),
    }
}

fn text(by: Option<ByText>) -> Option<Vec<String>> {
    by.and_then(|by| by.any_)
}

fn tags(by: Option<ByTags>) -> impl Iterator<Item = TagCriterion> {
    let by = by.unwrap_or_default();
    let all = by.all_.map(TagCriterion::HasAll);
    all.into_iter()
        .chain(by.is_null_.map(TagCriterion::IsEmpty))
}

fn times(by: Option<ByTime>) -> impl Iterator<Item = TimeCriterion> {
    let by = by.unwrap_or_default();
    let before = by.before_.map(|at| TimeCriterion::AtOrBefore(at.into()));
    let after = by.after_.map(|at| TimeCriterion::AtOrAfter(at.into()));
    before
        .into_iter()
        .chain(after)
        .chain(by.is_null_.map(TimeCriterion::IsNull))
}

fn kinds(by: Option<ByText>) -> Result<Option<Vec<StateType>>> {
    let read = |word: String| {
        StateType::from_word(&word)
            .ok_or_else(|| Error::invalid(format!("There is no state type {word:?}.")))
    };
    text(by)
        .map(|words| words.into_iter().map(read).collect())
        .transpose()
}
