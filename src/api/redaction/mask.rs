//! Masks the secrets in values that clients wrote.
//!
//! What is a secret is told by the name that it has, however deep it lies, and within text by
//! [`masked_text`]. All else stays as it is, numbers to their last digit.

use std::borrow::Cow;

use serde_json::Value;

use super::Extent;
use crate::api::json;
use crate::domain::JsonMap;
use crate::domain::access::{MASK, is_secret_name, masked_text};

/// How deep documents lie within documents, each as the text of the one around it.
const DEEPEST: usize = 4;

/// Masks the fields of one row.
pub struct Mask<'a> {
    extent: Extent,
    words: &'a [String],
}

/// A value that clients wrote.
pub trait Maskable {
    /// Masks the secrets in it.
    fn mask(&mut self, mask: &Mask<'_>);
}

impl<'a> Mask<'a> {
    pub(super) fn new(extent: Extent, words: &'a [String]) -> Self {
        Self { extent, words }
    }

    /// Masks the secrets of a field.
    pub fn over(&self, field: &mut impl Maskable) {
        if self.extent != Extent::Infrastructure {
            field.mask(self);
        }
    }

    /// Masks the secrets of what a run runs on.
    pub fn over_infrastructure(&self, field: &mut impl Maskable) {
        field.mask(self);
    }

    /// Masks the document that leads to a flow's code.
    pub fn over_flow(&self, field: &mut impl Maskable) {
        if self.extent == Extent::All {
            field.mask(self);
        }
    }

    /// Masks the secrets of a field of that name in an object.
    pub fn over_member(&self, name: &str, field: &mut Value) {
        if self.extent != Extent::Infrastructure {
            self.member(name, field, 0);
        }
    }

    fn map(&self, map: &mut JsonMap, depth: usize) {
        for (name, value) in map.iter_mut() {
            self.member(name, value, depth);
        }
    }

    fn member(&self, name: &str, value: &mut Value, depth: usize) {
        match (name, value) {
            ("blob", Value::String(text)) => {
                if let Some(shown) = self.content(text, depth) {
                    *text = shown;
                }
            }
            ("blob", value) => self.value(value, depth),
            (name, value) if is_secret_name(name, self.words) => hide(value),
            (_, value) => self.value(value, depth),
        }
    }

    fn value(&self, value: &mut Value, depth: usize) {
        match value {
            Value::Array(items) => items.iter_mut().for_each(|item| self.value(item, depth)),
            Value::Object(map) => self.map(map, depth),
            Value::String(text) => {
                if let Some(shown) = self.text(text, depth) {
                    *text = shown;
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    /// What is shown of a text; `None`: all of it. It may be JSON itself.
    fn text(&self, text: &str, depth: usize) -> Option<String> {
        if !text.trim_start().starts_with(['{', '[']) {
            return masked_text(text, self.words);
        }
        if depth == DEEPEST {
            return Some(MASK.to_owned());
        }
        match json::parse(text) {
            Ok(parsed) => {
                let whole = Value::from(&parsed);
                let mut shown = whole.clone();
                self.value(&mut shown, depth + 1);
                (shown != whole).then(|| shown.to_string())
            }
            // What cannot be looked into may hold anything.
            Err(malformed) if malformed.is_excess => Some(MASK.to_owned()),
            Err(_) => masked_text(text, self.words),
        }
    }

    /// What is shown of a document's content: nothing, unless it is JSON.
    fn content(&self, text: &str, depth: usize) -> Option<String> {
        let is_json = serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok();
        match is_json && depth < DEEPEST {
            true => self.text(text, depth),
            false => (!text.is_empty()).then(|| MASK.to_owned()),
        }
    }
}

/// Masks a secret whole; what is empty or only a flag tells nothing.
fn hide(value: &mut Value) {
    let is_telling = match value {
        Value::Null | Value::Bool(_) => false,
        Value::String(text) => !text.is_empty(),
        Value::Number(_) | Value::Array(_) | Value::Object(_) => true,
    };
    if is_telling {
        *value = MASK.into();
    }
}

impl Maskable for String {
    fn mask(&mut self, mask: &Mask<'_>) {
        if let Some(shown) = mask.text(self, 0) {
            *self = shown;
        }
    }
}

impl Maskable for Cow<'_, str> {
    fn mask(&mut self, mask: &Mask<'_>) {
        if let Some(shown) = mask.text(self, 0) {
            *self = shown.into();
        }
    }
}

impl Maskable for JsonMap {
    fn mask(&mut self, mask: &Mask<'_>) {
        mask.map(self, 0);
    }
}

impl Maskable for Value {
    fn mask(&mut self, mask: &Mask<'_>) {
        mask.value(self, 0);
    }
}

impl<T: Maskable> Maskable for Vec<T> {
    fn mask(&mut self, mask: &Mask<'_>) {
        self.iter_mut().for_each(|item| item.mask(mask));
    }
}

impl<T: Maskable> Maskable for Option<T> {
    fn mask(&mut self, mask: &Mask<'_>) {
        self.iter_mut().for_each(|item| item.mask(mask));
    }
}

macro_rules! borrowed {
    ($($owned:ty),*) => {$(
        impl Maskable for Cow<'_, $owned> {
            fn mask(&mut self, mask: &Mask<'_>) {
                self.to_mut().mask(mask);
            }
        }
    )*};
}

borrowed!(JsonMap, Value, [String]);

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn shown(mut value: Value) -> String {
        let words = ["dsn".to_owned()];
        Mask::new(Extent::All, &words).over(&mut value);
        value.to_string()
    }

    #[test]
    fn secrets_are_masked_at_any_depth_and_nothing_else_changes() {
        let text = r#"{"x":0.1000000000000000055,"env":"KEY",
            "parameters":{"api_key":"zz","n":1e+400,"deep":[[{"token":["zz",{"a":"zz"}]}]]},
            "config":{"image":"i","env":{"API_KEY":"zz","DSN":7,"HOME":"/h"},"command":["--password=zz"]},
            "message":"at pg://u:zz@h","data":{"encoding":"json","blob":"{\"secret\":\"zz\",\"n\":3}"}}"#;
        let row: Value = serde_json::from_str(text).unwrap();
        let shown_row = shown(json!([row, row]));
        assert!(!shown_row.contains("zz"), "{shown_row}");
        for kept in ["0.1000000000000000055", "1e+400", "\"/h\"", "\\\"n\\\":3"] {
            assert!(shown_row.contains(kept), "{kept}: {shown_row}");
        }
        let plain = json!([{ "id": 1, "password": null, "auth": false, "a": "\"env\"" }, [], 3]);
        assert_eq!(shown(plain.clone()), plain.to_string());
    }

    #[test]
    fn documents_that_cannot_be_looked_into_are_masked_whole() {
        let text = shown(json!({ "encoding": "cloudpickle", "blob": "gAWV" }));
        assert!(!text.contains("gAWV"), "{text}");
    }

    #[test]
    fn what_a_run_is_told_of_its_own() {
        let words = [];
        let infrastructure = Mask::new(Extent::Infrastructure, &words);
        let (mut parameters, mut env) = (json!({ "api_key": "own" }), json!({ "api_key": "zz" }));
        infrastructure.over(&mut parameters);
        infrastructure.over_infrastructure(&mut env);
        assert_eq!(parameters, json!({ "api_key": "own" }));
        assert_eq!(env, json!({ "api_key": MASK }));
        let flow = json!({ "encoding": "cloudpickle", "blob": "gAWV" });
        for (extent, is_shown) in [(Extent::All, false), (Extent::AllButFlow, true)] {
            let mut document = flow.clone();
            Mask::new(extent, &words).over_flow(&mut document);
            assert_eq!(document == flow, is_shown);
        }
    }

    #[test]
    fn text_that_holds_json_is_looked_through_as_far_as_it_can_be() {
        let mut nested = json!({ "token": "zz" });
        for _ in 0..10 {
            nested = json!({ "a": nested.to_string() });
        }
        assert!(!shown(nested).contains("zz"));
        let deep = "{\"a\":".repeat(100_000) + "{\"token\":[\"zz\"]}" + &"}".repeat(100_000);
        assert!(!shown(json!({ "text": deep })).contains("zz"));
        let broken = shown(json!({ "text": "[{'api_key': 'zz'}" }));
        assert!(!broken.contains("zz"), "{broken}");
        let kept = json!({ "text": "{ \"a\" :  1 }" });
        assert_eq!(shown(kept.clone()), kept.to_string());
    }
}
