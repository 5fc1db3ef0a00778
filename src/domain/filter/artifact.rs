//! What can be asked about artifacts, and about the latest of each key.

use super::{Field, Sort};

/// Their ids.
pub static ID: Field = Field::id("id");
/// Of a collection: the id of its latest artifact.
pub static LATEST_ID: Field = Field::id("latest_id");
/// Their keys.
pub static KEY: Field = Field::text("key").or_null();
/// The flow runs that left them.
pub static FLOW_RUN_ID: Field = Field::id("flow_run_id");
/// The task runs that left them.
pub static TASK_RUN_ID: Field = Field::id("task_run_id");
/// Their types.
pub static TYPE: Field = Field::text("type").or_not();

/// Their orders; the first is the usual one.
pub const SORTS: &[(&str, Sort)] = &[
    ("ID_DESC", Sort::NEWEST),
    ("CREATED_DESC", Sort::down("created")),
    ("UPDATED_DESC", Sort::down("updated")),
    ("KEY_DESC", Sort::down("key")),
    ("KEY_ASC", Sort::up("key")),
];
