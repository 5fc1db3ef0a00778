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

use std::collections::BTreeSet;

use rusqlite::{Connection, Row, params_from_iter};
use sea_query::{
    Condition, Expr, ExprTrait, Func, Order, Query, SelectStatement, SqliteQueryBuilder, Value,
};
use uuid::Uuid;

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

/// The column holds one of these ids.
fn is_id_in<T: Copy>(of: (&'static str, &'static str), ids: &[T], uuid: fn(T) -> Uuid) -> Expr {
    match ids {
        // One is compared as it is: an index that also sorts is of use only then.
        [id] => column(of.0, of.1).eq(uuid(*id).as_bytes().to_vec()),
        _ => listed(of, "IN (SELECT unhex(value)", &simple(ids, uuid)),
    }
}

/// The column holds none of these ids.
fn is_id_not_in<T: Copy>(of: (&'static str, &'static str), ids: &[T], uuid: fn(T) -> Uuid) -> Expr {
    listed(of, "NOT IN (SELECT unhex(value)", &simple(ids, uuid))
}

fn simple<T: Copy>(ids: &[T], uuid: fn(T) -> Uuid) -> Vec<String> {
    let digits = ids.iter().map(|id| uuid(*id).simple().to_string());
    digits.collect()
}

/// The column holds one of these words.
fn is_word_in(of: (&'static str, &'static str), words: &[impl AsRef<str>]) -> Expr {
    match words {
        [word] => column(of.0, of.1).eq(word.as_ref()),
        _ => listed(of, "IN (SELECT value", words),
    }
}

/// A comparison with a list that is a single parameter: however long the list, the statement
/// is the same one, and prepared once.
fn listed(of: (&'static str, &'static str), how: &str, values: &[impl AsRef<str>]) -> Expr {
    let (table, name) = of;
    let text = format!("\"{table}\".\"{name}\" {how} FROM json_each(?))");
    Expr::cust_with_values(text, [array(values)])
}

/// Texts as one parameter.
fn array(values: &[impl AsRef<str>]) -> String {
    let values = values.iter().map(|value| value.as_ref().into());
    serde_json::Value::Array(values.collect()).to_string()
}

/// A column of a table.
fn column(table: &'static str, name: &'static str) -> Expr {
    Expr::col((table, name))
}

fn tags(table: &'static str, criterion: &TagCriterion) -> Condition {
    match criterion {
        TagCriterion::HasAll(tags) => has_all(table, tags),
        TagCriterion::IsEmpty(true) => Condition::all().add(column(table, "tags").eq("[]")),
        TagCriterion::IsEmpty(false) => Condition::all().add(column(table, "tags").ne("[]")),
    }
}

/// A row's tags are gone through once, whatever the number of those that are asked for: these
/// are read into a table of the statement's own, once for all rows.
fn has_all(table: &'static str, tags: &[String]) -> Condition {
    let wanted: BTreeSet<&str> = tags.iter().map(String::as_str).collect();
    let wanted: Vec<&str> = wanted.into_iter().collect();
    let all = Condition::all();
    match wanted.as_slice() {
        [] => all,
        [tag] => {
            let has =
                format!("EXISTS (SELECT 1 FROM json_each(\"{table}\".\"tags\") WHERE value = ?)");
            all.add(Expr::cust_with_values(has, [*tag]))
        }
        several => {
            let has = format!(
                "(SELECT count(DISTINCT value) FROM json_each(\"{table}\".\"tags\") \
                 WHERE value IN (SELECT value FROM json_each(?))) = ?"
            );
            let count = Value::from(several.len() as u64);
            all.add(Expr::cust_with_values(
                has,
                [Value::from(array(several)), count],
            ))
        }
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
