//! Ids from paths and queries, and bodies by serde.

use axum::extract::{FromRequest, FromRequestParts, RawPathParams, Request};
use axum::http::request::Parts;
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_path_to_error::Segment;
use uuid::Uuid;

use super::super::aside::aside;
use super::super::{Ctx, body, json};
use super::error::Refusal;

/// The id in the path.
pub struct Id(pub Uuid);

impl FromRequestParts<Ctx> for Id {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, ctx: &Ctx) -> Result<Self, Refusal> {
        let params = RawPathParams::from_request_parts(parts, ctx).await;
        let text = params.ok().and_then(|params| {
            let mut ids = params.iter().filter(|(name, _)| *name == "id");
            ids.next().map(|(_, value)| value.to_owned())
        });
        let uuid = text.as_deref().and_then(|text| Uuid::parse_str(text).ok());
        uuid.map(Self).ok_or_else(|| invalid_id("path", "id"))
    }
}

/// An id in the query, under the name that `N` gives.
pub fn query_id(parts: &Parts, name: &'static str) -> Result<Uuid, Refusal> {
    let query = parts.uri.query().unwrap_or_default();
    let found = form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == name);
    found
        .and_then(|(_, value)| Uuid::parse_str(&value).ok())
        .ok_or_else(|| invalid_id("query", name))
}

/// What is named is no id.
pub fn invalid_id(part: &'static str, key: &str) -> Refusal {
    Refusal::Invalid {
        loc: vec![part.into(), key.into()],
        message: "Input should be a valid UUID".to_owned(),
        body: Box::default(),
    }
}

/// A JSON body. No body at all reads as an empty object.
pub struct Body<T>(pub T);

impl<T: DeserializeOwned> FromRequest<Ctx> for Body<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, _ctx: &Ctx) -> Result<Self, Refusal> {
        let (parts, content) = request.into_parts();
        let bytes = body::whole(&parts.headers, content).await?;
        aside(bytes.len(), || read(&bytes)).map(Self)
    }
}

/// How much of what serde says is told; it repeats what was sent.
const LONGEST_MESSAGE: usize = 500;

/// Reads a body, of which there is not too much.
pub fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Refusal> {
    let refused = |loc: Vec<Value>, message: String| Refusal::Invalid {
        loc: [vec!["body".into()], loc].concat(),
        message,
        body: Box::new(match bytes.len() > body::MOST_TOLD {
            true => body::beginning(bytes).into(),
            false => serde_json::from_slice(bytes).unwrap_or_default(),
        }),
    };
    let text = match std::str::from_utf8(bytes) {
        Ok("") => "{}",
        Ok(text) => text,
        Err(error) => return Err(refused(Vec::new(), error.to_string())),
    };
    let given = json::parse(text).map_err(|fault| {
        let json::Malformed {
            msg, line, column, ..
        } = fault;
        refused(Vec::new(), format!("{msg} at line {line} column {column}"))
    })?;
    if let Some(excess) = json::excesses(&given).first() {
        let loc = excess.place.iter().map(|step| match step {
            json::Place::Key(key) => shortened(key).into(),
            json::Place::Index(index) => (*index).into(),
        });
        let what = if excess.is_list { "items" } else { "bytes" };
        let message = format!("Input should have at most {} {what}", excess.limit);
        return Err(refused(loc.collect(), message));
    }
    serde_path_to_error::deserialize(given).map_err(|error| {
        let loc = error.path().iter().filter_map(|step| match step {
            Segment::Seq { index } => Some((*index).into()),
            Segment::Map { key } => Some(shortened(key).into()),
            Segment::Enum { .. } | Segment::Unknown => None,
        });
        refused(loc.collect(), shortened(&error.inner().to_string()))
    })
}

fn shortened(text: &str) -> String {
    let end = text.floor_char_boundary(LONGEST_MESSAGE);
    match text.get(..end) {
        Some(start) if end < text.len() => format!("{start}…"),
        _ => text.to_owned(),
    }
}

/// A body as every handler of this dialect reads it; none at all as an empty object. Nothing
/// where no handler can read it.
pub fn body_as_read(bytes: &[u8]) -> Option<Value> {
    let text = match std::str::from_utf8(bytes).ok()? {
        "" => "{}",
        text => text,
    };
    json::parse(text).ok().map(|given| Value::from(&given))
}
