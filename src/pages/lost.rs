//! What a browser is answered that asks for a page that is not there.

use askama::Template;
use axum::extract::{FromRequestParts, Request};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::answer::{Failed, page};
use super::show::{Html, text};
use super::visitor::{Frame, Visitor};
use crate::api::{Ctx, body};

/// How much of the address is repeated, in characters.
const LONGEST: usize = 120;

#[derive(Template)]
#[template(path = "lost.html")]
struct LostPage {
    frame: Frame,
    path: Html,
    last: Html,
}

/// Says so, and where to look instead.
pub fn lost(request: Request, ctx: Ctx) -> BoxFuture<'static, Response> {
    async move {
        let (mut parts, content) = request.into_parts();
        let Ok(visitor) = Visitor::from_request_parts(&mut parts, &ctx).await;
        body::leave(Request::from_parts(parts, content));
        let shown = |text_of: &str| -> Html {
            let cut: String = text_of.chars().take(LONGEST).collect();
            text(&cut)
        };
        let path = visitor.uri.path().to_owned();
        let last = path.rsplit('/').find(|part| !part.is_empty());
        let frame = visitor.frame(&ctx, "", "Not found").await;
        let answered = frame.map_err(Failed::from).and_then(|frame| {
            let told = LostPage {
                frame,
                last: shown(last.unwrap_or_default()),
                path: shown(&path),
            };
            page(StatusCode::NOT_FOUND, &told)
        });
        answered.into_response()
    }
    .boxed()
}
