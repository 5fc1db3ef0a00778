//! What can be asked about work pools.

use super::Field;

/// Their ids.
pub static ID: Field = Field::id("id");
/// Their names.
pub static NAME: Field = Field::text("name");
/// Their types.
pub static TYPE: Field = Field::text("type");

/// All of it.
pub static FIELDS: &[&Field] = &[&ID, &NAME, &TYPE];
