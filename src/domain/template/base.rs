//! What a base job template must be.

use std::collections::BTreeSet;

use serde_json::Value;

use super::placeholder::{Name, placeholders};
use crate::domain::JsonMap;

/// The most stored variables that one job refers to.
pub const MOST_VARIABLES: usize = 100;

/// Checks a base job template as Prefect's server does: it is empty, or it has both parts and
/// each placeholder of the first is a variable of the second.
///
/// # Errors
/// What is wrong, in a sentence.
pub fn check_base(template: &JsonMap) -> Result<(), String> {
    if template.is_empty() {
        return Ok(());
    }
    let part = |name: &str| match template.get(name) {
        Some(Value::Object(map)) if !map.is_empty() => Some(map),
        _ => None,
    };
    let (Some(job), Some(variables)) = (part("job_configuration"), part("variables")) else {
        return Err(
            "A base job template has the keys `job_configuration` and `variables`, each with an \
             object that is not empty."
                .to_owned(),
        );
    };
    let declared = match variables.get("properties") {
        None => None,
        Some(Value::Object(properties)) => Some(properties),
        Some(_) => return Err("The `properties` of the `variables` are no object.".to_owned()),
    };
    let undeclared = undeclared(job, declared);
    match undeclared.first() {
        None => Ok(()),
        Some(first) => Err(format!(
            "The variables of the job configuration must be properties of `variables`; {} are \
             not, the first of them {first:?}.",
            undeclared.len()
        )),
    }
}

/// What the job configuration of a template names that its variables do not have.
pub fn unknown_variables(template: &JsonMap) -> BTreeSet<String> {
    let part = |name: &str| template.get(name).and_then(Value::as_object);
    let declared = part("variables").and_then(|variables| variables.get("properties"));
    let declared = declared.and_then(Value::as_object);
    part("job_configuration").map_or_else(BTreeSet::new, |job| undeclared(job, declared))
}

fn undeclared(job: &JsonMap, declared: Option<&JsonMap>) -> BTreeSet<String> {
    let mut undeclared = BTreeSet::new();
    each_text(&job.values().collect::<Vec<_>>(), &mut |text| {
        undeclared.extend(placeholders(text).filter_map(|found| {
            let is_declared = declared.is_some_and(|declared| declared.contains_key(found.inner));
            (!is_declared).then(|| found.inner.to_owned())
        }));
    });
    undeclared
}

/// The stored variables that a value refers to, by name; as many as [`MOST_VARIABLES`] and one.
pub fn variables_named<'v>(values: impl IntoIterator<Item = &'v Value>) -> BTreeSet<String> {
    let mut named = BTreeSet::new();
    each_text(&values.into_iter().collect::<Vec<_>>(), &mut |text| {
        for found in placeholders(text) {
            if let Name::Variable(name) = found.name
                && named.len() <= MOST_VARIABLES
            {
                named.insert(name.to_owned());
            }
        }
    });
    named
}

/// What stands in the placeholders of a value.
pub fn names(value: &Value) -> impl Iterator<Item = String> + use<> {
    let mut named = BTreeSet::new();
    each_text(&[value], &mut |text| {
        named.extend(placeholders(text).map(|found| found.inner.to_owned()));
    });
    named.into_iter()
}

/// Calls `with` for each text in these, however deep, keys of objects included: the reference
/// looks through them as JSON text.
fn each_text(values: &[&Value], with: &mut impl FnMut(&str)) {
    for value in values {
        match value {
            Value::String(text) => with(text),
            Value::Array(items) => each_text(&items.iter().collect::<Vec<_>>(), with),
            Value::Object(map) => {
                map.keys().for_each(|key| with(key));
                each_text(&map.values().collect::<Vec<_>>(), with);
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
}
