//! Which dialect a request speaks.
//!
//! Settled once, in this order: an explicit path; the modern client's version header, or the
//! wish for a websocket; the 2.0a7 client's user agent; else the modern dialect. The request's path is rewritten to
//! the explicit one, so that routing needs no further thought.
//!
//! Two questions are the modern dialect's even with that user agent: modern clients ask for the
//! server's version, and whether there is one, under the bare name of their HTTP library, and the
//! 2.0a7 client never asks for these.

use std::borrow::Cow;

use axum::body::Bytes;
use axum::http::{HeaderMap, Request, Uri, header};
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use super::client::API_VERSION;

/// Where the 2.0a7 generation's routes are.
pub const ORION: &str = "/api/orion";
/// Where the modern generation's routes are.
pub const V3: &str = "/api/v3";
/// Where clients ask which Prefect the server is.
const SERVER_VERSION: &str = "/api/admin/version";

/// Where clients ask whether there is a server.
const HELLO: &str = "/api/hello";

/// The path as the client wrote it, where that was not the explicit one.
#[derive(Clone, Debug)]
pub struct AskedUri(pub Uri);

/// Rewrites `/api/…` to the path of the dialect that the request speaks.
pub fn settle<B>(mut request: Request<B>) -> Request<B> {
    if let Some(settled) = explicit(request.uri(), request.headers()) {
        let asked = std::mem::replace(request.uri_mut(), settled);
        let more = request.extensions_mut();
        // One with a run's key in it was written otherwise still.
        if more.get::<AskedUri>().is_none() {
            more.insert(AskedUri(asked));
        }
    }
    request
}

/// The explicit form of a path; `None` when it is explicit already or not the API's.
fn explicit(uri: &Uri, headers: &HeaderMap) -> Option<Uri> {
    let rest = uri.path().strip_prefix("/api")?;
    let is_api = rest.is_empty() || rest.starts_with('/');
    if !is_api || within(uri.path(), ORION) || within(uri.path(), V3) {
        return None;
    }
    // The path and the query after "/api".
    let rest = uri.path_and_query()?.as_str().strip_prefix("/api")?;
    let dialect = match uri.path() {
        SERVER_VERSION | HELLO => V3,
        _ => spoken(headers),
    };
    let (path, query) = match rest.split_once('?') {
        Some((path, query)) => (path, ["?", query].concat()),
        None => (rest, String::new()),
    };
    let path = [dialect, &readable(path), &query].concat();
    Uri::from_maybe_shared(Bytes::from(path)).ok()
}

/// A path whose segments are text: what is not is replaced in it, as the reference reads it. So
/// it names nothing, and is no error of its own.
fn readable(path: &str) -> Cow<'_, str> {
    if percent_decode_str(path).decode_utf8().is_ok() {
        return path.into();
    }
    let segments = path.split('/').map(|segment| {
        let text = percent_decode_str(segment).decode_utf8_lossy();
        utf8_percent_encode(&text, NON_ALPHANUMERIC).to_string()
    });
    segments.collect::<Vec<_>>().join("/").into()
}

/// Whether a path is that prefix or below it.
pub fn within(path: &str, prefix: &str) -> bool {
    path.strip_prefix(prefix)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn spoken(headers: &HeaderMap) -> &'static str {
    let agent = headers
        .get(header::USER_AGENT)
        .and_then(|value| value.to_str().ok());
    // The 2.0a7 generation has no websockets.
    let is_modern = headers.contains_key(&API_VERSION) || headers.contains_key(header::UPGRADE);
    if is_modern {
        V3
    } else if agent.is_some_and(|agent| agent.starts_with("python-httpx/")) {
        ORION
    } else {
        V3
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settled(path: &str, headers: &[(&'static str, &'static str)]) -> String {
        let mut request = Request::builder().uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        settle(request.body(()).unwrap()).uri().to_string()
    }

    #[test]
    fn a_path_that_is_no_text_names_nothing() {
        for (asked, settled_as) in [
            (
                "/api/flows/name/my%de?x=%de",
                "/api/v3/flows/name/my%EF%BF%BD?x=%de",
            ),
            (
                "/api/flows/name/a%2Fb/%de",
                "/api/v3/flows/name/a%2Fb/%EF%BF%BD",
            ),
            (
                "/api/flows/name/%C3%A9%2Fa?y",
                "/api/v3/flows/name/%C3%A9%2Fa?y",
            ),
        ] {
            assert_eq!(settled(asked, &[]), settled_as);
        }
    }

    #[test]
    fn whether_there_is_a_server_is_asked_by_modern_clients() {
        let httpx = [("user-agent", "python-httpx/0.28.1")];
        assert_eq!(settled("/api/hello", &httpx), "/api/v3/hello");
        assert_eq!(settled("/api/flows/", &httpx), "/api/orion/flows/");
    }

    #[test]
    fn the_order_of_signs() {
        let httpx = ("user-agent", "python-httpx/0.22.0");
        let upgrade = ("upgrade", "websocket");
        let version = ("x-prefect-api-version", "0.8.4");
        let cases: &[(&str, &[_], &str)] = &[
            ("/api/flows/?a=1", &[httpx], "/api/orion/flows/?a=1"),
            ("/api/flows/", &[httpx, version], "/api/v3/flows/"),
            ("/api/flows/", &[], "/api/v3/flows/"),
            ("/api/admin/version", &[httpx], "/api/v3/admin/version"),
            ("/api/admin/hello", &[httpx], "/api/orion/admin/hello"),
            ("/api/orion/admin/version", &[], "/api/orion/admin/version"),
            ("/api/orion/flows/", &[version], "/api/orion/flows/"),
            ("/api/v3/flows/", &[httpx], "/api/v3/flows/"),
            ("/api/events/in", &[httpx, upgrade], "/api/v3/events/in"),
            ("/api/orionish", &[httpx], "/api/orion/orionish"),
            ("/apis", &[httpx], "/apis"),
            ("/metrics", &[httpx], "/metrics"),
        ];
        for (path, headers, expected) in cases {
            assert_eq!(settled(path, headers), *expected, "{path} {headers:?}");
        }
    }
}
