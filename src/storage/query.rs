//! Small helpers around prepared statements.

use rusqlite::types::{FromSql, FromSqlError, ValueRef};
use rusqlite::{
    CachedStatement, Connection, OptionalExtension, Params, Row, StatementStatus, ToSql,
    params_from_iter,
};
use serde::de::DeserializeOwned;

use super::column::Json;
use super::result_size;
use crate::domain::error::Result;

/// Reads a row's columns from left to right, as the statement lists them.
pub(super) struct Columns<'row, 'stmt> {
    row: &'row Row<'stmt>,
    next: usize,
}

impl<'row, 'stmt> Columns<'row, 'stmt> {
    /// From the first column.
    pub fn of(row: &'row Row<'stmt>) -> Self {
        Self { row, next: 0 }
    }

    /// The next column's value.
    pub fn next<T: FromSql>(&mut self) -> rusqlite::Result<T> {
        let index = self.next;
        self.next += 1;
        self.row.get(index)
    }

    /// The next column's JSON. Most lists and objects are empty, and these are not taken apart: an
    /// empty one is what `T` is by default.
    pub fn json<T: DeserializeOwned + Default>(&mut self) -> rusqlite::Result<T> {
        match self.next_ref()? {
            (_, ValueRef::Text(b"{}" | b"[]")) => Ok(T::default()),
            (index, value) => converted::<Json<T>>(index, value).map(|json| json.0),
        }
    }

    /// The next column's text, which may be long.
    pub fn text<T: FromSql>(&mut self) -> rusqlite::Result<T> {
        let (index, value) = self.next_ref()?;
        if let ValueRef::Text(text) = value {
            result_size::note_text(text.len());
        }
        converted(index, value)
    }

    /// The next column's text as it lies there.
    pub fn str(&mut self) -> rusqlite::Result<&'row str> {
        let (index, value) = self.next_ref()?;
        value.as_str().map_err(|error| unlike(index, value, error))
    }

    fn next_ref(&mut self) -> rusqlite::Result<(usize, ValueRef<'row>)> {
        let index = self.next;
        self.next += 1;
        Ok((index, self.row.get_ref(index)?))
    }
}

/// A column's value as what it is wanted as.
fn converted<T: FromSql>(index: usize, value: ValueRef<'_>) -> rusqlite::Result<T> {
    T::column_result(value).map_err(|error| unlike(index, value, error))
}

/// That a column's value is not what it is wanted as.
fn unlike(index: usize, value: ValueRef<'_>, error: FromSqlError) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(index, value.data_type(), Box::new(error))
}

/// A statement that reads. Where its steps are bounded, those of this time are.
pub(super) fn prepared<'db>(db: &'db Connection, sql: &str) -> Result<CachedStatement<'db>> {
    let statement = db.prepare_cached(sql)?;
    statement.reset_status(StatementStatus::VmStep);
    Ok(statement)
}

/// The one row of an answer, or none.
pub(super) fn one<T>(
    db: &Connection,
    sql: &str,
    params: impl Params,
    read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
) -> Result<Option<T>> {
    Ok(prepared(db, sql)?.query_row(params, read).optional()?)
}

/// The number that a statement answers.
pub(super) fn count(db: &Connection, sql: &str, params: impl Params) -> Result<u64> {
    let count: Option<i64> = one(db, sql, params, |row| row.get(0))?;
    Ok(count.unwrap_or_default().unsigned_abs())
}

/// Whether there is any row.
pub(super) fn any(db: &Connection, sql: &str, params: impl Params) -> Result<bool> {
    Ok(prepared(db, sql)?.exists(params)?)
}

/// All rows of an answer.
pub(super) fn all<T>(
    db: &Connection,
    sql: &str,
    params: impl Params,
    read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> Result<Vec<T>> {
    let mut statement = prepared(db, sql)?;
    let rows = statement.query_map(params, read)?;
    result_size::bounded(rows, 0)
}

/// Changes rows and says how many.
pub(super) fn change(db: &Connection, sql: &str, params: impl Params) -> Result<usize> {
    Ok(db.prepare_cached(sql)?.execute(params)?)
}

/// The same for statements that run often: the parameters are given in the order in which the
/// statement names them first, so that none is looked up by its name.
pub(super) fn change_in_order(
    db: &Connection,
    sql: &str,
    params: &[(&str, &dyn ToSql)],
) -> Result<usize> {
    let mut statement = db.prepare_cached(sql)?;
    debug_assert!(
        params
            .iter()
            .enumerate()
            .all(|(nth, (name, _))| statement.parameter_name(nth + 1) == Some(*name)),
        "the parameters of {sql}"
    );
    let values = params.iter().map(|(_, value)| value);
    Ok(statement.execute(params_from_iter(values))?)
}

/// Changes a row where it lies, or makes it where it is not there, by statements that name the same
/// parameters in the same order. Where it mostly is, that costs less than half of one statement that may have
/// to make it.
pub(super) fn change_or_make(
    db: &Connection,
    (change, make): (&str, &str),
    params: &[(&str, &dyn ToSql)],
) -> Result<()> {
    if change_in_order(db, change, params)? == 0 {
        change_in_order(db, make, params)?;
    }
    Ok(())
}
