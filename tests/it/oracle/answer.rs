//! A request, what a server answers it, and why two of them answer differently.

use serde_json::Value;

const FAULT: &str = "faults of its own";
const INTEGRITY: &str = "conflicts in the database";
const WORDS: &str = "words of what is not there";
const UNKNOWN: &str = "fields that are not known";
const NULL: &str = "null for what is not said";

/// What that server says where its database refuses a row.
const REFUSED_ROW: &str = "Data integrity conflict.";

/// A request, for both servers. Words in braces in its path and body, such as `{flow}`, stand
/// for ids that were kept.
#[derive(Clone, Copy)]
pub struct Ask<'a> {
    /// Such as `POST`.
    pub method: &'a str,
    /// Below `/api`.
    pub path: &'a str,
    /// The body as text.
    pub body: Option<&'a str>,
    /// The kind of the body.
    pub kind: &'a str,
}

/// What one server answered.
pub struct Answer {
    pub(super) status: u16,
    pub(super) location: Option<String>,
    /// Further headers that a client may look at.
    pub(super) headers: [Option<String>; 2],
    pub(super) body: Value,
}

impl Answer {
    /// The status.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The text at a JSON pointer.
    pub fn text(&self, pointer: &str) -> &str {
        let text = self.body.pointer(pointer).and_then(Value::as_str);
        text.unwrap_or_default()
    }
}

/// Why today's server answers otherwise, where the answers say so.
pub(super) fn known(body: &str, [ours, theirs]: &[Answer; 2]) -> Option<&'static str> {
    let (is_told, is_done) = (ours.status / 100 == 4, ours.status / 100 == 2);
    let is_refused_row = theirs.text("/detail").starts_with(REFUSED_ROW);
    let has_failed = theirs.status == 500 && !theirs.text("/exception_message").is_empty();
    let faults = theirs.body.pointer("/exception_detail");
    let faults = faults.and_then(Value::as_array).map_or(&[][..], |it| it);
    let is_all = |is: fn(&Value) -> bool| !faults.is_empty() && faults.iter().all(is);
    if is_told && is_refused_row {
        Some(INTEGRITY)
    } else if is_told && has_failed {
        Some(FAULT)
    } else if ours.status == theirs.status && matches!(ours.status, 404 | 409) {
        Some(WORDS)
    } else if !is_done {
        None
    } else if is_all(|fault| fault["type"] == "extra_forbidden") {
        Some(UNKNOWN)
    } else if is_all(|fault| fault["input"].is_null())
        || (body.contains("null") && (is_refused_row || has_failed))
    {
        Some(NULL)
    } else {
        None
    }
}
