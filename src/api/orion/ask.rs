//! A request, read part by part, so that all its faults are told at once.

use axum::extract::{FromRequest, FromRequestParts, RawPathParams, Request};
use axum::http::{HeaderMap, header};
use serde_json::{Value, json};
use uuid::Uuid;

use super::super::{Ctx, body};
use super::error::Refusal;
use super::read::{self, Cursor, Fields, Issue, Step};

/// What a route was asked.
pub struct Ask {
    params: Vec<(String, String)>,
    query: String,
    body: Option<Value>,
    cursor: Cursor,
}

impl FromRequest<Ctx> for Ask {
    type Rejection = Refusal;

    async fn from_request(request: Request, ctx: &Ctx) -> Result<Self, Refusal> {
        let (mut parts, content) = request.into_parts();
        let params = RawPathParams::from_request_parts(&mut parts, ctx)
            .await
            .map(|params| {
                params
                    .iter()
                    .map(|(name, value)| (name.to_owned(), value.to_owned()))
                    .collect()
            })
            // A path that is not UTF-8 names nothing.
            .unwrap_or_default();
        let bytes = body::whole(&parts.headers, content).await?;
        Ok(Self {
            params,
            query: parts.uri.query().unwrap_or_default().to_owned(),
            body: parse(&parts.headers, &bytes)?,
            cursor: Cursor::default(),
        })
    }
}

impl Ask {
    /// A part of the path as text.
    pub fn param(&self, name: &str) -> String {
        let found = self.params.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.clone()).unwrap_or_default()
    }

    /// The id in the path.
    pub fn id<T>(&mut self, from: impl Fn(Uuid) -> T) -> Option<T> {
        let text = Value::String(self.param("id"));
        let read = |cursor: &mut Cursor| read::id(from)(&text, cursor);
        self.at("path", "id", read)
    }

    /// A required id in the query.
    pub fn query_id<T>(&mut self, name: &'static str, from: impl Fn(Uuid) -> T) -> Option<T> {
        let pairs = self
            .query
            .split('&')
            .filter_map(|pair| pair.split_once('='));
        let found = pairs
            .filter(|(key, _)| *key == name)
            .map(|(_, value)| Value::String(value.to_owned()))
            .next_back();
        self.at("query", name, |cursor| match found {
            Some(text) => read::id(from)(&text, cursor),
            None => cursor.missing(),
        })
    }

    /// The body, which is one model.
    pub fn body<T>(&mut self, read: impl FnOnce(&Value, &mut Cursor) -> Option<T>) -> Option<T> {
        let body = self.body.take();
        let value = self
            .cursor
            .within(Step::Key("body".to_owned()), |cursor| match &body {
                Some(body) => read(body, cursor),
                None => cursor.missing(),
            });
        self.body = body;
        value
    }

    /// The body, whose fields are each a parameter of the route; others are passed over. No
    /// body means an empty one.
    pub fn embedded<T>(
        &mut self,
        read: impl FnOnce(&mut Fields<'_, '_>) -> Option<T>,
    ) -> Option<T> {
        let body = self.body.take();
        let empty = json!({});
        let given = body.as_ref().unwrap_or(&empty);
        let value = self.cursor.within(Step::Key("body".to_owned()), |cursor| {
            read(&mut Fields::of(given, cursor)?)
        });
        self.body = body;
        value
    }

    /// What was read, unless a fault was found.
    pub fn done<T>(self, read: Option<T>) -> Result<T, Refusal> {
        match read {
            Some(value) if self.cursor.is_clean() => Ok(value),
            _ => Err(Refusal::Invalid {
                issues: self.cursor.into_issues(),
                body: self.body.unwrap_or_default(),
            }),
        }
    }

    fn at<T>(
        &mut self,
        part: &str,
        name: &str,
        read: impl FnOnce(&mut Cursor) -> Option<T>,
    ) -> Option<T> {
        self.cursor.within(Step::Key(part.to_owned()), |cursor| {
            cursor.within(Step::Key(name.to_owned()), read)
        })
    }
}

/// The body as JSON; absent when there is none. Other kinds of content are handed on as a
/// string, which no model accepts.
fn parse(headers: &HeaderMap, bytes: &[u8]) -> Result<Option<Value>, Refusal> {
    if bytes.is_empty() {
        return Ok(None);
    }
    if !is_json(headers) {
        return Ok(Some(String::from_utf8_lossy(bytes).into_owned().into()));
    }
    let body: Value = serde_json::from_slice(bytes).map_err(|error| malformed(bytes, &error))?;
    // To that server, null is no body.
    Ok(Some(body).filter(|body| !body.is_null()))
}

fn is_json(headers: &HeaderMap) -> bool {
    let Some(kind) = headers.get(header::CONTENT_TYPE) else {
        return true;
    };
    let kind = kind.to_str().unwrap_or_default().to_ascii_lowercase();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    kind == "application/json" || (kind.starts_with("application/") && kind.ends_with("+json"))
}

fn malformed(bytes: &[u8], error: &serde_json::Error) -> Refusal {
    let lines = bytes.split_inclusive(|byte| *byte == b'\n');
    let before: usize = lines
        .take(error.line().saturating_sub(1))
        .map(<[u8]>::len)
        .sum();
    let position = before + error.column().saturating_sub(1);
    let doc = String::from_utf8_lossy(bytes).into_owned();
    let issue = Issue {
        loc: vec![Step::Key("body".to_owned()), Step::Index(position)],
        msg: format!("{error} (char {position})"),
        kind: "value_error.jsondecode",
        ctx: Some(json!({
            "msg": error.to_string(),
            "doc": doc,
            "pos": position,
            "lineno": error.line(),
            "colno": error.column(),
        })),
    };
    Refusal::Invalid {
        issues: vec![issue],
        body: doc.into(),
    }
}
