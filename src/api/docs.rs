//! The API's description: `/openapi.json`, and `/docs`, a page that shows it with nothing from
//! elsewhere.

use std::sync::{Arc, OnceLock};

use axum::body::Bytes;
use axum::http::header;
use axum::response::Html;

use super::openapi::document;
use super::operation::{Operation, Routes};
use crate::domain::access::Need;

const PAGE: &str = include_str!("docs.html");

/// The description of all dialects, made when it is first asked for, and the page.
pub fn operations(dialects: &Arc<[Routes]>) -> Vec<Operation> {
    let made: Arc<OnceLock<Bytes>> = Arc::default();
    let dialects = Arc::clone(dialects);
    let json = move || {
        let json = made.get_or_init(|| text(&dialects).into()).clone();
        std::future::ready(([(header::CONTENT_TYPE, "application/json")], json))
    };
    let page = || async { Html(PAGE) };
    let (describes, shows) = ("Describes the API", "Shows the description");
    let mut all = vec![
        Operation::get("/openapi.json", describes).needs(Need::Inspect, json.clone()),
        Operation::get("/docs", shows).needs(Need::Inspect, page),
        Operation::get("/redoc", shows).needs(Need::Operate, page),
    ];
    // Below /api as well, as the reference has them; that is either dialect's prefix here.
    for [document, docs, redoc] in BELOW {
        all.push(Operation::get(document, describes).needs(Need::Operate, json.clone()));
        all.push(Operation::get(docs, shows).needs(Need::Operate, page));
        all.push(Operation::get(redoc, shows).needs(Need::Operate, page));
    }
    all
}

const BELOW: [[&str; 3]; 2] = [
    [
        "/api/orion/openapi.json",
        "/api/orion/docs",
        "/api/orion/redoc",
    ],
    ["/api/v3/openapi.json", "/api/v3/docs", "/api/v3/redoc"],
];

fn text(dialects: &[Routes]) -> String {
    let mut all = dialects.iter().map(document);
    let Some(mut document) = all.next() else {
        return String::new();
    };
    document.info.description = Some(
        "The control plane of Prefect. Below /api/orion is the dialect of Prefect 2.0a7, below \
         /api/v3 the modern one; below /api alone the caller's version or user agent decides."
            .to_owned(),
    );
    for other in all {
        document.merge(other);
    }
    // Serializing maps of strings cannot fail; an empty document would be seen at once.
    document.to_json().unwrap_or_default()
}
