//! What can be asked about blocks.

use super::{Field, Holds, Sort};

/// The names of types, and of documents.
pub static NAME: Field = Field::text("name");
/// The slugs of types.
pub static SLUG: Field = Field::text("slug");
/// The ids of schemas, and of documents.
pub static ID: Field = Field::id("id");
/// The types of schemas, and of documents.
pub static BLOCK_TYPE_ID: Field = Field::id("block_type_id");
/// What blocks of a schema can do.
pub static CAPABILITIES: Field = Field::holding("capabilities", Holds::Tags);
/// The versions of schemas.
pub static VERSION: Field = Field::text("version");
/// Whether documents have no name to be found by.
pub static IS_ANONYMOUS: Field = Field::flag("is_anonymous");

/// The order of schemas.
pub const NEWEST: Sort = Sort::down("created");

/// The orders of documents; the first is the usual one.
pub const SORTS: &[(&str, Sort)] = &[
    ("NAME_ASC", Sort::NAME),
    ("NAME_DESC", Sort::down("name")),
    ("BLOCK_TYPE_AND_NAME_ASC", Sort::up("type_and_name")),
];
