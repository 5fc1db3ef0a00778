//! The version of the API that a modern client says it speaks.
//!
//! As on the reference: any that is not lower than [`LOWEST`] is served, whatever its major
//! number, and `/health` and `/version` answer without looking.

use std::convert::Infallible;
use std::task::{Context, Poll};

use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use futures_util::future::{Either, Ready, ready};
use serde_json::json;
use tower::{Layer, Service};

use super::body;
use super::client::API_VERSION;
use super::dialect::{V3, within};

/// The version of the API that is served.
pub const VERSION: &str = "0.8.4";
/// The lowest that a client may speak.
const LOWEST: [i64; 3] = [0, 8, 0];

/// Where any version is good enough.
const UNCHECKED: [&str; 2] = ["/api/v3/health", "/api/v3/version"];

/// Has the service within answer only clients whose version it serves.
#[derive(Clone, Copy, Debug)]
pub(super) struct Checked;

/// The service within [`Checked`].
#[derive(Clone, Debug)]
pub(super) struct Versioned<S> {
    inner: S,
}

impl<S> Layer<S> for Checked {
    type Service = Versioned<S>;

    fn layer(&self, inner: S) -> Versioned<S> {
        Versioned { inner }
    }
}

impl<S> Service<Request> for Versioned<S>
where
    S: Service<Request, Response = Response, Error = Infallible>,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Either<S::Future, Ready<Result<Response, Infallible>>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        match trouble(&request) {
            None => Either::Left(self.inner.call(request)),
            Some(detail) => {
                body::leave(request);
                let detail = axum::Json(json!({ "detail": detail }));
                let refused = (StatusCode::BAD_REQUEST, detail).into_response();
                Either::Right(ready(Ok(refused)))
            }
        }
    }
}

/// Why the version that a request names will not do.
fn trouble(request: &Request) -> Option<String> {
    let path = request.uri().path();
    if !within(path, V3) || UNCHECKED.contains(&path) {
        return None;
    }
    let named = request.headers().get(&API_VERSION)?;
    // What is not text is repeated as far as it is.
    let named = String::from_utf8_lossy(named.as_bytes());
    judged(&named)
}

/// The reference's sentence about a version that will not do.
fn judged(named: &str) -> Option<String> {
    if named.is_empty() {
        return None;
    }
    let numbers: Option<Vec<i64>> = named.split('.').map(|it| it.trim().parse().ok()).collect();
    let Some([major, minor, patch]) = numbers.as_deref() else {
        return Some(format!(
            "Invalid X-PREFECT-API-VERSION header format.Expected header in format 'x.y.z' but \
             received {named}"
        ));
    };
    ([*major, *minor, *patch] < LOWEST).then(|| {
        format!(
            "The request specified API version {named} but this server requires version 0.8.0 or \
             higher."
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_lower_versions_and_what_is_none_are_refused() {
        for good in ["0.8.0", "0.8.4", "0.9.0", "1.0.0", "3.0.0", ""] {
            assert_eq!(judged(good), None, "{good}");
        }
        for low in ["0.7.9", "0.0.0", "-1.9.9"] {
            let told = judged(low).unwrap();
            assert!(
                told.ends_with("requires version 0.8.0 or higher."),
                "{told}"
            );
        }
        for none in [
            "0.8",
            "0.8.4.1",
            "x.y.z",
            "v0.8.4",
            "0..4",
            "9999999999999999999999.0.0",
        ] {
            let told = judged(none).unwrap();
            assert!(told.starts_with("Invalid X-PREFECT-API-VERSION"), "{told}");
            assert!(told.ends_with(&format!("but received {none}")), "{told}");
        }
    }

    #[test]
    fn paths_that_any_version_may_ask() {
        let asked = |path: &str| {
            let request = Request::builder().uri(path).header(&API_VERSION, "0.1.0");
            trouble(&request.body(axum::body::Body::empty()).unwrap()).is_some()
        };
        assert!(asked("/api/v3/flows/") && asked("/api/v3/admin/version"));
        for open in [
            "/api/v3/health",
            "/api/v3/version",
            "/api/orion/flows/",
            "/metrics",
        ] {
            assert!(!asked(open), "{open}");
        }
    }
}
