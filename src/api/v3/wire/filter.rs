//! Filters, sorts and pages of the nouns.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::operators::{
    ByAbsence, ByAnyTags, ByExistence, ById, ByIdOrNot, ByIdOrNull, ByLevel, ByName,
    ByOppositeFlag, ByPart, BySearch, ByStateType, ByTags, ByText, ByTextOrNot, ByTime,
    ByTimeOrNull, Operator, all, asked, searched,
};
use crate::domain::error::{Error, Result};
use crate::domain::filter::{
    Criteria, Filters, MAX_PAGE, Page, Sort, deployment, flow, flow_run, log, task_run,
};
use crate::domain::ids::{FlowRunId, TaskRunId};
use crate::domain::log_filter;

/// Orders by their words; the first is the usual one.
pub type Sorts = [(&'static str, Sort)];

/// The body of the `filter` and `count` routes.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
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
    pub limit: Option<i64>,
    /// After skipping so many.
    pub offset: u64,
}

/// The body of the `paginate` routes.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct PageQuery {
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
    /// At most so many on a page.
    pub limit: Option<i64>,
    /// Which page, from 1.
    pub page: Option<u64>,
}

/// By state.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct ByState {
    /// How these are put together.
    pub operator: Operator,
    /// By its type.
    #[serde(rename = "type")]
    pub kind: Option<ByStateType>,
    /// By its name.
    pub name: Option<ByTextOrNot>,
}

/// About flows.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct FlowFilter {
    /// How these are put together.
    pub operator: Operator,
    /// By id.
    pub id: Option<ByIdOrNot>,
    /// By having deployments.
    pub deployment: Option<ByAbsence>,
    /// By name.
    pub name: Option<ByName>,
    /// By tags.
    pub tags: Option<ByTags>,
}

/// About deployments.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct DeploymentFilter {
    /// How these are put together.
    pub operator: Operator,
    /// By id.
    pub id: Option<ByIdOrNot>,
    /// By name.
    pub name: Option<ByName>,
    /// By its name, or its flow's.
    pub flow_or_deployment_name: Option<ByPart>,
    /// By being paused.
    pub paused: Option<ByOppositeFlag>,
    /// By tags.
    pub tags: Option<ByAnyTags>,
    /// Known, and as on the reference without a meaning.
    #[serde(skip_serializing)]
    #[schema(ignore)]
    pub concurrency_limit: Option<ConcurrencyLimit>,
}

/// What may be asked of a limit.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct ConcurrencyLimit {
    /// That or more.
    pub ge_: Option<i64>,
    /// That or less.
    pub le_: Option<i64>,
    /// None, or one.
    pub is_null_: Option<bool>,
}

/// About flow runs.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct FlowRunFilter {
    /// How these are put together.
    pub operator: Operator,
    /// By id.
    pub id: Option<ByIdOrNot>,
    /// By name.
    pub name: Option<ByName>,
    /// By tags.
    pub tags: Option<ByAnyTags>,
    /// By deployment.
    pub deployment_id: Option<ByIdOrNull>,
    /// By state.
    pub state: Option<ByState>,
    /// By flow version.
    pub flow_version: Option<ByText>,
    /// By start, or expected start.
    pub start_time: Option<ByTimeOrNull>,
    /// By end.
    pub end_time: Option<ByTimeOrNull>,
    /// By expected start.
    pub expected_start_time: Option<ByTime>,
    /// By when they are due next.
    pub next_scheduled_start_time: Option<ByTime>,
    /// By the flow run that they are part of.
    pub parent_flow_run_id: Option<ById>,
    /// By the task run that stands for them.
    pub parent_task_run_id: Option<ByIdOrNull>,
    /// By idempotency key.
    pub idempotency_key: Option<ByTextOrNot>,
}

/// About task runs.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct TaskRunFilter {
    /// How these are put together.
    pub operator: Operator,
    /// By id.
    pub id: Option<ById>,
    /// By name.
    pub name: Option<ByName>,
    /// By tags.
    pub tags: Option<ByTags>,
    /// By state.
    pub state: Option<ByState>,
    /// By start.
    pub start_time: Option<ByTimeOrNull>,
    /// By end.
    pub end_time: Option<ByTimeOrNull>,
    /// By expected start.
    pub expected_start_time: Option<ByTime>,
    /// By standing for sub-flows.
    pub subflow_runs: Option<ByExistence>,
    /// By flow run.
    pub flow_run_id: Option<ByIdOrNull>,
}

impl Query {
    /// What is asked, in what order of these, and which part of it.
    pub fn parts(self, sorts: &Sorts) -> Result<(Filters, Sort, Page)> {
        let sort = sort(self.sort.as_deref(), sorts)?;
        let page = page(self.limit, self.offset)?;
        Ok((self.filters()?, sort, page))
    }

    /// What is asked.
    pub fn filters(self) -> Result<Filters> {
        filters(self.flows, self.flow_runs, self.task_runs, self.deployments)
    }
}

impl PageQuery {
    /// What is asked, in what order of these, which part of it, and the number of that page.
    pub fn parts(self, sorts: &Sorts) -> Result<(Filters, Sort, Page, u64)> {
        let number = self.page.unwrap_or(1);
        if number == 0 {
            return Err(Error::invalid("Pages are counted from 1."));
        }
        let sort = sort(self.sort.as_deref(), sorts)?;
        let limit = limit(self.limit)?;
        let page = Page {
            limit,
            // Beyond the largest offset there is nothing.
            offset: (number - 1).saturating_mul(limit).min(i64::MAX as u64),
        };
        let filters = filters(self.flows, self.flow_runs, self.task_runs, self.deployments)?;
        Ok((filters, sort, page, number))
    }
}

fn filters(
    flows: Option<FlowFilter>,
    flow_runs: Option<FlowRunFilter>,
    task_runs: Option<TaskRunFilter>,
    deployments: Option<DeploymentFilter>,
) -> Result<Filters> {
    Ok(Filters {
        flows: flows.map(FlowFilter::criteria).transpose()?,
        flow_runs: flow_runs.map(FlowRunFilter::criteria).transpose()?,
        task_runs: task_runs.map(TaskRunFilter::criteria).transpose()?,
        deployments: deployments.map(DeploymentFilter::criteria).transpose()?,
        ..Filters::default()
    })
}

/// The order that a word names; without one, the usual one.
pub fn sort(word: Option<&str>, sorts: &Sorts) -> Result<Sort> {
    let of = |wanted: &str| sorts.iter().find(|(known, _)| *known == wanted);
    let found = match word {
        Some(word) => of(word),
        None => sorts.first(),
    };
    let found = found.map(|(_, sort)| *sort);
    found.ok_or_else(|| {
        let known: Vec<_> = sorts.iter().map(|(word, _)| *word).collect();
        let word = word.unwrap_or_default();
        Error::invalid(format!(
            "Unknown sort {word:?}; there are {}.",
            known.join(", ")
        ))
    })
}

/// How many are asked for at most; the reference's sentences where that is not served.
pub fn limit(asked: Option<i64>) -> Result<u64> {
    match asked.map(u64::try_from) {
        None => Ok(MAX_PAGE),
        Some(Err(_)) => Err(Error::invalid(
            "Invalid limit: must be greater than or equal to 0.",
        )),
        Some(Ok(limit)) if limit > MAX_PAGE => Err(Error::invalid(format!(
            "Invalid limit: must be less than or equal to {MAX_PAGE}."
        ))),
        Some(Ok(limit)) => Ok(limit),
    }
}

/// A page of at most as many as are asked for.
pub fn page(asked: Option<i64>, offset: u64) -> Result<Page> {
    let limit = limit(asked)?;
    Ok(Page { limit, offset })
}

impl ByState {
    fn asked(
        self,
        kind: &'static crate::domain::filter::Field,
        name: &'static crate::domain::filter::Field,
    ) -> Result<Option<Criteria>> {
        let parts = [asked(kind, self.kind), asked(name, self.name)];
        // Parts that ask nothing do not count here, even where one has to hold.
        let parts = parts.map(|part| part.map(|it| it.filter(|it| !it.is_nothing())));
        all(self.operator, parts).map(Some)
    }
}

impl FlowFilter {
    fn criteria(self) -> Result<Criteria> {
        let Self {
            operator,
            id,
            deployment,
            name,
            tags,
        } = self;
        all(
            operator,
            [
                asked(&flow::ID, id),
                asked(&flow::DEPLOYMENTS, deployment),
                asked(&flow::NAME, name),
                asked(&flow::TAGS, tags),
            ],
        )
    }
}

impl DeploymentFilter {
    /// What is asked.
    pub fn criteria(self) -> Result<Criteria> {
        use deployment as field;
        let Self {
            operator,
            id,
            name,
            flow_or_deployment_name,
            paused,
            tags,
            concurrency_limit: _,
        } = self;
        all(
            operator,
            [
                asked(&field::ID, id),
                asked(&field::NAME, name),
                asked(&field::NAME_OR_FLOW, flow_or_deployment_name),
                asked(&field::IS_SCHEDULE_ACTIVE, paused),
                asked(&field::TAGS, tags),
            ],
        )
    }
}

impl FlowRunFilter {
    fn criteria(self) -> Result<Criteria> {
        use flow_run as field;
        let state = self.state.map_or(Ok(None), |it| {
            it.asked(&field::STATE_TYPE, &field::STATE_NAME)
        });
        all(
            self.operator,
            [
                asked(&field::ID, self.id),
                asked(&field::NAME, self.name),
                asked(&field::TAGS, self.tags),
                asked(&field::DEPLOYMENT_ID, self.deployment_id),
                state,
                asked(&field::FLOW_VERSION, self.flow_version),
                asked(&field::BEGINNING, self.start_time),
                asked(&field::END_TIME, self.end_time),
                asked(&field::EXPECTED_START_TIME, self.expected_start_time),
                asked(
                    &field::NEXT_SCHEDULED_START_TIME,
                    self.next_scheduled_start_time,
                ),
                asked(&field::PARENT_FLOW_RUN_ID, self.parent_flow_run_id),
                asked(&field::PARENT_TASK_RUN_ID, self.parent_task_run_id),
                asked(&field::IDEMPOTENCY_KEY, self.idempotency_key),
            ],
        )
    }
}

impl TaskRunFilter {
    fn criteria(self) -> Result<Criteria> {
        use task_run as field;
        let state = self.state.map_or(Ok(None), |it| {
            it.asked(&field::STATE_TYPE, &field::STATE_NAME)
        });
        all(
            self.operator,
            [
                asked(&field::ID, self.id),
                asked(&field::NAME, self.name),
                asked(&field::TAGS, self.tags),
                state,
                asked(&field::START_TIME, self.start_time),
                asked(&field::END_TIME, self.end_time),
                asked(&field::EXPECTED_START_TIME, self.expected_start_time),
                asked(&field::SUBFLOW_RUNS, self.subflow_runs),
                asked(&field::FLOW_RUN_ID, self.flow_run_id),
            ],
        )
    }
}

/// The body of the logs' `filter` route.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct LogQuery {
    /// About lines.
    pub logs: Option<LogFilter>,
    /// `TIMESTAMP_ASC` or `TIMESTAMP_DESC`.
    pub sort: Option<String>,
    /// At most so many.
    pub limit: Option<i64>,
    /// After skipping so many.
    pub offset: u64,
}

/// About lines.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct LogFilter {
    /// How these are put together.
    pub operator: Operator,
    /// By level.
    pub level: Option<ByLevel>,
    /// By time.
    pub timestamp: Option<ByTime>,
    /// By the flow run that said them.
    pub flow_run_id: Option<ById>,
    /// By the task run that said them.
    pub task_run_id: Option<ByIdOrNull>,
    /// By what they say.
    pub text: Option<BySearch>,
}

impl LogFilter {
    /// What it asks of lines as they come: all of it must hold, as in the reference.
    ///
    /// # Errors
    /// For a search that is too long.
    pub fn heard(self) -> Result<log_filter::LogFilter> {
        let Self {
            operator: _,
            level,
            timestamp,
            flow_run_id,
            task_run_id,
            text,
        } = self;
        let level = level.unwrap_or_default();
        let timestamp = timestamp.unwrap_or_default();
        let task = task_run_id.unwrap_or_default();
        let runs = flow_run_id.and_then(|runs| runs.any_);
        let text = text.and_then(|text| text.query);
        Ok(log_filter::LogFilter {
            least_level: level.ge_,
            most_level: level.le_,
            since: timestamp.after_.map(Into::into),
            until: timestamp.before_.map(Into::into),
            flow_runs: runs.map(|ids| ids.into_iter().map(FlowRunId::from_uuid).collect()),
            task_runs: task
                .any_
                .map(|ids| ids.into_iter().map(TaskRunId::from_uuid).collect()),
            is_of_task: task.is_null_.map(|is_null| !is_null),
            text: text.map(searched).transpose()?,
        })
    }
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
        let sort = sort(self.sort.as_deref(), log::TIME_SORTS)?;
        let LogFilter {
            operator,
            level,
            timestamp,
            flow_run_id,
            task_run_id,
            text,
        } = self.logs.unwrap_or_default();
        let criteria = all(
            operator,
            [
                asked(&log::LEVEL, level),
                asked(&log::TIMESTAMP, timestamp),
                asked(&log::FLOW_RUN_ID, flow_run_id),
                asked(&log::TASK_RUN_ID, task_run_id),
                asked(&log::TEXT, text),
            ],
        )?;
        Ok((criteria, sort, page(self.limit, self.offset)?))
    }
}
