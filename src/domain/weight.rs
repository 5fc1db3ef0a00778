//! About how much memory a value holds, in bytes: enough to bound how many may wait.

use serde_json::Value;

use super::JsonMap;

/// What a value holds beside the text in it.
const EACH: usize = 32;

/// Of an object with all that is in it.
pub fn of_map(map: &JsonMap) -> usize {
    map.iter()
        .map(|(key, value)| EACH + key.len() + of_value(value))
        .sum()
}

/// Of a value with all that is in it.
pub fn of_value(value: &Value) -> usize {
    EACH + match value {
        Value::String(text) => text.len(),
        Value::Array(values) => values.iter().map(of_value).sum(),
        Value::Object(map) => of_map(map),
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_large_counts_wherever_it_is() {
        let text = "x".repeat(1000);
        for value in [
            serde_json::json!(text),
            serde_json::json!([[text]]),
            serde_json::json!({ "a": { "b": text } }),
            serde_json::json!({ text: 1 }),
            serde_json::json!(vec![0; 40]),
        ] {
            let weight = of_value(&value);
            assert!((1000..2000).contains(&weight), "{weight}");
        }
    }
}
