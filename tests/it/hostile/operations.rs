//! What the daemon says can be asked of it, with a sample of each body.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::values::Chance;

/// Stands where a value goes that may be no JSON.
const HERE: &str = "here goes a hostile value";

/// An operation.
pub struct Operation {
    /// Such as `POST`.
    pub method: String,
    /// Such as `/api/orion/flows/{id}`.
    pub path: String,
    /// The names of what its query needs.
    pub query: Vec<String>,
    /// The fields of its body, each with a value that it would take; none where it has no body.
    pub body: Option<Body>,
}

/// A body by its fields, as JSON text.
#[derive(Clone, Debug)]
pub struct Body {
    /// The fields.
    pub fields: BTreeMap<String, String>,
    /// Whether it is a list of such objects.
    pub is_list: bool,
}

impl Body {
    /// The body as text.
    pub fn text(&self) -> String {
        let fields = self.fields.iter();
        let fields: Vec<_> = fields
            .map(|(name, value)| format!("{}:{value}", json!(name)))
            .collect();
        let object = format!("{{{}}}", fields.join(","));
        match self.is_list {
            true => format!("[{object}]"),
            false => object,
        }
    }
}

impl Body {
    /// Puts one of `values` somewhere within a field. Whether there is anything within it.
    pub fn spoil_within(&mut self, field: &str, chance: &mut Chance, values: &[String]) -> bool {
        let Some(text) = self.fields.get_mut(field) else {
            return false;
        };
        let mut whole: Value = serde_json::from_str(text).unwrap();
        let Some(place) = within(&whole, chance) else {
            return false;
        };
        *whole.pointer_mut(&place).unwrap() = json!(HERE);
        let here = json!(HERE).to_string();
        let hostile: &String = chance.one(values);
        *text = whole.to_string().replace(&here, hostile);
        true
    }
}

/// Where something lies within a value, at any depth.
fn within(whole: &Value, chance: &mut Chance) -> Option<String> {
    let (mut place, mut at) = (String::new(), whole);
    loop {
        let (step, next) = match at {
            Value::Object(members) if !members.is_empty() => {
                let (name, next) = members.iter().nth(chance.below(members.len())).unwrap();
                (name.clone(), next)
            }
            Value::Array(items) if !items.is_empty() => {
                let nth = chance.below(items.len());
                (nth.to_string(), &items[nth])
            }
            _ => break,
        };
        place += &format!("/{step}");
        at = next;
        if chance.below(3) == 0 {
            break;
        }
    }
    (!place.is_empty()).then_some(place)
}

/// The ids of what is there, by the name of the field that asks for it.
pub type Ids = BTreeMap<&'static str, String>;

/// All operations of both dialects but those that do more than answer.
pub fn all(document: &Value, ids: &Ids) -> Vec<Operation> {
    let mut found = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        // It runs containers to see whether they can reach the daemon.
        if path.ends_with("/prefectd/doctor") {
            continue;
        }
        for (method, operation) in methods.as_object().unwrap() {
            let parameters = operation["parameters"].as_array().into_iter().flatten();
            let query = parameters.filter(|it| it["in"] == "query");
            let shape = &operation["requestBody"]["content"]["application/json"]["schema"];
            found.push(Operation {
                method: method.to_uppercase(),
                path: path.clone(),
                query: query
                    .map(|it| it["name"].as_str().unwrap().to_owned())
                    .collect(),
                body: shape.is_object().then(|| body(document, shape, ids)),
            });
        }
    }
    found
}

fn body(document: &Value, shape: &Value, ids: &Ids) -> Body {
    let shape = followed(document, shape);
    let is_list = shape["type"] == "array";
    let of = match is_list {
        true => followed(document, &shape["items"]),
        false => shape,
    };
    let properties = of["properties"].as_object().into_iter().flatten();
    let fields = properties.map(|(name, shape)| {
        let value = sample(document, name, shape, ids, 0);
        (name.clone(), value.to_string())
    });
    Body {
        fields: fields.collect(),
        is_list,
    }
}

fn followed<'a>(document: &'a Value, shape: &'a Value) -> &'a Value {
    match shape["$ref"].as_str() {
        Some(place) => followed(document, document.pointer(&place[1..]).unwrap()),
        None => shape,
    }
}

fn sample(document: &Value, name: &str, shape: &Value, ids: &Ids, depth: usize) -> Value {
    for choices in ["oneOf", "anyOf", "allOf"] {
        if let Some(choices) = shape[choices].as_array() {
            let chosen = choices.iter().find(|choice| choice["type"] != "null");
            return sample(document, name, chosen.unwrap(), ids, depth);
        }
    }
    let shape = followed(document, shape);
    let kind = match &shape["type"] {
        Value::Array(kinds) => kinds.iter().find(|kind| *kind != "null").unwrap(),
        kind => kind,
    };
    match (kind.as_str().unwrap_or("object"), shape["format"].as_str()) {
        ("string", Some("uuid")) => json!(ids.get(name).unwrap_or(&ids["id"])),
        ("string", Some("date-time")) => json!("2030-01-01T00:00:00Z"),
        ("string", _) if name == "type" => json!("SCHEDULED"),
        ("string", _) if name == "sort" => Value::Null,
        ("string", _) => json!(ids.get(name).map_or("word", String::as_str)),
        ("integer" | "number", _) => json!(1),
        // It would empty the database.
        ("boolean", _) => json!(name != "confirm"),
        ("array", _) if depth < 4 => {
            json!([sample(document, name, &shape["items"], ids, depth + 1)])
        }
        ("array", _) => json!([]),
        _ if depth < 4 => {
            let properties = shape["properties"].as_object().into_iter().flatten();
            let fields = properties
                .map(|(name, it)| (name.clone(), sample(document, name, it, ids, depth + 1)));
            Value::Object(fields.collect())
        }
        _ => json!({}),
    }
}
