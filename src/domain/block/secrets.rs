//! Which values of a block are secrets: those at the paths that its schema names, such as
//! `credentials.token`; `*` stands for all that lies there.

use serde_json::Value;

use crate::domain::JsonMap;
use crate::domain::access::MASK;

/// The values with secrets masked.
pub fn obscured(data: JsonMap, secret_fields: &[String]) -> JsonMap {
    let mut data = Value::Object(data);
    for field in secret_fields {
        let path: Vec<_> = field.split('.').collect();
        hide(&mut data, &path);
    }
    match data {
        Value::Object(data) => data,
        _ => JsonMap::new(),
    }
}

fn hide(value: &mut Value, path: &[&str]) {
    match (path, value) {
        ([], Value::Null) => {}
        ([], value) => *value = MASK.into(),
        (["*", ..], Value::Object(map)) => {
            map.values_mut().for_each(|value| hide(value, &[]));
        }
        ([step, rest @ ..], Value::Object(map)) => {
            if let Some(value) = map.get_mut(*step) {
                hide(value, rest);
            }
        }
        (path, Value::Array(items)) => items.iter_mut().for_each(|value| hide(value, path)),
        _ => {}
    }
}

/// Values that somebody wants to be set, where a masked secret stays what it is: who posts all
/// values back has hardly meant to lose it.
pub fn kept(data: JsonMap, current: &JsonMap, secret_fields: &[String]) -> JsonMap {
    let mut data = Value::Object(data);
    let current = Value::Object(current.clone());
    for field in secret_fields {
        let path: Vec<_> = field.split('.').collect();
        keep(&mut data, &current, &path);
    }
    match data {
        Value::Object(data) => data,
        _ => JsonMap::new(),
    }
}

fn keep(value: &mut Value, current: &Value, path: &[&str]) {
    match (path, value) {
        ([], value) if *value == MASK && !current.is_null() => *value = current.clone(),
        (["*", ..], Value::Object(map)) => {
            for (name, value) in map.iter_mut() {
                keep(value, &current[name.as_str()], &[]);
            }
        }
        ([step, rest @ ..], Value::Object(map)) => {
            if let Some(value) = map.get_mut(*step) {
                keep(value, &current[*step], rest);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn map(value: Value) -> JsonMap {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn what_the_schema_names_is_masked_and_comes_back() {
        let fields = ["value", "a.token", "env.*", "none"].map(str::to_owned);
        let data = map(json!({
            "value": "s", "a": { "token": { "x": 1 }, "n": 2 }, "env": { "A": "x", "B": { "c": 3 } },
            "none": null, "open": "o",
        }));
        let masked = obscured(data.clone(), &fields);
        let wanted = json!({
            "value": MASK, "a": { "token": MASK, "n": 2 }, "env": { "A": MASK, "B": MASK },
            "none": null, "open": "o",
        });
        assert_eq!(Value::Object(masked.clone()), wanted);
        assert_eq!(kept(masked, &data, &fields), data);
        let changed = map(json!({ "value": "new", "env": { "A": MASK, "C": MASK } }));
        let wanted = json!({ "value": "new", "env": { "A": "x", "C": MASK } });
        assert_eq!(Value::Object(kept(changed, &data, &fields)), wanted);
    }
}
