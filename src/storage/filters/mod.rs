//! Typed filters as parameterised SQL.
//!
//! Each noun's file says which columns a page of it has, how its criteria read, and what
//! its neighbours mean. The shapes follow the 2.0a7 server: neighbours are asked for with
//! EXISTS, and a filter without criteria still asks that such a neighbour exists.

pub(super) mod deployments;
pub(super) mod flow_runs;
pub(super) mod flows;
pub mod history;
pub(super) mod ids;
pub(super) mod logs;
pub(super) mod task_runs;

use rusqlite::{Connection, Row, params_from_iter};
use sea_query::{
    Condition, Expr, ExprTrait, Func, Order, Query, SelectStatement, SqliteQueryBuilder, Value,
};

use super::bulk;
use crate::domain::error::{Error, Result};
use crate::domain::filter::{Page, RunSort, TagCriterion, TimeCriterion};

/// The rows that a statement selects.
pub(super) fn all<T>(
    db: &Connection,
    statement: &SelectStatement,
    read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> Result<Vec<T>> {
    let (sql, values) = statement.build(SqliteQueryBuilder);
    let values = values.0.into_iter().map(bind).collect::<Result<Vec<_>>>()?;
    let mut prepared = db.prepare_cached(&sql)?;
    let rows = prepared.query_map(params_from_iter(values), read)?;
    bulk::bounded(rows)
}

/// The number that a counting statement answers.
pub(super) fn count(db: &Connection, statement: &SelectStatement) -> Result<u64> {
    let counts: Vec<i64> = all(db, statement, |row| row.get(0))?;
    Ok(counts.first().copied().unwrap_or_default().unsigned_abs())
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

/// The bytes of ids, as they are compared.
fn blobs<T: Copy>(ids: &[T], uuid: impl Fn(T) -> uuid::Uuid) -> Vec<Vec<u8>> {
    ids.iter().map(|id| uuid(*id).as_bytes().to_vec()).collect()
}

/// A column of a table.
fn column(table: &'static str, name: &'static str) -> Expr {
    Expr::col((table, name))
}

fn tags(table: &'static str, criterion: &TagCriterion) -> Condition {
    match criterion {
        TagCriterion::HasAll(tags) => tags.iter().fold(Condition::all(), |all, tag| {
            let has =
                format!("EXISTS (SELECT 1 FROM json_each(\"{table}\".\"tags\") WHERE value = ?)");
            all.add(Expr::cust_with_values(has, [tag.as_str()]))
        }),
        TagCriterion::IsEmpty(true) => Condition::all().add(column(table, "tags").eq("[]")),
        TagCriterion::IsEmpty(false) => Condition::all().add(column(table, "tags").ne("[]")),
    }
}

fn time(column: Expr, criterion: TimeCriterion) -> Expr {
    match criterion {
        TimeCriterion::AtOrBefore(at) => column.lte(at.micros()),
        TimeCriterion::AtOrAfter(at) => column.gte(at.micros()),
        TimeCriterion::IsNull(true) => column.is_null(),
        TimeCriterion::IsNull(false) => column.is_not_null(),
    }
}

fn exists(subquery: SelectStatement) -> Expr {
    Expr::exists(subquery)
}

/// `SELECT 1 FROM table WHERE condition`, for EXISTS.
fn some(table: &'static str, condition: Condition) -> SelectStatement {
    Query::select()
        .expr(Expr::val(1i64))
        .from(table)
        .cond_where(condition)
        .take()
}

/// `SELECT count(*) FROM table WHERE condition`.
fn counting(table: &'static str, condition: Condition) -> SelectStatement {
    Query::select()
        .expr(Func::count(Expr::cust("*")))
        .from(table)
        .cond_where(condition)
        .take()
}

/// A page of a table in some order.
fn paging(
    table: &'static str,
    columns: &'static str,
    condition: Condition,
    page: Page,
) -> SelectStatement {
    Query::select()
        .expr(Expr::cust(columns))
        .from(table)
        .cond_where(condition)
        .limit(page.limit)
        .offset(page.offset)
        .take()
}

/// Puts runs in order.
fn sorted(mut statement: SelectStatement, table: &'static str, sort: RunSort) -> SelectStatement {
    let (name, order) = match sort {
        RunSort::IdDesc => ("id", Order::Desc),
        RunSort::ExpectedStartTimeAsc => ("expected_start_time", Order::Asc),
        RunSort::ExpectedStartTimeDesc => ("expected_start_time", Order::Desc),
        RunSort::NextScheduledStartTimeAsc => ("next_scheduled_start_time", Order::Asc),
        RunSort::EndTimeDesc => ("end_time", Order::Desc),
    };
    statement.order_by((table, name), order).take()
}

#[cfg(test)]
mod tests;
