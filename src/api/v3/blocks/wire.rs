//! Types and schemas of blocks.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::api::redaction::{Reader, Redact};
use crate::api::v3::wire::{Instant, plain_name, said};
use crate::domain::JsonMap;
use crate::domain::block::{self, BlockTypeUpdate, NO_VERSION, NewBlockSchema, NewBlockType};
use crate::domain::ids::BlockTypeId;
use crate::domain::patch::Patch;

/// A type of blocks.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct BlockType {
    /// Its id.
    pub id: Uuid,
    created: Instant,
    updated: Instant,
    /// Its name.
    pub name: String,
    slug: String,
    logo_url: Option<String>,
    documentation_url: Option<String>,
    description: Option<String>,
    code_example: Option<String>,
    is_protected: bool,
}

impl From<block::BlockType> for BlockType {
    fn from(kind: block::BlockType) -> Self {
        let block::BlockType {
            id,
            created,
            updated,
            new,
        } = kind;
        let NewBlockType {
            name,
            slug,
            logo_url,
            documentation_url,
            description,
            code_example,
            is_protected,
        } = new;
        Self {
            id: id.uuid(),
            created: created.into(),
            updated: updated.into(),
            name,
            slug,
            logo_url,
            documentation_url,
            description,
            code_example,
            is_protected,
        }
    }
}

impl Redact for BlockType {
    fn redact(&mut self, reader: &Reader<'_>) {
        let Self {
            id: _,
            created: _,
            updated: _,
            name,
            slug: _,
            logo_url,
            documentation_url,
            description,
            code_example,
            is_protected: _,
        } = self;
        let mask = reader.of_nobody();
        mask.over(name);
        for text in [logo_url, documentation_url, description, code_example] {
            mask.over(text);
        }
    }
}

/// What a block of a type holds.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct BlockSchema {
    id: Uuid,
    created: Instant,
    updated: Instant,
    checksum: String,
    #[schema(value_type = Object)]
    fields: JsonMap,
    block_type_id: Uuid,
    block_type: BlockType,
    capabilities: Vec<String>,
    version: String,
}

impl From<(block::BlockSchema, block::BlockType)> for BlockSchema {
    fn from((schema, kind): (block::BlockSchema, block::BlockType)) -> Self {
        let block::BlockSchema {
            id,
            created,
            updated,
            checksum,
            new,
        } = schema;
        let NewBlockSchema {
            mut fields,
            block_type_id,
            capabilities,
            version,
        } = new;
        let none = || Value::Object(JsonMap::new());
        fields.entry("block_schema_references").or_insert_with(none);
        Self {
            id: id.uuid(),
            created: created.into(),
            updated: updated.into(),
            checksum,
            fields,
            block_type_id: block_type_id.uuid(),
            block_type: kind.into(),
            capabilities,
            version,
        }
    }
}

impl Redact for BlockSchema {
    /// The names of fields are those of secrets, and what is said of one is no secret; defaults
    /// and examples may be.
    fn redact(&mut self, reader: &Reader<'_>) {
        let Self {
            id: _,
            created: _,
            updated: _,
            checksum: _,
            fields,
            block_type_id: _,
            block_type,
            capabilities,
            version: _,
        } = self;
        let mask = reader.of_nobody();
        let mut values = fields.values_mut().collect::<Vec<_>>();
        while let Some(value) = values.pop() {
            match value {
                Value::Object(map) => {
                    for (name, value) in map.iter_mut() {
                        match value {
                            Value::Object(_) | Value::Array(_) => values.push(value),
                            _ if matches!(&**name, "default" | "const" | "example") => {
                                mask.over_member("secret", value);
                            }
                            value => mask.over(value),
                        }
                    }
                }
                Value::Array(items) => values.extend(items),
                value => mask.over(value),
            }
        }
        mask.over(capabilities);
        block_type.redact(reader);
    }
}

/// A type of blocks to be created.
#[derive(Debug, Deserialize, ToSchema)]
pub struct BlockTypeCreate {
    /// What people call it.
    #[serde(deserialize_with = "plain_name")]
    name: String,
    /// What names it: small letters, digits and dashes.
    slug: String,
    /// Where its logo is.
    #[serde(default)]
    logo_url: Option<String>,
    /// Where it is described.
    #[serde(default)]
    documentation_url: Option<String>,
    /// What it is for.
    #[serde(default)]
    description: Option<String>,
    /// How it is used.
    #[serde(default)]
    code_example: Option<String>,
}

impl From<BlockTypeCreate> for NewBlockType {
    fn from(create: BlockTypeCreate) -> Self {
        let BlockTypeCreate {
            name,
            slug,
            logo_url,
            documentation_url,
            description,
            code_example,
        } = create;
        Self {
            name,
            slug,
            logo_url,
            documentation_url,
            description: description.map(escaped),
            code_example: code_example.map(escaped),
            is_protected: false,
        }
    }
}

/// As on the reference what pages show as markdown brings no elements of its own.
fn escaped(text: String) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

/// Changes to a type; absent fields stay.
#[derive(Debug, Default, Deserialize, ToSchema)]
pub struct BlockTypeChanges {
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = Option<String>)]
    logo_url: Patch<String>,
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = Option<String>)]
    documentation_url: Patch<String>,
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = Option<String>)]
    description: Patch<String>,
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = Option<String>)]
    code_example: Patch<String>,
}

impl From<BlockTypeChanges> for BlockTypeUpdate {
    fn from(changes: BlockTypeChanges) -> Self {
        let BlockTypeChanges {
            logo_url,
            documentation_url,
            description,
            code_example,
        } = changes;
        Self {
            logo_url,
            documentation_url,
            description,
            code_example,
        }
    }
}

/// A schema to be kept.
#[derive(Debug, Deserialize, ToSchema)]
pub struct BlockSchemaCreate {
    /// The fields of a block.
    #[serde(default)]
    #[schema(value_type = Object)]
    fields: JsonMap,
    /// Its type.
    block_type_id: Uuid,
    /// What its blocks can do.
    #[serde(default)]
    capabilities: Vec<String>,
    /// The version of what it was made of.
    #[serde(default = "no_version")]
    version: String,
}

fn no_version() -> String {
    NO_VERSION.to_owned()
}

impl From<BlockSchemaCreate> for NewBlockSchema {
    fn from(create: BlockSchemaCreate) -> Self {
        let BlockSchemaCreate {
            fields,
            block_type_id,
            capabilities,
            version,
        } = create;
        Self {
            fields,
            block_type_id: BlockTypeId::from_uuid(block_type_id),
            capabilities,
            version,
        }
    }
}
