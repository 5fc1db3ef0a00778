//! What can be asked about flows.

use super::{Field, Holds};

/// Their ids.
pub static ID: Field = Field::id("id");
/// Their names.
pub static NAME: Field = Field::text("name");
/// Their tags.
pub static TAGS: Field = Field::tags();

/// Whether they have no deployments; only modern clients ask that.
pub static DEPLOYMENTS: Field = Field::holding("deployment", Holds::Deployments);

/// All that 2.0a7 clients ask.
pub static FIELDS: &[&Field] = &[&ID, &NAME, &TAGS];
