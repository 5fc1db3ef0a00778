//! What can be asked about flows.

use super::Field;

/// Their ids.
pub static ID: Field = Field::id("id");
/// Their names.
pub static NAME: Field = Field::text("name");
/// Their tags.
pub static TAGS: Field = Field::tags();

/// All of it.
pub static FIELDS: &[&Field] = &[&ID, &NAME, &TAGS];
