//! Answers of pages: HTML that runs nothing but our module and asks nobody else for anything.

use askama::Template;
use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::place::{address, addressed};
use super::show::{Html, text};
use crate::api::error;
use crate::domain::error::{Error, Kind};

/// What a handler of a page answers.
pub type Answer = Result<Response, Failed>;

/// What a page may do. Nothing of it is `unsafe-inline`.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' \
                      data:; connect-src 'self'; form-action 'self'; base-uri 'none'; \
                      frame-ancestors 'none'";

/// A page.
///
/// # Errors
/// Where the template fails, which ours do not.
pub fn page(status: StatusCode, template: &impl Template) -> Answer {
    let html = template.render().map_err(Error::internal)?;
    Ok(with_headers(status, html))
}

/// The same for what was found.
///
/// # Errors
/// As [`page`].
pub fn ok(template: &impl Template) -> Answer {
    page(StatusCode::OK, template)
}

fn with_headers(status: StatusCode, html: String) -> Response {
    let mut response = Response::new(Body::from(addressed(html)));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "same-origin"),
        (header::CACHE_CONTROL, "no-store"),
        (
            HeaderName::from_static("cross-origin-opener-policy"),
            "same-origin",
        ),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

/// Leads a browser to a page after a form is done.
pub fn to(place: &str) -> Response {
    let place = HeaderValue::from_str(&address(place)).unwrap_or(HeaderValue::from_static("/"));
    (StatusCode::SEE_OTHER, [(header::LOCATION, place)]).into_response()
}

/// Leads to where a page is today.
pub fn moved(place: &str) -> Response {
    let place = HeaderValue::from_str(&address(place)).unwrap_or(HeaderValue::from_static("/"));
    (StatusCode::PERMANENT_REDIRECT, [(header::LOCATION, place)]).into_response()
}

/// A failure, told by a page.
#[derive(Debug)]
pub struct Failed(Error);

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Self(error)
    }
}

#[derive(Template)]
#[template(path = "failed.html")]
struct FailedPage {
    style: &'static str,
    title: &'static str,
    message: Html,
}

impl IntoResponse for Failed {
    fn into_response(self) -> Response {
        let Self(failure) = self;
        error::log(&failure);
        let status = error::status(failure.kind());
        let title = match failure.kind() {
            Kind::NotFound => "Not found",
            Kind::Forbidden => "Not permitted",
            Kind::Unavailable => "Not now",
            Kind::Internal => "Something went wrong",
            _ => "That cannot be done",
        };
        let shown = FailedPage {
            style: super::assets::style(),
            title,
            message: text(failure.message()),
        };
        match shown.render() {
            Ok(html) => with_headers(status, html),
            Err(_) => status.into_response(),
        }
    }
}
