//! A task that runs once more says so in its state's name.
//!
//! Mirrors `RenameReruns`, which is as in the 2.0a7 generation.

pub(in crate::domain::rules) use crate::domain::rules::orion::rename_reruns::rename as rerun;
