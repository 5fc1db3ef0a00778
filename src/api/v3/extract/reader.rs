//! Reads bodies by serde: says where a value is refused, and which fields are not known.
//!
//! What is not known is ignored and counted when a Prefect client or an agent sends it, whatever
//! its version; to anybody else it is a mistake.

use axum::extract::MatchedPath;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;
use serde_ignored::Path;
use serde_json::Value;
use serde_path_to_error::{Segment, Track};

use crate::api::client::{is_prefect, prefect_version};
use crate::api::compat::UnknownField;
use crate::api::dialect::V3;
use crate::api::v3::error::{Fault, Refusal};
use crate::api::{Ctx, body, json};

/// How much of what serde says is told; it repeats what was sent.
const LONGEST_MESSAGE: usize = 500;
/// The most unknown fields of one body that are told or counted.
const MOST_UNKNOWN: usize = 100;

/// Where something is in a body: names and indexes.
type Location = Vec<Value>;

/// Where agents of `prefectctl` speak, which may be of another version.
const AGENTS: &str = "/api/v3/prefectd/agents/";

/// Who sent a body.
pub struct Sender {
    /// The version of the Prefect client or agent that did, if one did; `?` where it does not
    /// say.
    client: Option<String>,
    /// What is asked, such as `POST /flows/`.
    operation: String,
}

impl Sender {
    /// Of a request.
    pub fn of(parts: &Parts) -> Self {
        let headers = &parts.headers;
        let client = || prefect_version(headers).unwrap_or("?").to_owned();
        let path = parts.extensions.get::<MatchedPath>();
        let path = path.map_or("", |path| path.as_str());
        Self {
            client: (is_prefect(headers) || path.starts_with(AGENTS)).then(client),
            operation: format!("{} {}", parts.method, path.trim_start_matches(V3)),
        }
    }

    /// The same, of whom nothing is accepted that is not known.
    pub fn strict(parts: &Parts) -> Self {
        Self {
            client: None,
            ..Self::of(parts)
        }
    }
}

/// What was read of a body.
pub struct Read<T> {
    value: T,
    unknown: Vec<Location>,
}

impl<T> Read<T> {
    /// The value, if `sender` may send fields that are not known or has sent none.
    pub fn accepted(self, sender: &Sender, bytes: &[u8], ctx: &Ctx) -> Result<T, Refusal> {
        let Self { value, unknown } = self;
        if unknown.is_empty() {
            return Ok(value);
        }
        let Some(client) = &sender.client else {
            let faults = unknown.into_iter().map(extra).collect();
            return Err(Refusal::invalid(faults, told(bytes)));
        };
        let mut fields: Vec<_> = unknown.iter().map(|place| named(place)).collect();
        fields.sort();
        fields.dedup();
        for field in fields {
            let field = UnknownField {
                client: client.clone(),
                operation: sender.operation.clone(),
                field,
            };
            ctx.compat.note(field, ctx.app.now());
        }
        Ok(value)
    }

    /// The value, whoever sent it.
    pub fn into_value(self) -> T {
        self.value
    }
}

/// Reads a body, of which there is not too much.
pub fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<Read<T>, Refusal> {
    read_within(bytes, true)
}

/// The same for what has bounds of its own.
pub fn read_all<T: DeserializeOwned>(bytes: &[u8]) -> Result<Read<T>, Refusal> {
    read_within(bytes, false)
}

fn read_within<T: DeserializeOwned>(bytes: &[u8], is_bounded: bool) -> Result<Read<T>, Refusal> {
    let refused = |fault: Fault| Refusal::invalid(vec![fault], told(bytes));
    let text = match std::str::from_utf8(bytes) {
        Ok("") => "{}",
        Ok(text) => text,
        Err(error) => {
            return Err(refused(fault(
                Vec::new(),
                error.to_string(),
                "json_invalid",
            )));
        }
    };
    let given = json::parse(text).map_err(|malformed| {
        let json::Malformed {
            msg, line, column, ..
        } = malformed;
        let message = format!("{msg} at line {line} column {column}");
        refused(fault(Vec::new(), message, "json_invalid"))
    })?;
    if is_bounded && let Some(excess) = json::excesses(&given).first() {
        return Err(refused(too_much(excess)));
    }
    let mut track = Track::new();
    let mut unknown = Vec::new();
    let mut note = |path: Path<'_>| {
        if unknown.len() < MOST_UNKNOWN {
            unknown.push(place(&path));
        }
    };
    let tracked = serde_path_to_error::Deserializer::new(given, &mut track);
    let value = T::deserialize(serde_ignored::Deserializer::new(tracked, &mut note));
    match value {
        Ok(value) => Ok(Read { value, unknown }),
        Err(error) => Err(refused(misfit(&track.path(), &error.to_string()))),
    }
}

/// A body as a refusal repeats it.
fn told(bytes: &[u8]) -> Value {
    match bytes.len() > body::MOST_TOLD {
        true => body::beginning(bytes).into(),
        false => serde_json::from_slice(bytes).unwrap_or_default(),
    }
}

fn fault(place: Location, message: String, kind: &'static str) -> Fault {
    Fault {
        loc: [vec!["body".into()], place].concat(),
        message,
        kind,
    }
}

fn too_much(excess: &json::Excess<'_>) -> Fault {
    let place = excess.place.iter().map(|step| match step {
        json::PathStep::Key(key) => shortened(key).into(),
        json::PathStep::Index(index) => (*index).into(),
    });
    let (what, kind) = match excess.is_list {
        true => ("items", "too_long"),
        false => ("bytes", "string_too_long"),
    };
    let message = format!("Input should have at most {} {what}", excess.limit);
    fault(place.collect(), message, kind)
}

/// What serde says of a value that does not fit, and where that is.
fn misfit(path: &serde_path_to_error::Path, message: &str) -> Fault {
    let steps = path.iter().filter_map(|step| match step {
        Segment::Seq { index } => Some((*index).into()),
        Segment::Map { key } => Some(shortened(key).into()),
        Segment::Enum { .. } | Segment::Unknown => None,
    });
    let mut place: Location = steps.collect();
    let missing = message.strip_prefix("missing field `");
    match missing.and_then(|rest| rest.strip_suffix('`')) {
        Some(field) => {
            place.push(field.into());
            fault(place, "Field required".to_owned(), "missing")
        }
        None => fault(place, shortened(message), "value_error"),
    }
}

fn extra(place: Location) -> Fault {
    let message = "Extra inputs are not permitted";
    fault(place, message.to_owned(), "extra_forbidden")
}

/// From the body on. Bodies are not deep.
fn place(path: &Path<'_>) -> Location {
    match path {
        Path::Root => Vec::new(),
        Path::Seq { parent, index } => {
            let mut place = place(parent);
            place.push((*index).into());
            place
        }
        Path::Map { parent, key } => {
            let mut place = place(parent);
            place.push(shortened(key).into());
            place
        }
        Path::Some { parent }
        | Path::NewtypeStruct { parent }
        | Path::NewtypeVariant { parent } => place(parent),
    }
}

/// The names on the way to a field; which item of a list it is in does not matter.
fn named(place: &[Value]) -> String {
    let names: Vec<_> = place.iter().filter_map(Value::as_str).collect();
    names.join(".")
}

fn shortened(text: &str) -> String {
    let end = text.floor_char_boundary(LONGEST_MESSAGE);
    match text.get(..end) {
        Some(start) if end < text.len() => format!("{start}…"),
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::json;

    use super::*;

    #[derive(Debug, Deserialize)]
    struct Outer {
        #[expect(dead_code, reason = "only that it is read matters")]
        name: String,
        #[serde(default)]
        #[expect(dead_code, reason = "only that it is read matters")]
        inner: Option<Vec<Inner>>,
    }

    #[derive(Debug, Deserialize)]
    struct Inner {
        #[expect(dead_code, reason = "only that it is read matters")]
        n: u32,
    }

    fn unknown(body: &Value) -> Vec<Value> {
        let read = read::<Outer>(body.to_string().as_bytes()).unwrap();
        read.unknown.into_iter().map(Value::Array).collect()
    }

    #[test]
    fn unknown_fields_are_found_wherever_they_are() {
        assert_eq!(
            unknown(&json!({ "name": "x", "inner": null })),
            Vec::<Value>::new()
        );
        let body = json!({ "name": "x", "a": {"b": 1}, "inner": [{"n": 1}, {"n": 2, "m": [1]}] });
        assert_eq!(unknown(&body), [json!(["a"]), json!(["inner", 1, "m"])]);
        assert_eq!(named(&[json!("inner"), json!(1), json!("m")]), "inner.m");
        let many = (0..300).map(|number| (number.to_string(), json!(1)));
        let mut many = Value::Object(many.collect());
        many["name"] = "x".into();
        assert_eq!(unknown(&many).len(), MOST_UNKNOWN);
    }

    #[test]
    fn what_does_not_fit_is_told_with_its_place() {
        let of = |text: &str| match read::<Outer>(text.as_bytes()) {
            Err(Refusal::Invalid { faults, .. }) => {
                let fault = faults.into_iter().next().unwrap();
                (Value::Array(fault.loc), fault.kind, fault.message)
            }
            other => panic!("{:?}", other.map(|read| read.unknown)),
        };
        let (place, kind, message) = of("{}");
        assert_eq!((place, kind), (json!(["body", "name"]), "missing"));
        assert_eq!(message, "Field required");
        let (place, kind, _) = of(r#"{"name": "x", "inner": [{"n": 1}, {}]}"#);
        assert_eq!((place, kind), (json!(["body", "inner", 1, "n"]), "missing"));
        let (place, kind, _) = of(r#"{"name": "x", "inner": [{"n": "1"}]}"#);
        assert_eq!(
            (place, kind),
            (json!(["body", "inner", 0, "n"]), "value_error")
        );
        let (place, kind, _) = of("{");
        assert_eq!((place, kind), (json!(["body"]), "json_invalid"));
    }
}
