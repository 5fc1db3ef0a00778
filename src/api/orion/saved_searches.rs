//! Routes of saved searches.

use axum::extract::State;

use super::super::Ctx;
use super::request_reader::RequestReader;
use super::shapes::like;
use super::wire::{self, SavedSearchOut};
use super::{Answer, created, no_content, ok};
use crate::api::Operation;
use crate::api::access::Requester;
use crate::domain::access::Need;
use crate::domain::ids::SavedSearchId;

/// What there is to request.
pub fn operations() -> Vec<Operation> {
    vec![
        Operation::put("/saved_searches/", "Saves a search under its name")
            .asks_like(like("name: string, filters?: object"))
            .makes::<SavedSearchOut>()
            .needs(Need::Operate, save),
        Operation::post("/saved_searches/filter", "Lists saved searches")
            .asks_like(like("limit?: integer, offset?: integer"))
            .lists::<SavedSearchOut>()
            .needs(Need::Read, filter),
        Operation::get("/saved_searches/{id}", "Reads a saved search")
            .answers::<SavedSearchOut>()
            .needs(Need::Read, read),
        Operation::delete("/saved_searches/{id}", "Deletes a saved search")
            .is_silent()
            .needs(Need::Operate, delete),
    ]
}

pub async fn save(State(ctx): State<Ctx>, who: Requester, mut request: RequestReader) -> Answer {
    let asked = request.body(wire::new_saved_search);
    let (name, filters) = request.done(asked)?;
    let saved = ctx.app.save_search(name, filters.into()).await?;
    created(&who, &saved, SavedSearchOut::from(saved.get())).await
}

pub async fn read(State(ctx): State<Ctx>, who: Requester, mut request: RequestReader) -> Answer {
    let id = request.id(SavedSearchId::from_uuid);
    let search = ctx.app.saved_search(request.done(id)?).await?;
    ok(&who, SavedSearchOut::from(&search)).await
}

pub async fn filter(State(ctx): State<Ctx>, who: Requester, mut request: RequestReader) -> Answer {
    let page = request.embedded(wire::page);
    let found = ctx.app.saved_searches(request.done(page)?).await?;
    ok(
        &who,
        found.iter().map(SavedSearchOut::from).collect::<Vec<_>>(),
    )
    .await
}

pub async fn delete(State(ctx): State<Ctx>, mut request: RequestReader) -> Answer {
    let id = request.id(SavedSearchId::from_uuid);
    ctx.app.delete_saved_search(request.done(id)?).await?;
    no_content()
}
