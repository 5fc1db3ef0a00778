//! Whether job variables fit the template of their pool, as the reference checks them.

use serde_json::Value;

use super::schema::{self, Nulls};
use super::{Required, Unfit, check_against, check_schema_as_written, compiled, cost};
use crate::domain::JsonMap;

/// What a template says of its variables, if it says anything.
pub fn variables_of(template: &JsonMap) -> Option<&JsonMap> {
    let variables = template.get("variables").and_then(Value::as_object);
    variables.filter(|variables| !variables.is_empty())
}

/// The defaults of variables, as they are written.
pub fn defaults_of(variables: &JsonMap) -> JsonMap {
    let properties = variables.get("properties").and_then(Value::as_object);
    let defaults = properties.into_iter().flatten().filter_map(|(name, said)| {
        let default = said.get("default")?;
        Some((name.clone(), default.clone()))
    });
    defaults.collect()
}

/// Checks the defaults of a template's variables, in which blocks stand for what refers to them.
///
/// # Errors
/// Why they do not do.
pub fn check_defaults(defaults: JsonMap, variables: &JsonMap) -> Result<(), Unfit> {
    check_schema_as_written(variables)?;
    check_prepared(defaults, variables, Required::No)
}

/// Checks job variables that lie over the defaults, in which blocks stand for what refers to them.
/// Defaults that do not fit are passed over, and then nothing has to be there.
///
/// # Errors
/// Why they do not do.
pub fn check_job_variables(
    mut defaults: JsonMap,
    given: JsonMap,
    variables: &JsonMap,
    required: Required,
) -> Result<(), Unfit> {
    let misfits = misfits(&defaults, variables)?;
    let required = match misfits.is_empty() {
        true => required,
        false => Required::No,
    };
    for name in misfits {
        defaults.shift_remove(&name);
    }
    defaults.extend(given);
    check_prepared(defaults, variables, required)
}

fn check_prepared(values: JsonMap, variables: &JsonMap, required: Required) -> Result<(), Unfit> {
    let schema = schema::prepared_with(variables, required, Nulls::AlsoWithDefault);
    check_against(&Value::Object(values), &schema)
}

/// The names of the defaults that do not fit.
fn misfits(defaults: &JsonMap, variables: &JsonMap) -> Result<Vec<String>, Unfit> {
    // A schema is compiled for every look, which every run of a pool would pay for.
    if defaults.is_empty() {
        return Ok(Vec::new());
    }
    let schema = schema::as_written(variables);
    let values = Value::Object(defaults.clone());
    cost::weigh(&schema, &values)?;
    let validator = compiled(&schema)?;
    let mut names = Vec::new();
    for error in validator.iter_errors(&values) {
        let place = error.instance_path().as_str();
        let name = place.split('/').nth(1).unwrap_or_default();
        let name = name.replace("~1", "/").replace("~0", "~");
        if defaults.contains_key(&name) && !names.contains(&name) {
            names.push(name);
        }
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn map(value: Value) -> JsonMap {
        match value {
            Value::Object(map) => map,
            other => panic!("{other}"),
        }
    }

    fn variables(properties: Value, required: Value) -> JsonMap {
        map(json!({ "type": "object", "properties": properties, "required": required }))
    }

    fn checked(variables: &JsonMap, given: Value, required: Required) -> Result<(), Unfit> {
        check_job_variables(defaults_of(variables), map(given), variables, required)
    }

    #[test]
    fn job_variables_lie_over_the_defaults() {
        let all = variables(
            json!({
                "image": { "type": "string" },
                "cpus": { "type": "integer", "default": 1 },
                "env": { "type": "object", "additionalProperties": { "type": "string" } },
            }),
            json!(["image"]),
        );
        let (yes, no) = (Required::Yes, Required::No);
        for (given, required, fits) in [
            (json!({ "image": "x" }), yes, true),
            (json!({}), no, true),
            (json!({}), yes, false),
            (json!({ "image": 7 }), no, false),
            // May be null although it has a default, or since it may be left out.
            (json!({ "image": "x", "cpus": null }), yes, true),
            (json!({ "image": "x", "env": null }), yes, true),
            (json!({ "image": "x", "cpus": "many" }), yes, false),
            (json!({ "image": "x", "env": { "A": 1 } }), yes, false),
            (json!({ "image": "x", "more": 1 }), yes, true),
        ] {
            let done = checked(&all, given.clone(), required);
            assert_eq!(done.is_ok(), fits, "{given}: {done:?}");
        }
    }

    #[test]
    fn a_default_that_does_not_fit_is_passed_over_with_what_is_required() {
        let odd = variables(
            json!({ "a": { "type": "integer", "default": "x" }, "b": { "type": "string" } }),
            json!(["a", "b"]),
        );
        assert_eq!(checked(&odd, json!({}), Required::Yes), Ok(()));
        let wrong = checked(&odd, json!({ "b": 7 }), Required::Yes);
        assert!(matches!(wrong, Err(Unfit::Misfit(_))), "{wrong:?}");
        let of_pool = check_defaults(defaults_of(&odd), &odd);
        assert!(matches!(of_pool, Err(Unfit::Misfit(_))), "{of_pool:?}");
    }

    #[test]
    fn variables_that_are_no_schema_are_told_so() {
        let odd = map(json!({ "properties": { "a": { "type": "nothing" } } }));
        let told = checked(&odd, json!({}), Required::No);
        assert!(matches!(told, Err(Unfit::NoSchema(_))), "{told:?}");
    }

    #[test]
    fn a_template_may_say_nothing_of_variables() {
        for template in [
            json!({}),
            json!({ "variables": {} }),
            json!({ "variables": 1 }),
        ] {
            assert_eq!(variables_of(&map(template)), None);
        }
    }
}
