//! Verbs on documents: bytes that a client leaves here and fetches again.

use std::path::PathBuf;

use crate::app::App;
use crate::domain::document::DocumentId;
use crate::domain::error::Result;
use crate::storage::blobs::{Document, Draft};

impl App {
    /// Begins to keep bytes that come piece by piece; finished, they have a name by which they
    /// are found again. The same bytes have the same name.
    pub fn begin_document(&self) -> Draft {
        self.inner.blobs.begin()
    }

    /// Where a document lies on this machine.
    pub fn document_path(&self, id: DocumentId) -> PathBuf {
        self.inner.blobs.path(id)
    }

    /// The document of that name, to be read piece by piece.
    pub async fn document(&self, id: DocumentId) -> Result<Document> {
        self.inner.blobs.get(id).await
    }
}
