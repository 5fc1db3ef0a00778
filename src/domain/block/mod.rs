//! Blocks: settings that flows load by type and name.
//!
//! A type has schemas, one for each form that some version of a client gave it; a document holds
//! values of one schema, and other documents in the place of values. Which of its values are
//! secrets, its schema says.

mod checksum;
mod secrets;
mod system;

use serde_json::Value;

use super::JsonMap;
use super::error::{Error, Result};
use super::ids::{BlockDocumentId, BlockSchemaId, BlockTypeId};
use super::patch::Patch;
use super::time::Timestamp;

pub use checksum::checksum;
pub use secrets::{kept, obscured};
pub use system::system_blocks;

/// The most bytes of a name, a slug, a version and a capability.
const LONGEST_NAME: usize = 1000;
/// The most documents that one answer puts together.
pub const MOST_WITHIN: usize = 1000;
/// How deep documents lie within documents, as on the reference.
pub const DEEPEST: usize = 50;
/// The version of a schema whose client names none.
pub const NO_VERSION: &str = "non-versioned";

/// A type of blocks.
#[derive(Clone, Debug, PartialEq)]
pub struct BlockType {
    /// Its id.
    pub id: BlockTypeId,
    /// When it was created.
    pub created: Timestamp,
    /// When it last changed.
    pub updated: Timestamp,
    /// What it is.
    pub new: NewBlockType,
}

/// A type to be created.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NewBlockType {
    /// What people call it; unique.
    pub name: String,
    /// What names it: small letters, digits and dashes; unique.
    pub slug: String,
    /// Where its logo is.
    pub logo_url: Option<String>,
    /// Where it is described.
    pub documentation_url: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// How it is used.
    pub code_example: Option<String>,
    /// Whether it stays.
    pub is_protected: bool,
}

/// Changes to a type.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BlockTypeUpdate {
    /// See [`NewBlockType::logo_url`].
    pub logo_url: Patch<String>,
    /// See [`NewBlockType::documentation_url`].
    pub documentation_url: Patch<String>,
    /// See [`NewBlockType::description`].
    pub description: Patch<String>,
    /// See [`NewBlockType::code_example`].
    pub code_example: Patch<String>,
}

/// What a block of a type holds.
#[derive(Clone, Debug, PartialEq)]
pub struct BlockSchema {
    /// Its id.
    pub id: BlockSchemaId,
    /// When it was created.
    pub created: Timestamp,
    /// When it last changed.
    pub updated: Timestamp,
    /// See [`checksum()`].
    pub checksum: String,
    /// What it is.
    pub new: NewBlockSchema,
}

/// A schema to be created.
#[derive(Clone, Debug, PartialEq)]
pub struct NewBlockSchema {
    /// The fields of a block: a JSON schema in the words of OpenAPI, with the names of secrets and
    /// the blocks that it may refer to.
    pub fields: JsonMap,
    /// Its type.
    pub block_type_id: BlockTypeId,
    /// What its blocks can do, such as `read-path`.
    pub capabilities: Vec<String>,
    /// The version of what the client made it of.
    pub version: String,
}

/// A document as it is stored, its values under seal.
#[derive(Clone, Debug, PartialEq)]
pub struct SealedDocument {
    /// Its id.
    pub id: BlockDocumentId,
    /// When it was created.
    pub created: Timestamp,
    /// When it last changed.
    pub updated: Timestamp,
    /// Its name; unique among those of its type.
    pub name: String,
    /// Its values, those of documents within it apart, sealed.
    pub sealed: Vec<u8>,
    /// Its schema.
    pub block_schema_id: BlockSchemaId,
    /// Its type.
    pub block_type_id: BlockTypeId,
    /// Whether a client made it by the way, and nobody looks for it by its name.
    pub is_anonymous: bool,
}

/// A document with all that belongs to it, its secrets open.
#[derive(Clone, Debug, PartialEq)]
pub struct BlockDocument {
    /// As it is stored.
    pub stored: SealedDocument,
    /// Its values, those of documents within it apart.
    pub own: JsonMap,
    /// Its schema.
    pub schema: BlockSchema,
    /// Its type.
    pub kind: BlockType,
    /// The documents within it, by field.
    pub within: Vec<(String, BlockDocument)>,
}

/// A document to be created.
#[derive(Clone, Debug, PartialEq)]
pub struct NewBlockDocument {
    /// Its name; an anonymous one may do without.
    pub name: Option<String>,
    /// Its values; a document within it is `{"$ref": {"block_document_id": …}}`.
    pub data: JsonMap,
    /// Its schema.
    pub block_schema_id: BlockSchemaId,
    /// Its type.
    pub block_type_id: BlockTypeId,
    /// See [`SealedDocument::is_anonymous`].
    pub is_anonymous: bool,
}

/// Changes to a document.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BlockDocumentUpdate {
    /// Another schema of the same type.
    pub block_schema_id: Option<BlockSchemaId>,
    /// Values; absent: none are named.
    pub data: Option<JsonMap>,
    /// Whether values that are not named stay.
    pub is_merged: bool,
}

impl NewBlockType {
    /// # Errors
    /// [`Kind::Invalid`](super::error::Kind::Invalid) where its names are none.
    pub fn check(&self) -> Result<()> {
        check_name("Block type slug", &self.slug)?;
        let is_odd = |c: char| matches!(c, '/' | '%' | '&' | '>' | '<');
        match self.name.is_empty() || self.name.len() > LONGEST_NAME || self.name.contains(is_odd) {
            true => Err(Error::invalid(
                "A block type's name has 1 to 1000 bytes and none of / % & < >.",
            )),
            false => Ok(()),
        }
    }

    /// Whether it is one that Prefect keeps for itself.
    pub fn is_reserved(&self) -> bool {
        self.name.to_lowercase().starts_with("prefect")
    }
}

impl NewBlockSchema {
    /// # Errors
    /// [`Kind::Invalid`](super::error::Kind::Invalid) where its words are too long.
    pub fn check(&self) -> Result<()> {
        let words = self.capabilities.iter().chain([&self.version]);
        match words.into_iter().any(|word| word.len() > LONGEST_NAME) {
            true => Err(Error::invalid(format!(
                "A block schema's version and capabilities have at most {LONGEST_NAME} bytes."
            ))),
            false => Ok(()),
        }
    }

    /// Which of a block's values are secrets.
    pub fn secret_fields(&self) -> Vec<String> {
        let named = self.fields.get("secret_fields").and_then(Value::as_array);
        let named = named.into_iter().flatten().filter_map(Value::as_str);
        named.map(str::to_owned).collect()
    }

    /// The blocks that it may refer to: the field, the slug of the type, the schema's checksum.
    pub fn references(&self) -> Vec<(String, String, String)> {
        let named = self.fields.get("block_schema_references");
        let named = named.and_then(Value::as_object).into_iter().flatten();
        let each = named.flat_map(|(field, to)| {
            let one = std::slice::from_ref(to);
            let all = to.as_array().map_or(one, Vec::as_slice);
            all.iter().filter_map(move |to| {
                let word = |name: &str| to[name].as_str().map(str::to_owned);
                Some((
                    field.clone(),
                    word("block_type_slug")?,
                    word("block_schema_checksum")?,
                ))
            })
        });
        each.collect()
    }

    /// The fields of a block of that type, as this schema defines it.
    pub fn definition(&self, slug: &str) -> Option<JsonMap> {
        let definitions = self.fields.get("definitions")?.as_object()?;
        let is_it = |of: &&Value| of["block_type_slug"] == slug;
        let mut fields = definitions.values().find(is_it)?.as_object()?.clone();
        fields.insert("definitions".to_owned(), definitions.clone().into());
        Some(fields)
    }
}

impl BlockDocument {
    /// All its values, with those of the documents within it, and its secrets if they are to be
    /// shown.
    pub fn data(&self, shows_secrets: bool) -> JsonMap {
        let mut data = match shows_secrets {
            true => self.own.clone(),
            false => obscured(self.own.clone(), &self.schema.new.secret_fields()),
        };
        for (name, within) in &self.within {
            data.insert(name.clone(), within.data(shows_secrets).into());
        }
        data
    }
}

impl NewBlockDocument {
    /// # Errors
    /// [`Kind::Invalid`](super::error::Kind::Invalid) where it has no name that is one.
    pub fn check(&self) -> Result<()> {
        match self.name.as_deref().unwrap_or_default() {
            "" if self.is_anonymous => Ok(()),
            "" => Err(Error::invalid(
                "Names must be provided for block documents.",
            )),
            name => check_name("Block document name", name),
        }
    }
}

fn check_name(what: &str, name: &str) -> Result<()> {
    let is_fit = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if !name.chars().all(is_fit) {
        return Err(Error::invalid(format!(
            "{what} must only contain lowercase letters, numbers, and dashes."
        )));
    }
    match name.is_empty() || name.len() > LONGEST_NAME {
        true => Err(Error::invalid(format!(
            "{what} must have 1 to {LONGEST_NAME} characters."
        ))),
        false => Ok(()),
    }
}

/// Values, and the documents within them.
pub type Parted = (JsonMap, Vec<(String, BlockDocumentId)>);

/// The values of a document apart from the documents that lie among them.
///
/// # Errors
/// [`Kind::Refused`](super::error::Kind::Refused) for a reference that names no document.
pub fn parted(data: JsonMap) -> Result<Parted> {
    let (mut own, mut within) = (JsonMap::new(), Vec::new());
    for (name, value) in data {
        let Some(to) = value.get("$ref").filter(|_| value.is_object()) else {
            own.insert(name, value);
            continue;
        };
        let id = to.get("block_document_id").and_then(Value::as_str);
        let id = id.and_then(|id| id.parse().ok()).ok_or_else(|| {
            Error::refused(format!(
                "Received block reference without a block_document_id in key {name}"
            ))
        })?;
        within.push((name, id));
    }
    Ok((own, within))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn documents_among_values_are_told_apart() {
        let id = BlockDocumentId::new();
        let data = json!({
            "a": 1, "b": { "$ref": { "block_document_id": id.to_string() } }, "c": { "x": {} },
        });
        let (own, within) = parted(data.as_object().unwrap().clone()).unwrap();
        assert_eq!(Value::Object(own), json!({ "a": 1, "c": { "x": {} } }));
        assert_eq!(within, [("b".to_owned(), id)]);
        for odd in [json!({}), json!({ "block_document_id": "x" }), json!(1)] {
            let data = json!({ "a": { "$ref": odd } });
            assert!(parted(data.as_object().unwrap().clone()).is_err(), "{data}");
        }
    }

    #[test]
    fn names_are_plain() {
        for (slug, name, is_fit) in [
            ("s3-bucket", "S3 Bucket", true),
            ("", "n", false),
            ("S", "n", false),
            ("s", "", false),
            ("s", "a/b", false),
        ] {
            let new = NewBlockType {
                name: name.to_owned(),
                slug: slug.to_owned(),
                ..NewBlockType::default()
            };
            assert_eq!(new.check().is_ok(), is_fit, "{slug} {name}");
        }
    }
}
