//! The checksum of a block's schema, as Prefect's clients and server come to it: they ask for a
//! schema by it, so it is theirs to the byte. It is that of the fields as Python writes them as
//! JSON with sorted keys, without the names of secrets and the definitions of other blocks.

use std::fmt::Write;

use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::domain::JsonMap;

const DEFINITIONS: &str = "definitions";
const IN_DEFINITIONS: &str = "#/definitions/";

/// The checksum of a schema's fields: `sha256:` and 64 hexadecimal digits.
pub fn checksum(fields: &JsonMap) -> String {
    let mut fields = without_secrets(fields);
    let known = match fields.get(DEFINITIONS) {
        Some(Value::Object(known)) if !known.is_empty() => Some(known.clone()),
        _ => None,
    };
    if let Some(known) = known {
        let mut plain = JsonMap::new();
        let mut named = Vec::new();
        references(&Value::Object(fields.clone()), &mut named);
        while let Some(name) = named.pop() {
            let Some(found) = known.get(&name).filter(|_| !plain.contains_key(&name)) else {
                continue;
            };
            let is_block = found
                .get("block_type_slug")
                .is_some_and(|slug| !slug.is_null());
            if is_truthy(found) && !is_block {
                references(found, &mut named);
                plain.insert(name, found.clone());
            }
        }
        match plain.is_empty() {
            true => drop(fields.shift_remove(DEFINITIONS)),
            false => drop(fields.insert(DEFINITIONS.to_owned(), plain.into())),
        }
    }
    // The one argument of a function that takes any.
    let mut text = String::from("[[");
    write_json(&Value::Object(fields), &mut text);
    text.push_str("], {}]");
    let mut told = String::from("sha256:");
    for byte in Sha256::digest(text.as_bytes()) {
        // Writing to a string does not fail.
        let _ = write!(told, "{byte:02x}");
    }
    told
}

fn is_truthy(value: &Value) -> bool {
    match value {
        Value::Object(map) => !map.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::String(text) => !text.is_empty(),
        Value::Null | Value::Bool(false) => false,
        Value::Bool(true) | Value::Number(_) => true,
    }
}

/// Without the names of secrets, however deep in objects; lists are left as they are.
fn without_secrets(map: &JsonMap) -> JsonMap {
    let kept = map.iter().filter(|(name, _)| *name != "secret_fields");
    let kept = kept.map(|(name, value)| {
        let value = match value {
            Value::Object(inner) => Value::Object(without_secrets(inner)),
            other => other.clone(),
        };
        (name.clone(), value)
    });
    kept.collect()
}

/// The names of all definitions that are referred to.
fn references(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            if let Some(Value::String(name)) = map.get("$ref") {
                found.push(name.replace(IN_DEFINITIONS, ""));
            }
            map.values().for_each(|value| references(value, found));
        }
        Value::Array(items) => items.iter().for_each(|value| references(value, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// JSON as Python writes it: keys sorted, a space after each comma and colon, ASCII alone.
fn write_json(value: &Value, text: &mut String) {
    match value {
        Value::Null => text.push_str("null"),
        Value::Bool(flag) => text.push_str(if *flag { "true" } else { "false" }),
        Value::Number(number) => text.push_str(number.as_str()),
        Value::String(word) => write_word(word, text),
        Value::Array(items) => {
            text.push('[');
            for (place, item) in items.iter().enumerate() {
                if place > 0 {
                    text.push_str(", ");
                }
                write_json(item, text);
            }
            text.push(']');
        }
        Value::Object(map) => {
            let mut members: Vec<_> = map.iter().collect();
            members.sort_by_key(|(name, _)| *name);
            text.push('{');
            for (place, (name, value)) in members.into_iter().enumerate() {
                if place > 0 {
                    text.push_str(", ");
                }
                write_word(name, text);
                text.push_str(": ");
                write_json(value, text);
            }
            text.push('}');
        }
    }
}

fn write_word(word: &str, text: &mut String) {
    text.push('"');
    for c in word.chars() {
        match c {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\t' => text.push_str("\\t"),
            '\u{8}' => text.push_str("\\b"),
            '\u{c}' => text.push_str("\\f"),
            ' '..='~' => text.push(c),
            other => {
                let mut units = [0; 2];
                for unit in other.encode_utf16(&mut units) {
                    // Writing to a string does not fail.
                    let _ = write!(text, "\\u{unit:04x}");
                }
            }
        }
    }
    text.push('"');
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(fields: &Value) -> String {
        checksum(fields.as_object().unwrap())
    }

    #[test]
    fn fields_are_written_as_python_writes_them() {
        let mut text = String::new();
        let value = json!({ "b": [1, 2.5, null, true], "a": "é\u{1F600}\u{7f}\n\"\\" , "C": {} });
        write_json(&value, &mut text);
        let wanted =
            r#"{"C": {}, "a": "\u00e9\ud83d\ude00\u007f\n\"\\", "b": [1, 2.5, null, true]}"#;
        assert_eq!(text, wanted);
    }

    #[test]
    fn secrets_and_other_blocks_do_not_count_and_definitions_do() {
        let plain = json!({ "properties": { "a": { "$ref": "#/definitions/M" } } });
        let with = |definitions: Value| {
            let mut fields = plain.clone();
            fields["definitions"] = definitions;
            fields["secret_fields"] = json!(["a"]);
            fields
        };
        let block = json!({ "M": { "block_type_slug": "m" }, "unused": { "type": "object" } });
        assert_eq!(of(&with(block)), of(&plain));
        let model = json!({ "M": { "properties": { "n": { "$ref": "#/definitions/N" } } },
                            "N": { "properties": { "m": { "$ref": "#/definitions/M" } } } });
        assert_ne!(of(&with(model.clone())), of(&plain));
        let mut more = model.clone();
        more["Unused"] = json!({ "type": "object" });
        assert_eq!(of(&with(more)), of(&with(model)));
    }
}
