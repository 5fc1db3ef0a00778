//! Verbs on documents: bytes that a client leaves here and fetches again.

use super::App;
use crate::domain::document::DocumentId;
use crate::domain::error::Result;

impl App {
    /// Keeps the bytes and answers the name by which they are found again. The same bytes
    /// have the same name.
    pub async fn persist_document(&self, bytes: Vec<u8>) -> Result<DocumentId> {
        self.inner.blobs.put(bytes).await
    }

    /// The bytes of that name.
    pub async fn document(&self, id: DocumentId) -> Result<Vec<u8>> {
        self.inner.blobs.get(id).await
    }
}
