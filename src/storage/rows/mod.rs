//! What is the same for every noun: finding a thing by its id, asking for pages and numbers of
//! things by typed filters, and removing one.

mod condition;
pub mod counts;
pub mod history;
mod select;
mod tags;
mod way;

use std::sync::OnceLock;

use rusqlite::{Connection, Params, Row as SqlRow, ToSql, named_params, params_from_iter};
use sea_query::{Condition, SelectStatement, SqliteQueryBuilder, Value};

use super::{query, result_size};
use crate::domain::error::{Error, Result};
use crate::domain::filter::{Filters, Noun, Page, Sort};

pub(super) use condition::{column, table_of};
use select::{counting, selecting};
use way::{FEW, MANY, REACHES, Way};

/// For so many rows of a page there is room from the start.
const MOST_EXPECTED: u64 = 64;

/// What is stored one a row.
pub trait Row: Sized {
    /// The table.
    const TABLE: &'static str;
    /// The table of its states, where it has some.
    const STATES: Option<&'static str> = None;

    /// Its SELECT list.
    fn columns() -> &'static str;

    /// Reads a row of these columns.
    fn read(row: &SqlRow<'_>) -> rusqlite::Result<Self>;

    /// Reads what is told with rows and stands elsewhere, where there is such.
    fn complete(_db: &Connection, _rows: &mut [Self]) -> Result<()> {
        Ok(())
    }
}

/// What is asked for by filters.
pub trait Filtered: Row {
    /// Whose filters are meant.
    const NOUN: Noun;
    /// Whether rows that are equal in an order come by their ids.
    const TIES_BY_ID: bool = false;
}

/// An id, and what it is the id of.
pub trait Key: ToSql + Copy {
    /// What it is the id of.
    type Row: Row;

    /// The statements, kept from one use to the next.
    fn statements() -> &'static Statements;
}

/// Says whose id an id is.
macro_rules! key {
    ($id:ty, $row:ty) => {
        impl $crate::storage::rows::Key for $id {
            type Row = $row;

            fn statements() -> &'static $crate::storage::rows::Statements {
                static STATEMENTS: $crate::storage::rows::Statements =
                    $crate::storage::rows::Statements::new();
                &STATEMENTS
            }
        }
    };
}
pub(super) use key;

/// Statements that differ only in their table.
pub struct Statements {
    by_id: OnceLock<String>,
    exists: OnceLock<String>,
    delete: OnceLock<String>,
}

impl Statements {
    /// None yet.
    #[must_use]
    pub(super) const fn new() -> Self {
        Self {
            by_id: OnceLock::new(),
            exists: OnceLock::new(),
            delete: OnceLock::new(),
        }
    }
}

/// The text of a file in `any`, about one noun.
fn about<R: Row>(text: &str) -> String {
    let join =
        R::STATES.map(|states| format!("LEFT JOIN {states} AS s ON s.id = {}.state_id", R::TABLE));
    text.replace("{columns}", R::columns())
        .replace("{join}", &join.unwrap_or_default())
        .replace("{table}", R::TABLE)
}

pub(super) fn by_id_of<K: Key>() -> &'static str {
    let text = include_str!("../../../sql/queries/any/by_id.sql");
    K::statements().by_id.get_or_init(|| about::<K::Row>(text))
}

fn exists_of<K: Key>() -> &'static str {
    let text = include_str!("../../../sql/queries/any/exists.sql");
    K::statements().exists.get_or_init(|| about::<K::Row>(text))
}

fn delete_of<K: Key>() -> &'static str {
    let text = include_str!("../../../sql/queries/any/delete.sql");
    K::statements().delete.get_or_init(|| about::<K::Row>(text))
}

/// What has that id; a run comes with its state.
pub fn by_id<K: Key>(db: &Connection, id: K) -> Result<Option<K::Row>> {
    let params = named_params! {":id": id};
    let mut found = query::one(db, by_id_of::<K>(), params, K::Row::read)?;
    K::Row::complete(db, found.as_mut_slice())?;
    Ok(found)
}

/// The whole rows that a statement of these columns answers.
pub(super) fn listed<R: Row>(db: &Connection, sql: &str, params: impl Params) -> Result<Vec<R>> {
    let mut rows = query::all(db, sql, params, R::read)?;
    R::complete(db, &mut rows)?;
    Ok(rows)
}

/// Whether there is something with that id.
pub fn exists<K: Key>(db: &Connection, id: K) -> Result<bool> {
    query::any(db, exists_of::<K>(), named_params! {":id": id})
}

/// Removes what has that id, with the rows that belong to it; false when there is no such thing.
pub fn delete<K: Key>(db: &Connection, id: K) -> Result<bool> {
    Ok(query::change(db, delete_of::<K>(), named_params! {":id": id})? > 0)
}

/// A page of what the filters ask for, by a statement of its own; others only tell how it is found.
pub fn page<R: Filtered>(
    db: &Connection,
    filters: &Filters,
    sort: Sort,
    page: Page,
) -> Result<Vec<R>> {
    let mut rows = match Way::of::<R>(db, filters, sort, page, FEW)? {
        Way::InOrder(_) => followed(db, filters, sort, page)?,
        way => by_way(db, filters, sort, page, way)?,
    };
    R::complete(db, &mut rows)?;
    Ok(rows)
}

/// The page, following the order as far as that is soon done.
fn followed<R: Filtered>(
    db: &Connection,
    filters: &Filters,
    sort: Sort,
    page: Page,
) -> Result<Vec<R>> {
    let wanted = page.offset.saturating_add(page.limit);
    for reach in REACHES.into_iter().filter(|reach| *reach >= wanted) {
        let last = way::key_after::<R>(db, filters, sort, reach)?;
        let is_all = last.is_none();
        let rows = by_way(db, filters, sort, page, Way::InOrder(last))?;
        if is_all || rows.len() as u64 == page.limit {
            return Ok(rows);
        }
    }
    let way = Way::of::<R>(db, filters, sort, page, MANY)?;
    by_way(db, filters, sort, page, way)
}

fn by_way<R: Filtered>(
    db: &Connection,
    filters: &Filters,
    sort: Sort,
    page: Page,
    way: Way,
) -> Result<Vec<R>> {
    let statement = selecting::<R>(filters, sort, page, way);
    let expected = std::cmp::min(page.limit, MOST_EXPECTED) as usize;
    expecting(db, &statement, expected, R::read)
}

/// How many there are that the filters ask for.
pub fn count<R: Filtered>(db: &Connection, filters: &Filters) -> Result<u64> {
    if let Some(count) = counts::all_flow_runs::<R>(db, filters)? {
        return Ok(count);
    }
    let by_state = select::counting_by_state::<R>(filters);
    let statement = by_state.unwrap_or_else(|| counting::<R>(filters, None));
    let counts: Vec<i64> = all(db, &statement, |row| row.get(0))?;
    Ok(counts.first().copied().unwrap_or_default().unsigned_abs())
}

/// What the filters ask of a row.
pub(super) fn asking<R: Filtered>(filters: &Filters) -> Condition {
    condition::of(R::NOUN, filters)
}

/// The rows that a statement selects.
pub(super) fn all<T>(
    db: &Connection,
    statement: &SelectStatement,
    read: impl FnMut(&SqlRow<'_>) -> rusqlite::Result<T>,
) -> Result<Vec<T>> {
    expecting(db, statement, 0, read)
}

/// The same, with room for as many as are expected.
fn expecting<T>(
    db: &Connection,
    statement: &SelectStatement,
    expected: usize,
    read: impl FnMut(&SqlRow<'_>) -> rusqlite::Result<T>,
) -> Result<Vec<T>> {
    let (sql, values) = built(statement)?;
    let mut prepared = query::prepared(db, &sql)?;
    let rows = prepared.query_map(params_from_iter(values), read)?;
    result_size::bounded(rows, expected)
}

/// Reads the rows that a statement selects and keeps none.
pub(super) fn each(
    db: &Connection,
    statement: &SelectStatement,
    mut read: impl FnMut(&SqlRow<'_>) -> rusqlite::Result<()>,
) -> Result<()> {
    let (sql, values) = built(statement)?;
    let mut prepared = query::prepared(db, &sql)?;
    let mut rows = prepared.query(params_from_iter(values))?;
    while let Some(row) = rows.next()? {
        read(row)?;
    }
    Ok(())
}

/// A statement's text and its parameters.
fn built(statement: &SelectStatement) -> Result<(String, Vec<rusqlite::types::Value>)> {
    let (sql, values) = statement.build(SqliteQueryBuilder);
    let values = values.0.into_iter().map(bind).collect::<Result<_>>()?;
    Ok((sql, values))
}

/// A builder's value as a parameter; only the kinds that our filters use occur.
fn bind(value: Value) -> Result<rusqlite::types::Value> {
    use rusqlite::types::Value as Column;
    Ok(match value {
        Value::Bool(Some(flag)) => Column::Integer(flag.into()),
        Value::Int(Some(number)) => Column::Integer(number.into()),
        Value::BigInt(Some(number)) => Column::Integer(number),
        Value::BigUnsigned(Some(number)) => {
            Column::Integer(i64::try_from(number).unwrap_or(i64::MAX))
        }
        Value::String(Some(text)) => Column::Text(text),
        Value::Bytes(Some(bytes)) => Column::Blob(bytes),
        other => {
            return Err(Error::internal(format_args!(
                "unbound filter value {other:?}"
            )));
        }
    })
}

/// The statements about each noun, for the test of plans.
#[cfg(test)]
pub(super) fn statements() -> Vec<&'static str> {
    use crate::domain::ids::{
        ArtifactId, AutomationId, BlockDocumentId, BlockSchemaId, BlockTypeId, DeploymentId,
        FlowId, FlowRunId, LimitId, SavedSearchId, TaskRunId, VariableId, WorkPoolId, WorkQueueId,
    };
    fn of<K: Key>() -> [&'static str; 3] {
        [by_id_of::<K>(), exists_of::<K>(), delete_of::<K>()]
    }
    [
        of::<FlowId>(),
        of::<DeploymentId>(),
        of::<FlowRunId>(),
        of::<TaskRunId>(),
        of::<SavedSearchId>(),
        of::<WorkPoolId>(),
        of::<WorkQueueId>(),
        of::<VariableId>(),
        of::<LimitId>(),
        of::<AutomationId>(),
        of::<ArtifactId>(),
        of::<BlockTypeId>(),
        of::<BlockSchemaId>(),
        of::<BlockDocumentId>(),
    ]
    .concat()
}

#[cfg(test)]
mod tests;
