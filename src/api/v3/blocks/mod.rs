//! Routes of blocks: of their types, their schemas and their documents.

mod document_wire;
mod documents;
mod filter;
mod schemas;
mod types;
mod wire;

use crate::api::Operation;

/// What there is to ask.
pub fn operations() -> Vec<Operation> {
    let all = [
        types::operations(),
        schemas::operations(),
        documents::operations(),
    ];
    all.into_iter().flatten().collect()
}
