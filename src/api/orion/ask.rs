//! A request, read part by part, so that all its faults are told at once.

use axum::extract::{FromRequest, FromRequestParts, RawPathParams, Request};
use axum::http::{HeaderMap, header};
use serde_json::{Value, json};
use uuid::Uuid;

use super::super::{Ctx, body};
use super::error::Refusal;
use super::read::{self, Cursor, Fields, Issue, Malformed, Step};

/// What a route was asked.
pub struct Ask {
    params: Vec<(String, String)>,
    last_segment: String,
    query: String,
    content: Content,
    /// The body, once it was asked for: a route without one does not look at it.
    body: Value,
    refusal: Option<Refusal>,
    cursor: Cursor,
}

/// A body that nobody has looked at.
struct Content {
    is_json: bool,
    bytes: Vec<u8>,
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
        let last_segment = parts.uri.path().rsplit('/').next();
        Ok(Self {
            params,
            last_segment: last_segment.unwrap_or_default().to_owned(),
            query: parts.uri.query().unwrap_or_default().to_owned(),
            content: Content {
                is_json: is_json(&parts.headers),
                bytes,
            },
            body: Value::Null,
            refusal: None,
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

    /// The id in the path: a parameter, or the last word where that is a word of another
    /// method's path.
    pub fn id<T>(&mut self, from: impl Fn(Uuid) -> T) -> Option<T> {
        let found = self.params.iter().find(|(key, _)| key == "id");
        let text = found.map_or(&self.last_segment, |(_, value)| value);
        let text = Value::String(text.clone());
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
        self.look();
        let body = &self.body;
        self.cursor
            .within(Step::Key("body".into()), |cursor| match body {
                Value::Null => cursor.missing(),
                body => read(body, cursor),
            })
    }

    /// The body, whose fields are each a parameter of the route; others are passed over. No
    /// body means an empty one.
    pub fn embedded<T>(
        &mut self,
        read: impl FnOnce(&mut Fields<'_, '_>) -> Option<T>,
    ) -> Option<T> {
        self.look();
        let empty = json!({});
        let given = match &self.body {
            Value::Null => &empty,
            given => given,
        };
        self.cursor.within(Step::Key("body".into()), |cursor| {
            read(&mut Fields::of_parameters(given, cursor))
        })
    }

    /// Reads the body. Other kinds of content are handed on as a string, which no model
    /// accepts.
    fn look(&mut self) {
        let bytes = &self.content.bytes;
        if bytes.is_empty() {
            return;
        }
        if !self.content.is_json {
            self.body = String::from_utf8_lossy(bytes).into();
            return;
        }
        match std::str::from_utf8(bytes) {
            Ok(text) => match read::parse(text) {
                Ok(body) => self.body = body,
                Err(fault) => self.refusal = Some(malformed(text, &fault)),
            },
            Err(_) => self.refusal = Some(Refusal::Unreadable),
        }
    }

    /// What was read, unless a fault was found.
    pub fn done<T>(self, read: Option<T>) -> Result<T, Refusal> {
        if let Some(refusal) = self.refusal {
            return Err(refusal);
        }
        match read {
            Some(value) if self.cursor.is_clean() => Ok(value),
            _ => Err(Refusal::Invalid {
                issues: self.cursor.into_issues(),
                body: self.body,
            }),
        }
    }

    fn at<T>(
        &mut self,
        part: &'static str,
        name: &'static str,
        read: impl FnOnce(&mut Cursor) -> Option<T>,
    ) -> Option<T> {
        self.cursor.within(Step::Key(part.into()), |cursor| {
            cursor.within(Step::Key(name.into()), read)
        })
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let Some(kind) = headers.get(header::CONTENT_TYPE) else {
        return true;
    };
    let kind = kind.to_str().unwrap_or_default().to_ascii_lowercase();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    kind == "application/json" || (kind.starts_with("application/") && kind.ends_with("+json"))
}

fn malformed(text: &str, fault: &Malformed) -> Refusal {
    let Malformed {
        msg,
        position,
        line,
        column,
    } = fault;
    let issue = Issue {
        loc: vec![Step::Key("body".into()), Step::Index(*position)],
        msg: format!("{msg}: line {line} column {column} (char {position})"),
        kind: "value_error.jsondecode",
        ctx: Some(json!({
            "msg": msg,
            "doc": text,
            "pos": position,
            "lineno": line,
            "colno": column,
        })),
    };
    Refusal::Invalid {
        issues: vec![issue],
        body: text.into(),
    }
}
