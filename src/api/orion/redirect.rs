//! What answers where no route does.

use axum::extract::Request;
use axum::http::{Extensions, HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};

use super::super::dialect::{AskedUri, ORION, within};

/// Collections, whose own paths end in a slash.
const COLLECTIONS: &[&str] = &[
    "flows",
    "deployments",
    "flow_runs",
    "task_runs",
    "flow_run_states",
    "task_run_states",
    "logs",
    "saved_searches",
];

/// Sends a path that lacks its final slash, or has one too many, to the right one, as the
/// 2.0a7 server does. None for anything else, and outside of this dialect.
pub fn mended(uri: &Uri, headers: &HeaderMap, more: &Extensions) -> Option<Response> {
    let path = uri.path().strip_prefix(ORION)?;
    let toggled = toggled(path)?;
    let asked = more.get::<AskedUri>();
    let asked = asked.map_or(uri, |AskedUri(asked)| asked);
    let base = asked.path().strip_suffix(path).unwrap_or_default();
    let query = asked.query().map(|query| format!("?{query}"));
    let query = query.unwrap_or_default();
    let host = headers.get(header::HOST);
    let host = host.and_then(|host| host.to_str().ok()).unwrap_or_default();
    let to = match host {
        "" => format!("{base}{toggled}{query}"),
        host => format!("http://{host}{base}{toggled}{query}"),
    };
    Some((StatusCode::TEMPORARY_REDIRECT, [(header::LOCATION, to)]).into_response())
}

/// Whether a path is sent on by [`mended`].
pub fn is_mended(path: &str) -> bool {
    path.strip_prefix(ORION).and_then(toggled).is_some()
}

/// The path with its final slash added or taken away, when that path is a route.
fn toggled(path: &str) -> Option<String> {
    // All slashes at the end go at once.
    let bare = path.trim_end_matches('/');
    let is_collection = bare
        .strip_prefix('/')
        .is_some_and(|name| COLLECTIONS.contains(&name));
    match (path.ends_with('/'), is_collection) {
        (false, true) => Some(format!("{path}/")),
        (true, false) if is_item(bare) => Some(bare.to_owned()),
        _ => None,
    }
}

/// True for the paths below collections and for the other routes without a final slash.
fn is_item(bare: &str) -> bool {
    let parts: Vec<_> = bare.split('/').skip(1).collect();
    match parts.as_slice() {
        ["admin", "hello" | "version" | "settings"]
        | ["admin", "database", "clear" | "drop" | "create"]
        | ["data", "persist" | "retrieve"] => true,
        [noun, rest @ ..] => COLLECTIONS.contains(noun) && (1..=3).contains(&rest.len()),
        [] => false,
    }
}

/// A method that no route knows.
pub const NO_HEAD: Method = Method::TRACE;

/// That server's routes for GET do not answer HEAD, so here it becomes [`NO_HEAD`].
pub fn without_head(mut request: Request) -> Request {
    if request.method() == Method::HEAD && within(request.uri().path(), ORION) {
        *request.method_mut() = NO_HEAD;
    }
    request
}

#[cfg(test)]
mod tests {
    use super::toggled;

    #[test]
    fn slashes_are_mended_both_ways_and_only_where_a_route_is() {
        assert_eq!(toggled("/flows").as_deref(), Some("/flows/"));
        assert_eq!(toggled("/flows/filter/").as_deref(), Some("/flows/filter"));
        assert_eq!(toggled("/flows/"), None);
        assert_eq!(toggled("/nothing"), None);
        assert_eq!(toggled("/nothing/"), None);
        assert_eq!(toggled("/"), None);
    }
}
