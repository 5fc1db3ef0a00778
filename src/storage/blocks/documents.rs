//! Documents of blocks in the store, their values under seal.

use rusqlite::{Connection, Row as SqlRow, named_params};

use crate::domain::block::{BlockType, SealedDocument};
use crate::domain::error::Result;
use crate::domain::filter::Noun;
use crate::domain::ids::{BlockDocumentId, BlockSchemaId, BlockTypeId};
use crate::domain::time::Timestamp;
use crate::storage::query::{self, Columns};
use crate::storage::rows::{Filtered, Row, key};
use crate::storage::sql::{self, Statement, statement};

const INSERT: &str = include_str!("../../../sql/queries/blocks/insert_document.sql");
const UPDATE: &str = include_str!("../../../sql/queries/blocks/update_document.sql");
const REFERENCES: &str = include_str!("../../../sql/queries/blocks/references.sql");
const INSERT_REFERENCE: &str = include_str!("../../../sql/queries/blocks/insert_reference.sql");
const DELETE_REFERENCES: &str = include_str!("../../../sql/queries/blocks/delete_references.sql");
const LEADS_TO: &str = include_str!("../../../sql/queries/blocks/leads_to.sql");
const RESULT_STORAGE: &str = include_str!("../../../sql/queries/blocks/result_storage.sql");
const SET_RESULT_STORAGE: &str = include_str!("../../../sql/queries/blocks/set_result_storage.sql");
const CLEAR_RESULT_STORAGE: &str =
    include_str!("../../../sql/queries/blocks/clear_result_storage.sql");
static BY_NAME: Statement = statement!("blocks/document_by_name.sql");

/// Stores a document that is not there yet, of that type.
pub fn insert(db: &Connection, document: &SealedDocument, kind: &BlockType) -> Result<()> {
    let params = named_params! {
        ":id": document.id,
        ":now": document.created,
        ":name": document.name,
        ":data": document.sealed,
        ":block_schema_id": document.block_schema_id,
        ":block_type_id": document.block_type_id,
        ":block_type_name": kind.new.name,
        ":is_anonymous": document.is_anonymous,
    };
    query::change(db, INSERT, params)?;
    Ok(())
}

/// Gives a document other values, and perhaps another schema.
pub fn update(
    db: &Connection,
    id: BlockDocumentId,
    sealed: &[u8],
    schema: BlockSchemaId,
    now: Timestamp,
) -> Result<()> {
    let params = named_params! {
        ":id": id, ":now": now, ":data": sealed, ":block_schema_id": schema,
    };
    query::change(db, UPDATE, params)?;
    Ok(())
}

/// The document of that name among those of a type.
pub fn by_name(db: &Connection, kind: BlockTypeId, name: &str) -> Result<Option<SealedDocument>> {
    let params = named_params! {":block_type_id": kind, ":name": name};
    query::one(db, &BY_NAME, params, SealedDocument::read)
}

/// The document by which results are stored where nothing else is said.
pub fn result_storage(db: &Connection) -> Result<Option<BlockDocumentId>> {
    let found = query::all(db, RESULT_STORAGE, named_params! {}, |row| row.get(0))?;
    Ok(found.into_iter().next())
}

/// Has results stored by a document, or by none, where nothing else is said.
pub fn set_result_storage(db: &Connection, id: Option<BlockDocumentId>) -> Result<()> {
    query::change(db, CLEAR_RESULT_STORAGE, named_params! {})?;
    if let Some(id) = id {
        query::change(db, SET_RESULT_STORAGE, named_params! {":id": id})?;
    }
    Ok(())
}

/// The documents within a document, by field.
pub fn within(db: &Connection, id: BlockDocumentId) -> Result<Vec<(String, BlockDocumentId)>> {
    query::all(db, REFERENCES, named_params! {":id": id}, |row| {
        Ok((row.get(0)?, row.get(1)?))
    })
}

/// Puts these documents into a document, in the place of all that were there.
pub fn put_within(
    db: &Connection,
    id: BlockDocumentId,
    within: &[(String, BlockDocumentId)],
) -> Result<()> {
    query::change(db, DELETE_REFERENCES, named_params! {":id": id})?;
    for (name, reference) in within {
        let params = named_params! {":parent_id": id, ":name": name, ":reference_id": reference};
        query::change(db, INSERT_REFERENCE, params)?;
    }
    Ok(())
}

/// Whether a document is another, or that lies within it at any depth.
pub fn leads_to(db: &Connection, from: BlockDocumentId, to: BlockDocumentId) -> Result<bool> {
    let params = named_params! {":from": from, ":to": to};
    Ok(query::one(db, LEADS_TO, params, |row| row.get(0))?.unwrap_or_default())
}

key!(BlockDocumentId, SealedDocument);

impl Row for SealedDocument {
    const TABLE: &'static str = "block_documents";

    fn columns() -> &'static str {
        &sql::BLOCK_DOCUMENT
    }

    fn read(row: &SqlRow<'_>) -> rusqlite::Result<Self> {
        let mut columns = Columns::of(row);
        Ok(Self {
            id: columns.next()?,
            created: columns.next()?,
            updated: columns.next()?,
            name: columns.next()?,
            sealed: columns.next()?,
            block_schema_id: columns.next()?,
            block_type_id: columns.next()?,
            is_anonymous: columns.next()?,
        })
    }
}

impl Filtered for SealedDocument {
    const NOUN: Noun = Noun::BlockDocument;
    const TIES_BY_ID: bool = true;
}
