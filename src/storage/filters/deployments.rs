//! Questions about deployments.

use sea_query::{Condition, ExprTrait, Order, SelectStatement};

use super::{column, counting, exists, flow_runs, flows, is_id_in, is_word_in, paging, some, tags};
use crate::domain::filter::{DeploymentCriterion, Filters, Page};
use crate::domain::ids::DeploymentId;

pub(super) const TABLE: &str = "deployments";
const COLUMNS: &str = "deployments.id, deployments.created, deployments.updated, deployments.name, \
    deployments.flow_id, deployments.flow_data, deployments.schedule, deployments.is_schedule_active, \
    deployments.parameters, deployments.tags, deployments.infrastructure_kind, \
    deployments.infrastructure_config";

/// A page of deployments, by name.
pub fn select(filters: &Filters, page: Page) -> SelectStatement {
    paging(TABLE, COLUMNS, condition(filters), page)
        .order_by((TABLE, "name"), Order::Asc)
        .take()
}

/// How many deployments.
pub fn count(filters: &Filters) -> SelectStatement {
    counting(TABLE, condition(filters))
}

fn condition(filters: &Filters) -> Condition {
    let mut all = Condition::all();
    if let Some(deployments) = &filters.deployments {
        all = all.add(criteria(deployments));
    }
    if let Some(flows) = &filters.flows {
        let ours = column(flows::TABLE, "id").equals((TABLE, "flow_id"));
        let condition = Condition::all().add(ours).add(flows::criteria(flows));
        all = all.add(exists(some(flows::TABLE, condition)));
    }
    if filters.flow_runs.is_some() || filters.task_runs.is_some() {
        let ours = column(flow_runs::TABLE, "deployment_id").equals((TABLE, "id"));
        let condition = flow_runs::with_task_runs(filters).add(ours);
        all = all.add(exists(some(flow_runs::TABLE, condition)));
    }
    all
}

/// All of these hold for a row of deployments.
pub(super) fn criteria(criteria: &[DeploymentCriterion]) -> Condition {
    criteria
        .iter()
        .fold(Condition::all(), |all, criterion| match criterion {
            DeploymentCriterion::IdIn(ids) => {
                all.add(is_id_in((TABLE, "id"), ids, DeploymentId::uuid))
            }
            DeploymentCriterion::NameIn(names) => all.add(is_word_in((TABLE, "name"), names)),
            DeploymentCriterion::ScheduleActive(active) => {
                all.add(column(TABLE, "is_schedule_active").eq(*active))
            }
            DeploymentCriterion::Tags(criterion) => all.add(tags(TABLE, criterion)),
        })
}
