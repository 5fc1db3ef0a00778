//! Verbs of agents and about them, and of work pools with their queues and workers.

mod abandoned;
pub(super) mod channel;
mod claims;
mod gather;
mod images;
mod job_variables;
mod jobs;
pub(super) mod pools;
pub(super) mod queues;
pub(super) mod registry;
mod run_keys;
pub(super) mod scheduled;
pub(super) mod slots;
mod tagged;
#[cfg(test)]
mod tests;
pub(super) mod told;
pub(super) mod variables;
pub(super) mod workers;
