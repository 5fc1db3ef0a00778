//! Parameters that say how their values are made, as the pages of Prefect write them.
//!
//! An object that has the member `__prefect_kind` gives way to what it makes: `none` to its
//! `value`, which may hold more of them, and `json` to what its `value` says as a text of JSON, or
//! to nothing, along with its key, where that is not there. Of `jinja`, a text without
//! placeholders is itself. Anything else gives way to its `value` as it stands, or to null.
//!
//! The reference fills in templates as well, though with nothing to fill them with, and the values
//! of variables. Those are refused here: whoever may begin a run would read by it variables that
//! are not shown to them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::Finding;
use crate::domain::JsonMap;
use crate::domain::automation::jinja;

/// The member that says how.
const KIND: &str = "__prefect_kind";
/// How deep what comes out may be, as deep as a body.
const DEEPEST: usize = 100;

/// Why nothing is made of parameters. Where the reference says so as well, in its words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Dry {
    /// A member that says what it is made of is missing.
    #[error("Missing '{0}' key in __prefect object")]
    Missing(&'static str),
    /// A text is not JSON.
    #[error("Invalid JSON: {0}")]
    NoJson(String),
    /// A template with placeholders.
    #[error("Invalid jinja: templates are not filled in by this server")]
    Template,
    /// The value of a variable.
    #[error("Variables are not looked up for parameters by this server; pass the value itself")]
    Variable,
    /// What comes out is nested too deeply.
    #[error("The value is nested more than {DEEPEST} deep")]
    TooDeep,
    /// They all give way to something that has no names.
    #[error("The parameters are no object")]
    NoObject,
}

/// Whether any of them says how its value is made.
pub fn is_dry(parameters: &JsonMap) -> bool {
    parameters.contains_key(KIND) || parameters.values().any(holds_dry)
}

fn holds_dry(value: &Value) -> bool {
    match value {
        Value::Object(object) => is_dry(object),
        Value::Array(items) => items.iter().any(holds_dry),
        _ => false,
    }
}

/// The parameters with the values made.
///
/// # Errors
/// Why one is not made.
pub fn hydrate(parameters: JsonMap) -> Result<JsonMap, Dry> {
    match made(Value::Object(parameters), 0)? {
        Some(Value::Object(parameters)) => Ok(parameters),
        None => Ok(JsonMap::new()),
        Some(_) => Err(Dry::NoObject),
    }
}

/// A step from a value to one within it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// To the member of that name.
    Name(String),
    /// To the item at that place.
    Place(usize),
}

impl Step {
    /// The step that a part of a JSON pointer names.
    pub fn of_pointer(part: &str) -> Self {
        match part.parse() {
            Ok(place) => Self::Place(place),
            Err(_) => Self::Name(part.replace("~1", "/").replace("~0", "~")),
        }
    }
}

/// Values as a form has them, as far as they can be made.
pub struct Looked {
    /// The values; null in the place of those that are not made.
    pub value: Value,
    /// What could not be made.
    pub findings: Vec<Finding>,
    /// The places at which nothing else is looked at.
    pub apart: Vec<Vec<Step>>,
}

/// Makes what can be made of values, and says what cannot. A template is looked at and not filled
/// in; a variable gives its value, unless that may not be shown.
pub fn looked_at(values: JsonMap, variables: &BTreeMap<String, Option<Value>>) -> Looked {
    let mut looker = Looker {
        variables,
        path: Vec::new(),
        findings: Vec::new(),
        apart: Vec::new(),
    };
    let value = looker.look(Value::Object(values), 0);
    Looked {
        value: value.unwrap_or_else(|| Value::Object(JsonMap::new())),
        findings: looker.findings,
        apart: looker.apart,
    }
}

struct Looker<'a> {
    variables: &'a BTreeMap<String, Option<Value>>,
    path: Vec<Step>,
    findings: Vec<Finding>,
    apart: Vec<Vec<Step>>,
}

impl Looker<'_> {
    /// The value, or none where it goes and its key with it.
    fn look(&mut self, value: Value, depth: usize) -> Option<Value> {
        if depth > DEEPEST {
            return self.fail(&Dry::TooDeep);
        }
        match value {
            Value::Array(items) => {
                let mut made = Vec::new();
                for item in items {
                    self.path.push(Step::Place(made.len()));
                    made.extend(self.look(item, depth + 1));
                    self.path.pop();
                }
                Some(Value::Array(made))
            }
            Value::Object(mut object) => {
                if let Some(kind) = object.shift_remove(KIND) {
                    return self.of_kind(&kind, object, depth);
                }
                let mut made = JsonMap::new();
                for (name, value) in object {
                    self.path.push(Step::Name(name.clone()));
                    let value = self.look(value, depth + 1);
                    self.path.pop();
                    made.extend(value.map(|value| (name, value)));
                }
                Some(Value::Object(made))
            }
            plain => Some(plain),
        }
    }

    fn of_kind(&mut self, kind: &Value, object: JsonMap, depth: usize) -> Option<Value> {
        let text = |name: &str| object.get(name).and_then(Value::as_str);
        match kind.as_str() {
            Some("none") => match object.get("value") {
                Some(value) => self.look(value.clone(), depth + 1),
                None => self.fail(&Dry::Missing("value")),
            },
            Some("jinja") => match text("template") {
                Some(template) => match jinja::check(template) {
                    Ok(()) => {
                        self.apart.push(self.path.clone());
                        Some(Value::Null)
                    }
                    Err(why) => self.find(format!("Invalid jinja: {why}")),
                },
                None => self.fail(&Dry::Missing("template")),
            },
            Some("workspace_variable") => {
                let name = text("variable_name")?;
                match self.variables.get(name) {
                    Some(Some(value)) => Some(value.clone()),
                    Some(None) => {
                        self.apart.push(self.path.clone());
                        Some(Value::Null)
                    }
                    None => self.find(format!("Variable '{name}' not found in workspace.")),
                }
            }
            _ => match of_kind(kind, object.clone(), depth) {
                Ok(made) => made,
                Err(dry) => self.fail(&dry),
            },
        }
    }

    fn fail(&mut self, dry: &Dry) -> Option<Value> {
        self.find(dry.to_string())
    }

    fn find(&mut self, words: String) -> Option<Value> {
        self.apart.push(self.path.clone());
        self.findings.push(Finding {
            path: self.path.clone(),
            words,
        });
        Some(Value::Null)
    }
}

/// The names of the variables that values are made of.
pub fn variables_named(values: &Value) -> BTreeSet<String> {
    let mut named = BTreeSet::new();
    gather(values, &mut named);
    named
}

fn gather(value: &Value, named: &mut BTreeSet<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| gather(item, named)),
        Value::Object(object) => {
            if object
                .get(KIND)
                .is_some_and(|kind| kind == "workspace_variable")
            {
                let name = object.get("variable_name").and_then(Value::as_str);
                named.extend(name.map(str::to_owned));
            }
            object.values().for_each(|value| gather(value, named));
        }
        _ => {}
    }
}

/// The value, or none where it goes and its key with it.
fn made(value: Value, depth: usize) -> Result<Option<Value>, Dry> {
    if depth > DEEPEST {
        return Err(Dry::TooDeep);
    }
    let value = match value {
        Value::Array(items) => {
            let items = items.into_iter();
            let items = items.filter_map(|item| made(item, depth + 1).transpose());
            Value::Array(items.collect::<Result<_, _>>()?)
        }
        Value::Object(mut object) => match object.shift_remove(KIND) {
            Some(kind) => return of_kind(&kind, object, depth),
            None => Value::Object(members(object, depth)?),
        },
        plain => plain,
    };
    Ok(Some(value))
}

fn members(object: JsonMap, depth: usize) -> Result<JsonMap, Dry> {
    let mut all = JsonMap::new();
    for (name, value) in object {
        if let Some(value) = made(value, depth + 1)? {
            all.insert(name, value);
        }
    }
    Ok(all)
}

fn of_kind(kind: &Value, mut object: JsonMap, depth: usize) -> Result<Option<Value>, Dry> {
    let value = object.shift_remove("value");
    match kind.as_str() {
        Some("none") => made(value.ok_or(Dry::Missing("value"))?, depth + 1),
        Some("json") => match value {
            Some(written @ Value::Object(_)) => of_text(made(written, depth + 1)?, depth),
            written => of_text(written, depth),
        },
        Some("jinja") => match object.shift_remove("template") {
            Some(Value::String(text)) if !text.contains("{{") && !text.contains("{%") => {
                Ok(Some(Value::String(text)))
            }
            Some(_) => Err(Dry::Template),
            None => Err(Dry::Missing("template")),
        },
        Some("workspace_variable") if object.contains_key("variable_name") => Err(Dry::Variable),
        Some("workspace_variable") => Ok(None),
        _ => Ok(Some(value.unwrap_or_default())),
    }
}

/// What a text says as JSON; anything but a text is what it is.
fn of_text(written: Option<Value>, depth: usize) -> Result<Option<Value>, Dry> {
    let Some(Value::String(text)) = written else {
        return Ok(written);
    };
    let read: Value = serde_json::from_str(&text).map_err(|why| Dry::NoJson(why.to_string()))?;
    match depth + depth_of(&read) > DEEPEST {
        true => Err(Dry::TooDeep),
        false => Ok(Some(read)),
    }
}

/// How deep a value is; a text of JSON that is read is bounded in that already.
fn depth_of(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth_of).max().unwrap_or(0),
        Value::Object(object) => 1 + object.values().map(depth_of).max().unwrap_or(0),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(value: Value) -> Result<JsonMap, Dry> {
        let Value::Object(parameters) = value else {
            panic!("{value}");
        };
        assert!(is_dry(&parameters), "{parameters:?}");
        hydrate(parameters)
    }

    #[test]
    fn values_are_made_wherever_they_stand() {
        let json = |text: &str| json!({ KIND: "json", "value": text });
        for (dry, made) in [
            (json("42"), json!(42)),
            (json("{\"a\": [1e400, 9007199254740993]}"), {
                serde_json::from_str("{\"a\": [1e400, 9007199254740993]}").unwrap()
            }),
            (json!({ KIND: "json", "value": [1] }), json!([1])),
            (
                json!({ KIND: "json", "value": json("\"[7]\"") }),
                json!([7]),
            ),
            (
                json!({ KIND: "none", "value": [json("1"), 2] }),
                json!([1, 2]),
            ),
            (
                json!({ KIND: "jinja", "template": "plain" }),
                json!("plain"),
            ),
            (json!({ KIND: "other", "value": json("1") }), json("1")),
            (json!({ KIND: null }), Value::Null),
        ] {
            for (around, expected) in [
                (json!({ "x": dry }), json!({ "x": made })),
                (
                    json!({ "x": [[dry]], "y": 1 }),
                    json!({ "x": [[made]], "y": 1 }),
                ),
                (json!({ "x": { "y": dry } }), json!({ "x": { "y": made } })),
            ] {
                assert_eq!(Value::Object(of(around).unwrap()), expected);
            }
        }
    }

    #[test]
    fn what_is_not_there_goes_with_its_key() {
        for kind in ["json", "workspace_variable"] {
            let nothing = json!({ KIND: kind });
            let made = of(json!({ "x": nothing, "y": [nothing, 1] })).unwrap();
            assert_eq!(Value::Object(made), json!({ "y": [1] }));
            assert!(of(nothing).unwrap().is_empty());
        }
    }

    #[test]
    fn what_cannot_be_made_is_told() {
        let deep = format!("{}{}", "[".repeat(101), "]".repeat(101));
        for (dry, why) in [
            (
                json!({ KIND: "none" }),
                "Missing 'value' key in __prefect object",
            ),
            (json!({ KIND: "json", "value": "{" }), "Invalid JSON: EOF"),
            (
                json!({ KIND: "json", "value": deep }),
                "The value is nested",
            ),
            (json!({ KIND: "jinja" }), "Missing 'template' key"),
            (
                json!({ KIND: "jinja", "template": "{{ 1 }}" }),
                "Invalid jinja: ",
            ),
            (
                json!({ KIND: "workspace_variable", "variable_name": "a" }),
                "Variables are not looked up",
            ),
        ] {
            let told = of(json!({ "x": [dry] })).unwrap_err().to_string();
            assert!(told.starts_with(why), "{told}");
        }
        assert_eq!(
            of(json!({ KIND: "json", "value": "1" })),
            Err(Dry::NoObject)
        );
    }

    #[test]
    fn plain_parameters_are_let_be() {
        let Value::Object(plain) = json!({ "a": [{ "kind": "json", "value": "1" }], "b": null })
        else {
            unreachable!()
        };
        assert!(!is_dry(&plain));
        assert_eq!(hydrate(plain.clone()), Ok(plain));
    }
}
