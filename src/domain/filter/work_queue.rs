//! What can be asked about queues of work pools.

use super::{Field, Sort};

/// Their ids.
pub static ID: Field = Field::id("id");
/// Their names.
pub static NAME: Field = Field::text("name");
/// Their pools.
pub static WORK_POOL_ID: Field = Field::id("work_pool_id");

/// All of it.
pub static FIELDS: &[&Field] = &[&ID, &NAME, &WORK_POOL_ID];

/// The order in which workers take from them.
pub const BY_PRIORITY: Sort = Sort::up("priority");
