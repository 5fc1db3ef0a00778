//! Questions about task runs.

use sea_query::{Condition, Expr, ExprTrait, SelectStatement};

use super::flow_runs::{self, words};
use super::{
    column, counting, deployments, exists, flows, is_id_in, is_word_in, paging, some, sorted, tags,
    time,
};
use crate::domain::filter::{Filters, FlowRunCriterion, Page, RunSort, TaskRunCriterion};
use crate::domain::ids::{FlowRunId, TaskRunId};

pub(super) const TABLE: &str = "task_runs";

/// As in `task_runs/by_id.sql`.
const COLUMNS: &str = "task_runs.id, task_runs.created, task_runs.updated, task_runs.name, \
    task_runs.flow_run_id, task_runs.task_key, task_runs.dynamic_key, task_runs.cache_key, \
    task_runs.cache_expiration, task_runs.task_version, task_runs.max_retries, \
    task_runs.retry_delay, task_runs.tags, task_runs.task_inputs, task_runs.run_count, \
    task_runs.expected_start_time, task_runs.next_scheduled_start_time, task_runs.start_time, \
    task_runs.end_time, task_runs.total_run_time, \
    s.id, s.type, s.name, s.timestamp, s.message, s.data, s.state_details";

/// A page of task runs.
pub fn select(filters: &Filters, sort: RunSort, page: Page) -> SelectStatement {
    let statement = paging(TABLE, COLUMNS, condition(filters), page)
        .join_as(
            sea_query::JoinType::LeftJoin,
            "task_run_states",
            "s",
            Expr::col(("s", "id")).equals((TABLE, "state_id")),
        )
        .take();
    sorted(statement, TABLE, sort)
}

/// How many task runs.
pub fn count(filters: &Filters) -> SelectStatement {
    counting(TABLE, condition(filters))
}

/// What the filters ask of a row.
pub(super) fn condition(filters: &Filters) -> Condition {
    let mut all = Condition::all();
    if let Some(task_runs) = &filters.task_runs {
        all = all.add(criteria(task_runs));
    }
    let Filters {
        flows,
        flow_runs,
        deployments,
        ..
    } = filters;
    if flows.is_none() && flow_runs.is_none() && deployments.is_none() {
        return all;
    }
    all = all.add(by_key(filters));
    let parent = Filters {
        task_runs: None,
        ..filters.clone()
    };
    let ours = column(flow_runs::TABLE, "id").equals((TABLE, "flow_run_id"));
    all.add(exists(some(
        flow_runs::TABLE,
        of_flow_run(&parent).add(ours),
    )))
}

/// What the filters say of the flow run's id, once more and of the task run itself: only so is
/// the index on it of use, and without it all task runs would be gone through.
fn by_key(filters: &Filters) -> Condition {
    let criteria = filters.flow_runs.iter().flatten();
    criteria.fold(Condition::all(), |all, criterion| match criterion {
        FlowRunCriterion::IdIn(ids) => {
            all.add(is_id_in((TABLE, "flow_run_id"), ids, FlowRunId::uuid))
        }
        _ => all,
    })
}

/// What the filters ask of the flow run that a task run is part of.
fn of_flow_run(filters: &Filters) -> Condition {
    let mut all = Condition::all();
    if let Some(flow_runs) = &filters.flow_runs {
        all = all.add(flow_runs::criteria(flow_runs));
    }
    if let Some(flows) = &filters.flows {
        let theirs = column(flows::TABLE, "id").equals((flow_runs::TABLE, "flow_id"));
        let condition = Condition::all().add(theirs).add(flows::criteria(flows));
        all = all.add(exists(some(flows::TABLE, condition)));
    }
    if let Some(deployments) = &filters.deployments {
        let theirs = column(deployments::TABLE, "id").equals((flow_runs::TABLE, "deployment_id"));
        let condition = Condition::all()
            .add(theirs)
            .add(deployments::criteria(deployments));
        all = all.add(exists(some(deployments::TABLE, condition)));
    }
    all
}

/// All of these hold for a row of task runs.
pub(super) fn criteria(criteria: &[TaskRunCriterion]) -> Condition {
    criteria
        .iter()
        .fold(Condition::all(), |all, criterion| all.add(one(criterion)))
}

fn one(criterion: &TaskRunCriterion) -> Condition {
    use TaskRunCriterion as Ask;
    let of = |name| column(TABLE, name);
    let all = Condition::all();
    match criterion {
        Ask::IdIn(ids) => all.add(is_id_in((TABLE, "id"), ids, TaskRunId::uuid)),
        Ask::NameIn(names) => all.add(is_word_in((TABLE, "name"), names)),
        Ask::Tags(criterion) => all.add(tags(TABLE, criterion)),
        Ask::StateTypeIn(kinds) => all.add(is_word_in((TABLE, "state_type"), &words(kinds))),
        Ask::StateNameIn(names) => all.add(is_word_in((TABLE, "state_name"), names)),
        Ask::StartTime(when) => all.add(time(of("start_time"), *when)),
        Ask::IsSubflow(true) => all.add(stands_for_subflow()),
        Ask::IsSubflow(false) => all.add(stands_for_subflow().not()),
    }
}

/// Some flow run names this task run as its parent. Aliased, since the flow runs may
/// already be part of the question around it.
fn stands_for_subflow() -> Expr {
    Expr::cust(
        "EXISTS (SELECT 1 FROM flow_runs AS child \
         WHERE child.parent_task_run_id = task_runs.id)",
    )
}
