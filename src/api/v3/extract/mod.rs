//! Ids from paths and queries, and bodies by serde.

mod reader;

use std::borrow::Cow;

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, RawPathParams, Request};
use axum::http::Uri;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use super::super::aside::aside;
use super::super::{Ctx, body};
use super::error::{Fault, Refusal};
use super::shapes;
use crate::api::access::{Authorised, Requester};
use crate::domain::access::Aims;
use crate::domain::error::Error;
use crate::domain::ids::{ArtifactId, DeploymentId, FlowRunId, ScheduleId, TaskRunId};
#[cfg(any(test, fuzzing))]
pub use reader::Read;
pub use reader::{Sender, read, read_all};

/// The id in the path.
pub struct Id(pub Uuid);

impl FromRequestParts<Ctx> for Id {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, ctx: &Ctx) -> Result<Self, Refusal> {
        path_id(parts, ctx, "id").await.map(Self)
    }
}

/// The id of a schedule in the path, below its deployment's.
pub struct ScheduleIdIn(pub ScheduleId);

impl FromRequestParts<Ctx> for ScheduleIdIn {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, ctx: &Ctx) -> Result<Self, Refusal> {
        let id = path_id(parts, ctx, "schedule_id").await?;
        Ok(Self(ScheduleId::from_uuid(id)))
    }
}

/// The id of that name in the path.
async fn path_id(parts: &mut Parts, ctx: &Ctx, wanted: &'static str) -> Result<Uuid, Refusal> {
    let params = RawPathParams::from_request_parts(parts, ctx).await;
    let text = params.ok().and_then(|params| {
        let mut ids = params.iter().filter(|(name, _)| *name == wanted);
        ids.next().map(|(_, value)| value.to_owned())
    });
    let uuid = text.as_deref().filter(|text| is_plain(text));
    let uuid = uuid.and_then(|text| Uuid::parse_str(text).ok());
    uuid.ok_or_else(|| invalid_id("path", wanted))
}

/// Whether an id is written as paths have them: digits and dashes only.
fn is_plain(id: &str) -> bool {
    id.bytes()
        .all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
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
    Refusal::at(Fault {
        loc: vec![part.into(), key.into()],
        message: "Input should be a valid UUID".to_owned(),
        kind: "uuid_parsing",
    })
}

/// The whole body, on which is held until it is answered.
async fn whole(parts: &Parts, content: axum::body::Body) -> Result<Bytes, Refusal> {
    let bytes = body::whole(&parts.headers, content).await?;
    shapes::hold(&bytes);
    let says_nothing = bytes.is_empty() || bytes.trim_ascii() == b"null";
    match says_nothing && shapes::needs_body(&parts.method, &parts.uri) {
        true => Err(Refusal::at(Fault {
            loc: vec!["body".into()],
            message: "Field required".to_owned(),
            kind: "missing",
        })),
        false if says_nothing => Ok(Bytes::new()),
        false => Ok(bytes),
    }
}

/// A JSON body. No body at all, or null, reads as an empty object, where the reference needs none.
pub struct Body<T>(pub T);

impl<T: DeserializeOwned> FromRequest<Ctx> for Body<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, ctx: &Ctx) -> Result<Self, Refusal> {
        let (parts, content) = request.into_parts();
        let bytes = whole(&parts, content).await?;
        let sender = Sender::of(&parts);
        aside(bytes.len(), || {
            sender.read(&bytes, false)?.accepted(&sender, &bytes, ctx)
        })
        .map(Self)
    }
}

/// The same where every field has to be known, whoever sends it: one that is overlooked would make
/// it ask for more than is meant.
pub struct Exact<T>(pub T);

impl<T: DeserializeOwned> FromRequest<Ctx> for Exact<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, ctx: &Ctx) -> Result<Self, Refusal> {
        let (parts, content) = request.into_parts();
        let bytes = whole(&parts, content).await?;
        let sender = Sender::strict(&parts);
        aside(bytes.len(), || {
            sender.read(&bytes, false)?.accepted(&sender, &bytes, ctx)
        })
        .map(Self)
    }
}

/// A body's shape, and what it means.
pub trait AimedBody: DeserializeOwned {
    /// What verbs take.
    type Meaning;
    /// Whether what it means has bounds of its own, in the place of those of all bodies.
    const HAS_OWN_BOUNDS: bool = false;

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

named!(ArtifactId, DeploymentId, FlowRunId, TaskRunId);

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
        let bytes = whole(&parts, content).await?;
        let sender = Sender::of(&parts);
        let asked = aside(bytes.len(), || {
            let read = sender.read::<W>(&bytes, W::HAS_OWN_BOUNDS)?;
            read.accepted(&sender, &bytes, ctx)
        })?;
        let asked = asked.meaning()?;
        let requester = Requester::of(&parts, ctx);
        let place = (&parts.method, &parts.uri);
        requester.authorise(&asked, at, place).await?;
        Ok(Self { at, asked })
    }
}
