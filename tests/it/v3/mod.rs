//! The modern dialect as its clients speak it.

mod artifacts;
mod counts;
mod deployments;
mod filters;
mod forms;
mod glances;
mod pool_blocks;
mod pools;
mod recorded;
mod server;
mod told;
