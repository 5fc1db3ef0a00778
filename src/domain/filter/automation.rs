//! What can be asked about automations.

use super::Field;

/// Their ids.
pub static ID: Field = Field::id("id");
/// Their names.
pub static NAME: Field = Field::text("name");
/// When they were created.
pub static CREATED: Field = Field::time("created");
/// Their tags.
pub static TAGS: Field = Field::tags();
