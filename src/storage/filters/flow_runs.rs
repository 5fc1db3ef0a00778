//! Questions about flow runs.

use sea_query::{Condition, Expr, ExprTrait, SelectStatement};

use super::{
    column, counting, deployments, exists, flows, is_id_in, is_id_not_in, is_word_in, paging, some,
    sorted, tags, task_runs, time,
};
use crate::domain::filter::{
    DeploymentCriterion, Filters, FlowCriterion, FlowRunCriterion, Page, RunSort,
};
use crate::domain::ids::{DeploymentId, FlowId, FlowRunId, TaskRunId};
use crate::domain::state::StateType;

pub(super) const TABLE: &str = "flow_runs";

/// As in `flow_runs/by_id.sql`.
const COLUMNS: &str = "flow_runs.id, flow_runs.created, flow_runs.updated, flow_runs.name, \
    flow_runs.flow_id, flow_runs.deployment_id, flow_runs.flow_version, flow_runs.parameters, \
    flow_runs.idempotency_key, flow_runs.context, flow_runs.empirical_policy, \
    flow_runs.empirical_config, flow_runs.tags, flow_runs.parent_task_run_id, \
    flow_runs.auto_scheduled, flow_runs.infrastructure_kind, flow_runs.infrastructure_config, \
    flow_runs.created_by, flow_runs.claimed_by, flow_runs.claimed_at, flow_runs.infrastructure_id, \
    flow_runs.run_count, flow_runs.expected_start_time, flow_runs.next_scheduled_start_time, \
    flow_runs.start_time, flow_runs.end_time, flow_runs.total_run_time, \
    s.id, s.type, s.name, s.timestamp, s.message, s.data, s.state_details";

/// A page of flow runs.
pub fn select(filters: &Filters, sort: RunSort, page: Page) -> SelectStatement {
    let statement = paging(TABLE, COLUMNS, condition(filters), page)
        .join_as(
            sea_query::JoinType::LeftJoin,
            "flow_run_states",
            "s",
            Expr::col(("s", "id")).equals((TABLE, "state_id")),
        )
        .take();
    sorted(statement, TABLE, sort)
}

/// How many flow runs.
pub fn count(filters: &Filters) -> SelectStatement {
    counting(TABLE, condition(filters))
}

/// What the filters ask of a row.
pub(super) fn condition(filters: &Filters) -> Condition {
    let mut all = with_task_runs(filters).add(by_keys(filters));
    if let Some(flows) = &filters.flows {
        let ours = column(flows::TABLE, "id").equals((TABLE, "flow_id"));
        let condition = Condition::all().add(ours).add(flows::criteria(flows));
        all = all.add(exists(some(flows::TABLE, condition)));
    }
    if let Some(deployments) = &filters.deployments {
        let ours = column(deployments::TABLE, "id").equals((TABLE, "deployment_id"));
        let condition = Condition::all()
            .add(ours)
            .add(deployments::criteria(deployments));
        all = all.add(exists(some(deployments::TABLE, condition)));
    }
    all
}

/// What the filters say of the ids of the flow and the deployment, once more and of the flow
/// run itself: only so are the indexes on them of use.
fn by_keys(filters: &Filters) -> Condition {
    let flows = filters.flows.iter().flatten();
    let all = flows.fold(Condition::all(), |all, criterion| match criterion {
        FlowCriterion::IdIn(ids) => all.add(is_id_in((TABLE, "flow_id"), ids, FlowId::uuid)),
        _ => all,
    });
    let deployments = filters.deployments.iter().flatten();
    deployments.fold(all, |all, criterion| match criterion {
        DeploymentCriterion::IdIn(ids) => {
            all.add(is_id_in((TABLE, "deployment_id"), ids, DeploymentId::uuid))
        }
        _ => all,
    })
}

/// What the filters ask of a flow run and its task runs.
pub(super) fn with_task_runs(filters: &Filters) -> Condition {
    let mut all = Condition::all();
    if let Some(flow_runs) = &filters.flow_runs {
        all = all.add(criteria(flow_runs));
    }
    if let Some(task_runs) = &filters.task_runs {
        let ours = column(task_runs::TABLE, "flow_run_id").equals((TABLE, "id"));
        let condition = Condition::all()
            .add(ours)
            .add(task_runs::criteria(task_runs));
        all = all.add(exists(some(task_runs::TABLE, condition)));
    }
    all
}

/// All of these hold for a row of flow runs.
pub(super) fn criteria(criteria: &[FlowRunCriterion]) -> Condition {
    criteria
        .iter()
        .fold(Condition::all(), |all, criterion| all.add(one(criterion)))
}

fn one(criterion: &FlowRunCriterion) -> Condition {
    use FlowRunCriterion as Ask;
    let of = |name| column(TABLE, name);
    let all = Condition::all();
    match criterion {
        Ask::IdIn(ids) => all.add(is_id_in((TABLE, "id"), ids, FlowRunId::uuid)),
        Ask::IdNotIn(ids) => all.add(is_id_not_in((TABLE, "id"), ids, FlowRunId::uuid)),
        Ask::NameIn(names) => all.add(is_word_in((TABLE, "name"), names)),
        Ask::NameLike(held) => all.add(of("name").like(format!("%{held}%"))),
        Ask::Tags(criterion) => all.add(tags(TABLE, criterion)),
        Ask::DeploymentIn(ids) => {
            all.add(is_id_in((TABLE, "deployment_id"), ids, DeploymentId::uuid))
        }
        Ask::DeploymentIsNull(true) => all.add(of("deployment_id").is_null()),
        Ask::DeploymentIsNull(false) => all.add(of("deployment_id").is_not_null()),
        Ask::StateTypeIn(kinds) => all.add(is_word_in((TABLE, "state_type"), &words(kinds))),
        Ask::StateNameIn(names) => all.add(is_word_in((TABLE, "state_name"), names)),
        Ask::FlowVersionIn(versions) => all.add(is_word_in((TABLE, "flow_version"), versions)),
        Ask::StartTime(when) => all.add(time(of("start_time"), *when)),
        Ask::ExpectedStartTime(when) => all.add(time(of("expected_start_time"), *when)),
        Ask::NextScheduledStartTime(when) => all.add(time(of("next_scheduled_start_time"), *when)),
        Ask::ParentTaskRunIn(ids) => all.add(is_id_in(
            (TABLE, "parent_task_run_id"),
            ids,
            TaskRunId::uuid,
        )),
        Ask::ParentTaskRunIsNull(true) => all.add(of("parent_task_run_id").is_null()),
        Ask::ParentTaskRunIsNull(false) => all.add(of("parent_task_run_id").is_not_null()),
    }
}

/// The words of state types, as rows write them.
pub(super) fn words(kinds: &[StateType]) -> Vec<&'static str> {
    kinds.iter().map(|kind| kind.word()).collect()
}
