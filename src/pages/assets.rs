//! The style sheet and the module, under names that change with what they are.

use std::sync::LazyLock;

use axum::http::header;
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};

use crate::api::{Need, Operation};

const STYLE: &str = include_str!("assets/style.css");
const MODULE: &str = include_str!("assets/module.js");

static STYLE_PATH: LazyLock<String> = LazyLock::new(|| path("style", "css", STYLE));
static MODULE_PATH: LazyLock<String> = LazyLock::new(|| path("module", "js", MODULE));

/// The address of the style sheet.
pub fn style() -> &'static str {
    &STYLE_PATH
}

/// The address of the module.
pub fn module() -> &'static str {
    &MODULE_PATH
}

fn path(name: &str, end: &str, content: &str) -> String {
    let sum = Sha256::digest(content);
    let sum = sum.iter().take(6);
    let sum: String = sum.map(|byte| format!("{byte:02x}")).collect();
    format!("/assets/{name}-{sum}.{end}")
}

/// What there is to ask.
pub fn operations() -> Vec<Operation> {
    let style = || async { asset("text/css; charset=utf-8", STYLE) };
    let module = || async { asset("text/javascript; charset=utf-8", MODULE) };
    vec![
        Operation::get(&STYLE_PATH, "The pages' style sheet").needs(Need::Open, style),
        Operation::get(&MODULE_PATH, "The pages' module").needs(Need::Open, module),
    ]
}

fn asset(kind: &'static str, content: &'static str) -> Response {
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
    ];
    (headers, content).into_response()
}
