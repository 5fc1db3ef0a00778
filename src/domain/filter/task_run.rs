//! What can be asked about task runs.

use super::Field;

/// Their ids.
pub static ID: Field = Field::id("id");
/// Their names.
pub static NAME: Field = Field::text("name");
/// Their tags.
pub static TAGS: Field = Field::tags();
/// The types of their states.
pub static STATE_TYPE: Field = Field::state_type();
/// The names of their states.
pub static STATE_NAME: Field = Field::state_name();
/// Both of these.
pub static STATE: Field = Field::group("state", &[&STATE_TYPE, &STATE_NAME]);
/// When they first ran.
pub static START_TIME: Field = Field::time("start_time").or_null();
/// Whether they stand for sub-flows.
pub static SUBFLOW_RUNS: Field = Field::sub_flow("subflow_runs");

/// All of it.
pub static FIELDS: &[&Field] = &[&ID, &NAME, &TAGS, &STATE, &START_TIME, &SUBFLOW_RUNS];
