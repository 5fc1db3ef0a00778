//! Saved searches on the wire.

use std::borrow::Cow;

use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::super::read::{Fields, JsonValue, ReadContext, map, string};
use super::time::Iso;
use crate::api::redaction::{Reader, Redact};
use crate::domain::JsonMap;
use crate::domain::saved_search::SavedSearch;

/// A saved search.
#[derive(Serialize, ToSchema)]
#[schema(as = orion::SavedSearch)]
pub struct SavedSearchOut<'a> {
    id: Uuid,
    created: Iso,
    updated: Iso,
    name: Cow<'a, str>,
    #[schema(value_type = Object)]
    filters: Cow<'a, JsonMap>,
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
            name: name.into(),
            // A search of the modern generation has a list, of which this one has no word.
            filters: { filters.as_object() }.map_or_else(Cow::default, Cow::Borrowed),
        }
    }
}

impl Redact for SavedSearchOut<'_> {
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
        mask.over(filters);
    }
}

/// A search to be saved: its name and its filters.
pub fn new_saved_search(
    value: &JsonValue<'_>,
    context: &mut ReadContext,
) -> Option<(String, JsonMap)> {
    let mut fields = Fields::of_row(value, context);
    let name = fields.required("name", string);
    let filters = fields.default("filters", map, JsonMap::new);
    fields.finish();
    name.zip(filters)
}
