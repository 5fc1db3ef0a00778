//! Filters, sorts and pages. An operator that is not understood is refused, never passed
//! over.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::Instant;
use crate::domain::error::{Error, Result};
use crate::domain::filter::{
    Criteria, Field, Filters, Holds, MAX_PAGE, Page, RUN_SORTS, Sort, Test, Values, deployment,
    flow, flow_run, log, task_run,
};
use crate::domain::state::StateType;
use crate::domain::time::Timestamp;

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
            logs: None,
        };
        Ok((filters, sort, page))
    }
}

fn sort(word: Option<&str>, sorts: &[(&str, Sort)], default: Sort) -> Result<Sort> {
    let Some(word) = word else {
        return Ok(default);
    };
    let known = sorts.iter().find(|(known, _)| *known == word);
    known
        .map(|(_, sort)| *sort)
        .ok_or_else(|| Error::invalid(format!("Unknown sort {word:?}.")))
}

fn page(limit: Option<u64>, offset: u64) -> Result<Page> {
    let limit = limit.unwrap_or(MAX_PAGE);
    if limit > MAX_PAGE {
        return Err(Error::invalid(format!("limit must be at most {MAX_PAGE}.")));
    }
    Ok(Page { limit, offset })
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

/// An object whose members are operators.
trait Operators {
    /// What they ask of a field; refused where that cannot be asked so.
    fn tests(self, of: &Field) -> Result<Vec<Test>>;
}

/// The criteria of an object on a field.
fn asked(field: &'static Field, by: Option<impl Operators>) -> Result<Criteria> {
    let tests = by.map_or(Ok(Vec::new()), |by| by.tests(field))?;
    Ok(tests.into_iter().map(|test| field.asked(test)).collect())
}

fn all<const N: usize>(parts: [Result<Criteria>; N]) -> Result<Criteria> {
    let parts: Result<Vec<_>> = parts.into_iter().collect();
    Ok(parts?.into_iter().flatten().collect())
}

impl Operators for ById {
    fn tests(self, of: &Field) -> Result<Vec<Test>> {
        let is_refused = (self.not_any_.is_some() && !of.may_exclude)
            || (self.is_null_.is_some() && !of.may_be_null);
        if is_refused {
            return Err(Error::invalid(
                "not_any_ and is_null_ cannot be asked of this id.",
            ));
        }
        let except = self.not_any_.map(|ids| Test::NotIn(Values::Ids(ids)));
        let one_of = self.any_.map(|ids| Test::In(Values::Ids(ids)));
        let is_null = self.is_null_.map(Test::IsNull);
        Ok([except, one_of, is_null].into_iter().flatten().collect())
    }
}

impl Operators for ByText {
    fn tests(self, of: &Field) -> Result<Vec<Test>> {
        let Some(words) = self.any_ else {
            return Ok(Vec::new());
        };
        if of.holds == Holds::StateType
            && let Some(word) = words
                .iter()
                .find(|word| StateType::from_word(word).is_none())
        {
            return Err(Error::invalid(format!("There is no state type {word:?}.")));
        }
        Ok(vec![Test::In(Values::Words(words))])
    }
}

impl Operators for ByName {
    fn tests(self, _: &Field) -> Result<Vec<Test>> {
        let is_long = |part: &String| part.chars().count() > MAX_LIKE;
        if self.like_.as_ref().is_some_and(is_long) {
            return Err(Error::invalid(format!(
                "like_ must have at most {MAX_LIKE} characters."
            )));
        }
        let one_of = self.any_.map(|words| Test::In(Values::Words(words)));
        let like = self.like_.map(Test::Like);
        Ok([one_of, like].into_iter().flatten().collect())
    }
}

impl Operators for ByTags {
    fn tests(self, _: &Field) -> Result<Vec<Test>> {
        let all = self.all_.map(Test::HasAll);
        let none = self.is_null_.map(Test::IsNull);
        Ok([all, none].into_iter().flatten().collect())
    }
}

impl Operators for ByTime {
    fn tests(self, _: &Field) -> Result<Vec<Test>> {
        let micros = |at: Instant| Timestamp::from(at).micros();
        let before = self.before_.map(|at| Test::AtMost(micros(at)));
        let after = self.after_.map(|at| Test::AtLeast(micros(at)));
        let is_null = self.is_null_.map(Test::IsNull);
        Ok([before, after, is_null].into_iter().flatten().collect())
    }
}

impl Operators for ByLevel {
    fn tests(self, _: &Field) -> Result<Vec<Test>> {
        let least = self.ge_.map(Test::AtLeast);
        let most = self.le_.map(Test::AtMost);
        Ok([least, most].into_iter().flatten().collect())
    }
}
