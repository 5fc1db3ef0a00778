//! Bodies that ask for things: filters with an order and a part of what they find.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::operators::{all, asked};
use super::patch::or_default;
use super::{
    ById, DeploymentFilter, FlowFilter, FlowRunFilter, Instant, LogFilter, TaskRunFilter,
    WorkPoolFilter, WorkQueueFilter,
};
use crate::domain::error::{Error, Result};
use crate::domain::filter::{Criteria, Filters, MAX_PAGE, Page, Sort, log};
use crate::domain::history::Buckets;
use crate::domain::time::Span;

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
    /// About work pools.
    pub work_pools: Option<WorkPoolFilter>,
    /// About queues of work pools; some clients call them `work_queues`.
    #[serde(alias = "work_queues")]
    pub work_pool_queues: Option<WorkQueueFilter>,
    /// The order, by the modern API's words.
    pub sort: Option<String>,
    /// At most so many.
    pub limit: Option<i64>,
    /// After skipping so many.
    #[serde(deserialize_with = "or_default")]
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
    /// About work pools.
    pub work_pools: Option<WorkPoolFilter>,
    /// About queues of work pools; some clients call them `work_queues`.
    #[serde(alias = "work_queues")]
    pub work_pool_queues: Option<WorkQueueFilter>,
    /// The order, by the modern API's words.
    pub sort: Option<String>,
    /// At most so many on a page.
    pub limit: Option<i64>,
    /// Which page, from 1.
    pub page: Option<u64>,
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
        Ok(Filters {
            flows: self.flows.map(FlowFilter::criteria).transpose()?,
            flow_runs: self.flow_runs.map(FlowRunFilter::criteria).transpose()?,
            task_runs: self.task_runs.map(TaskRunFilter::criteria).transpose()?,
            deployments: { self.deployments }
                .map(DeploymentFilter::criteria)
                .transpose()?,
            work_pools: self.work_pools.map(WorkPoolFilter::criteria).transpose()?,
            work_queues: { self.work_pool_queues }
                .map(WorkQueueFilter::criteria)
                .transpose()?,
            ..Filters::default()
        })
    }
}

impl PageQuery {
    /// What is asked, in what order of these, which part of it, and the number of that page.
    pub fn parts(self, sorts: &Sorts) -> Result<(Filters, Sort, Page, u64)> {
        let limit = limit(self.limit)?;
        let number = self.page.unwrap_or(1);
        if number == 0 {
            return Err(Error::invalid("Pages are counted from 1."));
        }
        let sort = sort(self.sort.as_deref(), sorts)?;
        let page = Page {
            limit,
            // Beyond the largest offset there is nothing.
            offset: (number - 1).saturating_mul(limit).min(i64::MAX as u64),
        };
        let query = Query {
            flows: self.flows,
            flow_runs: self.flow_runs,
            task_runs: self.task_runs,
            deployments: self.deployments,
            work_pools: self.work_pools,
            work_pool_queues: self.work_pool_queues,
            ..Query::default()
        };
        Ok((query.filters()?, sort, page, number))
    }
}

/// The body of the histories' routes.
#[derive(Debug, Deserialize, ToSchema)]
pub struct HistoryQuery {
    /// From here on.
    history_start: Instant,
    /// Up to here.
    history_end: Instant,
    /// How long each part of it is, in seconds.
    history_interval_seconds: f64,
    /// About flows.
    #[serde(default)]
    flows: Option<FlowFilter>,
    /// About flow runs.
    #[serde(default)]
    flow_runs: Option<FlowRunFilter>,
    /// About task runs.
    #[serde(default)]
    task_runs: Option<TaskRunFilter>,
    /// About deployments.
    #[serde(default)]
    deployments: Option<DeploymentFilter>,
    /// About work pools.
    #[serde(default)]
    work_pools: Option<WorkPoolFilter>,
    /// About queues of work pools; here they are called so.
    #[serde(default)]
    work_queues: Option<WorkQueueFilter>,
}

impl HistoryQuery {
    /// The parts of time, and which runs are meant.
    pub fn parts(self) -> Result<(Buckets, Filters)> {
        let step = Span::of_secs(self.history_interval_seconds);
        let Some(step) = step.filter(|step| step.micros() >= 1_000_000) else {
            return Err(Error::invalid(
                "History interval must not be less than 1 second.",
            ));
        };
        let buckets = Buckets::exact(self.history_start.into(), self.history_end.into(), step);
        if !buckets.end().is_in_calendar() {
            return Err(Error::invalid("The history ends after the year 9999."));
        }
        let query = Query {
            flows: self.flows,
            flow_runs: self.flow_runs,
            task_runs: self.task_runs,
            deployments: self.deployments,
            work_pools: self.work_pools,
            work_pool_queues: self.work_queues,
            ..Query::default()
        };
        Ok((buckets, query.filters()?))
    }
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
    #[serde(deserialize_with = "or_default")]
    pub offset: u64,
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
