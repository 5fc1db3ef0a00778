//! Addresses with a run's key in them: `/run/<key>/api/…` is `/api/…`, asked by that run.
//!
//! The key is taken out before anything else looks at the path, so that nothing that tells of
//! requests tells it.

use axum::body::Bytes;
use axum::http::{Request, Uri};

use super::Caller;
use super::dialect::{AskedUri, within};
use crate::domain::access::RunKeyDigest;
use crate::domain::access::run_key::parted;

/// Where the API is.
const API: &str = "/api";
/// What is asked at an address with a key that is not the API's: nothing is there.
const NOWHERE: &str = "/run";

/// Takes the key out of the path, and has the caller known by it.
pub fn taken_out<B>(mut request: Request<B>) -> Request<B> {
    let Some((uri, key)) = without_key(request.uri()) else {
        return request;
    };
    let asked = std::mem::replace(request.uri_mut(), uri);
    let more = request.extensions_mut();
    let caller = more.get::<Caller>().cloned();
    more.insert(caller.unwrap_or_else(Caller::nobody).keyed(key));
    more.insert(AskedUri(asked));
    request
}

fn without_key(uri: &Uri) -> Option<(Uri, RunKeyDigest)> {
    let (rest, key) = parted(uri.path_and_query()?.as_str())?;
    let path = rest.split('?').next().unwrap_or_default();
    let rest = if within(path, API) { rest } else { NOWHERE };
    let uri = Uri::from_maybe_shared(Bytes::copy_from_slice(rest.as_bytes()));
    Some((
        uri.unwrap_or_else(|_| Uri::from_static(NOWHERE)),
        RunKeyDigest::of(key),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(path: &str) -> (String, Option<RunKeyDigest>) {
        let request = Request::builder().uri(path).body(()).unwrap();
        let request = taken_out(request);
        let caller = request.extensions().get::<Caller>();
        (request.uri().to_string(), caller.and_then(Caller::key))
    }

    #[test]
    fn the_key_goes_from_the_path_to_the_caller() {
        let key = Some(RunKeyDigest::of("k"));
        for (path, rest) in [
            ("/run/k/api/flows/?a=1", "/api/flows/?a=1"),
            ("/run/k/api", "/api"),
            ("/run/k/api?a=1", "/api?a=1"),
            ("/run/k/apis", "/run"),
            ("/run/k/metrics", "/run"),
            ("/run/k//api/", "/run"),
            ("/run/k", "/run"),
        ] {
            assert_eq!(asked(path), (rest.to_owned(), key), "{path}");
        }
        let other = Some(RunKeyDigest::of(""));
        assert_eq!(asked("/run//api/x"), ("/api/x".to_owned(), other));
        for path in ["/runs/flow-run/k", "/api/flows/", "/run"] {
            assert_eq!(asked(path), (path.to_owned(), None), "{path}");
        }
    }
}
