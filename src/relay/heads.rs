//! The heads of requests and answers, as each side is to see them.

use hyper::header::{
    CONNECTION, CONTENT_LENGTH, HeaderName, HeaderValue, TRANSFER_ENCODING, UPGRADE,
};
use hyper::http::request::Parts;
use hyper::{HeaderMap, Method, Response, Version};

use super::registry::Kept;
use super::spool::{Spool, Whole};
use super::{KEY, PEER};

/// How many bytes of body a request announces.
pub(super) fn announced(parts: &Parts) -> u64 {
    let length = parts.headers.get(CONTENT_LENGTH);
    length
        .and_then(|length| length.to_str().ok()?.parse().ok())
        .unwrap_or(0)
}

/// The request's head for the daemon's socket.
pub(super) fn addressed(
    mut parts: Parts,
    kept: &Kept,
    body: &Spool,
    is_upgrade: bool,
) -> Option<Parts> {
    let path = parts.uri.path_and_query()?.as_str().to_owned();
    parts.uri = path.parse().ok()?;
    parts.version = Version::HTTP_11;
    let has_body = parts.headers.contains_key(CONTENT_LENGTH) || body.length() > 0;
    if !is_upgrade {
        hop(&mut parts.headers);
    }
    let headers = &mut parts.headers;
    headers.remove(hyper::header::EXPECT);
    if has_body {
        headers.insert(CONTENT_LENGTH, body.length().into());
    }
    if !headers.contains_key(hyper::header::HOST) {
        headers.insert(hyper::header::HOST, HeaderValue::from_static("prefectd"));
    }
    let came = HeaderValue::from_str(&kept.came.to_string()).ok()?;
    headers.insert(HeaderName::from_static(PEER), came);
    let key = HeaderName::from_static(KEY);
    if parts.method != Method::GET && !headers.contains_key(&key) {
        let own = HeaderValue::from_str(&kept.journal.key().to_string()).ok()?;
        headers.insert(key, own);
    }
    Some(parts)
}

/// A path as it may be told: without the key of a run that there may be in it.
pub(super) fn told(path: &str) -> &str {
    let keyed = path.strip_prefix("/run/");
    keyed.map_or(path, |rest| {
        rest.find('/')
            .and_then(|at| rest.get(at..))
            .unwrap_or("/run")
    })
}

/// Takes out what concerns one connection only.
fn hop(headers: &mut HeaderMap) {
    headers.remove(CONNECTION);
    headers.remove(TRANSFER_ENCODING);
    headers.remove(UPGRADE);
}

/// The daemon's answer for the client.
pub(super) fn handed_on(mut answer: Response<Whole>) -> Response<Whole> {
    hop(answer.headers_mut());
    answer
}

#[cfg(test)]
mod tests {
    use super::told;

    #[test]
    fn no_key_is_told() {
        for (path, shown) in [
            ("/run/k/api/flows/", "/api/flows/"),
            ("/run/k", "/run"),
            ("/runs/k", "/runs/k"),
            ("/api/run/k", "/api/run/k"),
        ] {
            assert_eq!(told(path), shown);
        }
    }
}
