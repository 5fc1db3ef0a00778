//! Values for people.

use serde_json::Value;

use super::{Html, lines, text};
use crate::domain::JsonMap;

/// The longest value that stands in its row; others are laid out below their name.
const SHORT: usize = 80;

/// A name and its value.
#[derive(Clone, Debug)]
pub struct Pair {
    /// The name.
    pub name: Html,
    /// The value.
    pub value: Html,
}

/// The members of an object, in their order.
pub fn pairs(map: &JsonMap) -> Vec<Pair> {
    let pairs = map.iter().map(|(name, value)| Pair {
        name: super::short(name),
        value: shown(value),
    });
    pairs.collect()
}

/// One value: a text as it is, anything else as JSON.
pub fn shown(value: &Value) -> Html {
    match value {
        Value::String(plain) if plain.contains('\n') => block(plain),
        Value::String(plain) => text(plain),
        Value::Array(_) | Value::Object(_) => {
            let compact = value.to_string();
            match compact.len() <= SHORT {
                true => text(&compact),
                false => block(&serde_json::to_string_pretty(value).unwrap_or(compact)),
            }
        }
        other => text(&other.to_string()),
    }
}

/// A value over several lines.
fn block(text: &str) -> Html {
    Html::of(format!("<pre>{}</pre>", lines(text)))
}
