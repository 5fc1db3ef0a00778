//! What the reference takes, and its words for what it does not.
//!
//! Requests are read by serde, which stops at the first thing that it cannot read and has words of
//! its own for it. Clients show the reference's: every fault there is, in its order. So a request
//! that was refused is looked at once more, and what it is told is made from a table of the shapes
//! that the reference's operations take (`table.json`, which `dump.py` writes). Nothing of this is
//! done for a request that is not refused; all that it costs is to hold on to what was read of it.

mod check;
mod faults;
mod functions;
mod scalars;
mod table;
#[cfg(test)]
mod tests;
mod times;

use std::cell::Cell;
use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum::body::Bytes;
use axum::extract::Request;
use axum::http::{Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use futures_util::future::Either;
use pin_project_lite::pin_project;
use serde_json::{Value, json};
use tokio::task::futures::TaskLocalFuture;
use tower::{Layer, Service};

use crate::api::body::MOST_TOLD;
use crate::api::client::is_prefect;
use crate::api::dialect::V3;
use faults::Faults;
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

tokio::task_local! {
    /// The body of the request that is answered, as far as it was read.
    static SENT: Cell<Sent>;
}

/// What was read of a body.
#[derive(Default)]
enum Sent {
    #[default]
    Nothing,
    Whole(Bytes),
    /// More than a refusal repeats.
    TooMuch,
}

/// Holds on to the body of the request that is answered, until it is: a refusal may repeat it.
pub(in crate::api) fn hold(body: &Bytes) {
    let sent = match body.len() <= MOST_TOLD {
        true => Sent::Whole(body.clone()),
        false => Sent::TooMuch,
    };
    // Outside a request there is nobody to tell.
    let _ = SENT.try_with(|held| held.set(sent));
}

/// Whether the reference refuses such a request that has no body.
pub(in crate::api) fn needs_body(method: &Method, uri: &Uri) -> bool {
    let path = uri.path().strip_prefix(V3);
    let found = path.and_then(|path| TABLE.operation(method, path));
    found.is_some_and(|(operation, _)| {
        let mut parameters = operation.groups.iter().flat_map(|group| &group.parameters);
        parameters.any(|it| it.place == "body" && it.field.is_required)
    })
}

/// What has to be known of a request to look at it once more, beside its body.
struct Asked {
    method: Method,
    uri: Uri,
    /// Whether it may send fields that nobody knows.
    is_prefect: bool,
}

impl<S> Service<Request> for Telling<S>
where
    S: Service<Request, Response = Response, Error = Infallible>,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Either<S::Future, Answering<S::Future>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        if !request.uri().path().starts_with(V3) {
            return Either::Left(self.inner.call(request));
        }
        let asked = Asked {
            method: request.method().clone(),
            uri: request.uri().clone(),
            is_prefect: is_prefect(request.headers()),
        };
        let answer = SENT.scope(Cell::default(), self.inner.call(request));
        Either::Right(Answering { answer, asked })
    }
}

pin_project! {
    /// The answer, of which a refusal is told anew.
    pub(in crate::api) struct Answering<F> {
        #[pin]
        answer: TaskLocalFuture<Cell<Sent>, F>,
        asked: Asked,
    }
}

impl<F: Future<Output = Result<Response, Infallible>>> Future for Answering<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let Ok(response) = ready!(this.answer.as_mut().poll(context));
        if response.status() != StatusCode::UNPROCESSABLE_ENTITY {
            return Poll::Ready(Ok(response));
        }
        let sent = this.answer.take_value().unwrap_or_default();
        let told = match sent.into_inner() {
            Sent::Nothing => this.asked.refusal(&[]),
            Sent::Whole(body) => this.asked.refusal(&body),
            Sent::TooMuch => None,
        };
        Poll::Ready(Ok(told.unwrap_or(response)))
    }
}

impl Asked {
    /// The refusal in the reference's words, if the reference refuses that as well.
    fn refusal(&self, bytes: &[u8]) -> Option<Response> {
        let path = self.uri.path().strip_prefix(V3)?;
        let (operation, in_path) = TABLE.operation(&self.method, path)?;
        if !in_path.iter().all(InPath::is_there) {
            let none = json!({ "detail": "Not Found" });
            return Some((StatusCode::NOT_FOUND, axum::Json(none)).into_response());
        }
        let mut body = match body_of(bytes) {
            Ok(body) => body,
            Err(fault) => {
                let text = String::from_utf8_lossy(bytes);
                return Some(answer(&[fault], &Value::from(&*text)));
            }
        };
        if let Some(body) = &mut body {
            functions::alter(operation, body);
        }
        let query = self.uri.query().unwrap_or_default();
        let given = check::Given {
            path: in_path,
            query: form_urlencoded::parse(query.as_bytes())
                .into_owned()
                .collect(),
            body: body.as_ref(),
        };
        if let Some(said) = check::of_limit(operation, &given) {
            let detail = axum::Json(json!({ "detail": said }));
            return Some((StatusCode::UNPROCESSABLE_ENTITY, detail).into_response());
        }
        let mut faults = Faults::new();
        check::operation(operation, &given, &mut faults);
        let faults = faults.told();
        // A client may send fields that nobody knows: these alone are no reason.
        let is_reason = |fault: &Value| !self.is_prefect || fault["type"] != "extra_forbidden";
        let is_refused = faults.iter().any(is_reason);
        is_refused.then(|| answer(&faults, &body.unwrap_or_default()))
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
