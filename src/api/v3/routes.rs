//! The routes of the modern dialect, each noun's declared in its own folder.

use super::{
    admin, agents, artifacts, automations, blocks, bulk, checkup, collections, concurrency,
    deployments, events, flow_runs, flows, graph, ids, logs, nodes, observed, processes,
    saved_searches, server, slots, states, task_runs, task_workers, ui, variables, why, work_pools,
    work_queues, workers,
};
use crate::api::dialect::V3;
use crate::api::operation::Routes;
use crate::api::sockets;

/// Every route.
pub fn all() -> Routes {
    let nouns = [
        admin::operations,
        server::operations,
        checkup::operations,
        agents::operations,
        ids::operations,
        processes::operations,
        nodes::operations,
        why::operations,
        flows::operations,
        deployments::operations,
        bulk::operations,
        flow_runs::operations,
        task_runs::operations,
        states::operations,
        logs::operations,
        work_pools::operations,
        work_queues::operations,
        workers::operations,
        variables::operations,
        artifacts::operations,
        saved_searches::operations,
        ui::operations,
        graph::operations,
        observed::operations,
        slots::operations,
        task_workers::operations,
        blocks::operations,
        collections::operations,
        concurrency::operations,
        events::operations,
        automations::operations,
        sockets::operations,
    ];
    Routes::below(V3, nouns.into_iter().flat_map(|noun| noun()).collect())
}
