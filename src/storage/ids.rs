//! Ids of any noun in the store.

use rusqlite::Connection;
use sea_query::{Expr, ExprTrait, Func, Order, Query, SelectStatement};
use uuid::Uuid;

use super::rows::{self, column};
use crate::domain::error::Result;
use crate::domain::filter::Noun;

/// Up to `limit` ids, each with its name, between two ids, both included.
pub fn between(
    db: &Connection,
    noun: Noun,
    first: Uuid,
    last: Uuid,
    limit: u64,
) -> Result<Vec<(Uuid, String)>> {
    let statement = between_statement(noun, first, last, limit);
    rows::all(db, &statement, |row| {
        Ok((uuid(&row.get::<_, Vec<u8>>(0)?), row.get(1)?))
    })
}

/// The nearest ids below and above one; whether it is there itself does not matter.
pub fn neighbours(db: &Connection, noun: Noun, id: Uuid) -> Result<Vec<Uuid>> {
    let mut found = Vec::new();
    for below in [true, false] {
        let statement = neighbour(noun, id, below);
        let nearest = rows::all(db, &statement, |row| row.get::<_, Option<Vec<u8>>>(0))?;
        found.extend(nearest.into_iter().flatten().map(|bytes| uuid(&bytes)));
    }
    Ok(found)
}

/// A column of ids holds nothing else.
fn uuid(bytes: &[u8]) -> Uuid {
    Uuid::from_slice(bytes).unwrap_or_default()
}

/// The ids and names between two ids, both included, oldest first.
fn between_statement(noun: Noun, first: Uuid, last: Uuid, limit: u64) -> SelectStatement {
    let table = rows::table_of(noun);
    Query::select()
        .expr(Expr::cust("id, name"))
        .from(table)
        .and_where(column(table, "id").gte(first.as_bytes().to_vec()))
        .and_where(column(table, "id").lte(last.as_bytes().to_vec()))
        .order_by("id", Order::Asc)
        .limit(limit)
        .take()
}

/// The nearest id below (`true`) or above one.
fn neighbour(noun: Noun, id: Uuid, below: bool) -> SelectStatement {
    let table = rows::table_of(noun);
    let (here, bytes) = (column(table, "id"), id.as_bytes().to_vec());
    let mut statement = Query::select();
    match below {
        true => statement
            .expr(Func::max(Expr::col("id")))
            .and_where(here.lt(bytes)),
        false => statement
            .expr(Func::min(Expr::col("id")))
            .and_where(here.gt(bytes)),
    };
    statement.from(table).take()
}
