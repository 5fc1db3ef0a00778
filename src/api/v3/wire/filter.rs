//! Filters, sorts and pages of the nouns.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::operators::{ById, ByLevel, ByName, ByTags, ByText, ByTime, all, asked};
use crate::domain::error::{Error, Result};
use crate::domain::filter::{
    Criteria, Filters, MAX_PAGE, Page, RUN_SORTS, Sort, deployment, flow, flow_run, log, task_run,
};

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
    pub fn parts(self) -> Result<(Filters, Sort, Page)> {
        let sort = sort(self.sort.as_deref(), RUN_SORTS, Sort::NEWEST)?;
        let page = page(self.limit, self.offset)?;
        let filters = Filters {
            flows: self.flows.map(FlowFilter::criteria).transpose()?,
            flow_runs: self.flow_runs.map(FlowRunFilter::criteria).transpose()?,
            task_runs: self.task_runs.map(TaskRunFilter::criteria).transpose()?,
            deployments: self
                .deployments
                .map(DeploymentFilter::criteria)
                .transpose()?,
            ..Filters::default()
        };
        Ok((filters, sort, page))
    }
}

/// The order that a word names.
pub fn sort(word: Option<&str>, sorts: &[(&str, Sort)], default: Sort) -> Result<Sort> {
    let Some(word) = word else {
        return Ok(default);
    };
    let known = sorts.iter().find(|(known, _)| *known == word);
    known
        .map(|(_, sort)| *sort)
        .ok_or_else(|| Error::invalid(format!("Unknown sort {word:?}.")))
}

/// A page of at most `MAX_PAGE` items.
pub fn page(limit: Option<u64>, offset: u64) -> Result<Page> {
    let limit = limit.unwrap_or(MAX_PAGE);
    if limit > MAX_PAGE {
        return Err(Error::invalid(format!("limit must be at most {MAX_PAGE}.")));
    }
    Ok(Page { limit, offset })
}

/// How the criteria of a filter go together: all of them hold (`and_`).
///
/// # Errors
/// [`Kind::Invalid`](crate::domain::error::Kind::Invalid) for any other word.
pub fn check_operator(operator: Option<&str>) -> Result<()> {
    match operator {
        None | Some("and_") => Ok(()),
        Some(other) => Err(Error::invalid(format!(
            "The operator {other:?} is not understood here; and_ is."
        ))),
    }
}

impl FlowFilter {
    fn criteria(self) -> Result<Criteria> {
        let Self { id, name, tags } = self;
        all([
            asked(&flow::ID, id),
            asked(&flow::NAME, name),
            asked(&flow::TAGS, tags),
        ])
    }
}

impl DeploymentFilter {
    fn criteria(self) -> Result<Criteria> {
        let Self { id, name, tags } = self;
        all([
            asked(&deployment::ID, id),
            asked(&deployment::NAME, name),
            asked(&deployment::TAGS, tags),
        ])
    }
}

impl FlowRunFilter {
    fn criteria(self) -> Result<Criteria> {
        use flow_run as field;
        let state = self.state.unwrap_or_default();
        all([
            asked(&field::ID, self.id),
            asked(&field::NAME, self.name),
            asked(&field::TAGS, self.tags),
            asked(&field::DEPLOYMENT_ID, self.deployment_id),
            asked(&field::STATE_TYPE, state.kind),
            asked(&field::STATE_NAME, state.name),
            asked(&field::FLOW_VERSION, self.flow_version),
            asked(&field::START_TIME, self.start_time),
            asked(&field::EXPECTED_START_TIME, self.expected_start_time),
            asked(
                &field::NEXT_SCHEDULED_START_TIME,
                self.next_scheduled_start_time,
            ),
            asked(&field::PARENT_TASK_RUN_ID, self.parent_task_run_id),
        ])
    }
}

impl TaskRunFilter {
    fn criteria(self) -> Result<Criteria> {
        use task_run as field;
        let state = self.state.unwrap_or_default();
        all([
            asked(&field::ID, self.id),
            asked(&field::NAME, self.name),
            asked(&field::TAGS, self.tags),
            asked(&field::STATE_TYPE, state.kind),
            asked(&field::STATE_NAME, state.name),
            asked(&field::START_TIME, self.start_time),
        ])
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
    pub fn parts(self) -> Result<(Criteria, Sort, Page)> {
        let by_time = |(_, sort): &&(&str, Sort)| sort.column == log::OLDEST.column;
        let sorts: Vec<_> = log::SORTS.iter().filter(by_time).copied().collect();
        let sort = sort(self.sort.as_deref(), &sorts, log::OLDEST)?;
        let filter = self.logs.unwrap_or_default();
        let criteria = all([
            asked(&log::LEVEL, filter.level),
            asked(&log::TIMESTAMP, filter.timestamp),
            asked(&log::FLOW_RUN_ID, filter.flow_run_id),
            asked(&log::TASK_RUN_ID, filter.task_run_id),
        ])?;
        Ok((criteria, sort, page(self.limit, self.offset)?))
    }
}
