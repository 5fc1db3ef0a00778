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
        if matches!(
            *request.method(),
            Method::GET | Method::HEAD | Method::OPTIONS
        ) {
            return Ok(allowed.cloned());
        }
        if allowed.is_none() {
            same_site(headers)?;
        }
        if within(request.uri().path(), V3) {
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

type Answer = Result<Response, Infallible>;

impl<S> Service<Request> for Watched<S>
where
    S: Service<Request, Response = Response, Error = Infallible, Future: Send + 'static>,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Either<S::Future, BoxFuture<'static, Answer>>;

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
mod tests {
    use super::*;
    use axum::body::Body;

    fn browsers(needs_key: bool) -> Browsers {
        let sites = Sites {
            hosts: vec!["flows.example.com".to_owned(), "*.corp.example".to_owned()],
            origins: vec!["https://ui.example.com".to_owned()],
        };
        Browsers::new(sites, needs_key)
    }

    fn request(method: &str, path: &str, headers: &[(&str, &str)]) -> Request {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(Body::empty()).unwrap()
    }

    #[test]
    fn a_name_that_an_outsider_could_own_is_refused_while_no_key_is_set() {
        for (host, is_ours) in [
            ("127.0.0.1:4200", true),
            ("10.1.2.3", true),
            ("[::1]:4200", true),
            ("localhost:4200", true),
            ("flows-01", true),
            ("a_b:1", true),
            ("host.docker.internal:4200", true),
            ("x.local", true),
            ("a.lan.", true),
            ("b.home.arpa", true),
            ("flows.example.com", true),
            ("FLOWS.Example.com:80", true),
            ("a.corp.example", true),
            ("", true),
            ("corp.example", false),
            ("evilcorp.example", false),
            ("evil.example", false),
            ("evil.example:4200", false),
            ("evil.example.", false),
            ("evillocal.com", false),
            (".internal", false),
            ("127.0.0.1.evil.example", false),
            ("evil.example:80:127.0.0.1", false),
            ("localhost.evil.example", false),
            ("a.lan.evil.example", false),
        ] {
            let asked = request("GET", "/api/v3/flows/x", &[("host", host)]);
            let found = browsers(false).0.judge(&asked);
            assert_eq!(found.is_ok(), is_ours, "{host}: {found:?}");
            assert!(browsers(true).0.judge(&asked).is_ok(), "{host}");
        }
        let twice = [("host", "localhost"), ("host", "evil.example")];
        assert!(
            browsers(false)
                .0
                .judge(&request("GET", "/", &twice))
                .is_err()
        );
        let absolute = request(
            "GET",
            "http://evil.example/api/v3/flows/x",
            &[("host", "localhost")],
        );
        assert!(browsers(false).0.judge(&absolute).is_err());
        assert!(browsers(false).0.judge(&request("GET", "/", &[])).is_ok());
    }

    #[test]
    fn pages_of_other_sites_change_nothing() {
        let host = ("host", "localhost:4200");
        for (headers, may) in [
            (vec![host], true),
            (vec![host, ("origin", "http://localhost:4200")], true),
            (vec![("host", "h"), ("origin", "https://h:443")], true),
            (
                vec![
                    host,
                    ("origin", "https://ui.example.com"),
                    ("sec-fetch-site", "cross-site"),
                ],
                true,
            ),
            (vec![host, ("sec-fetch-site", "same-origin")], true),
            (vec![host, ("sec-fetch-site", "none")], true),
            (vec![host, ("origin", "http://localhost:4201")], false),
            (vec![host, ("origin", "http://evil.example")], false),
            (vec![host, ("origin", "null")], false),
            (vec![host, ("origin", "")], false),
            (
                vec![
                    host,
                    ("origin", "http://evil.example"),
                    ("sec-fetch-site", "same-origin"),
                ],
                false,
            ),
            (vec![host, ("sec-fetch-site", "cross-site")], false),
            (vec![host, ("sec-fetch-site", "same-site")], false),
        ] {
            for key in [true, false] {
                for (method, may) in [
                    ("POST", may),
                    ("DELETE", may),
                    ("PATCH", may),
                    ("GET", true),
                ] {
                    let asked = request(method, "/api/orion/flows/", &headers);
                    let found = browsers(key).0.judge(&asked);
                    assert_eq!(found.is_ok(), may, "{method} {headers:?}: {found:?}");
                }
            }
        }
    }

    #[test]
    fn a_body_is_json_or_says_nothing() {
        for (kind, is_json) in [
            ("application/json", true),
            ("Application/JSON; charset=utf-8", true),
            ("application/merge-patch+json", true),
            ("text/plain", false),
            ("text/plain; application/json", false),
            ("application/x-www-form-urlencoded", false),
            ("multipart/form-data; boundary=x", false),
            ("application/+json", false),
            ("", false),
        ] {
            let asked = request("POST", "/api/v3/flows/", &[("content-type", kind)]);
            assert_eq!(browsers(true).0.judge(&asked).is_ok(), is_json, "{kind}");
        }
        let twice = [
            ("content-type", "application/json"),
            ("content-type", "text/plain"),
        ];
        assert!(
            browsers(true)
                .0
                .judge(&request("POST", "/api/v3/flows/", &twice))
                .is_err()
        );
    }
}
