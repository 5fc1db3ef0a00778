//! The same values looked at while somebody fills in a form: all that cannot be made is told, and
//! where it is.

use serde_json::Value;

use super::{DEEPEST, Dry, KIND, Making, Variables, of_kind};
use crate::domain::JsonMap;
use crate::domain::automation::jinja;
use crate::domain::parameters::Finding;

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
pub fn looked_at(values: JsonMap, variables: &Variables) -> Looked {
    let mut looker = Looker {
        making: Making::of(variables),
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
    making: Making<'a>,
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
                match self.making.variables.get(name) {
                    Some(Some(value)) => Some(value.clone()),
                    Some(None) => {
                        self.apart.push(self.path.clone());
                        Some(Value::Null)
                    }
                    None => self.find(format!("Variable '{name}' not found in workspace.")),
                }
            }
            _ => match of_kind(kind, object.clone(), &self.making, depth) {
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
