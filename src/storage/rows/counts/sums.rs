//! Tallies that are put together of many rows.

use std::collections::BTreeMap;

use rusqlite::Row as SqlRow;

use super::read;
use crate::domain::history::Tally;
use crate::domain::time::Span;
use crate::storage::query::Columns;

/// Tallies, one of each bucket and state. They are not grouped by SQLite, which would sort all rows for
/// that. Rows of one bucket and state often follow each other.
#[derive(Default)]
pub(super) struct Sums {
    done: BTreeMap<(i64, &'static str, String), Tally>,
    /// That of the last rows, which is often that of the next one.
    last: Option<Tally>,
}

impl Sums {
    /// Adds what a row tells, or takes it away. Its columns are those of a tally.
    pub fn add(&mut self, sign: i64, row: &SqlRow<'_>) -> rusqlite::Result<()> {
        let mut columns = Columns::of(row);
        let (bucket, kind, name) = (columns.next::<i64>()?, columns.str()?, columns.str()?);
        let is_same = |it: &Tally| it.bucket == bucket && it.kind.word() == kind && it.name == name;
        if !self.last.as_ref().is_some_and(is_same) {
            self.put_down();
            self.last = Some(Tally {
                count: 0,
                run_time: Span::default(),
                lateness: Span::default(),
                ..read(row)?
            });
        }
        if let Some(last) = &mut self.last {
            last.count += sign * columns.next::<i64>()?;
            last.run_time += Span::from_micros(sign * columns.next::<i64>()?);
            last.lateness += Span::from_micros(sign * columns.next::<i64>()?);
        }
        Ok(())
    }

    fn put_down(&mut self) {
        let Some(last) = self.last.take() else {
            return;
        };
        let key = (last.bucket, last.kind.word(), last.name.clone());
        self.done
            .entry(key)
            .and_modify(|sum| {
                sum.count += last.count;
                sum.run_time += last.run_time;
                sum.lateness += last.lateness;
            })
            .or_insert(last);
    }

    /// Those of which there are any, by bucket and state.
    pub fn tallies(mut self) -> Vec<Tally> {
        self.put_down();
        self.done.into_values().filter(|it| it.count > 0).collect()
    }
}
