//! How much a client may name.
//!
//! A text that names something, and a list of such texts, is bounded wherever it stands. What
//! is kept as it came (parameters, documents, messages) is bounded by the body, whose values
//! are counted when it is parsed.

use super::value::JsonValue;

/// The most bytes that a text has which names something: a name, a key, a tag, a rule.
pub const LONGEST_TEXT: usize = 16 * 1024;
/// The most tags.
pub const MOST_TAGS: usize = 500;
/// The most values of one operator of a filter, or of any other list.
pub const MOST_ITEMS: usize = 5000;

/// The most excesses that are told.
const MOST_TOLD: usize = 100;

/// The keys whose values are kept as they came.
const KEPT: &[&str] = &[
    "parameters",
    "context",
    "config",
    "job_variables",
    "infra_overrides",
    "parameter_openapi_schema",
    "pull_steps",
    "description",
    "task_inputs",
    "data",
    "flow_data",
    "filters",
    "message",
    "blob",
];

/// One step to a value.
#[derive(Clone, Debug, PartialEq)]
pub enum PathStep<'v> {
    /// A member's name.
    Key(&'v str),
    /// An index of a list.
    Index(usize),
}

/// Something of which there is too much.
#[derive(Clone, Debug, PartialEq)]
pub struct Excess<'v> {
    /// Where, from the body on.
    pub place: Vec<PathStep<'v>>,
    /// Whether it is a list; else it is a text.
    pub is_list: bool,
    /// How many items or bytes it may have.
    pub limit: usize,
}

/// All that is too much in a body, up to a hundred of them. A body that is a list is one of
/// things to be stored; how many those are is bounded by how many values there are.
pub fn excesses<'v>(body: &'v JsonValue<'_>) -> Vec<Excess<'v>> {
    let mut search = Search::default();
    match body {
        JsonValue::Array(items) => search.items(items),
        body => search.value("", body),
    }
    search.found
}

#[derive(Default)]
struct Search<'v> {
    place: Vec<PathStep<'v>>,
    found: Vec<Excess<'v>>,
}

impl<'v> Search<'v> {
    fn value(&mut self, name: &str, value: &'v JsonValue<'_>) {
        match value {
            JsonValue::String(text) if text.len() > LONGEST_TEXT => self.note(false, LONGEST_TEXT),
            JsonValue::Array(items) => {
                let limit = match name {
                    "tags" | "all_" => MOST_TAGS,
                    _ => MOST_ITEMS,
                };
                match items.len() > limit {
                    true => self.note(true, limit),
                    false => self.items(items),
                }
            }
            JsonValue::Object(members) if members.len() > MOST_ITEMS => self.note(true, MOST_ITEMS),
            JsonValue::Object(members) => {
                for (name, value) in members.all() {
                    if self.found.len() >= MOST_TOLD || KEPT.contains(&name) {
                        continue;
                    }
                    self.place.push(PathStep::Key(name));
                    self.value(name, value);
                    self.place.pop();
                }
            }
            _ => {}
        }
    }

    fn items(&mut self, items: &'v [JsonValue<'_>]) {
        for (index, item) in items.iter().enumerate() {
            if self.found.len() >= MOST_TOLD {
                return;
            }
            self.place.push(PathStep::Index(index));
            self.value("", item);
            self.place.pop();
        }
    }

    fn note(&mut self, is_list: bool, limit: usize) {
        self.found.push(Excess {
            place: self.place.clone(),
            is_list,
            limit,
        });
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::parse;
    use super::*;

    #[test]
    fn names_and_lists_are_bounded_and_content_is_not() {
        let long = "x".repeat(LONGEST_TEXT + 1);
        let many = vec!["x"; MOST_ITEMS + 1];
        let body = json!({
            "name": long,
            "tags": vec!["x"; MOST_TAGS + 1],
            "flows": { "id": { "any_": many } },
            "parameters": { "x": long, "y": many },
            "state": { "message": long, "name": long },
            "deep": [{ "key": [long] }],
        });
        let text = body.to_string();
        let given = parse(&text).unwrap();
        let found = excesses(&given);
        use PathStep::{Index, Key};
        let places: Vec<_> = found.iter().map(|excess| excess.place.clone()).collect();
        assert_eq!(
            places,
            [
                vec![Key("name")],
                vec![Key("tags")],
                vec![Key("flows"), Key("id"), Key("any_")],
                vec![Key("state"), Key("name")],
                vec![Key("deep"), Index(0), Key("key"), Index(0)],
            ]
        );
        let limits: Vec<_> = found.iter().map(|excess| excess.limit).collect();
        assert_eq!(limits, [16_384, 500, 5000, 16_384, 16_384]);
    }

    #[test]
    fn a_hundred_are_told() {
        let long = "x".repeat(LONGEST_TEXT + 1);
        let text = json!(vec![json!({ "name": long }); 200]).to_string();
        assert_eq!(excesses(&parse(&text).unwrap()).len(), MOST_TOLD);
    }
}
