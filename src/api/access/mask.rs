//! Masks the secrets in JSON text.
//!
//! What is a secret is told by the name that it has, however deep it lies, and within text by
//! [`masked_text`]. All else stays as it is, byte for byte, numbers included. The text is gone
//! through once, so that neither depth nor length makes it dear.

use serde_json::json;

use crate::domain::access::{MASK, is_secret_name, masked_text};

/// Fields of rows whose names only look like a secret's.
const KEYS_OF_ROWS: &[&str] = &["task_key", "dynamic_key", "cache_key", "idempotency_key"];
/// Where rows tell what a run runs on.
const INFRASTRUCTURE: &[&str] = &["flow_runner", "job_variables", "infrastructure"];
/// How deep documents lie within documents, each as the text of the one around it.
const DEEPEST: usize = 4;

/// How much is masked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// All that is secret. Documents that cannot be looked into are masked whole.
    All,
    /// The same, but for the flow of a deployment: whoever runs it needs it.
    AllButFlows,
    /// Only what the rows run on.
    Infrastructure,
}

/// The text is no JSON, so nothing can be said of it.
#[derive(Debug, PartialEq, Eq)]
pub struct Unreadable;

/// The text with its secrets masked; `None` where there are none.
pub fn masked_json(text: &str, part: Part, more: &[String]) -> Result<Option<String>, Unreadable> {
    within(text, part, more, 0)
}

fn within(
    text: &str,
    part: Part,
    more: &[String],
    depth: usize,
) -> Result<Option<String>, Unreadable> {
    let mut masker = Masker {
        text,
        part,
        more,
        depth,
        copied: 0,
        shown: String::new(),
    };
    masker.go_through()?;
    Ok(masker.end())
}

/// What is done to the value of a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rule {
    /// It is looked through.
    Look,
    /// It is masked whole.
    Mask,
    /// It is a document's content.
    Content,
    /// It stays.
    Keep,
}

/// An object or a list that is open.
struct Open {
    is_object: bool,
    /// Whether its next string is a name.
    awaits_name: bool,
    /// What is done to the next value in it.
    rule: Rule,
    /// Whether it is a whole answer, or one of a list that is.
    is_row: bool,
}

struct Masker<'a> {
    text: &'a str,
    part: Part,
    more: &'a [String],
    depth: usize,
    /// Up to where the text is shown.
    copied: usize,
    shown: String,
}

impl Masker<'_> {
    fn go_through(&mut self) -> Result<(), Unreadable> {
        let mut open: Vec<Open> = Vec::new();
        let mut at = 0;
        while let Some(byte) = self.text.as_bytes().get(at) {
            let end = match byte {
                b'"' => string_end(self.text, at).ok_or(Unreadable)?,
                b' ' | b'\n' | b'\r' | b'\t' | b':' => at + 1,
                b',' => {
                    let inner = open.last_mut().ok_or(Unreadable)?;
                    inner.awaits_name = inner.is_object;
                    at + 1
                }
                b'}' | b']' => {
                    let closed = open.pop().ok_or(Unreadable)?;
                    if closed.is_object != (*byte == b'}') {
                        return Err(Unreadable);
                    }
                    at + 1
                }
                b'{' | b'[' => at + 1,
                _ => scalar_end(self.text, at),
            };
            match byte {
                b' ' | b'\n' | b'\r' | b'\t' | b':' | b',' | b'}' | b']' => at = end,
                b'"' if open.last().is_some_and(|inner| inner.awaits_name) => {
                    let name = decoded(self.text.get(at..end).unwrap_or_default())?;
                    if let Some(inner) = open.last_mut() {
                        inner.rule = self.rule(&name, inner.is_row);
                        inner.awaits_name = false;
                    }
                    at = end;
                }
                _ => at = self.value(at, end, &mut open)?,
            }
        }
        match open.is_empty() {
            true => Ok(()),
            false => Err(Unreadable),
        }
    }

    /// Handles the value that begins at `at`, and answers where to go on. `end` is the end of
    /// its first token.
    fn value(&mut self, at: usize, end: usize, open: &mut Vec<Open>) -> Result<usize, Unreadable> {
        let rule = open.last().map_or(Rule::Look, |inner| inner.rule);
        let token = self.text.get(at..end).unwrap_or_default();
        let is_composite = matches!(token, "{" | "[");
        match rule {
            Rule::Keep => value_end(self.text, at, end),
            Rule::Mask => {
                let end = value_end(self.text, at, end)?;
                if !matches!(token, "null" | "true" | "false" | "\"\"") {
                    self.replace(at, end, &json!(MASK).to_string());
                }
                Ok(end)
            }
            Rule::Look | Rule::Content if is_composite => {
                let is_row = match open.as_slice() {
                    [] => true,
                    [list] => !list.is_object,
                    _ => false,
                };
                // Within the parts of a row of which only some are looked at, all is.
                open.push(Open {
                    is_object: token == "{",
                    awaits_name: token == "{",
                    rule: Rule::Look,
                    is_row,
                });
                Ok(end)
            }
            Rule::Look | Rule::Content => {
                if token.starts_with('"') {
                    let text = decoded(token)?;
                    let shown = match rule {
                        Rule::Content => self.content(&text),
                        _ => self.text_of(&text),
                    };
                    if let Some(shown) = shown {
                        self.replace(at, end, &json!(shown).to_string());
                    }
                }
                Ok(end)
            }
        }
    }

    fn rule(&self, name: &str, is_in_row: bool) -> Rule {
        if is_in_row && self.depth == 0 {
            if self.part == Part::Infrastructure && !INFRASTRUCTURE.contains(&name) {
                return Rule::Keep;
            }
            if self.part == Part::AllButFlows && name == "flow_data" {
                return Rule::Keep;
            }
            if KEYS_OF_ROWS.contains(&name) {
                return Rule::Look;
            }
        }
        match name {
            "blob" => Rule::Content,
            _ if is_secret_name(name, self.more) => Rule::Mask,
            _ => Rule::Look,
        }
    }

    /// What is shown of a string; `None`: all of it. It may be JSON itself.
    fn text_of(&self, text: &str) -> Option<String> {
        if !text.trim_start().starts_with(['{', '[']) {
            return masked_text(text, self.more);
        }
        if self.depth == DEEPEST {
            return Some(MASK.to_owned());
        }
        match within(text, self.part, self.more, self.depth + 1) {
            Ok(shown) => shown,
            Err(Unreadable) => masked_text(text, self.more),
        }
    }

    /// What is shown of a document's content: nothing, unless it is JSON.
    fn content(&self, text: &str) -> Option<String> {
        let is_json = serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok();
        match is_json && self.depth < DEEPEST {
            true => self.text_of(text),
            false => (!text.is_empty()).then(|| MASK.to_owned()),
        }
    }

    fn replace(&mut self, start: usize, end: usize, by: &str) {
        let before = self.text.get(self.copied..start).unwrap_or_default();
        self.shown.push_str(before);
        self.shown.push_str(by);
        self.copied = end;
    }

    fn end(mut self) -> Option<String> {
        if self.copied == 0 {
            return None;
        }
        let rest = self.text.get(self.copied..).unwrap_or_default();
        self.shown.push_str(rest);
        Some(self.shown)
    }
}

/// The end of the string that begins at `at`.
fn string_end(text: &str, at: usize) -> Option<usize> {
    let mut from = at + 1;
    loop {
        let rest = text.as_bytes().get(from..)?;
        let found = rest.iter().position(|byte| matches!(byte, b'"' | b'\\'))?;
        match rest.get(found) {
            Some(b'"') => return Some(from + found + 1),
            _ => from += found + 2,
        }
    }
}

/// The end of the number or word that begins at `at`.
fn scalar_end(text: &str, at: usize) -> usize {
    let rest = text.get(at + 1..).unwrap_or_default();
    let length = rest.find([',', '}', ']', ' ', '\n', '\r', '\t', ':', '"', '{', '[']);
    at + 1 + length.unwrap_or(rest.len())
}

/// The end of the value that begins at `at` with a token that ends at `end`.
fn value_end(text: &str, at: usize, end: usize) -> Result<usize, Unreadable> {
    if !matches!(text.get(at..end), Some("{" | "[")) {
        return Ok(end);
    }
    let (mut depth, mut at) = (1, end);
    while depth > 0 {
        at = match text.as_bytes().get(at).ok_or(Unreadable)? {
            b'"' => string_end(text, at).ok_or(Unreadable)?,
            byte => {
                match byte {
                    b'{' | b'[' => depth += 1,
                    b'}' | b']' => depth -= 1,
                    _ => {}
                }
                at + 1
            }
        };
    }
    Ok(at)
}

fn decoded(token: &str) -> Result<String, Unreadable> {
    serde_json::from_str(token).map_err(|_| Unreadable)
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn shown(text: &str, part: Part) -> String {
        let masked = masked_json(text, part, &["dsn".to_owned()]).unwrap();
        masked.unwrap_or_else(|| text.to_owned())
    }

    #[test]
    fn secrets_are_masked_at_any_depth_and_nothing_else_changes() {
        let row = r#"{"id":"a", "x":0.1000000000000000055,"env":"KEY","task_key":"t","cache_key":"c",
            "parameters":{"api_key":"zz","n":1e400,"deep":[[{"token":["zz",{"a":"zz"}]}]],"task_key":"zz"},
            "flow_runner":{"config":{"image":"i","env":{"API_KEY":"zz","DSN":7,"HOME":"/h"},"command":["--password=zz"]}},
            "state":{"message":"at pg://u:zz@h","data":{"encoding":"json","blob":"{\"secret\":\"zz\",\"n\":3}"}}}"#;
        for text in [row.to_owned(), format!("[{row},{row}]")] {
            let shown = shown(&text, Part::All);
            assert!(!shown.contains("zz"), "{shown}");
            for kept in [
                "0.1000000000000000055",
                "1e400",
                "\"/h\"",
                "\"t\"",
                "\"c\"",
                "\\\"n\\\":3",
            ] {
                assert!(shown.contains(kept), "{kept}: {shown}");
            }
        }
        let plain = r#"[{"id":1,"password":null,"auth":false,"a":"\"env\""},[],3]"#;
        assert_eq!(masked_json(plain, Part::All, &[]), Ok(None));
    }

    #[test]
    fn documents_that_cannot_be_looked_into_are_masked_whole() {
        let text =
            r#"[{"flow_data":{"encoding":"cloudpickle","blob":"gAWV"},"data":{"blob":"gAWV"}}]"#;
        assert!(!shown(text, Part::All).contains("gAWV"));
        let shown_to_run = shown(text, Part::AllButFlows);
        assert_eq!(shown_to_run.matches("gAWV").count(), 1, "{shown_to_run}");
    }

    #[test]
    fn a_run_s_own_rows_lose_only_what_they_run_on() {
        let text = r#"{"parameters":{"api_key":"own"},"flow_runner":{"config":{"env":{"API_KEY":"zz"}}},"job_variables":{"a":[{"token":"zz"}]}}"#;
        let shown = shown(text, Part::Infrastructure);
        assert!(shown.contains("own") && !shown.contains("zz"), "{shown}");
    }

    #[test]
    fn names_are_read_as_json_reads_them() {
        let text = r#"{"a":{"\u0061pi_\u006bey":"zz"}}"#;
        assert!(!shown(text, Part::All).contains("zz"));
    }

    #[test]
    fn depth_and_length_cost_little_and_what_is_no_json_is_told() {
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(masked_json(&deep, Part::All, &[]), Ok(None));
        let mut nested = json!({ "token": "zz" });
        for _ in 0..10 {
            nested = json!({ "a": nested.to_string() });
        }
        assert!(!shown(&nested.to_string(), Part::All).contains("zz"));
        for text in ["{", "]", "{]", "[}", "\"a", "[{\"a\":\"b]", ","] {
            assert_eq!(masked_json(text, Part::All, &[]), Err(Unreadable), "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn masked_json_is_json_of_the_same_form(names in proptest::collection::vec("[a-z\"\\\\k]{0,5}(key)?", 1..6), text in ".{0,20}") {
            let mut value = json!(text);
            for name in names {
                value = json!({ name: value, "n": [1.5, text.as_str(), null] });
            }
            let shown = shown(&value.to_string(), Part::All);
            let read: Value = serde_json::from_str(&shown).unwrap();
            proptest::prop_assert_eq!(read["n"][0].as_f64(), Some(1.5));
        }
    }
}
