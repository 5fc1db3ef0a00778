//! Variables: values that flows and job templates look up by name.

use serde_json::Value;

use super::ids::VariableId;
use super::time::Timestamp;

/// How many characters a variable's name may have.
pub const LONGEST_NAME: usize = 255;
/// How many bytes a variable's value may have, as JSON.
pub const LARGEST_VALUE: usize = 5000;

/// A variable as it is stored.
#[derive(Clone, Debug, PartialEq)]
pub struct Variable {
    /// Its id.
    pub id: VariableId,
    /// When it was created.
    pub created: Timestamp,
    /// When it last changed.
    pub updated: Timestamp,
    /// Unique among variables.
    pub name: String,
    /// Any JSON value.
    pub value: Value,
    /// Its tags.
    pub tags: Vec<String>,
}

/// What a client says of a variable that it creates.
#[derive(Clone, Debug, PartialEq)]
pub struct NewVariable {
    /// See [`Variable::name`].
    pub name: String,
    /// See [`Variable::value`].
    pub value: Value,
    /// See [`Variable::tags`].
    pub tags: Vec<String>,
}

/// Changes to a variable; absent fields stay.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct VariableUpdate {
    /// See [`Variable::name`].
    pub name: Option<String>,
    /// See [`Variable::value`]; null is a value.
    pub value: Option<Value>,
    /// See [`Variable::tags`].
    pub tags: Option<Vec<String>>,
}

/// Checks a variable's name: small letters of the English alphabet, digits, dashes and
/// underscores, as Prefect's server has it.
///
/// # Errors
/// What is wrong with it, in a sentence.
pub fn check_name(name: &str) -> Result<(), String> {
    let is_fit = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_');
    if name.is_empty() || !name.chars().all(is_fit) {
        return Err(
            "A variable's name has only lowercase letters, numbers, dashes and underscores."
                .to_owned(),
        );
    }
    match name.len() > LONGEST_NAME {
        true => Err(format!(
            "A variable's name has at most {LONGEST_NAME} characters."
        )),
        false => Ok(()),
    }
}

/// Checks a variable's value.
///
/// # Errors
/// That it is too large, in a sentence.
pub fn check_value(value: &Value) -> Result<(), String> {
    match value.to_string().len() > LARGEST_VALUE {
        true => Err(format!(
            "A variable's value has at most {LARGEST_VALUE} characters, as JSON."
        )),
        false => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn names_and_values_are_bounded() {
        for (name, is_good) in [
            ("a-b_1", true),
            ("", false),
            ("A", false),
            ("a b", false),
            ("ä", false),
            ("a/b", false),
            (&"a".repeat(255), true),
            (&"a".repeat(256), false),
        ] {
            assert_eq!(check_name(name).is_ok(), is_good, "{name}");
        }
        for (value, is_good) in [
            (json!(null), true),
            (json!({"a": [1]}), true),
            (json!("x".repeat(4998)), true),
            (json!("x".repeat(4999)), false),
        ] {
            assert_eq!(check_value(&value).is_ok(), is_good);
        }
    }
}
