//! Saved searches on the wire.

use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::super::read::{Cursor, Fields, Given, map, string};
use super::time::Iso;
use crate::domain::JsonMap;
use crate::domain::saved_search::SavedSearch;

/// A saved search.
#[derive(Serialize, ToSchema)]
#[schema(as = orion::SavedSearch)]
pub struct SavedSearchOut<'a> {
    id: Uuid,
    created: Iso,
    updated: Iso,
    name: &'a str,
    #[schema(value_type = Object)]
    filters: &'a JsonMap,
}

impl<'a> From<&'a SavedSearch> for SavedSearchOut<'a> {
    fn from(search: &'a SavedSearch) -> Self {
        let SavedSearch {
            id,
            created,
            updated,
            name,
            filters,
        } = search;
        Self {
            id: id.uuid(),
            created: Iso(*created),
            updated: Iso(*updated),
            name,
            filters,
        }
    }
}

/// A search to be saved: its name and its filters.
pub fn new_saved_search(value: &Given<'_>, cursor: &mut Cursor) -> Option<(String, JsonMap)> {
    let mut fields = Fields::of_row(value, cursor);
    let name = fields.required("name", string);
    let filters = fields.default("filters", map, JsonMap::new);
    fields.finish();
    name.zip(filters)
}
