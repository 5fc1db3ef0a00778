//! What can be asked about deployments.

use super::{Field, Holds};

/// Their ids.
pub static ID: Field = Field::id("id");
/// Their names.
pub static NAME: Field = Field::text("name");
/// Whether their schedules are followed.
pub static IS_SCHEDULE_ACTIVE: Field = Field::flag("is_schedule_active");
/// Their tags.
pub static TAGS: Field = Field::tags();

/// Their names, or those of their flows; only modern clients ask that.
pub static NAME_OR_FLOW: Field = Field::holding("flow_or_deployment_name", Holds::NameOrFlow);
/// The names of their queues.
pub static WORK_QUEUE_NAME: Field = Field::queue_name();

/// All that 2.0a7 clients ask.
pub static FIELDS: &[&Field] = &[&ID, &NAME, &IS_SCHEDULE_ACTIVE, &TAGS];
