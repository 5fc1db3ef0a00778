//! Signing in and out, where a key is set.

use askama::Template;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;

use super::answer::{Answer, page, to};
use super::assets;
use super::form::Form;
use super::show::{Html, text};
use super::visitor::Visitor;
use crate::api::access::Gate;
use crate::api::{Ctx, Need, Operation};
use crate::domain::error::Error;
use crate::domain::time::Span;

const DAY: i64 = 24 * 3600 * 1_000_000;
/// Of a session that ends with the browser, at the latest.
const SHORT: Span = Span::from_micros(DAY);
/// Of one that is to be kept.
const LONG: Span = Span::from_micros(30 * DAY);

/// What there is to ask.
pub fn operations() -> Vec<Operation> {
    vec![
        Operation::get("/login", "Asks for the key").needs(Need::Open, ask),
        Operation::post("/login", "Takes the key").needs(Need::Open, take),
        Operation::post("/logout", "Ends the session").needs(Need::Inspect, leave),
    ]
}

#[derive(Template)]
#[template(path = "login.html")]
struct LoginPage {
    style: &'static str,
    token: String,
    next: Html,
    is_wrong: bool,
    is_needed: bool,
}

impl LoginPage {
    fn new(ctx: &Ctx, visitor: &Visitor, next: &str) -> Result<Self, Error> {
        Ok(Self {
            style: assets::style(),
            token: visitor.form_token(ctx)?,
            next: text(inside(next)),
            is_wrong: false,
            is_needed: ctx.gate.needs_key(),
        })
    }
}

async fn ask(State(ctx): State<Ctx>, visitor: Visitor) -> Answer {
    let next = visitor.asked("next").unwrap_or_default();
    page(StatusCode::OK, &LoginPage::new(&ctx, &visitor, &next)?)
}

async fn take(State(ctx): State<Ctx>, form: Form) -> Answer {
    let next = form.value("next");
    if !ctx.gate.lets_in(form.value("key")).await {
        let asks = LoginPage::new(&ctx, &form.visitor, next)?;
        return page(
            StatusCode::UNAUTHORIZED,
            &LoginPage {
                is_wrong: true,
                ..asks
            },
        );
    }
    let is_kept = form.value("keep") == "1";
    let time = match is_kept {
        true => LONG,
        false => SHORT,
    };
    Ok(with_cookie(
        to(inside(next)),
        &ctx.gate.begin_session(time, is_kept)?,
    ))
}

async fn leave(_form: Form) -> Answer {
    Ok(with_cookie(to("/login"), &Gate::end_session()))
}

fn with_cookie(mut response: Response, cookie: &str) -> Response {
    if let Ok(cookie) = HeaderValue::from_str(cookie) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    response
}

/// An address of this daemon; anything else leads to the dashboard.
fn inside(next: &str) -> &str {
    let is_inside = next.starts_with('/') && !next.starts_with("//") && !next.contains('\\');
    match is_inside && next.bytes().all(|byte| byte.is_ascii_graphic()) {
        true => next,
        false => "/",
    }
}

#[cfg(test)]
mod tests {
    use super::inside;

    #[test]
    fn nobody_is_led_elsewhere() {
        for (next, led) in [
            ("/runs?state=failed", "/runs?state=failed"),
            ("//evil.example/", "/"),
            ("/\\evil.example/", "/"),
            ("https://evil.example/", "/"),
            ("/a\r\nset-cookie: x", "/"),
            ("", "/"),
        ] {
            assert_eq!(inside(next), led);
        }
    }
}
