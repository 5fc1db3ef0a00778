//! What goes on by itself while the daemon runs.

pub mod agent;
