//! What the reference takes, and its words for what it does not.
//!
//! Requests are read by serde, which stops at the first thing that it cannot read and has words of
//! its own for it. Clients show the reference's: every fault there is, in its order. So a request
//! that was refused is looked at once more, and what it is told is made from a table of the shapes
//! that the reference's operations take (`table.json`, which `dump.py` writes). Nothing of this is
//! done for a request that is not refused; all that it costs is to remember what is sent.

mod check;
mod faults;
mod functions;
mod kept;
mod scalars;
mod table;
#[cfg(test)]
mod tests;
mod times;

use std::convert::Infallible;
use std::future::Future;
use std::task::{Context, Poll};

use axum::extract::Request;
use axum::http::{Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Either};
use serde_json::{Value, json};
use tower::{Layer, Service};

use crate::api::client::is_prefect;
use crate::api::dialect::V3;
use faults::Faults;
use kept::Kept;
use table::{InPath, TABLE};

/// Has refusals of the modern dialect told in the reference's words.
#[derive(Clone, Copy, Debug)]
pub(in crate::api) struct Told;

/// The service within [`Told`].
#[derive(Clone, Debug)]
pub(in crate::api) struct Telling<S> {
    inner: S,
}

impl<S> Layer<S> for Told {
    type Service = Telling<S>;

    fn layer(&self, inner: S) -> Telling<S> {
        Telling { inner }
    }
}

/// What has to be known of a request to look at it once more.
struct Asked {
    method: Method,
    uri: Uri,
    body: Kept,
    /// Whether it may send fields that nobody knows.
    is_prefect: bool,
}

impl<S> Service<Request> for Telling<S>
where
    S: Service<Request, Response = Response, Error = Infallible, Future: Send + 'static>,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Either<S::Future, BoxFuture<'static, Result<Response, Infallible>>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        if !request.uri().path().starts_with(V3) {
            return Either::Left(self.inner.call(request));
        }
        let (parts, body) = request.into_parts();
        let (kept, body) = Kept::of(body);
        let asked = Asked {
            method: parts.method.clone(),
            uri: parts.uri.clone(),
            body: kept,
            is_prefect: is_prefect(&parts.headers),
        };
        let answer = self.inner.call(Request::from_parts(parts, body));
        Either::Right(told(asked, answer).boxed())
    }
}

async fn told(
    asked: Asked,
    answer: impl Future<Output = Result<Response, Infallible>> + Send,
) -> Result<Response, Infallible> {
    let response = answer.await?;
    if response.status() != StatusCode::UNPROCESSABLE_ENTITY {
        return Ok(response);
    }
    Ok(asked.refusal().unwrap_or(response))
}

impl Asked {
    /// The refusal in the reference's words, if the reference refuses that as well.
    fn refusal(&self) -> Option<Response> {
        let bytes = self.body.whole()?;
        let path = self.uri.path().strip_prefix(V3)?;
        let (operation, in_path) = TABLE.operation(&self.method, path)?;
        if !in_path.iter().all(InPath::is_there) {
            let none = json!({ "detail": "Not Found" });
            return Some((StatusCode::NOT_FOUND, axum::Json(none)).into_response());
        }
        let mut faults = Faults::new(self.is_prefect);
        let body = match body_of(&bytes) {
            Ok(body) => body,
            Err(fault) => {
                let text = String::from_utf8_lossy(&bytes);
                return Some(answer(&[fault], &Value::from(&*text)));
            }
        };
        let query = self.uri.query().unwrap_or_default();
        let given = check::Given {
            path: in_path,
            query: form_urlencoded::parse(query.as_bytes())
                .into_owned()
                .collect(),
            body: body.as_ref(),
        };
        check::operation(operation, &given, &mut faults);
        let faults = faults.told();
        match faults.is_empty() {
            true => None,
            false => Some(answer(&faults, &body.unwrap_or_default())),
        }
    }
}

/// The body as the reference reads it: none is not an empty object.
fn body_of(bytes: &[u8]) -> Result<Option<Value>, Value> {
    let text = String::from_utf8_lossy(bytes);
    if text.is_empty() {
        return Ok(None);
    }
    match crate::api::json::parse(&text) {
        Ok(value) => Ok(Some(Value::from(&value))),
        Err(malformed) => Err(json!({
            "type": "json_invalid",
            "loc": ["body", malformed.position],
            "msg": "JSON decode error",
            "input": {},
            "ctx": { "error": malformed.msg },
        })),
    }
}

fn answer(faults: &[Value], body: &Value) -> Response {
    let answer = json!({
        "exception_message": "Invalid request received.",
        "exception_detail": faults,
        "request_body": body,
    });
    (StatusCode::UNPROCESSABLE_ENTITY, axum::Json(answer)).into_response()
}
