//! Types and schemas of blocks in the store.

pub mod documents;

use rusqlite::{Connection, Row as SqlRow, named_params};

use super::column::Json;
use super::query::{self, Columns};
use super::rows::{Filtered, Row, key};
use super::sql::{self, Statement, statement};
use crate::domain::block::{BlockSchema, BlockType, NewBlockSchema, NewBlockType};
use crate::domain::error::Result;
use crate::domain::filter::Noun;
use crate::domain::ids::{BlockSchemaId, BlockTypeId};
use crate::domain::time::Timestamp;

const INSERT_TYPE: &str = include_str!("../../../sql/queries/blocks/insert_type.sql");
const UPDATE_TYPE: &str = include_str!("../../../sql/queries/blocks/update_type.sql");
const TYPE_HAS_NAME: &str = include_str!("../../../sql/queries/blocks/type_has_name.sql");
const INSERT_SCHEMA: &str = include_str!("../../../sql/queries/blocks/insert_schema.sql");
const CAPABILITIES: &str = include_str!("../../../sql/queries/blocks/capabilities.sql");
static TYPE_BY_SLUG: Statement = statement!("blocks/type_by_slug.sql");
static SCHEMA_BY_CHECKSUM: Statement = statement!("blocks/schema_by_checksum.sql");

/// Stores a type that is not there yet.
pub fn insert_type(db: &Connection, new: &NewBlockType, now: Timestamp) -> Result<BlockTypeId> {
    let id = BlockTypeId::new();
    let params = named_params! {
        ":id": id,
        ":now": now,
        ":name": new.name,
        ":slug": new.slug,
        ":logo_url": new.logo_url,
        ":documentation_url": new.documentation_url,
        ":description": new.description,
        ":code_example": new.code_example,
        ":is_protected": new.is_protected,
    };
    query::change(db, INSERT_TYPE, params)?;
    Ok(id)
}

/// Changes what can be changed of a type.
pub fn update_type(
    db: &Connection,
    id: BlockTypeId,
    to: &NewBlockType,
    now: Timestamp,
) -> Result<()> {
    let params = named_params! {
        ":id": id,
        ":now": now,
        ":logo_url": to.logo_url,
        ":documentation_url": to.documentation_url,
        ":description": to.description,
        ":code_example": to.code_example,
    };
    query::change(db, UPDATE_TYPE, params)?;
    Ok(())
}

/// The type of that slug.
pub fn type_by_slug(db: &Connection, slug: &str) -> Result<Option<BlockType>> {
    let params = named_params! {":slug": slug};
    query::one(db, &TYPE_BY_SLUG, params, BlockType::read)
}

/// Whether there is a type of that name.
pub fn type_has_name(db: &Connection, name: &str) -> Result<bool> {
    let found = query::one(db, TYPE_HAS_NAME, named_params! {":name": name}, |row| {
        row.get(0)
    })?;
    Ok(found.unwrap_or_default())
}

/// Stores a schema that is not there yet.
pub fn insert_schema(
    db: &Connection,
    new: &NewBlockSchema,
    checksum: &str,
    now: Timestamp,
) -> Result<BlockSchemaId> {
    let id = BlockSchemaId::new();
    let params = named_params! {
        ":id": id,
        ":now": now,
        ":checksum": checksum,
        ":fields": Json(&new.fields),
        ":block_type_id": new.block_type_id,
        ":capabilities": Json(&new.capabilities),
        ":version": new.version,
    };
    query::change(db, INSERT_SCHEMA, params)?;
    Ok(id)
}

/// The schema of that checksum, and of that version where one is named; otherwise the newest.
pub fn schema_by_checksum(
    db: &Connection,
    checksum: &str,
    version: Option<&str>,
) -> Result<Option<BlockSchema>> {
    let params = named_params! {":checksum": checksum, ":version": version};
    query::one(db, &SCHEMA_BY_CHECKSUM, params, BlockSchema::read)
}

/// Up to `limit` of what blocks of any schema can do.
pub fn capabilities(db: &Connection, limit: u64) -> Result<Vec<String>> {
    let params = named_params! {":limit": i64::try_from(limit).unwrap_or(i64::MAX)};
    query::all(db, CAPABILITIES, params, |row| row.get(0))
}

key!(BlockTypeId, BlockType);
key!(BlockSchemaId, BlockSchema);

impl Row for BlockType {
    const TABLE: &'static str = "block_types";

    fn columns() -> &'static str {
        &sql::BLOCK_TYPE
    }

    fn read(row: &SqlRow<'_>) -> rusqlite::Result<Self> {
        let mut columns = Columns::of(row);
        Ok(Self {
            id: columns.next()?,
            created: columns.next()?,
            updated: columns.next()?,
            new: NewBlockType {
                name: columns.next()?,
                slug: columns.next()?,
                logo_url: columns.next()?,
                documentation_url: columns.next()?,
                description: columns.text()?,
                code_example: columns.text()?,
                is_protected: columns.next()?,
            },
        })
    }
}

impl Filtered for BlockType {
    const NOUN: Noun = Noun::BlockType;
}

impl Row for BlockSchema {
    const TABLE: &'static str = "block_schemas";

    fn columns() -> &'static str {
        &sql::BLOCK_SCHEMA
    }

    fn read(row: &SqlRow<'_>) -> rusqlite::Result<Self> {
        let mut columns = Columns::of(row);
        Ok(Self {
            id: columns.next()?,
            created: columns.next()?,
            updated: columns.next()?,
            checksum: columns.next()?,
            new: NewBlockSchema {
                fields: columns.next::<Json<_>>()?.0,
                block_type_id: columns.next()?,
                capabilities: columns.next::<Json<_>>()?.0,
                version: columns.next()?,
            },
        })
    }
}

impl Filtered for BlockSchema {
    const NOUN: Noun = Noun::BlockSchema;
    const TIES_BY_ID: bool = true;
}
