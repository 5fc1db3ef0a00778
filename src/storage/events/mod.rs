//! Events in the store: kept once each, in the order of their arrival.

mod added;
mod belongs;
mod condition;
mod counts;

use rusqlite::{Connection, Row as SqlRow, named_params, params};
use sea_query::{Asterisk, Expr, ExprTrait, Func, Order, Query, SelectStatement};

use super::column::Json;
use super::query::{self, Columns};
use super::rows;
use super::sql::{self, Statement, statement};
use crate::domain::JsonMap;
use crate::domain::error::{Error, Result};
use crate::domain::event::filter::Filter;
use crate::domain::event::{Countable, Event, Resource, Stored, Tally};
use crate::domain::history::Buckets;
use crate::domain::ids::EventId;
use crate::domain::time::Timestamp;

pub use added::{Added, counting};
pub use belongs::{belongs_to, deployment_belongs_to};

const INSERT: &str = include_str!("../../../sql/queries/events/insert.sql");
const INSERT_RELATED: &str = include_str!("../../../sql/queries/events/insert_related.sql");
static BY_ID: Statement = statement!("events/by_id.sql");
static BY_PLACE: Statement = statement!("events/by_place.sql");
static AFTER: Statement = statement!("events/after.sql");
const LAST: &str = include_str!("../../../sql/queries/events/last.sql");
const OLDEST: &str = include_str!("../../../sql/queries/events/oldest.sql");
const DELETE_RELATED: &str = include_str!("../../../sql/queries/events/delete_related.sql");
const DELETE: &str = include_str!("../../../sql/queries/events/delete.sql");

/// About how many bytes of events are read at once where they are read to be passed on.
const BYTES_AT_ONCE: usize = 1024 * 1024;

/// What an event's columns hold, written before the writer's turn: an event may be large.
#[derive(Clone, Debug)]
pub struct Texts {
    resource: String,
    related: String,
    payload: String,
}

impl Texts {
    /// Those of an event.
    ///
    /// # Errors
    /// [`Kind::Internal`](crate::domain::error::Kind::Internal) for what is no JSON.
    pub fn of(event: &Event) -> Result<Self> {
        let related: Vec<_> = event.related.iter().map(Resource::labels).collect();
        let text = |written: serde_json::Result<String>| written.map_err(Error::internal);
        Ok(Self {
            resource: text(serde_json::to_string(event.resource.labels()))?,
            related: text(serde_json::to_string(&related))?,
            payload: text(serde_json::to_string(&event.payload))?,
        })
    }

    /// How many bytes they are.
    pub fn bytes(&self) -> usize {
        self.resource.len() + self.related.len() + self.payload.len()
    }
}

/// Stores an event, and answers its place; `None` when it is there already. It is counted with the
/// others of `added`.
pub fn insert(
    db: &Connection,
    event: &Event,
    texts: &Texts,
    now: Timestamp,
    added: &mut Added,
) -> Result<Option<i64>> {
    let params = named_params! {
        ":id": event.id,
        ":occurred": event.occurred,
        ":now": now,
        ":name": event.name,
        ":resource_id": event.resource.id(),
        ":resource": texts.resource,
        ":related": texts.related,
        ":payload": texts.payload,
        ":follows": event.follows,
    };
    if query::change(db, INSERT, params)? == 0 {
        return Ok(None);
    }
    let place = db.last_insert_rowid();
    added.note(event.occurred, &event.name);
    let mut statement = db.prepare_cached(INSERT_RELATED)?;
    for resource in &event.related {
        statement.execute(params![resource.id(), place])?;
    }
    Ok(Some(place))
}

/// Where among the events that a question asks for a page begins: after that one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// When that one happened.
    pub occurred: Timestamp,
    /// Its place.
    pub place: i64,
}

impl Cursor {
    /// After that event.
    pub fn after(event: &Stored) -> Self {
        Self {
            occurred: event.event.occurred,
            place: event.place,
        }
    }
}

/// Which events are read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Part {
    /// After that one; absent: from the first.
    pub after: Option<Cursor>,
    /// None that arrived later than the one at this place.
    pub up_to: Option<i64>,
    /// At most so many.
    pub limit: u64,
}

/// A page of the events that a filter asks for, in its order; those of one moment in the order of
/// their arrival.
pub fn page(db: &Connection, filter: &Filter, part: Part) -> Result<Vec<Stored>> {
    rows::all(db, &selecting(filter, part), read)
}

/// How many events a filter asks for.
pub fn count(db: &Connection, filter: &Filter) -> Result<u64> {
    if let Some(count) = counts::count(db, filter)? {
        return Ok(count);
    }
    let mut statement = Query::select();
    match filter.distinct {
        true => statement.expr(Func::count_distinct(Expr::col("resource_id"))),
        false => statement.expr(Func::count(Expr::col(Asterisk))),
    };
    let statement = statement
        .from("events")
        .cond_where(condition::of(filter))
        .take();
    let counts: Vec<i64> = rows::all(db, &statement, |row| row.get(0))?;
    Ok(counts.first().copied().unwrap_or_default().unsigned_abs())
}

/// How many events there are of each of something, the most first, and of many things of those
/// that are asked for at most `limit`.
pub fn tallies(db: &Connection, filter: &Filter, by: Countable, limit: u64) -> Result<Vec<Tally>> {
    let (value, label) = match by {
        Countable::Name => ("name", "name"),
        Countable::Resource => (
            "resource_id",
            "coalesce(json_extract(resource, '$.\"prefect.resource.name\"'), \
             json_extract(resource, '$.\"prefect.name\"'), resource_id)",
        ),
    };
    let statement = Query::select()
        .expr(Expr::col(value))
        .expr_as(Expr::cust(label), "label")
        .expr_as(Expr::cust("count(*)"), "number")
        .expr(Expr::cust("min(occurred)"))
        .expr(Expr::cust("max(occurred)"))
        .from("events")
        .cond_where(condition::of(filter))
        .group_by_col(value)
        .order_by("number", Order::Desc)
        .order_by("label", Order::Asc)
        .limit(limit)
        .take();
    rows::all(db, &statement, |row| {
        let mut columns = Columns::of(row);
        Ok(Tally {
            value: columns.next()?,
            label: columns.next()?,
            count: columns.next::<i64>()?.unsigned_abs(),
            first: columns.next()?,
            last: columns.next()?,
        })
    })
}

/// How many events there are in each part of time, by its number; of empty ones nothing is told.
pub fn over_time(db: &Connection, filter: &Filter, buckets: Buckets) -> Result<Vec<(i64, u64)>> {
    if let Some(counts) = counts::over_time(db, filter, buckets)? {
        return Ok(counts);
    }
    let times = [buckets.start().micros(), buckets.step().micros()];
    let statement = Query::select()
        .expr_as(
            Expr::cust_with_values("(occurred - ?) / ?", times),
            "bucket",
        )
        .expr(Expr::cust("count(*)"))
        .from("events")
        .cond_where(condition::of(filter))
        .add_group_by([Expr::col("bucket")])
        .take();
    rows::all(db, &statement, |row| {
        Ok((row.get(0)?, row.get::<_, i64>(1)?.unsigned_abs()))
    })
}

fn selecting(filter: &Filter, part: Part) -> SelectStatement {
    let order = match filter.newest_first {
        true => Order::Desc,
        false => Order::Asc,
    };
    let mut statement = Query::select();
    statement
        .expr(Expr::cust(sql::EVENT.as_str()))
        .from("events")
        .cond_where(condition::of(filter))
        .and_where_option(part.up_to.map(|place| Expr::col("place").lte(place)))
        .and_where_option(part.after.map(|cursor| condition::beyond(filter, cursor)))
        .order_by("occurred", order.clone())
        .order_by("place", order)
        .limit(part.limit);
    if filter.distinct {
        statement.and_where(condition::is_first(filter));
    }
    statement
}

/// Events that arrived after the one at a place, in the order of arrival: some, of which there are
/// not many bytes, or none.
pub fn after(db: &Connection, place: i64, limit: u64) -> Result<Vec<Stored>> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut statement = db.prepare_cached(&AFTER)?;
    let mut found = statement.query(named_params! {":place": place, ":limit": limit})?;
    let (mut events, mut bytes) = (Vec::new(), 0);
    while let Some(row) = found.next()? {
        bytes += row.get_ref("payload")?.as_str().map_or(0, str::len);
        events.push(read(row)?);
        if bytes > BYTES_AT_ONCE {
            break;
        }
    }
    Ok(events)
}

/// The event of that id, if it is there.
pub fn by_id(db: &Connection, id: EventId) -> Result<Option<Stored>> {
    query::one(db, &BY_ID, named_params! {":id": id}, read)
}

/// The event at a place, if it is there still.
pub fn by_place(db: &Connection, place: i64) -> Result<Option<Stored>> {
    query::one(db, &BY_PLACE, named_params! {":place": place}, read)
}

/// The place of the event that arrived last; zero where there is none.
pub fn last(db: &Connection) -> Result<i64> {
    let last: Option<Option<i64>> = query::one(db, LAST, [], |row| row.get(0))?;
    Ok(last.flatten().unwrap_or_default())
}

/// The places of the events that arrived first, and when they arrived.
pub fn oldest(db: &Connection, limit: i64) -> Result<Vec<(i64, Timestamp)>> {
    let params = named_params! {":limit": limit};
    query::all(db, OLDEST, params, |row| Ok((row.get(0)?, row.get(1)?)))
}

/// Removes the event at a place.
pub fn delete(db: &Connection, place: i64) -> Result<()> {
    query::change(db, DELETE_RELATED, named_params! {":place": place})?;
    query::change(db, DELETE, named_params! {":place": place})?;
    Ok(())
}

fn read(row: &SqlRow<'_>) -> rusqlite::Result<Stored> {
    let mut columns = Columns::of(row);
    Ok(Stored {
        place: columns.next()?,
        received: columns.next()?,
        event: Event {
            id: columns.next()?,
            occurred: columns.next()?,
            name: columns.next()?,
            resource: Resource::from(columns.next::<Json<JsonMap>>()?.0),
            related: related(columns.next::<Json<Vec<JsonMap>>>()?.0),
            payload: columns.next::<Json<JsonMap>>()?.0,
            follows: columns.next()?,
        },
    })
}

fn related(labels: Vec<JsonMap>) -> Vec<Resource> {
    labels.into_iter().map(Resource::from).collect()
}

#[cfg(test)]
mod tests;
