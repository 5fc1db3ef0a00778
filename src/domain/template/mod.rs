//! Base job templates of work pools: what a worker makes of a template, the variables of a
//! deployment, and those of a run.
//!
//! A template says what a job's settings are (`job_configuration`), with placeholders such as
//! `{{ image }}`, and which variables there are (`variables`, a JSON schema with defaults). The
//! rules are those of Prefect's workers: a placeholder that is all of a text gives way to the
//! variable's value, whatever its type, or takes its key along where there is none; within other
//! text it gives way to the value as Python writes it.
//!
//! Cost and size of a result are bounded by [`LARGEST`], however often a template repeats a
//! variable.

mod apply;
mod base;
mod blocks;
mod placeholder;
mod python;
mod resolve;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde_json::Value;

use super::JsonMap;

pub use base::{MOST_VARIABLES, check_base, names, unknown_variables, variables_named};
pub use blocks::{BlockName, Blocks, BlocksNamed, MOST_BLOCKS, blocks_named};
pub use resolve::{filled, laid_over, named, resolve};

/// The most that a resolved job may hold, by [`super::weight`], in bytes.
pub const LARGEST: usize = 1024 * 1024;

/// What a template is resolved with besides the variables of the job.
pub struct Surroundings<'a> {
    /// The values of stored variables (`{{ prefect.variables.NAME }}`), by name; those that are
    /// not here do not exist.
    pub variables: &'a BTreeMap<String, Value>,
    /// The environment of the worker (`{{ $NAME }}`).
    pub environment: &'a dyn Fn(&str) -> Option<String>,
    /// The values of blocks; those that are not here do not exist.
    pub blocks: &'a Blocks,
}

/// Why a template cannot be resolved.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum TemplateError {
    /// It would be larger than [`LARGEST`].
    #[error("The job would hold more than {LARGEST} bytes once its template is filled in.")]
    TooLarge,
    /// It refers to a block that there is not.
    #[error("The job refers to the block {0}, which there is not.")]
    NoBlock(String),
    /// It refers to a part of a block that there is not.
    #[error("The job refers to {0}, and the block has no such value.")]
    NoBlockPart(String),
    /// It has more than a text of a block within text.
    #[error("The job has {0} within text, which is more than one value; refer to a part of it.")]
    BlockInText(String),
    /// Two job variables contradict each other.
    #[error("The job variable {0:?} names a part of something that has no such parts.")]
    NoParts(String),
}

/// What a template is filled with: job variables, or the values that a name may refer to.
type Values = JsonMap;

/// A value as Python writes it, texts in quotes.
pub fn written(value: &Value) -> String {
    python::quoted(value)
}
