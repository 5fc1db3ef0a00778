//! The routes of the modern dialect, each noun's declared in its own folder.

use super::{
    agents, checkup, deployments, flow_runs, flows, ids, logs, processes, server, states,
    task_runs, why,
};
use crate::api::describe::Routes;
use crate::api::dialect::V3;

/// Every route.
pub fn all() -> Routes {
    let nouns = [
        server::routes,
        checkup::routes,
        agents::routes,
        ids::routes,
        processes::routes,
        why::routes,
        flows::routes,
        deployments::routes,
        flow_runs::routes,
        task_runs::routes,
        states::routes,
        logs::routes,
    ];
    let none = Routes::below(V3);
    nouns.into_iter().fold(none, |routes, add| add(routes))
}
