//! Pages of what runs go with: flows, pools, events, automations, variables, limits, blocks,
//! artifacts.

mod artifacts;
mod automations;
mod blocks;
mod events;
mod flows;
mod limits;
mod pools;
pub mod table;
mod variables;

use crate::api::Operation;

/// What there is to ask.
pub fn operations() -> Vec<Operation> {
    let all = [
        flows::operations,
        pools::operations,
        events::operations,
        automations::operations,
        variables::operations,
        limits::operations,
        blocks::operations,
        artifacts::operations,
    ];
    all.into_iter().flat_map(|some| some()).collect()
}
