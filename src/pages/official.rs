//! Prefect's own UI, where the operator has installed it: static files that ask the API, as their
//! own server serves them. Addresses that are no file are its router's, and answered by its first
//! page.

use std::io::ErrorKind;
use std::path::PathBuf;

use askama::Template;
use axum::extract::State;
use axum::http::{StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::answer::{Answer, moved, page};
use super::place::OFFICIAL;
use super::visitor::{Frame, Visitor};
use crate::api::{Bundle, Ctx, Need, Operation};
use crate::domain::error::{Error, Result};

/// What stands in its files for the path that it is served below.
const BASE: &str = "/PREFECT_UI_SERVE_BASE_REPLACE_PLACEHOLDER";
/// Where its files have the key of a service elsewhere that counts who looks at what; without it
/// they do not ask for that, which [`POLICY`] would refuse. What stands before it.
const COUNTING: &str = "return`";
/// How long that key is, in hexadecimal digits.
const KEY: usize = 32;
/// What of it is text that may name that path.
const TEXTS: &[&str] = &["html", "js", "css", "json", "txt", "webmanifest"];
/// The longest path that is looked for, in bytes.
const LONGEST: usize = 300;
/// What it may do: it sets styles by script, makes the checks of its forms out of schemas, and asks
/// nobody but us.
const POLICY: &str = "default-src 'self'; script-src 'self' 'unsafe-eval'; style-src 'self' \
                      'unsafe-inline'; img-src 'self' data: \
                      blob:; font-src 'self' data:; connect-src 'self'; worker-src 'self' blob:; \
                      base-uri 'none'; object-src 'none'; frame-ancestors 'none'";

/// What there is to ask. What it shows is asked for by the API.
pub fn operations() -> Vec<Operation> {
    let (file, begin) = (
        "Serves a file of Prefect's own UI",
        "Begins Prefect's own UI",
    );
    let tells = "Tells Prefect's own UI where the API is";
    let mut all = vec![
        Operation::get("/ui", "Leads to Prefect's own UI").needs(Need::Inspect, to_it),
        Operation::get("/ui/", begin).needs(Need::Inspect, begins),
        Operation::get("/ui/{*path}", begin).needs(Need::Inspect, begins),
        Operation::get("/ui-settings", tells).needs(Need::Inspect, settings),
        Operation::get("/ui/ui-settings", tells).needs(Need::Inspect, settings),
        Operation::get("/favicon.ico", file).needs(Need::Inspect, icon),
        Operation::get("/favicon-dark.ico", file).needs(Need::Inspect, icon),
    ];
    let folders = [
        "/ui/assets/{*path}",
        "/ui/ico/{*path}",
        "/ui/v2/assets/{*path}",
        "/ui/v2/ico/{*path}",
        "/ui/v2/fonts/{*path}",
    ];
    all.extend(folders.map(|path| Operation::get(path, file).needs(Need::Inspect, asset)));
    all
}

async fn to_it() -> Answer {
    Ok(moved("/ui/"))
}

/// The two that there may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Version {
    V1,
    V2,
}

impl Version {
    fn folder(self) -> &'static str {
        match self {
            Self::V1 => "v1",
            Self::V2 => "v2",
        }
    }

    fn other(self) -> Self {
        match self {
            Self::V1 => Self::V2,
            Self::V2 => Self::V1,
        }
    }

    /// The path below which it is; nothing for `/`.
    fn base(self, bundle: &Bundle) -> String {
        let above = match bundle.is_at_root {
            true => "",
            false => OFFICIAL,
        };
        match self {
            Self::V1 => above.to_owned(),
            Self::V2 => format!("{above}/v2"),
        }
    }

    async fn is_there(self, bundle: &Bundle) -> bool {
        let page = bundle.folder.join(self.folder()).join("index.html");
        tokio::fs::try_exists(page).await.unwrap_or(false)
    }
}

/// Whether there is one to be looked at.
pub async fn is_there(bundle: &Bundle) -> bool {
    Version::V1.is_there(bundle).await || Version::V2.is_there(bundle).await
}

/// The version that an address is of, and the path in its folder.
fn within(path: &str) -> (Version, &str) {
    let inside = path.strip_prefix(OFFICIAL).unwrap_or(path);
    let inside = inside.trim_start_matches('/');
    match inside.strip_prefix("v2") {
        Some("") => (Version::V2, ""),
        Some(rest) if rest.starts_with('/') => (Version::V2, rest.trim_start_matches('/')),
        _ => (Version::V1, inside),
    }
}

/// Whether a path has only names such as the files have, and so leads nowhere else.
fn is_plain(path: &str) -> bool {
    let is_fit = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    let is_name =
        |name: &str| !name.is_empty() && !name.starts_with('.') && name.chars().all(is_fit);
    path.len() <= LONGEST && path.split('/').all(is_name)
}

fn kind_of(path: &str) -> &'static str {
    match path.rsplit('.').next().unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" => "application/json",
        "webmanifest" => "application/manifest+json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "ttf" => "font/ttf",
        "woff2" => "font/woff2",
        "txt" => "text/plain; charset=utf-8",
        "xml" => "text/xml; charset=utf-8",
        _ => "application/octet-stream",
    }
}

/// A file of one version, for its base; `None` where there is none of that name.
async fn read(bundle: &Bundle, version: Version, path: &str) -> Result<Option<Vec<u8>>> {
    if !is_plain(path) {
        return Ok(None);
    }
    let place: PathBuf = bundle.folder.join(version.folder()).join(path);
    let content = match tokio::fs::read(&place).await {
        Ok(content) => content,
        Err(error)
            if matches!(
                error.kind(),
                ErrorKind::NotFound | ErrorKind::IsADirectory | ErrorKind::NotADirectory
            ) =>
        {
            return Ok(None);
        }
        Err(error) => {
            return Err(Error::internal(format_args!(
                "{}: {error}",
                place.display()
            )));
        }
    };
    let end = path.rsplit('.').next().unwrap_or_default();
    if !TEXTS.contains(&end) {
        return Ok(Some(content));
    }
    let base = version.base(bundle);
    Ok(Some(match String::from_utf8(content) {
        Ok(text) => adapted(&text, &base).into_bytes(),
        Err(other) => other.into_bytes(),
    }))
}

/// A file's text for its base; its key of a service that counts who looks at what is none here.
fn adapted(text: &str, base: &str) -> String {
    let mut text = text.replace(BASE, base);
    let is_key = |at: &usize| {
        let (key, end) = (text.get(*at..at + KEY), text.get(at + KEY..at + KEY + 1));
        let is_hex = |key: &str| key.bytes().all(|byte| byte.is_ascii_hexdigit());
        key.is_some_and(is_hex) && end == Some("`")
    };
    let places = text.match_indices(COUNTING);
    let found = places.map(|(at, it)| at + it.len()).find(is_key);
    if let Some(at) = found {
        text.replace_range(at..at + KEY, "");
    }
    text
}

fn served(path: &str, content: Vec<u8>) -> Response {
    // What is in `assets` has another name whenever it is another.
    let kept = match path.starts_with("assets/") {
        true => "public, max-age=31536000, immutable",
        false => "no-cache",
    };
    let headers = [
        (header::CONTENT_TYPE, kind_of(path)),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "same-origin"),
        (header::CACHE_CONTROL, kept),
    ];
    (headers, content).into_response()
}

async fn asset(State(ctx): State<Ctx>, uri: Uri) -> Answer {
    let (version, path) = within(uri.path());
    match read(&ctx.bundle, version, path).await? {
        Some(content) => Ok(served(path, content)),
        None => Ok(StatusCode::NOT_FOUND.into_response()),
    }
}

/// A small picture of it, which its pages look for beside where they are, and browsers by
/// themselves.
async fn icon(State(ctx): State<Ctx>, uri: Uri) -> Answer {
    let path = format!("ico{}", uri.path());
    for version in [Version::V2, Version::V1] {
        if let Some(content) = read(&ctx.bundle, version, &path).await? {
            return Ok(served(&path, content));
        }
    }
    Ok(StatusCode::NOT_FOUND.into_response())
}

#[derive(Template)]
#[template(path = "no_ui.html")]
struct NoUi {
    frame: Frame,
}

async fn begins(State(ctx): State<Ctx>, visitor: Visitor) -> Answer {
    let (version, path) = within(visitor.uri.path());
    if let Some(content) = read(&ctx.bundle, version, path).await? {
        return Ok(served(path, content));
    }
    if let Some(content) = read(&ctx.bundle, version, "index.html").await? {
        return Ok(served("index.html", content));
    }
    let other = version.other();
    if other.is_there(&ctx.bundle).await {
        let place = format!("{}/{path}", other.base(&ctx.bundle));
        let led = [(header::LOCATION, place)];
        return Ok((StatusCode::SEE_OTHER, led).into_response());
    }
    let frame = visitor.frame(&ctx, "daemon", "Prefect's own UI").await?;
    page(StatusCode::NOT_FOUND, &NoUi { frame })
}

/// What the bundle asks before all else. A browser with a session needs to send nothing more.
async fn settings(State(ctx): State<Ctx>, visitor: Visitor) -> Answer {
    let bundle = &ctx.bundle;
    let mut there = Vec::new();
    let mut base_of = |version: Version, is_there: bool| {
        let base = version.base(bundle);
        let base = match base.is_empty() {
            true => "/".to_owned(),
            false => base,
        };
        is_there
            .then(|| there.push(version.folder()))
            .map(|()| base)
    };
    let v1 = base_of(Version::V1, Version::V1.is_there(bundle).await);
    let v2 = base_of(Version::V2, Version::V2.is_there(bundle).await);
    let auth = (ctx.gate.needs_key() && !visitor.is_known(&ctx)).then_some("BASIC");
    let told = json!({
        "api_url": "/api",
        "csrf_enabled": false,
        "auth": auth,
        "flags": [],
        "default_ui": there.first().copied().unwrap_or("v1"),
        "available_uis": there,
        "v1_base_url": v1,
        "v2_base_url": v2,
    });
    Ok(([(header::CACHE_CONTROL, "no-store")], axum::Json(told)).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_for_their_base_and_count_nobody() {
        let key = "0123456789abcdef0123456789abcdef";
        let text = format!("base=`{BASE}/v2`;function f(){{return`{key}`}}");
        assert_eq!(
            adapted(&text, "/ui"),
            "base=`/ui/v2`;function f(){return``}"
        );
        let other = format!("hash=`{key}`");
        assert_eq!(adapted(&other, ""), other);
    }

    #[test]
    fn addresses_are_of_a_version_and_lead_nowhere_else() {
        for (address, version, path) in [
            ("/ui/", Version::V1, ""),
            ("/ui/runs", Version::V1, "runs"),
            ("/ui/assets/a.js", Version::V1, "assets/a.js"),
            ("/ui/v2", Version::V2, ""),
            ("/ui/v2/assets/a.js", Version::V2, "assets/a.js"),
            ("/ui/v2x", Version::V1, "v2x"),
        ] {
            assert_eq!(within(address), (version, path), "{address}");
        }
        for wild in ["", "..", "a/../b", "a//b", ".git/x", "a%2fb", "a\\b", "a/"] {
            assert!(!is_plain(wild), "{wild}");
        }
        assert!(is_plain("assets/index-Bny_92F-.js"));
    }
}
