//! What can be asked about deployments.

use super::Field;

/// Their ids.
pub static ID: Field = Field::id("id");
/// Their names.
pub static NAME: Field = Field::text("name");
/// Whether their schedules are followed.
pub static IS_SCHEDULE_ACTIVE: Field = Field::flag("is_schedule_active");
/// Their tags.
pub static TAGS: Field = Field::tags();

/// All of it.
pub static FIELDS: &[&Field] = &[&ID, &NAME, &IS_SCHEDULE_ACTIVE, &TAGS];
