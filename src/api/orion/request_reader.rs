//! A request, read part by part, so that all its faults are told at once.

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, RawPathParams, Request};
use axum::http::{HeaderMap, Uri, header};
use serde_json::{Value, json};
use uuid::Uuid;

use super::super::aside::aside;
use super::super::{Ctx, body};
use super::error::Refusal;
use super::read::{self, Fields, Issue, JsonValue, Malformed, Members, ReadContext, Step};

/// What a route was asked.
pub struct RequestReader {
    params: Option<RawPathParams>,
    uri: Uri,
    content: Content,
    /// Whether the route has a body; the others do not look at it.
    has_body: bool,
    refusal: Option<Refusal>,
    context: ReadContext,
}

/// A body that nobody has looked at.
struct Content {
    is_json: bool,
    bytes: Bytes,
}

impl FromRequest<Ctx> for RequestReader {
    type Rejection = Refusal;

    async fn from_request(request: Request, ctx: &Ctx) -> Result<Self, Refusal> {
        let (mut parts, content) = request.into_parts();
        let params = RawPathParams::from_request_parts(&mut parts, ctx).await;
        let bytes = body::whole(&parts.headers, content).await?;
        Ok(Self {
            // A path that is not UTF-8 names nothing.
            params: params.ok(),
            uri: parts.uri,
            content: Content {
                is_json: is_json(&parts.headers),
                bytes,
            },
            has_body: false,
            refusal: None,
            context: ReadContext::default(),
        })
    }
}

impl RequestReader {
    /// A part of the path as text.
    pub fn param(&self, name: &str) -> String {
        self.named(name).unwrap_or_default().to_owned()
    }

    fn named(&self, name: &str) -> Option<&str> {
        let mut params = self.params.iter().flatten();
        params.find(|(key, _)| *key == name).map(|(_, value)| value)
    }

    /// The id in the path: a parameter, or the last word where that is a word of another
    /// method's path.
    pub fn id<T>(&mut self, from: impl Fn(Uuid) -> T) -> Option<T> {
        let last = || self.uri.path().rsplit('/').next().unwrap_or_default();
        let text = self.named("id").unwrap_or_else(last).to_owned();
        let text = JsonValue::String(text.into());
        let read = |context: &mut ReadContext| read::id(from)(&text, context);
        self.at("path", "id", read)
    }

    /// A required id in the query.
    pub fn query_id<T>(&mut self, name: &'static str, from: impl Fn(Uuid) -> T) -> Option<T> {
        let query = self.uri.query().unwrap_or_default();
        let found = form_urlencoded::parse(query.as_bytes())
            .filter(|(key, _)| key == name)
            .map(|(_, value)| JsonValue::String(value.into_owned().into()))
            .last();
        self.at("query", name, |context| match found {
            Some(text) => read::id(from)(&text, context),
            None => context.missing(),
        })
    }

    /// The body, which is one model.
    pub fn body<T>(
        &mut self,
        read: impl FnOnce(&JsonValue<'_>, &mut ReadContext) -> Option<T>,
    ) -> Option<T> {
        self.read_body(|body, context| match body {
            JsonValue::Null => context.missing(),
            body => read(&body, context),
        })
    }

    /// The body, whose fields are each a parameter of the route; others are passed over. No
    /// body means an empty one.
    pub fn embedded<T>(
        &mut self,
        read: impl FnOnce(&mut Fields<'_, '_>) -> Option<T>,
    ) -> Option<T> {
        self.read_body(|body, context| {
            let given = match body {
                JsonValue::Null => JsonValue::Object(Members::default()),
                given => given,
            };
            read(&mut Fields::of_parameters(&given, context))
        })
    }

    /// The body, of which there is not too much. A large one is read out of the way of other
    /// requests.
    fn read_body<T>(
        &mut self,
        read: impl FnOnce(JsonValue<'_>, &mut ReadContext) -> Option<T>,
    ) -> Option<T> {
        self.has_body = true;
        let (content, context) = (&self.content, &mut self.context);
        aside(content.bytes.len(), || {
            let body = match content.look() {
                Ok(body) => body,
                Err(why) => {
                    self.refusal = Some(why);
                    return None;
                }
            };
            context.within(Step::Key("body".into()), |context| {
                let excesses = read::excesses(&body);
                if excesses.is_empty() {
                    return read(body, context);
                }
                for excess in &excesses {
                    context.excess(excess);
                }
                None
            })
        })
    }

    /// A fault in a field of the body that only became known after it was read.
    pub fn fault(&mut self, field: &'static str, msg: impl Into<String>) {
        self.at("body", field, |context| {
            context.fault::<()>(msg, "value_error")
        });
    }

    /// What was read, unless a fault was found.
    pub fn done<T>(self, read: Option<T>) -> Result<T, Refusal> {
        if let Some(refusal) = self.refusal {
            return Err(refusal);
        }
        match read {
            Some(value) if self.context.is_clean() => Ok(value),
            _ => Err(Refusal::Invalid {
                body: match self.has_body {
                    true => self.content.told(),
                    false => Value::Null,
                },
                issues: self.context.into_issues(),
            }),
        }
    }

    fn at<T>(
        &mut self,
        part: &'static str,
        name: &'static str,
        read: impl FnOnce(&mut ReadContext) -> Option<T>,
    ) -> Option<T> {
        self.context.within(Step::Key(part.into()), |context| {
            context.within(Step::Key(name.into()), read)
        })
    }
}

impl Content {
    /// The value as a refusal repeats it: of a large one, how it begins.
    fn told(&self) -> Value {
        if self.bytes.len() > body::MOST_TOLD {
            return body::beginning(&self.bytes).into();
        }
        let body = self.look().ok();
        body.map_or(Value::Null, |body| Value::from(&body))
    }

    /// The value; null where there is none. Other kinds of content are handed on as a string,
    /// which no model accepts.
    fn look(&self) -> Result<JsonValue<'_>, Refusal> {
        let bytes = &self.bytes;
        if bytes.is_empty() {
            return Ok(JsonValue::Null);
        }
        if !self.is_json {
            return Ok(JsonValue::String(String::from_utf8_lossy(bytes)));
        }
        let text = std::str::from_utf8(bytes).map_err(|_| Refusal::Unreadable)?;
        read::parse(text).map_err(|fault| malformed(text, &fault))
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let Some(kind) = headers.get(header::CONTENT_TYPE) else {
        return true;
    };
    if kind == "application/json" {
        return true;
    }
    let kind = kind.to_str().unwrap_or_default().to_ascii_lowercase();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    kind == "application/json" || (kind.starts_with("application/") && kind.ends_with("+json"))
}

fn malformed(text: &str, fault: &Malformed) -> Refusal {
    let doc = body::beginning(text.as_bytes());
    let Malformed {
        msg,
        position,
        line,
        column,
        is_excess: _,
    } = fault;
    let issue = Issue {
        loc: vec![Step::Key("body".into()), Step::Index(*position)],
        msg: format!("{msg}: line {line} column {column} (char {position})"),
        kind: "value_error.jsondecode",
        ctx: Some(json!({
            "msg": msg,
            "doc": doc,
            "pos": position,
            "lineno": line,
            "colno": column,
        })),
    };
    Refusal::Invalid {
        issues: vec![issue],
        body: doc.into(),
    }
}
