//! Routes of saved searches.

use axum::extract::State;

use super::super::Ctx;
use super::ask::Ask;
use super::wire::{self, SavedSearchOut};
use super::{Answer, created, no_content, ok};
use crate::domain::ids::SavedSearchId;

pub async fn save(State(ctx): State<Ctx>, mut ask: Ask) -> Answer {
    let asked = ask.body(wire::new_saved_search);
    let (name, filters) = ask.done(asked)?;
    let saved = ctx.app.save_search(name, filters).await?;
    created(&saved, SavedSearchOut::from(saved.get()))
}

pub async fn read(State(ctx): State<Ctx>, mut ask: Ask) -> Answer {
    let id = ask.id(SavedSearchId::from_uuid);
    let search = ctx.app.saved_search(ask.done(id)?).await?;
    ok(SavedSearchOut::from(&search))
}

pub async fn filter(State(ctx): State<Ctx>, mut ask: Ask) -> Answer {
    let page = ask.embedded(wire::page);
    let found = ctx.app.saved_searches(ask.done(page)?).await?;
    ok(found.iter().map(SavedSearchOut::from).collect::<Vec<_>>())
}

pub async fn delete(State(ctx): State<Ctx>, mut ask: Ask) -> Answer {
    let id = ask.id(SavedSearchId::from_uuid);
    ctx.app.delete_saved_search(ask.done(id)?).await?;
    no_content()
}
