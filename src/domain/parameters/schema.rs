//! Schemas as they are checked against. Those of pydantic's first version say less than they
//! mean, and the reference reads them so that they say it.

use serde_json::{Value, json};

use super::Required;
use crate::domain::JsonMap;

/// Which of what may be left out may be null.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Nulls {
    /// What has no default.
    WithoutDefault,
    /// Also what has one.
    AlsoWithDefault,
}

/// A schema as it is checked against.
pub(super) fn prepared(schema: &JsonMap, required: Required) -> Value {
    prepared_with(schema, required, Nulls::WithoutDefault)
}

/// The same, where `nulls` may be null.
pub(super) fn prepared_with(schema: &JsonMap, required: Required, nulls: Nulls) -> Value {
    let mut schema = schema.clone();
    mend(&mut schema, nulls);
    if let Some(Value::Object(definitions)) = schema.get_mut("definitions") {
        for definition in definitions.values_mut() {
            if let Value::Object(definition) = definition {
                mend(definition, nulls);
            }
        }
        let_be_referred_to(definitions);
    }
    let mut schema = Value::Object(schema);
    name_no_properties(&mut schema);
    if required == Required::No {
        require_nothing(&mut schema);
    }
    schema
}

/// A schema that is checked against as it is written, though nothing has to be there.
pub(super) fn as_written(schema: &JsonMap) -> Value {
    let mut schema = Value::Object(schema.clone());
    name_no_properties(&mut schema);
    require_nothing(&mut schema);
    schema
}

/// In the place of a block its id will do.
fn let_be_referred_to(definitions: &mut JsonMap) {
    let blocks: Vec<_> = { definitions.values() }
        .filter(|definition| definition.get("block_type_slug").is_some())
        .filter_map(|block| Some((block.get("title")?.as_str()?.to_owned(), block.clone())))
        .collect();
    for (title, block) in blocks {
        let reference = json!({
            "type": "object",
            "properties": { "$ref": { "oneOf": [
                { "type": "string", "format": "uuid" },
                { "type": "object", "additionalProperties": { "type": "string" },
                  "minProperties": 1 },
            ] } },
            "required": ["$ref"],
        });
        definitions.insert(title, json!({ "oneOf": [block, reference] }));
    }
}

/// Mends the properties of an object, and theirs.
fn mend(schema: &mut JsonMap, nulls: Nulls) {
    let required: Vec<String> = match schema.get("required") {
        Some(Value::Array(names)) => {
            let names = names.iter().filter_map(Value::as_str);
            names.map(str::to_owned).collect()
        }
        _ => Vec::new(),
    };
    let Some(Value::Object(properties)) = schema.get_mut("properties") else {
        return;
    };
    for (name, property) in properties.iter_mut() {
        let Value::Object(property) = property else {
            continue;
        };
        if !required.contains(name) {
            let_be_null(property, nulls);
        }
        name_places(property);
        mend(property, nulls);
    }
}

/// What may be left out may be null, unless it has a default that counts.
fn let_be_null(property: &mut JsonMap, nulls: Nulls) {
    let is_default = nulls == Nulls::WithoutDefault && property.contains_key("default");
    if is_default || property.get("type").is_none_or(|it| it == "null") {
        return;
    }
    if let Some(kind) = property.shift_remove("type") {
        let either = json!([{ "type": kind }, { "type": "null" }]);
        property.insert("anyOf".to_owned(), either);
    }
}

/// A list of schemas under `items` is one for each place.
fn name_places(property: &mut JsonMap) {
    let are_places =
        matches!(property.get("items"), Some(Value::Array(items)) if !items.is_empty());
    if are_places && !property.contains_key("prefixItems") {
        let items = property.shift_remove("items").unwrap_or_default();
        property.insert("prefixItems".to_owned(), items);
    }
}

/// An object that allows no other properties and names none has none by name: it is told then which
/// are too many.
fn name_no_properties(schema: &mut Value) {
    match schema {
        Value::Array(items) => items.iter_mut().for_each(name_no_properties),
        Value::Object(map) => {
            let allows_no_other = map.get("additionalProperties") == Some(&Value::Bool(false));
            if allows_no_other && !map.contains_key("patternProperties") {
                map.entry("properties").or_insert_with(|| json!({}));
            }
            let parts = map
                .iter_mut()
                .filter(|(name, _)| !VALUES.contains(&name.as_str()));
            parts.for_each(|(_, part)| name_no_properties(part));
        }
        _ => {}
    }
}

/// What of a schema is no schema.
const VALUES: [&str; 4] = ["const", "default", "enum", "examples"];

fn require_nothing(schema: &mut Value) {
    match schema {
        Value::Array(items) => items.iter_mut().for_each(require_nothing),
        Value::Object(map) => {
            // A property of that name is an object.
            if map.get("required").is_some_and(Value::is_array) {
                map.shift_remove("required");
            }
            map.values_mut().for_each(require_nothing);
        }
        _ => {}
    }
}
