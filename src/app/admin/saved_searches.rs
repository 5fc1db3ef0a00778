//! Verbs on saved searches.

use serde_json::Value;
use uuid::Uuid;

use crate::app::App;
use crate::app::request::Repeat;
use crate::app::tx::Tx;
use crate::domain::error::{Error, Result};
use crate::domain::filter::Page;
use crate::domain::flow::Created;
use crate::domain::ids::SavedSearchId;
use crate::domain::saved_search::SavedSearch;
use crate::storage::{rows, saved_searches};

impl App {
    /// Saves filters under a name, replacing what was saved under it.
    pub async fn save_search(&self, name: String, filters: Value) -> Result<Created<SavedSearch>> {
        self.write(move |tx| {
            let known = saved_searches::by_name(tx.db, &name)?.is_some();
            saved_searches::upsert(tx.db, &name, &filters, tx.now)?;
            let saved = saved_searches::by_name(tx.db, &name)?.ok_or_else(unknown)?;
            Ok(match known {
                true => Created::Known(saved),
                false => Created::New(saved),
            })
        })
        .await
    }

    /// The search with that id.
    pub async fn saved_search(&self, id: SavedSearchId) -> Result<SavedSearch> {
        self.read(move |db| rows::by_id(db, id)?.ok_or_else(unknown))
            .await
    }

    /// A page of searches, by name.
    pub async fn saved_searches(&self, page: Page) -> Result<Vec<SavedSearch>> {
        self.read(move |db| saved_searches::page(db, page)).await
    }

    /// Removes a search.
    pub async fn delete_saved_search(&self, id: SavedSearchId) -> Result<()> {
        self.write(move |tx| match rows::delete(tx.db, id)? {
            true => Ok(()),
            false => Err(unknown()),
        })
        .await
    }
}

impl Repeat for Created<SavedSearch> {
    fn made(&self) -> Option<Vec<Uuid>> {
        Some(vec![self.get().id.uuid()])
    }

    fn again(tx: &mut Tx<'_>, made: &[Uuid]) -> Result<Self> {
        let id = made.first().copied().map(SavedSearchId::from_uuid);
        let saved = id.map(|id| rows::by_id(tx.db, id)).transpose()?;
        saved.flatten().map(Self::Known).ok_or_else(unknown)
    }
}

fn unknown() -> Error {
    Error::not_found("Saved search")
}
