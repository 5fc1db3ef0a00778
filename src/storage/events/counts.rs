//! How many events there are, from what is counted of each minute and each hour as they come.

use rusqlite::Connection;
use sea_query::{Asterisk, Expr, ExprTrait, Func, Query};

use super::condition;
use crate::domain::error::Result;
use crate::domain::event::filter::{Filter, Names};
use crate::domain::history::Buckets;
use crate::storage::parts::Parts;
use crate::storage::rows;

/// For how long events are counted together, in microseconds.
pub(super) const MINUTE: i64 = 60_000_000;
pub(super) const HOUR: i64 = 60 * MINUTE;
/// Parts of time that are shorter are counted by their events.
const SHORT: i64 = 10 * MINUTE;

/// How many events a filter asks for, where that can be told by their times and names alone.
pub(super) fn count(db: &Connection, filter: &Filter) -> Result<Option<u64>> {
    if !asks_only_times_and_names(filter) {
        return Ok(None);
    }
    let until = filter.until.micros().saturating_add(1);
    between(db, &filter.name, filter.since.micros(), until).map(Some)
}

/// How many there are in each part of time, by its number, likewise; of empty ones nothing is told.
pub(super) fn over_time(
    db: &Connection,
    filter: &Filter,
    buckets: Buckets,
) -> Result<Option<Vec<(i64, u64)>>> {
    if !asks_only_times_and_names(filter) || buckets.step().micros() < SHORT {
        return Ok(None);
    }
    let (since, until) = (
        filter.since.micros(),
        filter.until.micros().saturating_add(1),
    );
    let mut counts = Vec::new();
    for (number, start, end) in buckets.each() {
        let (from, to) = (
            Ord::max(start.micros(), since),
            Ord::min(end.micros(), until),
        );
        match between(db, &filter.name, from, to)? {
            0 => {}
            count => counts.push((number, count)),
        }
    }
    Ok(Some(counts))
}

fn asks_only_times_and_names(filter: &Filter) -> bool {
    let Filter {
        since: _,
        until: _,
        name: _,
        resource,
        distinct,
        related,
        any_resource,
        ids,
        text,
        newest_first: _,
    } = filter;
    resource.asks_nothing()
        && !distinct
        && related.iter().all(|one| one.asks_nothing())
        && any_resource.iter().all(|one| one.asks_nothing())
        && ids.is_empty()
        && text.is_empty()
}

/// Of those names from then on and before then: whole hours, the minutes at their ends, and the
/// events at the ends of those.
fn between(db: &Connection, names: &Names, from: i64, to: i64) -> Result<u64> {
    if from >= to {
        return Ok(0);
    }
    let minutes = (from.next_of(MINUTE), to.last_of(MINUTE));
    if minutes.0 >= minutes.1 {
        return events(db, names, from, to);
    }
    let ends = events(db, names, from, minutes.0)? + events(db, names, minutes.1, to)?;
    let hours = (minutes.0.next_of(HOUR), minutes.1.last_of(HOUR));
    if hours.0 >= hours.1 {
        return Ok(ends + counted(db, names, MINUTE, minutes)?);
    }
    Ok(ends
        + counted(db, names, MINUTE, (minutes.0, hours.0))?
        + counted(db, names, HOUR, hours)?
        + counted(db, names, MINUTE, (hours.1, minutes.1))?)
}

/// By the events themselves.
fn events(db: &Connection, names: &Names, from: i64, to: i64) -> Result<u64> {
    if from >= to {
        return Ok(0);
    }
    let statement = Query::select()
        .expr(Func::count(Expr::col(Asterisk)))
        .from("events")
        .and_where(Expr::col("occurred").gte(from))
        .and_where(Expr::col("occurred").lt(to))
        .cond_where(condition::of_name(names))
        .take();
    let found: Vec<i64> = rows::all(db, &statement, |row| row.get(0))?;
    Ok(found.iter().sum::<i64>().unsigned_abs())
}

/// By what is counted of whole parts of time.
fn counted(db: &Connection, names: &Names, step: i64, (from, to): (i64, i64)) -> Result<u64> {
    if from >= to {
        return Ok(0);
    }
    let statement = Query::select()
        .expr(Expr::cust("coalesce(sum(count), 0)"))
        .from("event_counts")
        .and_where(Expr::col("step").eq(step))
        .and_where(Expr::col("start").gte(from))
        .and_where(Expr::col("start").lt(to))
        .cond_where(condition::of_name(names))
        .take();
    let found: Vec<i64> = rows::all(db, &statement, |row| row.get(0))?;
    Ok(found.iter().sum::<i64>().unsigned_abs())
}

#[cfg(test)]
mod tests;
