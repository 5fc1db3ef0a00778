//! What can be asked about variables.

use super::{Field, Sort};

/// Their ids.
pub static ID: Field = Field::id("id");
/// Their names.
pub static NAME: Field = Field::text("name");
/// Their tags.
pub static TAGS: Field = Field::tags();

/// All of it.
pub static FIELDS: &[&Field] = &[&ID, &NAME, &TAGS];

/// Their orders.
pub const SORTS: &[(&str, Sort)] = &[
    ("NAME_ASC", Sort::NAME),
    ("NAME_DESC", Sort::down("name")),
    ("CREATED_DESC", Sort::down("created")),
    ("UPDATED_DESC", Sort::down("updated")),
];
