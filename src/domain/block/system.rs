//! The types of blocks that are there without any client having brought them, so that pages and
//! the command line can make blocks of them. What a client has of them, it brings itself.

use serde_json::{Value, json};

use super::{NO_VERSION, NewBlockSchema, NewBlockType};
use crate::domain::JsonMap;
use crate::domain::ids::BlockTypeId;

/// A type that is there at first, with its schema.
pub struct SystemBlock {
    /// The type.
    pub kind: NewBlockType,
    fields: JsonMap,
    capabilities: &'static [&'static str],
}

impl SystemBlock {
    /// Its schema, of the type with that id.
    pub fn schema(self, of: BlockTypeId) -> NewBlockSchema {
        NewBlockSchema {
            fields: self.fields,
            block_type_id: of,
            capabilities: self.capabilities.iter().map(|&it| it.to_owned()).collect(),
            version: NO_VERSION.to_owned(),
        }
    }
}

/// All of them.
pub fn system_blocks() -> Vec<SystemBlock> {
    let text = |title: &str| json!({ "type": "string", "title": title });
    let hidden = |title: &str| json!({ "type": "string", "title": title, "format": "password", "writeOnly": true });
    vec![
        system_block(
            ("Secret", "secret", "A value that is shown to nobody."),
            &[],
            &json!({ "value": hidden("Value") }),
            &["value"],
            &["value"],
        ),
        system_block(
            ("Webhook", "webhook", "An address that is called."),
            &[],
            &json!({
                "method": { "type": "string", "title": "Method", "default": "POST",
                            "enum": ["GET", "POST", "PUT", "PATCH", "DELETE"] },
                "url": hidden("Url"),
                "headers": { "type": "object", "title": "Headers", "additionalProperties":
                             { "type": "string" } },
            }),
            &["url"],
            &["url", "headers.*"],
        ),
        system_block(
            (
                "Local File System",
                "local-file-system",
                "A folder of one machine.",
            ),
            &["get-directory", "put-directory", "read-path", "write-path"],
            &json!({ "basepath": text("Basepath") }),
            &[],
            &[],
        ),
    ]
}

fn system_block(
    (name, slug, description): (&str, &str, &str),
    capabilities: &'static [&'static str],
    properties: &Value,
    required: &[&str],
    secrets: &[&str],
) -> SystemBlock {
    let fields = [
        ("title", json!(name.replace(' ', ""))),
        ("type", json!("object")),
        ("properties", properties.clone()),
        ("required", json!(required)),
        ("block_type_slug", json!(slug)),
        ("secret_fields", json!(secrets)),
        ("block_schema_references", json!({})),
    ];
    SystemBlock {
        kind: NewBlockType {
            name: name.to_owned(),
            slug: slug.to_owned(),
            description: Some(description.to_owned()),
            is_protected: true,
            ..NewBlockType::default()
        },
        fields: fields
            .map(|(name, value)| (name.to_owned(), value))
            .into_iter()
            .collect(),
        capabilities,
    }
}
