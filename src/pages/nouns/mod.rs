//! Pages of what runs go with: flows, pools, events, automations, variables, limits, blocks,
//! artifacts.

pub mod artifact;
mod artifacts;
mod automations;
mod blocks;
mod event;
pub mod events;
mod flows;
mod limits;
pub mod pools;
mod single;
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
        artifact::operations,
        single::operations,
        event::operations,
    ];
    all.into_iter().flat_map(|some| some()).collect()
}
