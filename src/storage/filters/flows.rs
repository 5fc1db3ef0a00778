//! Questions about flows.

use sea_query::{Condition, ExprTrait, Order, SelectStatement};

use super::{
    column, counting, deployments, exists, flow_runs, is_id_in, is_word_in, paging, some, tags,
};
use crate::domain::filter::{Filters, FlowCriterion, Page};
use crate::domain::ids::FlowId;

pub(super) const TABLE: &str = "flows";
const COLUMNS: &str = "flows.id, flows.created, flows.updated, flows.name, flows.tags";

/// A page of flows, by name.
pub fn select(filters: &Filters, page: Page) -> SelectStatement {
    paging(TABLE, COLUMNS, condition(filters), page)
        .order_by((TABLE, "name"), Order::Asc)
        .take()
}

/// How many flows.
pub fn count(filters: &Filters) -> SelectStatement {
    counting(TABLE, condition(filters))
}

fn condition(filters: &Filters) -> Condition {
    let mut all = Condition::all();
    if let Some(flows) = &filters.flows {
        all = all.add(criteria(flows));
    }
    if let Some(deployments) = &filters.deployments {
        let ours = column(deployments::TABLE, "flow_id").equals((TABLE, "id"));
        let condition = Condition::all()
            .add(ours)
            .add(deployments::criteria(deployments));
        all = all.add(exists(some(deployments::TABLE, condition)));
    }
    if filters.flow_runs.is_some() || filters.task_runs.is_some() {
        let ours = column(flow_runs::TABLE, "flow_id").equals((TABLE, "id"));
        let condition = flow_runs::with_task_runs(filters).add(ours);
        all = all.add(exists(some(flow_runs::TABLE, condition)));
    }
    all
}

/// All of these hold for a row of flows.
pub(super) fn criteria(criteria: &[FlowCriterion]) -> Condition {
    criteria
        .iter()
        .fold(Condition::all(), |all, criterion| match criterion {
            FlowCriterion::IdIn(ids) => all.add(is_id_in((TABLE, "id"), ids, FlowId::uuid)),
            FlowCriterion::NameIn(names) => all.add(is_word_in((TABLE, "name"), names)),
            FlowCriterion::Tags(criterion) => all.add(tags(TABLE, criterion)),
        })
}
