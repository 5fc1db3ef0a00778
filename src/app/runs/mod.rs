//! Verbs on runs, their states, and what they say.

mod artifacts;
mod cancelled;
pub(super) mod crash;
mod deadlines;
mod documents;
pub(super) mod flow_runs;
mod glances;
mod graph;
mod history;
mod identity;
mod inputs;
pub(super) mod log_feed;
mod logs;
pub(super) mod propose_state;
pub(super) mod resume;
pub(super) mod slots;
mod steps;
mod task_runs;
mod why;
