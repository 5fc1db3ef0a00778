//! Routes of blocks: of their types, their schemas and their documents.

pub mod document_wire;
mod documents;
pub mod filter;
mod schemas;
mod types;
pub mod wire;

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
