//! Reads bodies by serde: says where a value is refused, and which fields are not known.
//!
//! What is not known is ignored and counted when a Prefect client or an agent sends it, whatever
//! its version; to anybody else it is a mistake.

use axum::extract::MatchedPath;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::api::client::{earlier, is_prefect, prefect_version};
use crate::api::compat::UnknownField;
use crate::api::dialect::V3;
use crate::api::earlier::translate;
use crate::api::json::{Location, Misfit, shortened};
use crate::api::v3::error::{Fault, Refusal};
use crate::api::{Ctx, body, json};

/// Where agents of `prefectctl` speak, which may be of another version.
const AGENTS: &str = "/api/v3/prefectd/agents/";

/// So many members that are not known are told of one message.
const MOST_PASSED_OVER: usize = 10;

/// Who sent a body.
pub struct Sender {
    /// The version of the Prefect client or agent that did, if one did; `?` where it does not
    /// say.
    client: Option<String>,
    /// What is asked, such as `POST /flows/`.
    operation: String,
    /// Whether it may use words of the generation before.
    is_earlier: bool,
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
            is_earlier: earlier(headers).is_some(),
        }
    }

    /// The same, of whom nothing is accepted that is not known.
    pub fn strict(parts: &Parts) -> Self {
        Self {
            client: None,
            ..Self::of(parts)
        }
    }

    /// Reads a body of it, of which there is not too much unless it `has_own_bounds`.
    pub fn read<T: DeserializeOwned>(
        &self,
        bytes: &[u8],
        has_own_bounds: bool,
    ) -> Result<Read<T>, Refusal> {
        let earlier = self.is_earlier.then_some(self.operation.as_str());
        read_within(bytes, earlier, !has_own_bounds)
    }

    /// Counts fields that are not known.
    ///
    /// # Errors
    /// Where the sender has to know what it sends.
    fn pass_over(&self, unknown: Vec<Location>, bytes: &[u8], ctx: &Ctx) -> Result<(), Refusal> {
        let Some(client) = &self.client else {
            let faults = unknown.into_iter().map(extra).collect();
            return Err(Refusal::invalid(faults, told(bytes)));
        };
        self.count(client, &unknown, ctx);
        Ok(())
    }

    /// Counts what is not known, whoever sent it, and passes it over: of each message the first few.
    pub fn passes_over(&self, unknown: &[Location], ctx: &Ctx) {
        let client = self.client.as_deref().unwrap_or("?");
        let some = unknown.get(..MOST_PASSED_OVER).unwrap_or(unknown);
        self.count(client, some, ctx);
    }

    /// Counts fields that are not known as a client's.
    fn count(&self, client: &str, unknown: &[Location], ctx: &Ctx) {
        let mut fields: Vec<_> = unknown.iter().map(|place| named(place)).collect();
        fields.sort();
        fields.dedup();
        for field in fields {
            let field = UnknownField {
                client: client.to_owned(),
                operation: self.operation.clone(),
                field,
            };
            ctx.compat.note(field, ctx.app.now());
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
        if !self.unknown.is_empty() {
            sender.pass_over(self.unknown, bytes, ctx)?;
        }
        Ok(self.value)
    }

    /// The value, whoever sent it.
    pub fn into_value(self) -> T {
        self.value
    }

    /// The value, and where there is something that is not known of it; see
    /// [`Sender::passes_over`].
    pub fn with_unknown(self) -> (T, Vec<Location>) {
        (self.value, self.unknown)
    }
}

/// Reads a body, of which there is not too much.
pub fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<Read<T>, Refusal> {
    read_within(bytes, None, true)
}

/// The same for what has bounds of its own.
pub fn read_all<T: DeserializeOwned>(bytes: &[u8]) -> Result<Read<T>, Refusal> {
    read_within(bytes, None, false)
}

/// `earlier`: the operation, where the words may be those of the generation before.
fn read_within<T: DeserializeOwned>(
    bytes: &[u8],
    earlier: Option<&str>,
    is_bounded: bool,
) -> Result<Read<T>, Refusal> {
    let refused = |fault| Refusal::invalid(vec![fault], told(bytes));
    let given = parsed(bytes, earlier, is_bounded).map_err(refused)?;
    let (value, unknown) = json::make(given).map_err(|misfit| refused(unfit(&misfit)))?;
    Ok(Read { value, unknown })
}

/// What was sent, in today's words.
fn parsed<'b>(
    bytes: &'b [u8],
    earlier: Option<&str>,
    is_bounded: bool,
) -> Result<json::JsonValue<'b>, Fault> {
    let malformed = |why| fault(Vec::new(), why, "json_invalid");
    let text = match std::str::from_utf8(bytes) {
        Ok("") => "{}",
        Ok(text) => text,
        Err(error) => return Err(malformed(error.to_string())),
    };
    let mut given = json::parse(text).map_err(|error| {
        let json::Malformed {
            msg, line, column, ..
        } = error;
        malformed(format!("{msg} at line {line} column {column}"))
    })?;
    if is_bounded && let Some(excess) = json::excesses(&given).first() {
        return Err(too_much(excess));
    }
    if let Some(operation) = earlier {
        translate(operation, &mut given);
    }
    Ok(given)
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

/// A value that is not what the operation takes.
fn unfit(misfit: &Misfit) -> Fault {
    let kind = match misfit.is_missing() {
        true => "missing",
        false => "value_error",
    };
    fault(misfit.location(), misfit.to_string(), kind)
}

fn extra(place: Location) -> Fault {
    let message = "Extra inputs are not permitted";
    fault(place, message.to_owned(), "extra_forbidden")
}

/// The names on the way to a field; which item of a list it is in does not matter.
fn named(place: &[Value]) -> String {
    let names: Vec<_> = place.iter().filter_map(Value::as_str).collect();
    names.join(".")
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
        assert_eq!(unknown(&many).len(), 100);
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
        let (place, kind, _) = of(r#"{"name": "x", "inner": [{"n": "x"}]}"#);
        assert_eq!(
            (place, kind),
            (json!(["body", "inner", 0, "n"]), "value_error")
        );
        let (place, kind, _) = of("{");
        assert_eq!((place, kind), (json!(["body"]), "json_invalid"));
    }
}
