//! How many runs there are: those that have ended from what is counted of them as they end, by the
//! second and by the hour, and the few others by themselves. What a question costs depends on the
//! hours that it spans, on what they are told apart by and on how many have not ended, and not on how
//! many runs an hour has. The runs of a time that has few are asked themselves.

mod asked;
mod boxes;
mod question;
mod sums;

use rusqlite::{Connection, Row as SqlRow};
use sea_query::{Expr, ExprTrait, Order, Query, SelectStatement};

use super::way::is_few;
use super::{Filtered, all, counting, each, history};
use crate::domain::error::Result;
use crate::domain::filter::{Filters, Noun};
use crate::domain::history::{Buckets, Tally};
use crate::domain::time::{Span, Timestamp};
use crate::storage::query::Columns;
use crate::storage::run_counts::STEPS;
use asked::Asked;
use boxes::{Range, Within};
use question::{Question, Told};
use sums::Sums;

/// So many runs are asked one by one. An hour has up to so many counts, too, which are not read
/// faster, and those that have not ended come to them.
const FEW: u64 = 2_000;

/// So many of the first and of the last counts of hours tell whether all are added up soon; they are read
/// in a fraction of a millisecond.
const SOME_COUNTS: u64 = 1_000;

/// So many runs of an index are passed by in the time in which a count is read.
const RUNS_A_COUNT: u64 = 10;

/// A question of which the counts can tell how many runs it finds.
pub struct Countable {
    filters: Filters,
    asked: Asked,
}

/// What the filters ask, where the counts can tell how many runs that finds. Of all flow runs
/// that depends on how many a count stands for, see `all_flow_runs`.
pub fn countable<R: Filtered>(filters: &Filters) -> Option<Countable> {
    match is_of_all_flow_runs::<R>(filters) {
        true => None,
        false => Countable::of::<R>(filters),
    }
}

fn is_of_all_flow_runs<R: Filtered>(filters: &Filters) -> bool {
    R::NOUN == Noun::FlowRun && filters.is_of_all(R::NOUN)
}

impl Countable {
    /// What the filters ask, where the counts can tell of the runs that it finds.
    pub(super) fn of<R: Filtered>(filters: &Filters) -> Option<Self> {
        let asked = Asked::of(R::NOUN, filters)?;
        let filters = filters.clone();
        Some(Self { filters, asked })
    }

    /// How many runs there are; by several statements.
    pub fn count<R: Filtered>(&self, db: &Connection) -> Result<u64> {
        let count = match self.few::<R>(db, None)? {
            Some(few) => number(db, &counting::<R>(&self.filters, Some(few)))?,
            None => self.put_together::<R>(db)?,
        };
        Ok(u64::try_from(count).unwrap_or(0))
    }

    /// The ids of the runs that were expected when the question says, and within the buckets where there are
    /// some, if these runs are few: they are asked sooner than the counts are put together.
    pub(super) fn few<R: Filtered>(
        &self,
        db: &Connection,
        buckets: Option<Buckets>,
    ) -> Result<Option<SelectStatement>> {
        let expected = self.asked.expected;
        let expected = buckets.map_or(expected, |buckets| expected.of_buckets(buckets));
        if !expected.has_time() {
            return Ok(None);
        }
        let ids = question::expected_within(R::TABLE, expected);
        Ok(is_few(db, &ids, FEW)?.then_some(ids))
    }

    fn put_together<R: Filtered>(&self, db: &Connection) -> Result<i64> {
        let Self { asked, .. } = self;
        let question = Question::of::<R>(asked, Told::Number);
        let mut count = 0;
        question.ended(db, vec![asked.within(0, Range::ALL)], |row| {
            count += row.get::<_, i64>(0)?;
            Ok(())
        })?;
        for (some, sign) in asked.others::<R>(asked.expected) {
            count += sign * number(db, &counting::<R>(&asked.plain, Some(some)))?;
        }
        Ok(count)
    }

    /// The tallies of the runs.
    pub(super) fn tallies<R: Filtered>(
        &self,
        db: &Connection,
        buckets: Buckets,
        now: Timestamp,
    ) -> Result<Vec<Tally>> {
        let Self { asked, .. } = self;
        let within = buckets.each().map(|(number, start, end)| {
            let bucket = Range::ALL.at_least(start.micros());
            asked.within(number, bucket.before(end.micros()))
        });
        let mut sums = Sums::default();
        let question = Question::of::<R>(asked, Told::Parts);
        question.ended(db, within.collect(), |row| sums.add(1, row))?;
        for (some, sign) in asked.others::<R>(asked.expected.of_buckets(buckets)) {
            let statement = history::statement::<R>(&asked.plain, buckets, now, Some(some));
            each(db, &statement, |row| sums.add(sign, row))?;
        }
        Ok(sums.tallies())
    }

    /// How many there are and how late they started, or are, together.
    pub(super) fn lateness<R: Filtered>(
        &self,
        db: &Connection,
        now: Timestamp,
    ) -> Result<(i64, Span)> {
        let Self { asked, .. } = self;
        let question = Question::of::<R>(asked, Told::Lateness);
        let mut told = (0, Span::default());
        question.ended(db, vec![asked.within(0, Range::ALL)], |row| {
            let (count, late) = read_late(row)?;
            told = (told.0 + count, told.1 + late);
            Ok(())
        })?;
        for (some, sign) in asked.others::<R>(asked.expected) {
            let statement = history::late::<R>(&asked.plain, now, Some(some));
            for (count, late) in all(db, &statement, read_late)? {
                let late = Span::from_micros(sign * late.micros());
                told = (told.0 + sign * count, told.1 + late);
            }
        }
        Ok(told)
    }
}

/// How many flow runs there are, where all are asked for and the counts of hours tell it sooner than an index
/// of the runs; nothing otherwise. Where an hour has few runs there are about as many counts, and these take
/// more room.
pub(super) fn all_flow_runs<R: Filtered>(
    db: &Connection,
    filters: &Filters,
) -> Result<Option<u64>> {
    if !is_of_all_flow_runs::<R>(filters) || !are_added_up_soon(db)? {
        return Ok(None);
    }
    let count = Countable::of::<R>(filters).map(|all| all.put_together::<R>(db));
    let count = count.transpose()?;
    Ok(count.map(|count| u64::try_from(count).unwrap_or(0)))
}

/// Whether the counts of flow runs by the hour are few, or stand for many runs each: both the first and the
/// last of them.
fn are_added_up_soon(db: &Connection) -> Result<bool> {
    for order in [Order::Asc, Order::Desc] {
        let some = Query::select()
            .column("count")
            .from("flow_run_counts")
            .and_where(Expr::col("step").eq(STEPS[0]))
            .order_by("expected_start_time", order)
            .limit(SOME_COUNTS)
            .take();
        let told = Query::select()
            .expr(Expr::cust("count(*)"))
            .expr(Expr::cust("coalesce(sum(\"count\"), 0)"))
            .from_subquery(some, "some")
            .take();
        let told = all(db, &told, |row| Ok((row.get(0)?, row.get(1)?)))?;
        let (counts, runs): (i64, i64) = told.first().copied().unwrap_or_default();
        let (counts, runs) = (counts.unsigned_abs(), runs.unsigned_abs());
        if counts == SOME_COUNTS && runs < RUNS_A_COUNT * counts {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The one number that a statement answers.
fn number(db: &Connection, statement: &SelectStatement) -> Result<i64> {
    let numbers = all(db, statement, |row| row.get(0))?;
    Ok(numbers.first().copied().unwrap_or(0))
}

impl Asked {
    /// What it asks of the runs that were expected within that.
    fn within(&self, bucket: i64, expected: Range) -> Within {
        Within {
            bucket,
            expected: self.expected.within(expected),
            started: self.started,
        }
    }

    /// What is looked for among the runs themselves, and whether that is added or taken away: those
    /// that have not ended and were expected within the range, and those that stand for sub-flows
    /// where these are not asked for.
    fn others<R: Filtered>(&self, expected: Range) -> impl Iterator<Item = (SelectStatement, i64)> {
        let live = self
            .is_of_live_ones()
            .then(|| (question::live(R::TABLE, expected), 1));
        let parents = self
            .without_sub_flow
            .then(|| (question::with_sub_flows(), -1));
        live.into_iter().chain(parents)
    }
}

/// A row of tallies, of runs or of what is counted of them.
pub(super) fn read(row: &SqlRow<'_>) -> rusqlite::Result<Tally> {
    let mut columns = Columns::of(row);
    Ok(Tally {
        bucket: columns.next()?,
        kind: columns.next()?,
        name: columns.next()?,
        count: columns.next()?,
        run_time: columns.next()?,
        lateness: columns.next()?,
    })
}

/// How many runs there are, and how late they are together.
pub(super) fn read_late(row: &SqlRow<'_>) -> rusqlite::Result<(i64, Span)> {
    Ok((row.get(0)?, row.get(1)?))
}

#[cfg(test)]
mod tests;
