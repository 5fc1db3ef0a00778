//! Parameters that say how their values are made, as the pages of Prefect write them.
//!
//! An object that has the member `__prefect_kind` gives way to what it makes: `none` to its
//! `value`, which may hold more of them, and `json` to what its `value` says as a text of JSON, or
//! to nothing, along with its key, where that is not there. `jinja` gives way to its `template` as
//! text, which sees no values, and `workspace_variable` to the value of the variable of that
//! `variable_name`. Anything else gives way to its `value` as it stands, or to null.
//!
//! A variable that is a secret by its name is refused, other than on the reference: whoever may
//! begin a run would read by it what is not shown to them.

mod looked;
#[cfg(test)]
mod tests;

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::domain::JsonMap;
use crate::domain::automation::jinja;
use crate::domain::weight;
pub use looked::{Looked, Step, looked_at};

/// The member that says how.
const KIND: &str = "__prefect_kind";
/// How deep what comes out may be, as deep as a body.
const DEEPEST: usize = 100;

/// The most bytes that templates and variables come to. A template counts as if it came to
/// [`TEMPLATE`] bytes at least, for the work that it is.
const MOST_MADE: usize = 1024 * 1024;
const TEMPLATE: usize = 4096;

/// Why nothing is made of parameters. Where the reference says so as well, in its words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Dry {
    /// A member that says what it is made of is missing.
    #[error("Missing '{0}' key in __prefect object")]
    Missing(&'static str),
    /// A text is not JSON.
    #[error("Invalid JSON: {0}")]
    NoJson(String),
    /// A template that is none, or that asks for too much.
    #[error("Invalid jinja: {0}")]
    Template(String),
    /// There is no variable of that name.
    #[error("Variable '{0}' not found in workspace.")]
    Variable(String),
    /// The variable of that name may not be shown.
    #[error("The variable '{0}' is a secret by its name; pass the value itself")]
    Secret(String),
    /// What comes out is nested too deeply.
    #[error("The value is nested more than {DEEPEST} deep")]
    TooDeep,
    /// All that comes of templates and variables is too much.
    #[error("The values of templates and variables come to more than {MOST_MADE} bytes")]
    TooMuch,
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

/// The values of variables by name; none for one whose value may not be shown.
pub type Variables = BTreeMap<String, Option<Value>>;

/// The parameters with the values made, of the variables that there are among those that they name.
///
/// # Errors
/// Why one is not made.
pub fn hydrate(parameters: JsonMap, variables: &Variables) -> Result<JsonMap, Dry> {
    match made(Value::Object(parameters), &Making::of(variables), 0)? {
        Some(Value::Object(parameters)) => Ok(parameters),
        None => Ok(JsonMap::new()),
        Some(_) => Err(Dry::NoObject),
    }
}

/// The names of the variables that values are made of.
pub fn variables_named(values: &JsonMap) -> BTreeSet<String> {
    let mut named = BTreeSet::new();
    gather_all(values, &mut named);
    named
}

fn gather_all(object: &JsonMap, named: &mut BTreeSet<String>) {
    if { object.get(KIND) }.is_some_and(|kind| kind == "workspace_variable") {
        let name = object.get("variable_name").and_then(Value::as_str);
        named.extend(name.map(str::to_owned));
    }
    object.values().for_each(|value| gather(value, named));
}

fn gather(value: &Value, named: &mut BTreeSet<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| gather(item, named)),
        Value::Object(object) => gather_all(object, named),
        _ => {}
    }
}

/// What values are made with, and how many bytes may still come of it.
struct Making<'a> {
    variables: &'a Variables,
    left: Cell<usize>,
}

impl<'a> Making<'a> {
    fn of(variables: &'a Variables) -> Self {
        let left = Cell::new(MOST_MADE);
        Self { variables, left }
    }

    fn spend(&self, bytes: usize) -> Result<(), Dry> {
        let left = self.left.get().checked_sub(bytes);
        self.left.set(left.ok_or(Dry::TooMuch)?);
        Ok(())
    }
}

/// The value, or none where it goes and its key with it.
fn made(value: Value, making: &Making<'_>, depth: usize) -> Result<Option<Value>, Dry> {
    if depth > DEEPEST {
        return Err(Dry::TooDeep);
    }
    let value = match value {
        Value::Array(items) => {
            let items = items.into_iter();
            let items = items.filter_map(|item| made(item, making, depth + 1).transpose());
            Value::Array(items.collect::<Result<_, _>>()?)
        }
        Value::Object(mut object) => match object.shift_remove(KIND) {
            Some(kind) => return of_kind(&kind, object, making, depth),
            None => Value::Object(members(object, making, depth)?),
        },
        plain => plain,
    };
    Ok(Some(value))
}

fn members(object: JsonMap, making: &Making<'_>, depth: usize) -> Result<JsonMap, Dry> {
    let mut all = JsonMap::new();
    for (name, value) in object {
        if let Some(value) = made(value, making, depth + 1)? {
            all.insert(name, value);
        }
    }
    Ok(all)
}

fn of_kind(
    kind: &Value,
    mut object: JsonMap,
    making: &Making<'_>,
    depth: usize,
) -> Result<Option<Value>, Dry> {
    let value = object.shift_remove("value");
    // What says how it is made may be made itself.
    let inner = |value: Option<Value>| match value {
        Some(written @ Value::Object(_)) => made(written, making, depth + 1),
        written => Ok(written),
    };
    match kind.as_str() {
        Some("none") => made(value.ok_or(Dry::Missing("value"))?, making, depth + 1),
        Some("json") => of_text(inner(value)?, depth),
        Some("jinja") => {
            let template = object.shift_remove("template");
            let template = inner(Some(template.ok_or(Dry::Missing("template"))?))?;
            template
                .map(|template| filled_in(&template, making))
                .transpose()
        }
        Some("workspace_variable") => {
            let name = inner(object.shift_remove("variable_name"))?;
            name.map(|name| of_variable(&name, making)).transpose()
        }
        _ => Ok(Some(value.unwrap_or_default())),
    }
}

/// A template as text; there is nothing that it could see.
fn filled_in(template: &Value, making: &Making<'_>) -> Result<Value, Dry> {
    let Some(text) = template.as_str() else {
        return Err(Dry::Template("a template is a text".to_owned()));
    };
    making.spend(TEMPLATE)?;
    let text = jinja::Context::default()
        .render(text)
        .map_err(Dry::Template)?;
    making.spend(text.len())?;
    Ok(Value::String(text))
}

fn of_variable(name: &Value, making: &Making<'_>) -> Result<Value, Dry> {
    let name = name
        .as_str()
        .map_or_else(|| name.to_string(), str::to_owned);
    match making.variables.get(&name) {
        Some(Some(value)) => {
            making.spend(weight::of_value(value))?;
            Ok(value.clone())
        }
        Some(None) => Err(Dry::Secret(name)),
        None => Err(Dry::Variable(name)),
    }
}

/// What a text says as JSON; anything but a text is what it is.
fn of_text(written: Option<Value>, depth: usize) -> Result<Option<Value>, Dry> {
    let Some(Value::String(text)) = written else {
        return Ok(written);
    };
    let read: Value =
        serde_json::from_str(&text).map_err(|why| Dry::NoJson(no_json(&text, &why)))?;
    match depth + depth_of(&read) > DEEPEST {
        true => Err(Dry::TooDeep),
        false => Ok(Some(read)),
    }
}

/// Why a text is not JSON, where that is simple, in the words of Python's `json`.
fn no_json(text: &str, why: &serde_json::Error) -> String {
    let told = why.to_string();
    let words = [
        ("expected value", "Expecting value"),
        ("EOF while parsing a value", "Expecting value"),
        (
            "key must be a string",
            "Expecting property name enclosed in double quotes",
        ),
        ("trailing characters", "Extra data"),
    ];
    let Some((_, words)) = words.iter().find(|(start, _)| told.starts_with(start)) else {
        return told;
    };
    let before: usize = { text.split_inclusive('\n') }
        .take(why.line().saturating_sub(1))
        .map(|line| line.chars().count())
        .sum();
    let column = why.column() + usize::from(why.is_eof());
    let place = (before + column).saturating_sub(1);
    format!(
        "{words}: line {} column {column} (char {place})",
        why.line()
    )
}

/// How deep a value is; a text of JSON that is read is bounded in that already.
fn depth_of(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth_of).max().unwrap_or(0),
        Value::Object(object) => 1 + object.values().map(depth_of).max().unwrap_or(0),
        _ => 0,
    }
}
