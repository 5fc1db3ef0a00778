//! Routes of saved searches.

use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use super::extract::{Body, Id};
use super::wire::{Instant, or_default, page};
use super::{Answer, created, no_content, ok};
use crate::api::Ctx;
use crate::api::Operation;
use crate::api::access::Requester;
use crate::api::redaction::{Reader, Redact};
use crate::domain::access::Need;
use crate::domain::error::Error;
use crate::domain::ids::SavedSearchId;
use crate::domain::saved_search;

/// What there is to ask.
pub fn operations() -> Vec<Operation> {
    vec![
        Operation::put("/saved_searches/", "Saves a search under its name")
            .asks::<SavedSearchCreate>()
            .makes::<SavedSearch>()
            .needs(Need::Operate, save),
        Operation::post("/saved_searches/filter", "Lists saved searches")
            .asks::<SavedSearchQuery>()
            .lists::<SavedSearch>()
            .needs(Need::Read, filter),
        Operation::get("/saved_searches/{id}", "Reads a saved search")
            .answers::<SavedSearch>()
            .needs(Need::Read, read),
        Operation::delete("/saved_searches/{id}", "Deletes a saved search")
            .is_silent()
            .needs(Need::Operate, delete),
    ]
}

/// A saved search.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SavedSearch {
    id: Uuid,
    created: Instant,
    updated: Instant,
    name: String,
    filters: Vec<Value>,
}

impl From<saved_search::SavedSearch> for SavedSearch {
    fn from(search: saved_search::SavedSearch) -> Self {
        let saved_search::SavedSearch {
            id,
            created,
            updated,
            name,
            filters,
        } = search;
        Self {
            id: id.uuid(),
            created: created.into(),
            updated: updated.into(),
            name,
            // A search of the 2.0a7 generation has an object, of which this one has no word.
            filters: match filters {
                Value::Array(filters) => filters,
                _ => Vec::new(),
            },
        }
    }
}

impl Redact for SavedSearch {
    fn redact(&mut self, reader: &Reader<'_>) {
        let Self {
            id: _,
            created: _,
            updated: _,
            name,
            filters,
        } = self;
        let mask = reader.of_nobody();
        mask.over(name);
        for filter in filters {
            // The name of the value lies beside it.
            let property = filter["property"].as_str().unwrap_or_default().to_owned();
            if let Some(value) = filter.get_mut("value") {
                mask.over_member(&property, value);
            }
            mask.over(filter);
        }
    }
}

/// A part of a search.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct SearchFilter {
    /// Of what.
    object: String,
    /// What of it.
    property: String,
    /// What kind of value that is.
    #[serde(rename = "type")]
    kind: String,
    /// How it is compared.
    operation: String,
    /// With what.
    value: Value,
}

/// A search to be saved.
#[derive(Debug, Deserialize, ToSchema)]
pub struct SavedSearchCreate {
    /// Its name; what was saved under it is replaced.
    name: String,
    /// Its parts.
    #[serde(default)]
    filters: Vec<SearchFilter>,
}

/// Which part of the searches.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default)]
pub struct SavedSearchQuery {
    /// At most so many.
    limit: Option<i64>,
    /// After skipping so many.
    #[serde(deserialize_with = "or_default")]
    offset: u64,
}

pub async fn save(
    State(ctx): State<Ctx>,
    who: Requester,
    Body(SavedSearchCreate { name, filters }): Body<SavedSearchCreate>,
) -> Answer {
    let filters = serde_json::to_value(filters).map_err(Error::internal)?;
    let saved = ctx.app.save_search(name, filters).await?;
    created(&who, saved, SavedSearch::from).await
}

pub async fn read(State(ctx): State<Ctx>, who: Requester, Id(id): Id) -> Answer {
    let search = ctx.app.saved_search(SavedSearchId::from_uuid(id)).await?;
    ok(&who, SavedSearch::from(search)).await
}

pub async fn filter(
    State(ctx): State<Ctx>,
    who: Requester,
    Body(query): Body<SavedSearchQuery>,
) -> Answer {
    let page = page(query.limit, query.offset)?;
    let found = ctx.app.saved_searches(page).await?.into_iter();
    ok(&who, found.map(SavedSearch::from).collect::<Vec<_>>()).await
}

pub async fn delete(State(ctx): State<Ctx>, Id(id): Id) -> Answer {
    let id = SavedSearchId::from_uuid(id);
    ctx.app.delete_saved_search(id).await?;
    no_content()
}
