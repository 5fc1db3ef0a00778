//! Verbs of agents and about them, and of work pools with their queues and workers.

pub(super) mod channel;
mod claims;
mod jobs;
pub(super) mod pools;
pub(super) mod queues;
pub(super) mod registry;
pub(super) mod scheduled;
pub(super) mod variables;
pub(super) mod workers;
