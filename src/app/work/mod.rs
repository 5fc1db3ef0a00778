//! Verbs of agents and about them.

mod claims;
pub(super) mod registry;
