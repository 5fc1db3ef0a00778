//! Names that the reference takes: of flows, pools, queues, limits and types of blocks.

use serde::de::Error;
use serde::{Deserialize, Deserializer};

/// What is not in such a name.
const RESERVED: [char; 5] = ['/', '%', '&', '>', '<'];

/// A name, which may be empty, without the characters that mean something elsewhere.
pub fn unreserved_name<'de, D: Deserializer<'de>>(given: D) -> Result<String, D::Error> {
    let name = String::deserialize(given)?;
    match name.contains(RESERVED) {
        true => Err(Error::custom("a name has none of / % & > <")),
        false => Ok(name),
    }
}

/// A name that is not empty and has none of the characters that mean something elsewhere.
pub fn plain_name<'de, D: Deserializer<'de>>(given: D) -> Result<String, D::Error> {
    let name = unreserved_name(given)?;
    match name.is_empty() {
        true => Err(Error::custom("a name is not empty")),
        false => Ok(name),
    }
}

/// The same, of more than quotes and spaces.
pub fn telling_name<'de, D: Deserializer<'de>>(given: D) -> Result<String, D::Error> {
    let name = plain_name(given)?;
    match name.trim_matches(['\'', '"', ' ']).is_empty() {
        true => Err(Error::custom("a name is more than quotes and spaces")),
        false => Ok(name),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn names_are_plain() {
        let is_plain = |given: &Value| plain_name(given).is_ok();
        for name in ["a", "a b", "ü.", "' '"] {
            assert!(is_plain(&name.into()), "{name}");
        }
        for name in ["", "a/b", "50%", "a&b", "<a", "a>"] {
            assert!(!is_plain(&name.into()), "{name}");
        }
        assert!(telling_name(&json!("' '")).is_err() && telling_name(&json!("'a'")).is_ok());
        assert!(unreserved_name(&json!("")).is_ok() && unreserved_name(&json!("a/b")).is_err());
    }
}
