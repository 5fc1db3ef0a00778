//! Saved searches in the store.

use rusqlite::{Connection, Row, named_params};

use super::column::Json;
use super::query::{self, Columns};
use crate::domain::JsonMap;
use crate::domain::error::Result;
use crate::domain::filter::Page;
use crate::domain::ids::SavedSearchId;
use crate::domain::saved_search::SavedSearch;
use crate::domain::time::Timestamp;

const UPSERT: &str = include_str!("../../sql/queries/saved_searches/upsert.sql");
const BY_ID: &str = include_str!("../../sql/queries/saved_searches/by_id.sql");
const BY_NAME: &str = include_str!("../../sql/queries/saved_searches/by_name.sql");
const PAGE: &str = include_str!("../../sql/queries/saved_searches/page.sql");
const DELETE: &str = include_str!("../../sql/queries/saved_searches/delete.sql");

/// Saves filters under a name, replacing what was saved under it.
pub fn upsert(db: &Connection, name: &str, filters: &JsonMap, now: Timestamp) -> Result<()> {
    let params = named_params! {
        ":id": SavedSearchId::new(), ":now": now, ":name": name, ":filters": Json(filters),
    };
    query::change(db, UPSERT, params)?;
    Ok(())
}

/// The search with that id.
pub fn by_id(db: &Connection, id: SavedSearchId) -> Result<Option<SavedSearch>> {
    query::one(db, BY_ID, named_params! {":id": id}, read)
}

/// The search with that name.
pub fn by_name(db: &Connection, name: &str) -> Result<Option<SavedSearch>> {
    query::one(db, BY_NAME, named_params! {":name": name}, read)
}

/// A page of searches, by name.
pub fn page(db: &Connection, page: Page) -> Result<Vec<SavedSearch>> {
    let bound = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    let params = named_params! {":limit": bound(page.limit), ":offset": bound(page.offset)};
    query::all(db, PAGE, params, read)
}

/// Removes a search; false when there is no such search.
pub fn delete(db: &Connection, id: SavedSearchId) -> Result<bool> {
    Ok(query::change(db, DELETE, named_params! {":id": id})? > 0)
}

fn read(row: &Row<'_>) -> rusqlite::Result<SavedSearch> {
    let mut columns = Columns::of(row);
    Ok(SavedSearch {
        id: columns.next()?,
        created: columns.next()?,
        updated: columns.next()?,
        name: columns.next()?,
        filters: columns.next::<Json<_>>()?.0,
    })
}
