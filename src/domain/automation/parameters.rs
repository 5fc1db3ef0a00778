//! The parameters that an action gives to a run: values, some of which are made when it is done.
//!
//! An object with `__prefect_kind` says how its value is made: `none`, `json`, `jinja` or
//! `workspace_variable`. A text that is a template is one of the kind `jinja`; where it is nothing
//! but an expression, its value keeps its type. Mirrors the 3.9 server.

use std::collections::BTreeMap;

use serde_json::Value;

use super::jinja::{self, Context};
use crate::domain::JsonMap;

const KIND: &str = "__prefect_kind";
/// How deep values lie within each other at most.
const DEEPEST: usize = 32;

/// What values are made with.
pub struct Surroundings<'a> {
    /// What templates see.
    pub context: &'a Context,
    /// The values of stored variables, by name; those that are not here do not exist.
    pub variables: &'a BTreeMap<String, Value>,
}

/// Whether all templates in some parameters are some.
///
/// # Errors
/// What is wrong, in a sentence.
pub fn check(parameters: &JsonMap) -> Result<(), String> {
    let mut found = Vec::new();
    for value in parameters.values() {
        gather(value, 0, &mut found)?;
    }
    found.into_iter().try_for_each(|made| match made {
        Made::Template(text) => jinja::check(text),
        Made::Variable(_) => Ok(()),
    })
}

/// The names of the variables that some parameters are made of.
pub fn variables_named(parameters: &JsonMap) -> Vec<String> {
    let mut found = Vec::new();
    for value in parameters.values() {
        // What is wrong with them is said where they are made.
        let _ = gather(value, 0, &mut found);
    }
    let names = found.into_iter().filter_map(|made| match made {
        Made::Variable(name) => Some(name.to_owned()),
        Made::Template(_) => None,
    });
    names.collect()
}

/// The templates in some parameters.
pub fn templates(parameters: &JsonMap) -> Vec<&str> {
    let mut found = Vec::new();
    for value in parameters.values() {
        let _ = gather(value, 0, &mut found);
    }
    let texts = found.into_iter().filter_map(|made| match made {
        Made::Template(text) => Some(text),
        Made::Variable(_) => None,
    });
    texts.collect()
}

/// What is made when an action is done.
enum Made<'a> {
    Template(&'a str),
    Variable(&'a str),
}

fn gather<'a>(value: &'a Value, depth: usize, found: &mut Vec<Made<'a>>) -> Result<(), String> {
    if depth > DEEPEST {
        return Err("Parameters lie too deep within each other.".to_owned());
    }
    match value {
        Value::Object(map) => match map.get(KIND).and_then(Value::as_str) {
            Some("jinja") => match map.get("template").and_then(Value::as_str) {
                Some(text) => found.push(Made::Template(text)),
                None => return Err("A template is missing among the parameters.".to_owned()),
            },
            Some("workspace_variable") => match map.get("variable_name").and_then(Value::as_str) {
                Some(name) => found.push(Made::Variable(name)),
                None => return Err("A variable's name is missing in the parameters.".to_owned()),
            },
            Some(_) => { map.get("value") }.map_or(Ok(()), |one| gather(one, depth + 1, found))?,
            None => map
                .values()
                .try_for_each(|one| gather(one, depth + 1, found))?,
        },
        Value::Array(all) => all
            .iter()
            .try_for_each(|one| gather(one, depth + 1, found))?,
        Value::String(text) if jinja::is_template(text) => found.push(Made::Template(text)),
        _ => {}
    }
    Ok(())
}

/// The parameters as a run gets them.
///
/// # Errors
/// What could not be made, and why.
pub fn made(parameters: &JsonMap, with: &Surroundings<'_>) -> Result<JsonMap, String> {
    let members = parameters.iter().map(|(name, value)| {
        let made = make(value, with, 0)?;
        Ok(made.map(|made| (name.clone(), made)))
    });
    members.filter_map(Result::transpose).collect()
}

/// A value; `None` where there is to be none.
fn make(value: &Value, with: &Surroundings<'_>, depth: usize) -> Result<Option<Value>, String> {
    if depth > DEEPEST {
        return Err("Parameters lie too deep within each other.".to_owned());
    }
    let deeper = |one: &Value| make(one, with, depth + 1);
    match value {
        Value::Object(map) => match map.get(KIND).and_then(Value::as_str) {
            Some("jinja") => {
                let template = map
                    .get("template")
                    .and_then(Value::as_str)
                    .unwrap_or_default();
                with.context.render(template).map(|text| Some(text.into()))
            }
            Some("workspace_variable") => {
                let name = map
                    .get("variable_name")
                    .and_then(Value::as_str)
                    .unwrap_or_default();
                let value = with.variables.get(name).cloned();
                let missing = || format!("There is no variable '{name}'.");
                value.map(Some).ok_or_else(missing)
            }
            Some("json") => match { map.get("value") }.map_or(Ok(None), deeper)? {
                Some(Value::String(text)) => parsed(&text),
                other => Ok(other),
            },
            Some(_) => map.get("value").map_or(Ok(None), deeper),
            None => {
                let members = map.iter().map(|(name, one)| {
                    let made = deeper(one)?;
                    Ok(made.map(|made| (name.clone(), made)))
                });
                let made: Result<JsonMap, String> = members.filter_map(Result::transpose).collect();
                made.map(|map| Some(Value::Object(map)))
            }
        },
        Value::Array(all) => {
            let items = all.iter().map(deeper).filter_map(Result::transpose);
            items
                .collect::<Result<Vec<_>, _>>()
                .map(|all| Some(Value::Array(all)))
        }
        Value::String(text) if jinja::is_template(text) => match expression(text) {
            Some(inner) => {
                let written = with
                    .context
                    .render(&format!("{{{{ ({inner}) | tojson }}}}"))?;
                parsed(&written)
            }
            None => with.context.render(text).map(|text| Some(text.into())),
        },
        other => Ok(Some(other.clone())),
    }
}

fn parsed(text: &str) -> Result<Option<Value>, String> {
    let value = serde_json::from_str(text);
    value
        .map(Some)
        .map_err(|error| format!("This is no JSON: {error}"))
}

/// The one expression that a template is, if it is nothing else.
fn expression(template: &str) -> Option<&str> {
    let inner = template.trim().strip_prefix("{{")?.strip_suffix("}}")?;
    (!inner.contains("{{")).then(|| inner.trim_matches(['-', '+', ' ']))
}
