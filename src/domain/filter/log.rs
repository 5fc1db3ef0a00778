//! What can be asked about log lines.

use super::{Field, Holds, Sort};

/// Their levels.
pub static LEVEL: Field = Field::number("level");
/// When they were said.
pub static TIMESTAMP: Field = Field::time("timestamp");
/// The flow runs that said them.
pub static FLOW_RUN_ID: Field = Field::id("flow_run_id");
/// The task runs that said them.
pub static TASK_RUN_ID: Field = Field::id("task_run_id");

/// What they say, and who says it; only modern clients ask that.
pub static TEXT: Field = Field::holding("text", Holds::Message);

/// All that 2.0a7 clients ask.
pub static FIELDS: &[&Field] = &[&LEVEL, &TIMESTAMP, &FLOW_RUN_ID, &TASK_RUN_ID];

/// The order in which lines were said.
pub const OLDEST: Sort = Sort::up("timestamp");
/// That backwards.
pub const LATEST: Sort = Sort::down("timestamp");

/// The orders by the words of the modern dialect; the first is the usual one.
pub const TIME_SORTS: &[(&str, Sort)] = &[("TIMESTAMP_ASC", OLDEST), ("TIMESTAMP_DESC", LATEST)];

/// The orders, by the words of the 2.0a7 dialect. Lines that are equal by them come in the order of
/// arrival, or backwards.
pub const SORTS: &[(&str, Sort)] = &[
    ("TIMESTAMP_ASC", OLDEST),
    ("TIMESTAMP_DESC", LATEST),
    ("LEVEL_ASC", Sort::up("level")),
    ("LEVEL_DESC", Sort::down("level")),
    ("FLOW_RUN_ID_ASC", Sort::up("flow_run_id")),
    ("FLOW_RUN_ID_DESC", Sort::down("flow_run_id")),
    ("TASK_RUN_ID_ASC", Sort::up("task_run_id")),
    ("TASK_RUN_ID_DESC", Sort::down("task_run_id")),
];
