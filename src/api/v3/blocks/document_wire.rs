//! Documents of blocks.

use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use super::filter::Secrets;
use super::wire::{BlockSchema, BlockType};
use crate::api::redaction::{Reader, Redact};
use crate::api::v3::wire::Instant;
use crate::domain::JsonMap;
use crate::domain::block::{self, BlockDocumentUpdate, NewBlockDocument};
use crate::domain::ids::{BlockSchemaId, BlockTypeId};

/// A block.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct BlockDocument {
    id: Uuid,
    created: Instant,
    updated: Instant,
    name: String,
    #[schema(value_type = Object)]
    data: JsonMap,
    block_schema_id: Uuid,
    block_schema: BlockSchema,
    block_type_id: Uuid,
    block_type_name: String,
    block_type: BlockType,
    #[schema(value_type = Object)]
    block_document_references: JsonMap,
    is_anonymous: bool,
}

impl BlockDocument {
    /// With its secrets or their masks.
    pub fn new(document: &block::BlockDocument, secrets: Secrets) -> Self {
        let block::BlockDocument {
            stored,
            own: _,
            schema,
            kind,
            within,
        } = document;
        let kind_out = BlockType::from(kind.clone());
        Self {
            id: stored.id.uuid(),
            created: stored.created.into(),
            updated: stored.updated.into(),
            name: stored.name.clone(),
            data: document.data(secrets == Secrets::Shown),
            block_schema_id: schema.id.uuid(),
            block_schema: (schema.clone(), kind.clone()).into(),
            block_type_id: kind_out.id,
            block_type_name: kind_out.name.clone(),
            block_type: kind_out,
            block_document_references: references(within),
            is_anonymous: stored.is_anonymous,
        }
    }
}

/// What is told of the documents within one.
fn references(within: &[(String, block::BlockDocument)]) -> JsonMap {
    let each = within.iter().map(|(field, document)| {
        let told = json!({ "block_document": {
            "id": document.stored.id.uuid(),
            "name": document.stored.name,
            "block_type": BlockType::from(document.kind.clone()),
            "is_anonymous": document.stored.is_anonymous,
            "block_document_references": references(&document.within),
        } });
        (field.clone(), told)
    });
    each.collect()
}

impl Redact for BlockDocument {
    fn redact(&mut self, reader: &Reader<'_>) {
        let Self {
            id: _,
            created: _,
            updated: _,
            // Small letters, digits and dashes.
            name: _,
            data,
            block_schema_id: _,
            block_schema,
            block_type_id: _,
            block_type_name,
            block_type,
            block_document_references,
            is_anonymous: _,
        } = self;
        let mask = reader.of_nobody();
        mask.over(data);
        mask.over(block_type_name);
        mask.over(block_document_references);
        block_schema.redact(reader);
        block_type.redact(reader);
    }
}

/// A block to be created.
#[derive(Debug, Deserialize, ToSchema)]
pub struct BlockDocumentCreate {
    /// Its name: small letters, digits and dashes. An anonymous one may do without.
    #[serde(default)]
    name: Option<String>,
    /// Its values; a block within it is `{"$ref": {"block_document_id": …}}`.
    #[serde(default)]
    #[schema(value_type = Object)]
    data: JsonMap,
    /// Its schema.
    block_schema_id: Uuid,
    /// Its type.
    block_type_id: Uuid,
    /// Whether nobody is to find it by its name.
    #[serde(default)]
    is_anonymous: bool,
}

impl From<BlockDocumentCreate> for NewBlockDocument {
    fn from(create: BlockDocumentCreate) -> Self {
        let BlockDocumentCreate {
            name,
            data,
            block_schema_id,
            block_type_id,
            is_anonymous,
        } = create;
        Self {
            name,
            data,
            block_schema_id: BlockSchemaId::from_uuid(block_schema_id),
            block_type_id: BlockTypeId::from_uuid(block_type_id),
            is_anonymous,
        }
    }
}

/// Changes to a block.
#[derive(Debug, Deserialize, ToSchema)]
pub struct BlockDocumentChanges {
    /// Another schema of its type.
    #[serde(default)]
    block_schema_id: Option<Uuid>,
    /// Values. A secret that is named by its mask stays.
    #[serde(default)]
    #[schema(value_type = Object)]
    data: Option<JsonMap>,
    /// Whether values that are not named stay.
    #[serde(default = "yes")]
    merge_existing_data: bool,
}

fn yes() -> bool {
    true
}

impl From<BlockDocumentChanges> for BlockDocumentUpdate {
    fn from(changes: BlockDocumentChanges) -> Self {
        let BlockDocumentChanges {
            block_schema_id,
            data,
            merge_existing_data,
        } = changes;
        Self {
            block_schema_id: block_schema_id.map(BlockSchemaId::from_uuid),
            data,
            is_merged: merge_existing_data,
        }
    }
}
