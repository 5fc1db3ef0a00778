//! What is found.

use serde_json::{Map, Value, json};

/// The most faults that are told.
const MOST: usize = 100;
/// The most bytes, about, that are repeated of what was sent.
const MOST_REPEATED: usize = 256 * 1024;

/// The most values that are looked at; of many forms within each other there are more than anybody
/// waits for.
const MOST_LOOKS: usize = 20_000;

/// The faults of a request, and where it is looked at now.
pub struct Faults {
    place: Vec<Value>,
    found: Vec<Value>,
    repeated: usize,
    looks: usize,
}

impl Faults {
    /// None so far.
    pub fn new() -> Self {
        Self {
            place: Vec::new(),
            found: Vec::new(),
            repeated: 0,
            looks: 0,
        }
    }

    /// Whether one more value may be looked at.
    pub fn may_look(&mut self) -> bool {
        self.looks += 1;
        self.looks <= MOST_LOOKS
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.found.len()
    }

    /// Forgets those after the first so many, and answers them.
    pub fn since(&mut self, count: usize) -> Vec<Value> {
        self.found.split_off(count.min(self.found.len()))
    }

    /// Takes them back.
    pub fn again(&mut self, faults: Vec<Value>) {
        self.found.extend(faults);
        self.found.truncate(MOST);
    }

    /// Looks at something within.
    pub fn within<T>(&mut self, step: impl Into<Value>, look: impl FnOnce(&mut Self) -> T) -> T {
        self.place.push(step.into());
        let seen = look(self);
        self.place.pop();
        seen
    }

    /// Something is wrong here.
    pub fn add(&mut self, kind: &str, message: impl Into<String>, input: &Value) {
        self.add_with(kind, message, input, Value::Null);
    }

    /// The same, with what belongs to it.
    pub fn add_with(
        &mut self,
        kind: &str,
        message: impl Into<String>,
        input: &Value,
        context: Value,
    ) {
        if self.found.len() >= MOST || self.repeated > MOST_REPEATED {
            return;
        }
        self.repeated += size(input);
        let mut fault = Map::new();
        fault.insert("type".to_owned(), kind.into());
        fault.insert("loc".to_owned(), self.place.clone().into());
        fault.insert("msg".to_owned(), message.into().into());
        fault.insert("input".to_owned(), input.clone());
        if !context.is_null() {
            fault.insert("ctx".to_owned(), context);
        }
        self.found.push(fault.into());
    }

    /// A function found fault with a value.
    pub fn add_told(&mut self, message: &str, input: &Value) {
        let message = format!("Value error, {message}");
        self.add_with("value_error", message, input, json!({ "error": {} }));
    }

    /// All of them; none where there was too much to look at.
    pub fn told(self) -> Vec<Value> {
        match self.looks <= MOST_LOOKS {
            true => self.found,
            false => Vec::new(),
        }
    }
}

/// How much is repeated with a value, about.
fn size(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len(),
        Value::Array(items) => items.iter().map(size).sum::<usize>() + items.len(),
        Value::Object(members) => members.iter().map(|(key, it)| key.len() + size(it)).sum(),
        _ => 8,
    }
}
