//! What a page of some web site may have its visitor's browser send here.
//!
//! A browser reaches this machine from within, so that where a request comes from says nothing
//! of who wrote it. What tells is what browsers add: the name that was called (`Host`: with DNS
//! rebinding, one of the page's own), the site of the page (`Origin`, `Sec-Fetch-Site`), and a
//! content type, since only those of forms are sent without asking first. No Prefect client
//! sends `Origin`, and each names its JSON as such or not at all. On the Unix socket there are
//! no browsers.

use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Either, ready};
use serde_json::json;
use tower::{Layer, Service};

use super::body;
use super::caller::{Caller, End};
use super::dialect::{V3, within};
use crate::domain::alert;

/// Endings of names that nobody outside can own.
const INSIDE: &[&str] = &["local", "internal", "lan", "home.arpa", "localhost"];
const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const ASKS_PRIVATE: HeaderName = HeaderName::from_static("access-control-request-private-network");
const ALLOWS_PRIVATE: HeaderName = HeaderName::from_static("access-control-allow-private-network");

/// What the operator decided about browsers.
#[derive(Clone, Debug, Default)]
pub struct Sites {
    /// Names by which the API may be called, beside those that are accepted anyway; `*.name`
    /// means all below a name. In lower case.
    pub hosts: Vec<String>,
    /// The origins, such as `https://ui.example.com`, whose pages may use the API.
    pub origins: Vec<String>,
}

/// Keeps out what pages of other sites send; clones share the rules.
#[derive(Clone)]
pub struct Browsers(Arc<Inner>);

struct Inner {
    sites: Sites,
    /// Whether any name is as good as another: who has no key gets nothing by it.
    any_host: bool,
}

/// Why a request is refused.
#[derive(Debug, PartialEq, Eq)]
enum Refused {
    Host(String),
    Site(String),
    Kind(String),
}

impl Browsers {
    /// By those rules; with a key set the `Host` does not matter.
    pub fn new(sites: Sites, needs_key: bool) -> Self {
        Self(Arc::new(Inner {
            sites,
            any_host: needs_key,
        }))
    }
}

impl Inner {
    /// Answers the origin to name in the answer, if the request may go on.
    fn judge(&self, request: &Request) -> Result<Option<HeaderValue>, Refused> {
        let headers = request.headers();
        if !self.any_host {
            self.host(request.uri(), headers)?;
        }
        let origin = headers.get(header::ORIGIN);
        let allowed = origin.filter(|origin| self.allows(origin));
        let reads = matches!(
            *request.method(),
            Method::GET | Method::HEAD | Method::OPTIONS
        );
        // A websocket is asked for like a page, and then says anything.
        if reads && !headers.contains_key(header::UPGRADE) {
            return Ok(allowed.cloned());
        }
        if allowed.is_none() {
            same_site(headers)?;
        }
        if !reads && within(request.uri().path(), V3) {
            kind(headers)?;
        }
        Ok(allowed.cloned())
    }

    fn allows(&self, origin: &HeaderValue) -> bool {
        let origin = origin.to_str().unwrap_or_default();
        self.sites
            .origins
            .iter()
            .any(|one| one.eq_ignore_ascii_case(origin))
    }

    /// Whether every name that the request gives for this API is one of its own.
    fn host(&self, uri: &Uri, headers: &HeaderMap) -> Result<(), Refused> {
        let sent = headers.get_all(header::HOST).into_iter();
        let sent = sent.map(|host| host.to_str().unwrap_or("?"));
        let in_path = uri.authority().map(|authority| authority.as_str());
        for host in sent.chain(in_path) {
            if !self.is_ours(name_of(host)) {
                return Err(Refused::Host(host.to_owned()));
            }
        }
        Ok(())
    }

    fn is_ours(&self, name: &str) -> bool {
        if name.parse::<IpAddr>().is_ok() || name.is_empty() {
            return true;
        }
        let name = name.to_ascii_lowercase();
        let name = name.strip_suffix('.').unwrap_or(&name);
        let is_word = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        if name.bytes().all(is_word) {
            return true;
        }
        let is_below = |above: &str| {
            let below = name.strip_suffix(above);
            below.is_some_and(|rest| rest.len() > 1 && rest.ends_with('.'))
        };
        let matches = |host: &String| match host.strip_prefix("*.") {
            Some(above) => is_below(above),
            None => host == name,
        };
        INSIDE.iter().any(|above| is_below(above)) || self.sites.hosts.iter().any(matches)
    }
}

/// The name in a `Host`, without its port and without an address's brackets.
fn name_of(host: &str) -> &str {
    if let Some((address, _)) = host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        return address;
    }
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    }
}

/// Whether a request is of no page, or of one that this API served.
fn same_site(headers: &HeaderMap) -> Result<(), Refused> {
    let sites = headers.get_all(FETCH_SITE);
    let is_own = |site: &HeaderValue| site == "same-origin" || site == "none";
    if let Some(origin) = headers.get(header::ORIGIN) {
        let shown = || origin.to_str().unwrap_or("?").to_owned();
        let host = headers.get(header::HOST);
        let (origin, host) = (origin.to_str(), host.and_then(|host| host.to_str().ok()));
        let is_same = origin.is_ok_and(|origin| host.is_some_and(|host| is_at(origin, host)));
        if !is_same {
            return Err(Refused::Site(shown()));
        }
    }
    match sites.iter().all(is_own) {
        true => Ok(()),
        false => Err(Refused::Site("another site".to_owned())),
    }
}

/// Whether an origin is that host.
fn is_at(origin: &str, host: &str) -> bool {
    let Some((scheme, authority)) = origin.split_once("://") else {
        return false;
    };
    let usual = match scheme {
        "http" => ":80",
        "https" => ":443",
        _ => return false,
    };
    let bare = |text: &str| {
        let text = text.to_ascii_lowercase();
        text.strip_suffix(usual).map(str::to_owned).unwrap_or(text)
    };
    bare(authority) == bare(host)
}

/// Whether a body calls itself JSON, or nothing.
fn kind(headers: &HeaderMap) -> Result<(), Refused> {
    let other = headers.get_all(header::CONTENT_TYPE).iter().find(|kind| {
        let kind = kind.to_str().unwrap_or_default();
        let kind = kind.split(';').next().unwrap_or_default().trim();
        let is_json = kind.eq_ignore_ascii_case("application/json")
            || (kind.len() > "application/+json".len()
                && kind.to_ascii_lowercase().starts_with("application/")
                && kind.to_ascii_lowercase().ends_with("+json"));
        !is_json
    });
    match other {
        None => Ok(()),
        Some(kind) => Err(Refused::Kind(kind.to_str().unwrap_or("?").to_owned())),
    }
}

impl Refused {
    fn answer(&self, path: &str) -> Response {
        let (status, detail) = match self {
            Refused::Host(host) => (
                StatusCode::MISDIRECTED_REQUEST,
                format!(
                    "The API does not answer to the name {host:?}. If it is its own, add it to \
                     server.hosts in prefectd's settings."
                ),
            ),
            Refused::Site(site) => (
                StatusCode::FORBIDDEN,
                format!(
                    "A page of {site} may change nothing here. If it is meant to, add its origin \
                     to server.cors_origins in prefectd's settings."
                ),
            ),
            Refused::Kind(kind) => (
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                format!("The body should be application/json, not {kind}."),
            ),
        };
        let mut body = json!({ "detail": detail });
        // Where modern clients look.
        if let (true, Some(map)) = (within(path, V3), body.as_object_mut()) {
            map.insert("exception_message".to_owned(), detail.into());
        }
        (status, axum::Json(body)).into_response()
    }

    fn log(&self, caller: Option<&Caller>, method: &Method, path: &str) {
        let why = match self {
            Refused::Host(host) => format!("it calls the API {:?}, see server.hosts", brief(host)),
            Refused::Site(site) => {
                format!("a page of {} sent it, see server.cors_origins", brief(site))
            }
            Refused::Kind(kind) => format!("its body is {}", brief(kind)),
        };
        let from = match caller.map(Caller::end) {
            Some(End::Loopback(route) | End::Network(route) | End::Bridge(route)) => {
                route.from.ip().to_string()
            }
            Some(End::Socket(_)) | None => "nowhere".to_owned(),
        };
        tracing::warn!(
            message_id = alert::AUTH_REFUSED,
            "refused {method} {} from {from}: {why}",
            brief(path)
        );
    }
}

/// The beginning of what somebody sent, for the log.
fn brief(text: &str) -> &str {
    const MOST: usize = 200;
    text.get(..text.floor_char_boundary(MOST)).unwrap_or(text)
}

/// Whether a browser asks before it sends something.
fn is_question(request: &Request) -> bool {
    let asks = header::ACCESS_CONTROL_REQUEST_METHOD;
    *request.method() == Method::OPTIONS && request.headers().contains_key(asks)
}

/// Tells a browser that pages of an allowed origin may send what it asks about.
fn may_send(asked: &HeaderMap) -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    let headers = response.headers_mut();
    let methods = HeaderValue::from_static("GET, POST, PUT, PATCH, DELETE");
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, methods);
    if let Some(names) = asked.get(header::ACCESS_CONTROL_REQUEST_HEADERS) {
        headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, names.clone());
    }
    if asked.contains_key(ASKS_PRIVATE) {
        headers.insert(ALLOWS_PRIVATE, HeaderValue::from_static("true"));
    }
    let seconds = HeaderValue::from_static("600");
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, seconds);
    response
}

/// Lets pages of an origin read an answer.
fn readable_by(mut response: Response, origin: HeaderValue) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    headers.append(header::VARY, HeaderValue::from_static("origin"));
    response
}

impl<S> Layer<S> for Browsers {
    type Service = Watched<S>;

    fn layer(&self, inner: S) -> Watched<S> {
        Watched {
            browsers: self.clone(),
            inner,
        }
    }
}

/// A service behind [`Browsers`].
#[derive(Clone)]
pub struct Watched<S> {
    browsers: Browsers,
    inner: S,
}

type ServiceResult = Result<Response, Infallible>;

impl<S> Service<Request> for Watched<S>
where
    S: Service<Request, Response = Response, Error = Infallible, Future: Send + 'static>,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Either<S::Future, BoxFuture<'static, ServiceResult>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let caller = request.extensions().get::<Caller>();
        if caller.is_some_and(|caller| matches!(caller.end(), End::Socket(_))) {
            return Either::Left(self.inner.call(request));
        }
        match self.browsers.0.judge(&request) {
            Ok(None) => Either::Left(self.inner.call(request)),
            Ok(Some(origin)) if is_question(&request) => {
                let answer = readable_by(may_send(request.headers()), origin);
                Either::Right(ready(Ok(answer)).boxed())
            }
            Ok(Some(origin)) => {
                let answer = self.inner.call(request);
                Either::Right(async { Ok(readable_by(answer.await?, origin)) }.boxed())
            }
            Err(refused) => {
                let path = request.uri().path();
                refused.log(caller, request.method(), path);
                let answer = refused.answer(path);
                body::leave(request);
                Either::Right(ready(Ok(answer)).boxed())
            }
        }
    }
}

#[cfg(test)]
mod tests;
