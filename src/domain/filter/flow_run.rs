//! What can be asked about flow runs.

use super::Field;

/// Their ids.
pub static ID: Field = Field::id("id").or_not();
/// Their names.
pub static NAME: Field = Field::text("name");
/// Their tags.
pub static TAGS: Field = Field::tags();
/// The deployments that they came from.
pub static DEPLOYMENT_ID: Field = Field::id("deployment_id").or_null();
/// The types of their states.
pub static STATE_TYPE: Field = Field::state_type();
/// The names of their states.
pub static STATE_NAME: Field = Field::state_name();
/// Both of these.
pub static STATE: Field = Field::group("state", &[&STATE_TYPE, &STATE_NAME]);
/// The versions of their flows.
pub static FLOW_VERSION: Field = Field::text("flow_version");
/// When they first ran.
pub static START_TIME: Field = Field::time("start_time").or_null();
/// When they were expected to.
pub static EXPECTED_START_TIME: Field = Field::time("expected_start_time");
/// When they are due next.
pub static NEXT_SCHEDULED_START_TIME: Field = Field::time("next_scheduled_start_time");
/// The task runs that stand for them.
pub static PARENT_TASK_RUN_ID: Field = Field::id("parent_task_run_id").or_null();

/// All of it.
pub static FIELDS: &[&Field] = &[
    &ID,
    &NAME,
    &TAGS,
    &DEPLOYMENT_ID,
    &STATE,
    &FLOW_VERSION,
    &START_TIME,
    &EXPECTED_START_TIME,
    &NEXT_SCHEDULED_START_TIME,
    &PARENT_TASK_RUN_ID,
];
