//! Questions about log lines.

use sea_query::{Condition, ExprTrait, Order, SelectStatement};

use super::{column, counting, is_id_in, paging, time};
use crate::domain::filter::{LogCriterion, LogKey, LogSort, Page};
use crate::domain::ids::{FlowRunId, TaskRunId};

const TABLE: &str = "logs";
const COLUMNS: &str = "logs.id, logs.created, logs.name, logs.level, logs.message, \
    logs.timestamp, logs.flow_run_id, logs.task_run_id, logs.stream";

/// A page of lines; equal keys come in the order of arrival.
pub fn select(criteria: &[LogCriterion], sort: LogSort, page: Page) -> SelectStatement {
    let key = match sort.key {
        LogKey::Timestamp => "timestamp",
        LogKey::Level => "level",
        LogKey::FlowRunId => "flow_run_id",
        LogKey::TaskRunId => "task_run_id",
    };
    let order = if sort.descending {
        Order::Desc
    } else {
        Order::Asc
    };
    paging(TABLE, COLUMNS, condition(criteria), page)
        .order_by((TABLE, key), order.clone())
        .order_by((TABLE, "id"), order)
        .take()
}

/// How many lines.
pub fn count(criteria: &[LogCriterion]) -> SelectStatement {
    counting(TABLE, condition(criteria))
}

fn condition(criteria: &[LogCriterion]) -> Condition {
    use LogCriterion as Ask;
    let of = |name| column(TABLE, name);
    criteria.iter().fold(Condition::all(), |all, criterion| {
        all.add(match criterion {
            Ask::LevelAtLeast(level) => of("level").gte(*level),
            Ask::LevelAtMost(level) => of("level").lte(*level),
            Ask::Timestamp(when) => time(of("timestamp"), *when),
            Ask::FlowRunIn(ids) => is_id_in((TABLE, "flow_run_id"), ids, FlowRunId::uuid),
            Ask::TaskRunIn(ids) => is_id_in((TABLE, "task_run_id"), ids, TaskRunId::uuid),
        })
    })
}
