//! What can be asked about flow runs.

use super::{Criterion, Field, Holds, Sort};
use crate::domain::state::StateType;

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

// What only modern clients ask.

/// When they first ran, or were expected to.
pub static BEGINNING: Field = Field::time("start_time").or_column("expected_start_time");
/// When they ended.
pub static END_TIME: Field = Field::time("end_time");
/// The keys that they were created under.
pub static IDEMPOTENCY_KEY: Field = Field::text("idempotency_key");
/// The flow runs that they are sub-flows of.
pub static PARENT_FLOW_RUN_ID: Field = Field::holding("parent_flow_run_id", Holds::ParentRun);
/// The names of their queues.
pub static WORK_QUEUE_NAME: Field = Field::queue_name();
/// Who created them.
pub static CREATED_BY: Field = Field::text("created_by");
/// That one's id.
pub static CREATOR_ID: Field = Field::member("created_by", "$.id");
/// That one's type.
pub static CREATOR_TYPE: Field = Field::member("created_by", "$.type");

/// What is asked of runs that are late: they are scheduled, in a state of that name.
pub fn late_ones() -> [Criterion; 2] {
    [
        STATE_TYPE.is_one_of([StateType::Scheduled.word()]),
        STATE_NAME.is_one_of(["Late"]),
    ]
}

/// The orders, by the words of the modern dialect; the first is the usual one.
pub const SORTS: &[(&str, Sort)] = &[
    ("ID_DESC", Sort::NEWEST),
    (
        "START_TIME_ASC",
        Sort::up("start_time").or("expected_start_time"),
    ),
    (
        "START_TIME_DESC",
        Sort::down("start_time").or("expected_start_time"),
    ),
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
];

/// All that 2.0a7 clients ask.
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
