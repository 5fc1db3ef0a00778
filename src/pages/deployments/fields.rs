//! A form made from the schema of parameters, and the parameters that a form says.

use serde_json::{Number, Value};

use crate::domain::JsonMap;
use crate::domain::error::{Error, Result};
use crate::pages::form::Form;
use crate::pages::show::{Html, short, text};

/// What names of fields begin with.
const PREFIX: &str = "p:";
/// The field for all parameters of a deployment that has no schema.
const ALL: &str = "parameters";
/// The most fields of a form.
const MOST: usize = 200;

/// How a parameter is asked for.
#[derive(Clone, Debug, PartialEq)]
enum Kind {
    Text,
    Whole,
    Number,
    Flag,
    Choice(Vec<Value>),
    Json,
}

/// A parameter as the form asks for it.
pub struct Field {
    /// The field's name.
    pub name: Html,
    /// The parameter's.
    pub label: Html,
    /// What it is for.
    pub help: Html,
    /// Whether it has to be said.
    pub is_required: bool,
    /// Whether its value may be absent.
    pub may_be_absent: bool,
    /// As what it is asked for: `text`, `number`, `choice`, `json`.
    pub control: &'static str,
    /// The step of a number.
    pub step: &'static str,
    /// What stands in it.
    pub value: Html,
    /// What can be chosen, and whether it is.
    pub choices: Vec<(Html, Html)>,
}

/// The fields for a deployment's parameters, with what they are unless something else is said.
pub fn fields(schema: Option<&JsonMap>, defaults: &JsonMap, posted: Option<&Form>) -> Vec<Field> {
    let names = names(schema);
    if names.is_empty() {
        return vec![all(defaults, posted)];
    }
    let schema = schema.cloned().unwrap_or_default();
    let required = schema
        .get("required")
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default();
    let each = names.iter().take(MOST).map(|name| {
        let asked = property(&schema, name);
        let default = defaults.get(name).or_else(|| asked.get("default"));
        let is_required = required.iter().any(|one| one == name.as_str());
        field(name, asked, &schema, default, is_required, posted)
    });
    each.collect()
}

/// The parameters of a schema in the order of the function's arguments.
fn names(schema: Option<&JsonMap>) -> Vec<String> {
    let properties = schema.and_then(|schema| schema.get("properties")?.as_object());
    let properties = properties.into_iter().flatten();
    let mut named: Vec<_> = properties
        .map(|(name, asked)| (asked["position"].as_i64().unwrap_or(i64::MAX), name.clone()))
        .collect();
    named.sort_by_key(|(position, _)| *position);
    named.into_iter().map(|(_, name)| name).collect()
}

fn all(defaults: &JsonMap, posted: Option<&Form>) -> Field {
    let written = serde_json::to_string_pretty(defaults).unwrap_or_default();
    let value = posted.map_or(&*written, |form| form.value(ALL));
    Field {
        name: Html::fixed(ALL),
        label: Html::fixed("Parameters"),
        help: Html::fixed("As JSON: the deployment has no schema of them."),
        is_required: false,
        may_be_absent: true,
        control: "json",
        step: "",
        value: in_area(value),
        choices: Vec::new(),
    }
}

fn field(
    name: &str,
    asked: &Value,
    schema: &JsonMap,
    default: Option<&Value>,
    is_required: bool,
    posted: Option<&Form>,
) -> Field {
    let key = format!("{PREFIX}{name}");
    let (kind, may_be_null) = kind_of(asked, schema);
    let written = default
        .map(|value| written(&kind, value))
        .unwrap_or_default();
    let value = posted.map_or(&*written, |form| form.value(&key));
    let describes = asked["description"].as_str().unwrap_or_default();
    let choices = match &kind {
        Kind::Flag => vec![Value::from(true), Value::from(false)],
        Kind::Choice(all) => all.clone(),
        _ => Vec::new(),
    };
    let choices = choices.iter().map(|choice| {
        let choice = plain(choice);
        let chosen = match choice == value {
            true => Html::fixed(" selected"),
            false => Html::default(),
        };
        (text(&choice), chosen)
    });
    let control = match &kind {
        Kind::Text if value.contains('\n') => "area",
        Kind::Text => "text",
        Kind::Whole | Kind::Number => "number",
        Kind::Flag | Kind::Choice(_) => "choice",
        Kind::Json => "json",
    };
    Field {
        name: text(&key),
        label: short(name),
        help: text(describes),
        is_required: is_required && default.is_none(),
        may_be_absent: !is_required || may_be_null || default.is_some(),
        step: match kind {
            Kind::Whole => "1",
            _ => "any",
        },
        value: match control {
            "json" | "area" => in_area(value),
            _ => text(value),
        },
        control,
        choices: choices.collect(),
    }
}

/// A text within a `textarea`, with its lines.
fn in_area(value: &str) -> Html {
    crate::pages::show::lines(value)
}

/// A value as it stands in its field.
fn written(kind: &Kind, value: &Value) -> String {
    match (kind, value) {
        (Kind::Json, value) => serde_json::to_string_pretty(value).unwrap_or_default(),
        (_, Value::Null) => String::new(),
        (_, value) => plain(value),
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// How a parameter is asked for, and whether it may be null.
fn kind_of(asked: &Value, schema: &JsonMap) -> (Kind, bool) {
    let asked = resolved(asked, schema);
    for several in ["anyOf", "oneOf"] {
        let Some(options) = asked[several].as_array() else {
            continue;
        };
        let is_null = |option: &&Value| option["type"] == "null";
        let may_be_null = options.iter().any(|option| is_null(&option));
        let others: Vec<_> = options.iter().filter(|option| !is_null(option)).collect();
        let kind = match others[..] {
            [only] => kind_of(only, schema).0,
            _ => Kind::Json,
        };
        return (kind, may_be_null);
    }
    if let Some([only]) = asked["allOf"].as_array().map(Vec::as_slice) {
        return kind_of(only, schema);
    }
    if let Some(choices) = asked["enum"].as_array().filter(|all| !all.is_empty()) {
        return (Kind::Choice(choices.clone()), false);
    }
    let kind = match asked["type"].as_str() {
        Some("string") => Kind::Text,
        Some("integer") => Kind::Whole,
        Some("number") => Kind::Number,
        Some("boolean") => Kind::Flag,
        _ => Kind::Json,
    };
    (kind, false)
}

/// What a `$ref` within the schema leads to, a few steps at most.
fn resolved<'a>(asked: &'a Value, schema: &'a JsonMap) -> &'a Value {
    let mut at = asked;
    for _ in 0..8 {
        let Some(path) = at["$ref"].as_str().and_then(|path| path.strip_prefix("#/")) else {
            break;
        };
        let mut steps = path.split('/');
        let first = steps.next().and_then(|step| schema.get(step));
        match steps.try_fold(first.unwrap_or(&Value::Null), |at, step| at.get(step)) {
            Some(found) => at = found,
            None => break,
        }
    }
    at
}

/// The parameters that a form says.
///
/// # Errors
/// [`Kind::Invalid`](crate::domain::error::Kind::Invalid) where a field cannot be read.
pub fn read(schema: Option<&JsonMap>, form: &Form) -> Result<JsonMap> {
    let names = names(schema);
    if names.is_empty() {
        let written = form.value(ALL).trim();
        let written = if written.is_empty() { "{}" } else { written };
        return serde_json::from_str(written).map_err(|error| {
            Error::invalid(format!("The parameters are no JSON object: {error}"))
        });
    }
    let schema = schema.cloned().unwrap_or_default();
    let mut parameters = JsonMap::new();
    for name in names.iter().take(MOST) {
        let asked = property(&schema, name);
        let written = form.value(&format!("{PREFIX}{name}"));
        let (kind, may_be_null) = kind_of(asked, &schema);
        if let Some(value) = value_of(name, &kind, may_be_null, written)? {
            parameters.insert(name.clone(), value);
        }
    }
    Ok(parameters)
}

/// What a field says; nothing where it was left empty.
fn value_of(name: &str, kind: &Kind, may_be_null: bool, written: &str) -> Result<Option<Value>> {
    // Forms say lines as of old.
    let written = written.replace("\r\n", "\n");
    let trimmed = written.trim();
    if trimmed.is_empty() {
        return Ok(may_be_null.then_some(Value::Null));
    }
    let number = |text: &str| text.parse::<Number>().map(Value::Number);
    let value = match kind {
        Kind::Text => Ok(Value::String(written.clone())),
        Kind::Whole => trimmed
            .parse::<i128>()
            .map_err(drop)
            .and_then(|_| number(trimmed).map_err(drop)),
        Kind::Number => number(trimmed).map_err(drop),
        Kind::Flag => trimmed.parse::<bool>().map(Value::Bool).map_err(drop),
        Kind::Choice(all) => all
            .iter()
            .find(|choice| plain(choice) == trimmed)
            .cloned()
            .ok_or(()),
        Kind::Json => serde_json::from_str(trimmed).map_err(drop),
    };
    let what = match kind {
        Kind::Whole => "a whole number",
        Kind::Number => "a number",
        Kind::Flag => "true or false",
        Kind::Choice(_) => "one of the choices",
        Kind::Text | Kind::Json => "JSON",
    };
    value
        .map(Some)
        .map_err(|()| Error::invalid(format!("{name} is not {what}.")))
}

/// What is said of a parameter.
fn property<'s>(schema: &'s JsonMap, name: &str) -> &'s Value {
    let properties = schema.get("properties");
    properties
        .and_then(|all| all.get(name))
        .unwrap_or(&Value::Null)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn schema() -> JsonMap {
        let schema = json!({ "properties": {
            "day": { "type": "string", "position": 1 },
            "n": { "type": "integer", "position": 0 },
            "full": { "type": "boolean", "position": 2 },
            "mode": { "$ref": "#/definitions/Mode", "position": 3 },
            "since": { "anyOf": [{ "type": "string" }, { "type": "null" }], "position": 4 },
            "options": { "type": "object", "position": 5 },
            "loop": { "$ref": "#/properties/loop", "position": 6 },
        }, "required": ["n"], "definitions": { "Mode": { "enum": ["a", "b"] } } });
        schema.as_object().unwrap().clone()
    }

    #[test]
    fn each_kind_of_parameter_has_its_field() {
        let schema = schema();
        let defaults = json!({ "day": "<today>", "mode": "b" });
        let made = fields(Some(&schema), defaults.as_object().unwrap(), None);
        let controls: Vec<_> = made.iter().map(|field| field.control).collect();
        assert_eq!(
            controls,
            ["number", "text", "choice", "choice", "text", "json", "json"]
        );
        assert!(made[0].is_required && !made[1].is_required);
        assert_eq!(made[1].value.as_str(), "&lt;today&gt;");
        assert_eq!(made[3].choices[1].1.as_str(), " selected");
        let plain = fields(None, &JsonMap::new(), None);
        assert_eq!((plain.len(), plain[0].control), (1, "json"));
    }

    #[test]
    fn what_is_written_becomes_a_value_of_its_kind() {
        let schema = schema();
        let value = |name: &str, written: &str| {
            let (kind, may_be_null) = kind_of(&schema["properties"][name], &schema);
            value_of(name, &kind, may_be_null, written)
        };
        for (name, written, expected) in [
            ("n", "7", Some(json!(7))),
            ("n", "", None),
            ("day", "x\r\ny", Some(json!("x\ny"))),
            ("full", "true", Some(json!(true))),
            ("mode", "a", Some(json!("a"))),
            ("since", "", Some(json!(null))),
            ("options", "{\"a\": [1]}", Some(json!({ "a": [1] }))),
        ] {
            assert_eq!(value(name, written).unwrap(), expected, "{name}");
        }
        for (name, written) in [
            ("n", "7.5"),
            ("full", "yes"),
            ("mode", "c"),
            ("options", "{"),
        ] {
            let refused = value(name, written).unwrap_err();
            assert!(refused.message().starts_with(name), "{refused}");
        }
    }
}
