//! Saved searches in the store.

use rusqlite::{Connection, Row as SqlRow, named_params};
use serde_json::Value;

use super::column::Json;
use super::query::{self, Columns};
use super::rows::{Row, key};
use super::sql::{self, Statement, statement};
use crate::domain::error::Result;
use crate::domain::filter::Page;
use crate::domain::ids::SavedSearchId;
use crate::domain::saved_search::SavedSearch;
use crate::domain::time::Timestamp;

const UPSERT: &str = include_str!("../../sql/queries/saved_searches/upsert.sql");
static BY_NAME: Statement = statement!("saved_searches/by_name.sql");
static PAGE: Statement = statement!("saved_searches/page.sql");

/// Saves filters under a name, replacing what was saved under it.
pub fn upsert(db: &Connection, name: &str, filters: &Value, now: Timestamp) -> Result<()> {
    let params = named_params! {
        ":id": SavedSearchId::new(), ":now": now, ":name": name, ":filters": Json(filters),
    };
    query::change(db, UPSERT, params)?;
    Ok(())
}

/// The search with that name.
pub fn by_name(db: &Connection, name: &str) -> Result<Option<SavedSearch>> {
    query::one(db, &BY_NAME, named_params! {":name": name}, read)
}

/// A page of searches, by name.
pub fn page(db: &Connection, page: Page) -> Result<Vec<SavedSearch>> {
    let bound = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    let params = named_params! {":limit": bound(page.limit), ":offset": bound(page.offset)};
    query::all(db, &PAGE, params, read)
}

key!(SavedSearchId, SavedSearch);

impl Row for SavedSearch {
    const TABLE: &'static str = "saved_searches";

    fn columns() -> &'static str {
        &sql::SAVED_SEARCH
    }

    fn read(row: &SqlRow<'_>) -> rusqlite::Result<Self> {
        read(row)
    }
}

fn read(row: &SqlRow<'_>) -> rusqlite::Result<SavedSearch> {
    let mut columns = Columns::of(row);
    Ok(SavedSearch {
        id: columns.next()?,
        created: columns.next()?,
        updated: columns.next()?,
        name: columns.next()?,
        filters: columns.next::<Json<_>>()?.0,
    })
}
