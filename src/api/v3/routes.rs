//! The routes of the modern dialect, each noun's declared in its own folder.

use super::{
    agents, checkup, deployments, flow_runs, flows, ids, logs, processes, server, states,
    task_runs, why,
};
use crate::api::dialect::V3;
use crate::api::operation::Routes;

/// Every route.
pub fn all() -> Routes {
    let nouns = [
        server::operations,
        checkup::operations,
        agents::operations,
        ids::operations,
        processes::operations,
        why::operations,
        flows::operations,
        deployments::operations,
        flow_runs::operations,
        task_runs::operations,
        states::operations,
        logs::operations,
    ];
    Routes::below(V3, nouns.into_iter().flat_map(|noun| noun()).collect())
}
