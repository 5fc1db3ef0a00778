//! Types and schemas of blocks go with their documents.

use super::{CHUNK, all_rows, each};
use crate::app::budget::Budget;
use crate::app::events::emit;
use crate::app::tx::Tx;
use crate::domain::block::BlockType;
use crate::domain::error::Result;
use crate::domain::event::{Happened, lifecycle};
use crate::domain::ids::{BlockDocumentId, BlockSchemaId, BlockTypeId};
use crate::storage::{Connection, removal, rows};

/// As on the reference, nothing is told of the documents.
pub(super) fn block_type(tx: &mut Tx<'_>, id: BlockTypeId, budget: &Budget) -> Result<bool> {
    let (db, now) = (tx.db, tx.now);
    let documents = || removal::some_documents(db, id, CHUNK);
    let schemas = || removal::some_schemas(db, id, CHUNK);
    let is_bare = each(budget, documents, |id| document(db, id, budget))?
        && each(budget, schemas, |id| schema(db, id, budget))?;
    if is_bare {
        let known: Option<BlockType> = rows::by_id(db, id)?;
        rows::delete(db, id)?;
        if let Some(known) = known {
            emit(tx, lifecycle::block_type(Happened::Deleted, &known, now))?;
        }
    }
    Ok(is_bare)
}

pub(super) fn schema(db: &Connection, id: BlockSchemaId, budget: &Budget) -> Result<bool> {
    let documents = || removal::some_documents_of_schema(db, id, CHUNK);
    let is_bare = each(budget, documents, |id| document(db, id, budget))?;
    if is_bare {
        rows::delete(db, id)?;
    }
    Ok(is_bare)
}

/// Very many others may hold it.
fn document(db: &Connection, id: BlockDocumentId, budget: &Budget) -> Result<bool> {
    let is_bare = all_rows(budget, || removal::some_references_to(db, id, CHUNK))?;
    if is_bare {
        rows::delete(db, id)?;
    }
    Ok(is_bare)
}
