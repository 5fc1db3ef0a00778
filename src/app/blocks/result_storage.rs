//! Verbs on the block by which results are stored where nothing else is said.

use super::read_schema;
use crate::app::App;
use crate::domain::block::SealedDocument;
use crate::domain::error::{Error, Kind, Result};
use crate::domain::ids::BlockDocumentId;
use crate::storage::blocks::documents;
use crate::storage::rows;

/// What a block can do that stores results.
const WRITES: &str = "write-path";

impl App {
    /// The document of the block; none: each client's own.
    pub async fn result_storage(&self) -> Result<Option<BlockDocumentId>> {
        self.read(documents::result_storage).await
    }

    /// Has results stored by the block of a document. That goes with the document.
    ///
    /// Fails as not found where there is no such document, and as invalid where its block cannot
    /// write.
    pub async fn set_result_storage(&self, id: BlockDocumentId) -> Result<()> {
        self.write(move |tx| {
            let found: Option<SealedDocument> = rows::by_id(tx.db, id)?;
            let unknown = || Error::new(Kind::NotFound, format!("Block document {id} not found."));
            let schema = read_schema(tx.db, found.ok_or_else(unknown)?.block_schema_id)?;
            if !schema.new.capabilities.iter().any(|it| it == WRITES) {
                return Err(Error::invalid(format!(
                    "Block document {id} cannot be used for result storage."
                )));
            }
            documents::set_result_storage(tx.db, Some(id))
        })
        .await
    }

    /// Has results stored where each client does by itself.
    pub async fn clear_result_storage(&self) -> Result<()> {
        self.write(|tx| documents::set_result_storage(tx.db, None))
            .await
    }
}
