//! Ids from paths and queries, and bodies by serde.

use std::borrow::Cow;

use axum::extract::{FromRequest, FromRequestParts, RawPathParams, Request};
use axum::http::Uri;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_path_to_error::Segment;
use uuid::Uuid;

use super::super::aside::aside;
use super::super::{Ctx, body, json};
use super::error::Refusal;
use crate::api::access::{Authorised, Requester};
use crate::domain::access::Aims;
use crate::domain::error::Error;
use crate::domain::ids::{DeploymentId, FlowRunId, TaskRunId};

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

/// An id in the query.
pub fn query_id(parts: &Parts, name: &'static str) -> Result<Uuid, Refusal> {
    let found = in_query(&parts.uri, name);
    found
        .and_then(|value| Uuid::parse_str(&value).ok())
        .ok_or_else(|| invalid_id("query", name))
}

/// The first value of that name in the query.
pub fn in_query<'u>(uri: &'u Uri, name: &str) -> Option<Cow<'u, str>> {
    let query = uri.query().unwrap_or_default();
    let mut pairs = form_urlencoded::parse(query.as_bytes());
    pairs.find(|(key, _)| key == name).map(|(_, value)| value)
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

/// A body's shape, and what it means.
pub trait AimedBody: DeserializeOwned {
    /// What verbs take.
    type Meaning;

    /// What the body means.
    ///
    /// # Errors
    /// [`Kind::Invalid`](crate::domain::error::Kind::Invalid) where it means nothing.
    fn meaning(self) -> Result<Self::Meaning, Error>;
}

/// What the path names.
pub trait Named: Sized + Copy {
    /// Of the request's path.
    fn of(id: Result<Id, Refusal>) -> Result<Self, Refusal>;
}

impl Named for () {
    fn of(_id: Result<Id, Refusal>) -> Result<Self, Refusal> {
        Ok(())
    }
}

macro_rules! named {
    ($($id:ident),*) => {$(
        impl Named for $id {
            fn of(id: Result<Id, Refusal>) -> Result<Self, Refusal> {
                id.map(|Id(uuid)| Self::from_uuid(uuid))
            }
        }
    )*};
}

named!(DeploymentId, FlowRunId, TaskRunId);

/// A JSON body that says, with what the path names, what the request aims at. Whoever may not
/// aim at that is refused here.
pub struct Aimed<W: AimedBody, I = ()> {
    /// What the path names.
    pub at: I,
    /// What the body means.
    pub asked: W::Meaning,
}

impl<W: AimedBody, I> Authorised for Aimed<W, I> {}

impl<W, I> FromRequest<Ctx> for Aimed<W, I>
where
    W: AimedBody<Meaning: Aims<I> + Send + Sync>,
    I: Named + Send,
{
    type Rejection = Refusal;

    async fn from_request(request: Request, ctx: &Ctx) -> Result<Self, Refusal> {
        let (mut parts, content) = request.into_parts();
        let at = I::of(Id::from_request_parts(&mut parts, ctx).await)?;
        let bytes = body::whole(&parts.headers, content).await?;
        let asked = aside(bytes.len(), || read::<W>(&bytes))?.meaning()?;
        let requester = Requester::of(&parts, ctx);
        let place = (&parts.method, &parts.uri);
        requester.authorise(&asked, at, place).await?;
        Ok(Self { at, asked })
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
            json::PathStep::Key(key) => shortened(key).into(),
            json::PathStep::Index(index) => (*index).into(),
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
