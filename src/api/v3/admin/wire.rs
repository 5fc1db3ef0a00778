//! What is told of the server.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::api::redaction::harmless;

/// Where results are stored by default.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
pub struct ResultStorage {
    /// The block document of the storage; null: each client's own.
    pub default_result_storage_block_id: Option<Uuid>,
}

harmless!(ResultStorage);

/// Where they shall be.
#[derive(Debug, Deserialize, ToSchema)]
pub struct ResultStorageUpdate {
    /// The block document of the storage.
    pub default_result_storage_block_id: Uuid,
}
