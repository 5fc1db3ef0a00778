//! Where pages are: at `/`, or below `/prefectd` where the operator has Prefect's own UI there.
//!
//! Pages know only the one place: a request that is for the other is led to where it is answered,
//! and the addresses in what pages say are moved. In a page an address of ours is what follows
//! `href="` and its like; a quote that somebody wrote is never one there.

use std::sync::atomic::{AtomicBool, Ordering};

use axum::body::Bytes;
use axum::extract::Request;
use axum::http::{Method, Uri};

/// Where pages are, if not at `/`.
const BELOW: &str = "/prefectd";
/// Where Prefect's own UI is, if not at `/`.
pub const OFFICIAL: &str = "/ui";
/// What is at its place wherever pages are.
const FIXED: &[&str] = &[
    "/api",
    "/login",
    "/metrics",
    "/docs",
    "/redoc",
    "/openapi.json",
];
/// What an address stands behind.
const BEFORE: &[&str] = &["href=\"", "action=\"", "data-stream=\""];

/// Fixed when the daemon starts.
static IS_BELOW: AtomicBool = AtomicBool::new(false);

/// Says where pages are.
pub fn settle(is_below: bool) {
    IS_BELOW.store(is_below, Ordering::Relaxed);
}

fn is_below() -> bool {
    IS_BELOW.load(Ordering::Relaxed)
}

/// The request at the place where it is answered. `is_below` says that pages are not at `/`.
pub fn placed(mut request: Request, is_below: bool) -> Request {
    if is_below && let Some(placed) = found(request.method(), request.uri()) {
        *request.uri_mut() = placed;
    }
    request
}

fn within(path: &str, prefix: &str) -> bool {
    path.strip_prefix(prefix)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn found(method: &Method, uri: &Uri) -> Option<Uri> {
    let path = uri.path();
    let whole = uri.path_and_query()?.as_str();
    let placed = if within(path, BELOW) {
        match whole.strip_prefix(BELOW)? {
            rest if rest.starts_with('/') => rest.to_owned(),
            rest => format!("/{rest}"),
        }
    } else {
        let is_fixed = FIXED.iter().any(|fixed| within(path, fixed))
            || [super::assets::style(), super::assets::module()].contains(&path);
        if is_fixed || !matches!(*method, Method::GET | Method::HEAD) {
            return None;
        }
        format!("{OFFICIAL}{whole}")
    };
    Uri::from_maybe_shared(Bytes::from(placed)).ok()
}

/// The address at which a browser finds what is at `place`.
pub fn address(place: &str) -> String {
    if is_below() && within(place, OFFICIAL) {
        let inside = place.strip_prefix(OFFICIAL).unwrap_or_default();
        return format!("/{}", inside.trim_start_matches('/'));
    }
    let is_moved = is_below() && !FIXED.iter().any(|fixed| within(place, fixed));
    match is_moved {
        true => format!("{BELOW}{place}"),
        false => place.to_owned(),
    }
}

/// The same of all addresses in a page.
pub fn addressed(html: String) -> String {
    match is_below() {
        true => moved(&html),
        false => html,
    }
}

fn moved(html: &str) -> String {
    let mut html = html.to_owned();
    for before in BEFORE {
        html = html.replace(&format!("{before}/"), &format!("{before}{BELOW}/"));
        html = html.replace(&format!("{before}{BELOW}/api/"), &format!("{before}/api/"));
    }
    html
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_request_is_led_to_its_place() {
        let post = Method::POST;
        for (method, asked, placed) in [
            (Method::GET, "/", Some("/ui/")),
            (
                Method::GET,
                "/runs/flow-run/1?tab=x",
                Some("/ui/runs/flow-run/1?tab=x"),
            ),
            (Method::GET, "/prefectd", Some("/")),
            (Method::GET, "/prefectd?a=1", Some("/?a=1")),
            (Method::GET, "/prefectd/runs?q=%2F", Some("/runs?q=%2F")),
            (Method::GET, "/prefectdish", Some("/ui/prefectdish")),
            (post.clone(), "/prefectd/runs/bulk", Some("/runs/bulk")),
            (post.clone(), "/runs/bulk", None),
            (post, "/api/flows/", None),
            (Method::GET, "/api/health", None),
            (Method::GET, "/login?next=%2F", None),
            (Method::GET, super::super::assets::style(), None),
            (Method::GET, "/assets/index.js", Some("/ui/assets/index.js")),
        ] {
            let found = found(&method, &asked.parse().unwrap());
            assert_eq!(
                found.map(|uri| uri.to_string()).as_deref(),
                placed,
                "{asked}"
            );
        }
    }

    #[test]
    fn addresses_of_ours_are_moved_and_nothing_else() {
        let page = r##"<a href="/runs">/runs</a><a href="/api/v3/x"><form action="/x"><a href="#a">
            <a href="https://h/">&quot;href=&quot;/no"##;
        let expected = r##"<a href="/prefectd/runs">/runs</a><a href="/api/v3/x"><form action="/prefectd/x"><a href="#a">
            <a href="https://h/">&quot;href=&quot;/no"##;
        assert_eq!(moved(page), expected);
    }
}
