//! Routes of events. They come and go by websockets as well: see [`crate::api::sockets`].

pub mod count;
pub mod filter;
mod page;
pub mod wire;

use axum::extract::{Request, State};
use axum::http::HeaderMap;

use super::error::{Fault, Refusal};
use super::extract::{Aimed, Body, in_query};
use super::{Answer, no_content, ok};
use crate::api::access::Requester;
use crate::api::{Ctx, Operation};
use crate::domain::access::Need;
use crate::domain::error::{Error, Kind};
use filter::EventQuery;
use page::Token;
use wire::{EventIn, EventPage};

/// What there is to ask.
pub fn operations() -> Vec<Operation> {
    vec![
        Operation::post("/events", "Keeps events")
            .asks_many::<EventIn>()
            .is_silent()
            .aims(create),
        Operation::post("/events/filter", "Finds events, a page at a time")
            .asks::<EventQuery>()
            .answers::<EventPage>()
            .needs(Need::Read, filter),
        Operation::get("/events/filter/next", "Reads the next page of events")
            .asks_query("page-token")
            .answers::<EventPage>()
            .needs(Need::Read, next),
        count::operation(),
    ]
}

pub async fn create(State(ctx): State<Ctx>, Aimed { asked, .. }: Aimed<Vec<EventIn>>) -> Answer {
    ctx.app.store_events(asked).await?;
    no_content()
}

pub async fn filter(
    State(ctx): State<Ctx>,
    who: Requester,
    headers: HeaderMap,
    Body(query): Body<EventQuery>,
) -> Answer {
    let token = Token::first(query, &ctx.app).await?;
    ok(&who, token.page(&ctx.app, &headers).await?).await
}

pub async fn next(State(ctx): State<Ctx>, who: Requester, request: Request) -> Answer {
    let (parts, _) = request.into_parts();
    let text = in_query(&parts.uri, "page-token").ok_or_else(|| {
        Refusal::at(Fault {
            loc: vec!["query".into(), "page-token".into()],
            message: "Field required".to_owned(),
            kind: "missing",
        })
    })?;
    // As the reference says it.
    let token = Token::read(&text);
    let token = token.ok_or_else(|| Error::new(Kind::Forbidden, "Forbidden"))?;
    ok(&who, token.page(&ctx.app, &parts.headers).await?).await
}
