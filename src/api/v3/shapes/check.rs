//! Looks at a request, part by part, as the reference does.

use serde_json::{Value, json};

use super::faults::Faults;
use super::table::{Field, InPath, Model, Operation, Parameter, Shape, TABLE};
use super::{functions, scalars, times};

/// Fields that only we know.
const OWN: [&str; 3] = ["flow_data", "flow_runner", "stream"];

/// What was given.
pub struct Given<'a> {
    /// In the path.
    pub path: Vec<InPath>,
    /// In the query.
    pub query: Vec<(String, String)>,
    /// As the body, if there was one.
    pub body: Option<&'a Value>,
}

/// Finds the faults of a request.
pub fn operation(operation: &Operation, given: &Given<'_>, faults: &mut Faults) {
    for group in &operation.groups {
        for parameter in &group.parameters {
            faults.within(parameter.place.as_str(), |faults| {
                match parameter.place.as_str() {
                    "body" => in_body(operation, parameter, given.body, faults),
                    place => beside_body(place, parameter, given, faults),
                }
            });
        }
    }
}

/// The reference's sentence about a limit of a page that it does not serve, which is looked at before
/// all else.
pub fn of_limit(operation: &Operation, given: &Given<'_>) -> Option<&'static str> {
    let mut groups = operation.groups.iter();
    groups.find(|group| group.name == "get_limit")?;
    let limit = scalars::meant(given.body?.get("limit")?)?;
    match limit {
        limit if limit.fract() != 0.0 => None,
        limit if limit < 0.0 => Some("Invalid limit: must be greater than or equal to 0."),
        limit if limit > 200.0 => Some("Invalid limit: must be less than or equal to 200."),
        _ => None,
    }
}

fn in_body(
    operation: &Operation,
    parameter: &Parameter,
    body: Option<&Value>,
    faults: &mut Faults,
) {
    let field = &parameter.field;
    let body = body.filter(|body| !body.is_null());
    if !operation.is_embedded {
        return match body {
            Some(body) => {
                value(&field.shape, body, faults);
            }
            None => missing(field, faults),
        };
    }
    faults.within(field.name.as_str(), |faults| match body {
        Some(Value::Object(members)) => {
            let given = members.get(&field.name).filter(|it| !it.is_null());
            match given {
                Some(given) => {
                    value(&field.shape, given, faults);
                }
                None => missing(field, faults),
            }
        }
        None => missing(field, faults),
        Some(_) => faults.add("missing", "Field required", &Value::Null),
    });
}

fn missing(field: &Field, faults: &mut Faults) {
    if field.is_required {
        faults.add("missing", "Field required", &Value::Null);
    }
}

fn beside_body(place: &str, parameter: &Parameter, given: &Given<'_>, faults: &mut Faults) {
    let field = &parameter.field;
    let found = match place {
        "path" => {
            let mut steps = given.path.iter();
            steps.find(|it| it.name == field.name).map(|it| &it.given)
        }
        _ => {
            let mut pairs = given.query.iter().rev();
            pairs
                .find(|(name, _)| *name == field.name)
                .map(|(_, it)| it)
        }
    };
    faults.within(field.name.as_str(), |faults| match found {
        Some(found) => {
            value(&field.shape, &found.as_str().into(), faults);
        }
        None => missing(field, faults),
    });
}

/// Looks at a value; whether it is as it should be.
pub fn value(shape: &Shape, given: &Value, faults: &mut Faults) -> bool {
    let before = faults.count();
    if !faults.may_look() {
        return true;
    }
    match shape {
        Shape::Any => {}
        Shape::Text(most, pattern) => scalars::text(*most, pattern.as_ref(), given, faults),
        Shape::Whole(bounds) => scalars::whole(bounds, given, faults),
        Shape::Number(bounds) => scalars::number(bounds, given, faults),
        Shape::Truth(is_strict) => scalars::truth(*is_strict, given, faults),
        Shape::Id => scalars::id(given, faults),
        Shape::Time => times::time(given, faults),
        Shape::Moment => times::moment(given, faults),
        Shape::Span(bounds) => times::span(bounds, given, faults),
        Shape::Bytes if given.is_string() => {}
        Shape::Bytes => faults.add("bytes_type", "Input should be a valid bytes", given),
        Shape::One(values, by_itself, prefix) => {
            scalars::one(values, *by_itself, prefix.as_deref(), given, faults);
        }
        Shape::Null(_) if given.is_null() => {}
        Shape::Null(of) => return value(of, given, faults),
        Shape::List(of, least, most) => list(of, (*least, *most), given, faults),
        Shape::Set(of) => items(of, "set_type", "Input should be a valid set", given, faults),
        Shape::Sequence(of) => sequence(of, given, faults),
        Shape::Map(keys, values) => map(keys, values, given, faults),
        Shape::Tuple(of) => tuple(of, given, faults),
        Shape::Union(of) => union(of, given, faults),
        Shape::Model(name) => {
            if let Some(known) = TABLE.model(name) {
                model(known, given, faults);
            }
        }
        Shape::Before(function, of) => match functions::before(function, given) {
            Some(Err(said)) => faults.add_told(&said, given),
            Some(Ok(instead)) => return value(of, &instead, faults),
            None => return value(of, given, faults),
        },
        Shape::After(function, of) => {
            if value(of, given, faults)
                && let Some(said) = functions::after(function, given)
            {
                said.add_to(faults, given);
            }
        }
    }
    faults.count() == before
}

fn list(
    of: &Shape,
    (least, most): (Option<usize>, Option<usize>),
    given: &Value,
    faults: &mut Faults,
) {
    let Some(count) = given.as_array().map(Vec::len) else {
        return faults.add("list_type", "Input should be a valid list", given);
    };
    if let Some(most) = most.filter(|most| count > *most) {
        let message =
            format!("List should have at most {most} items after validation, not {count}");
        let context = json!({ "field_type": "List", "max_length": most, "actual_length": count });
        return faults.add_with("too_long", message, given, context);
    }
    if let Some(least) = least.filter(|least| count < *least) {
        let items = if least == 1 { "item" } else { "items" };
        let message =
            format!("List should have at least {least} {items} after validation, not {count}");
        let context = json!({ "field_type": "List", "min_length": least, "actual_length": count });
        return faults.add_with("too_short", message, given, context);
    }
    items(
        of,
        "list_type",
        "Input should be a valid list",
        given,
        faults,
    );
}

fn items(of: &Shape, kind: &str, message: &str, given: &Value, faults: &mut Faults) {
    let Some(all) = given.as_array() else {
        return faults.add(kind, message, given);
    };
    for (index, item) in all.iter().enumerate() {
        faults.within(index, |faults| value(of, item, faults));
    }
}

/// The reference takes whatever it can walk along, but no text.
fn sequence(of: &Shape, given: &Value, faults: &mut Faults) {
    match given {
        Value::Array(_) => {
            value(of, given, faults);
        }
        Value::String(_) => {
            let message = "'str' instances are not allowed as a Sequence value";
            faults.add_with(
                "sequence_str",
                message,
                given,
                json!({ "type_name": "str" }),
            );
        }
        _ => {
            let message = "Input should be an instance of Sequence";
            let context = json!({ "class": "Sequence" });
            faults.add_with("is_instance_of", message, given, context);
        }
    }
}

fn map(keys: &Shape, values: &Shape, given: &Value, faults: &mut Faults) {
    let Some(members) = given.as_object() else {
        return faults.add("dict_type", "Input should be a valid dictionary", given);
    };
    for (key, member) in members {
        faults.within(key.as_str(), |faults| {
            let named = Value::from(key.as_str());
            faults.within("[key]", |faults| value(keys, &named, faults));
            value(values, member, faults);
        });
    }
}

fn tuple(of: &[Shape], given: &Value, faults: &mut Faults) {
    let Some(all) = given.as_array() else {
        return faults.add("tuple_type", "Input should be a valid tuple", given);
    };
    for (index, shape) in of.iter().enumerate() {
        faults.within(index, |faults| match all.get(index) {
            Some(item) => {
                value(shape, item, faults);
            }
            None => faults.add("missing", "Field required", given),
        });
    }
    if all.len() > of.len() {
        let (most, count) = (of.len(), all.len());
        let message =
            format!("Tuple should have at most {most} items after validation, not {count}");
        let context = json!({ "field_type": "Tuple", "max_length": most, "actual_length": count });
        faults.add_with("too_long", message, given, context);
    }
}

/// One of several forms; where it is none of them, the faults of each.
fn union(of: &[(String, Shape)], given: &Value, faults: &mut Faults) {
    let before = faults.count();
    let mut found = Vec::new();
    for (name, shape) in of {
        if faults.within(name.as_str(), |faults| value(shape, given, faults)) {
            return;
        }
        found.extend(faults.since(before));
    }
    faults.again(found);
}

fn model(model: &Model, given: &Value, faults: &mut Faults) {
    for function in &model.before {
        if let Some(Err(said)) = functions::before(function, given) {
            return faults.add_told(&said, given);
        }
    }
    let Some(members) = given.as_object() else {
        let message = "Input should be a valid dictionary or object to extract fields from";
        return faults.add("model_attributes_type", message, given);
    };
    for field in &model.fields {
        faults.within(field.name.as_str(), |faults| {
            match members.get(&field.name) {
                Some(member) => {
                    value(&field.shape, member, faults);
                }
                None if field.is_required => faults.add("missing", "Field required", given),
                None => {}
            }
        });
    }
    if !model.forbids_more {
        return;
    }
    let is_known =
        |name: &str| OWN.contains(&name) || model.fields.iter().any(|field| field.name == name);
    for (name, member) in members.iter().filter(|(name, _)| !is_known(name)) {
        let message = "Extra inputs are not permitted";
        faults.within(name.as_str(), |faults| {
            faults.add("extra_forbidden", message, member);
        });
    }
}
