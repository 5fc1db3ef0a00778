//! From a base job template and job variables to a job's settings.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::apply::{Filler, steps};
use super::placeholder::placeholders;
use super::{Blocks, LARGEST, Surroundings, TemplateError, Values, python};
use crate::domain::{JsonMap, weight};

/// How deep the name of a variable may lead.
const DEEPEST_PATH: usize = 16;

/// A job's settings, as Prefect's workers come to them: the template's defaults under the
/// deployment's variables under the run's, `env` laid over `env` name by name.
///
/// # Errors
/// Why there are none.
pub fn resolve(
    base: &JsonMap,
    deployment: &JsonMap,
    run: &JsonMap,
    surroundings: &Surroundings<'_>,
) -> Result<JsonMap, TemplateError> {
    let mut job = part(base, "job_configuration");
    let mut variables = defaults(base);
    if let Some(env) = variables.get("env").and_then(Value::as_object).cloned() {
        match job.get_mut("env") {
            Some(Value::Object(own)) => own.extend(env),
            _ => drop(job.insert("env".to_owned(), env.into())),
        }
    }
    variables.extend(nested(&overlaid(deployment, run))?);
    if let (Some(Value::Object(own)), Some(Value::Object(env))) =
        (job.get_mut("env"), variables.get("env"))
    {
        own.extend(env.clone());
    }
    let mut filler = Filler::new(surroundings);
    let filled = filler.apply(&Value::Object(job), &variables)?;
    let filled = filler.put_blocks(&filled)?;
    match filler.settle(&filled)? {
        Value::Object(settled) => Ok(settled),
        _ => Ok(JsonMap::new()),
    }
}

/// A name that may refer to the flow and the run, as `{{ ctx.flow_run.name }}`.
///
/// # Errors
/// [`TemplateError::TooLarge`].
pub fn named(
    name: &str,
    ctx: Value,
    surroundings: &Surroundings<'_>,
) -> Result<Option<String>, TemplateError> {
    if placeholders(name).next().is_none() {
        return Ok(Some(name.to_owned()));
    }
    let values = Values::from_iter([("ctx".to_owned(), ctx)]);
    let filled = Filler::new(surroundings).apply(&name.into(), &values)?;
    Ok(match filled {
        Value::String(name) => Some(name),
        Value::Null => None,
        other => Some(python::text(&other)),
    })
}

/// A template with values in place of its placeholders, and nothing of the environment.
///
/// # Errors
/// [`TemplateError::TooLarge`].
pub fn filled(template: &Value, values: &JsonMap) -> Result<Value, TemplateError> {
    let surroundings = Surroundings {
        variables: &BTreeMap::new(),
        environment: &|_| None,
        blocks: &Blocks::default(),
    };
    Filler::new(&surroundings).apply(template, values)
}

fn part(base: &JsonMap, name: &str) -> JsonMap {
    match base.get(name) {
        Some(Value::Object(map)) => map.clone(),
        _ => JsonMap::new(),
    }
}

/// The variables that have a default.
fn defaults(base: &JsonMap) -> Values {
    let variables = base.get("variables");
    let properties = variables.and_then(|variables| variables.get("properties"));
    let properties = properties.and_then(Value::as_object).into_iter().flatten();
    let with_default = properties.filter_map(|(name, of)| {
        let default = of.get("default").filter(|default| !default.is_null())?;
        Some((name.clone(), default.clone()))
    });
    with_default.collect()
}

/// A run's variables over its deployment's.
fn overlaid(deployment: &JsonMap, run: &JsonMap) -> Values {
    let mut values = deployment.clone();
    for (name, value) in run {
        match (values.get_mut(name), value) {
            (Some(Value::Object(under)), Value::Object(over)) if name == "env" => {
                under.extend(over.clone());
            }
            _ => drop(values.insert(name.clone(), value.clone())),
        }
    }
    values
}

/// Values with others laid over them, each where its name leads, such as `env.HOME`.
///
/// # Errors
/// Where a name leads into something that has no parts, or there would be too much.
pub fn laid_over(mut under: JsonMap, over: &JsonMap) -> Result<JsonMap, TemplateError> {
    for (path, value) in over {
        let steps: Vec<_> = path.split('.').collect();
        set(&mut under, &steps, value).ok_or_else(|| TemplateError::NoParts(path.clone()))?;
    }
    match weight::of_map(&under) > LARGEST {
        true => Err(TemplateError::TooLarge),
        false => Ok(under),
    }
}

/// Variables whose names have dots, such as `env.HOME`, as parts of those that are named first;
/// what has no dot is laid over them.
fn nested(values: &Values) -> Result<Values, TemplateError> {
    let (dotted, plain): (Vec<_>, Vec<_>) = values.iter().partition(|(name, _)| name.contains('.'));
    let mut made = Values::new();
    for (path, value) in dotted {
        let steps: Vec<_> = steps(path).collect();
        set(&mut made, &steps, value).ok_or_else(|| TemplateError::NoParts(path.clone()))?;
    }
    for (name, value) in plain {
        match (made.get_mut(name), value) {
            (Some(Value::Object(under)), Value::Object(over)) => merge(under, over),
            _ => drop(made.insert(name.clone(), value.clone())),
        }
    }
    Ok(made)
}

/// Sets a value at a path, with objects on the way; nothing where something else lies there, or
/// the path is too long.
fn set(within: &mut JsonMap, path: &[&str], value: &Value) -> Option<()> {
    let (last, way) = path
        .split_last()
        .filter(|(_, way)| way.len() < DEEPEST_PATH)?;
    let mut at = within;
    for step in way {
        let next = at.entry(*step).or_insert_with(|| Map::new().into());
        at = next.as_object_mut()?;
    }
    at.insert((*last).to_owned(), value.clone());
    Some(())
}

fn merge(under: &mut JsonMap, over: &JsonMap) {
    for (name, value) in over {
        match (under.get_mut(name), value) {
            (Some(Value::Object(under)), Value::Object(over)) => merge(under, over),
            _ => drop(under.insert(name.clone(), value.clone())),
        }
    }
}
