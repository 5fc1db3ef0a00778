//! The values of a block, as its type has them.

use serde_json::Value;

use crate::domain::JsonMap;

/// The values of a block.
#[derive(Clone, Copy)]
pub(super) struct Fields<'a>(pub &'a JsonMap);

impl<'a> Fields<'a> {
    fn get(self, name: &str) -> Option<&'a Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    /// A text that there is, and that is not empty.
    pub fn needed(self, name: &str) -> Result<&'a str, String> {
        let text = self.text(name)?.filter(|text| !text.is_empty());
        text.ok_or_else(|| format!("{name} is missing"))
    }

    /// A text.
    pub fn text(self, name: &str) -> Result<Option<&'a str>, String> {
        let words = || format!("{name} must be a text");
        let read = |value: &'a Value| value.as_str().ok_or_else(words);
        self.get(name).map(read).transpose()
    }

    /// One of some texts; the first of them where there is none.
    pub fn one_of(self, name: &str, all: &[&'static str]) -> Result<&'static str, String> {
        let first = all.first().copied().unwrap_or_default();
        let Some(text) = self.text(name)? else {
            return Ok(first);
        };
        let found = all.iter().copied().find(|one| *one == text);
        found.ok_or_else(|| format!("{name} must be one of {}", all.join(", ")))
    }

    /// Whether something is so.
    pub fn flag(self, name: &str, otherwise: bool) -> Result<bool, String> {
        let words = || format!("{name} must be true or false");
        let read = |value: &Value| value.as_bool().ok_or_else(words);
        self.get(name).map_or(Ok(otherwise), read)
    }

    /// A number.
    pub fn number(self, name: &str, otherwise: f64) -> Result<f64, String> {
        let words = || format!("{name} must be a number");
        let read = |value: &Value| value.as_f64().ok_or_else(words);
        self.get(name).map_or(Ok(otherwise), read)
    }

    /// Texts; none where the field is absent.
    pub fn texts(self, name: &str) -> Result<Vec<&'a str>, String> {
        let words = || format!("{name} must be a list of texts");
        let Some(value) = self.get(name) else {
            return Ok(Vec::new());
        };
        let all = value.as_array().ok_or_else(words)?.iter();
        all.map(|one| one.as_str().ok_or_else(words)).collect()
    }

    /// An object.
    pub fn map(self, name: &str) -> Result<Option<&'a JsonMap>, String> {
        let words = || format!("{name} must be an object");
        let read = |value: &'a Value| value.as_object().ok_or_else(words);
        self.get(name).map(read).transpose()
    }

    /// An object of texts.
    pub fn named_texts(self, name: &str) -> Result<Vec<(&'a str, &'a str)>, String> {
        let words = || format!("{name} must be an object of texts");
        let all = self.map(name)?.into_iter().flatten();
        all.map(|(key, value)| Ok((key.as_str(), value.as_str().ok_or_else(words)?)))
            .collect()
    }

    /// A value as it is.
    pub fn any(self, name: &str) -> Option<&'a Value> {
        self.get(name)
    }
}
