//! What can be asked about task runs.

use super::{Field, RUN_TIME, Sort};

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

// What only modern clients ask.

/// When they ended.
pub static END_TIME: Field = Field::time("end_time");
/// When they were expected to run.
pub static EXPECTED_START_TIME: Field = Field::time("expected_start_time");
/// The flow runs that they are part of.
pub static FLOW_RUN_ID: Field = Field::id("flow_run_id");

/// The orders, by the words of the modern dialect; the first is the usual one.
pub const SORTS: &[(&str, Sort)] = &[
    ("ID_DESC", Sort::NEWEST),
    ("EXPECTED_START_TIME_ASC", Sort::up("expected_start_time")),
    (
        "EXPECTED_START_TIME_DESC",
        Sort::down("expected_start_time"),
    ),
    ("NAME_ASC", Sort::NAME),
    ("NAME_DESC", Sort::down("name")),
    (
        "NEXT_SCHEDULED_START_TIME_ASC",
        Sort::up("next_scheduled_start_time"),
    ),
    ("END_TIME_DESC", Sort::down("end_time")),
    ("DURATION_DESC", Sort::down(RUN_TIME)),
    ("DURATION_ASC", Sort::up(RUN_TIME)),
];

/// All that 2.0a7 clients ask.
pub static FIELDS: &[&Field] = &[&ID, &NAME, &TAGS, &STATE, &START_TIME, &SUBFLOW_RUNS];
