//! Log lines in the store.

use rusqlite::{Connection, Row as SqlRow, named_params, params};
use uuid::Uuid;

use super::query::{self, Columns};
use super::rows::{Filtered, Row};
use super::sql::{self, Statement, statement};
use crate::domain::error::Result;
use crate::domain::filter::Noun;
use crate::domain::ids::{FlowRunId, LogId};
use crate::domain::log::{Lines, Log, LogPosition, NewLog, OutputSeen, Start, Wanted};
use crate::domain::time::Timestamp;

const INSERT: &str = include_str!("../../sql/queries/logs/insert.sql");
static OF_RUN: Statement = statement!("logs/of_run.sql");
static OF_RUN_BACKWARDS: Statement = statement!("logs/of_run_backwards.sql");
static ARRIVED: Statement = statement!("logs/arrived.sql");
static AFTER: Statement = statement!("logs/after.sql");
const LAST_ID: &str = include_str!("../../sql/queries/logs/last_id.sql");
const LAST_OUTPUT: &str = include_str!("../../sql/queries/logs/last_output.sql");

const EARLIEST: Timestamp = Timestamp::from_micros(i64::MIN);
const LATEST: Timestamp = Timestamp::from_micros(i64::MAX);

/// Appends lines in their order.
pub fn insert(db: &Connection, lines: &[NewLog], now: Timestamp) -> Result<()> {
    let mut statement = db.prepare_cached(INSERT)?;
    for line in lines {
        // By position: there may be many thousands a second, and finding a parameter by its
        // name takes as long as binding it.
        statement.execute(params![
            LogId::new(),
            now,
            line.name,
            line.level,
            line.message,
            line.timestamp,
            line.flow_run_id,
            line.task_run_id,
            line.stream,
        ])?;
    }
    Ok(())
}

/// How much of a logger's lines in a run is stored.
pub fn seen_of(db: &Connection, run: FlowRunId, logger: &str) -> Result<OutputSeen> {
    let params = named_params! {":flow_run_id": run, ":name": logger};
    let seen = query::one(db, LAST_OUTPUT, params, |row| {
        let mut columns = Columns::of(row);
        let lines: i64 = columns.next()?;
        let at = columns.next()?;
        let of_them: i64 = columns.next()?;
        Ok(OutputSeen {
            lines: lines.unsigned_abs(),
            last: Some((at, of_them.unsigned_abs())),
        })
    })?;
    Ok(seen.unwrap_or_default())
}

/// The line that was stored last.
pub fn last(db: &Connection) -> Result<Option<LogId>> {
    Ok(query::one(db, LAST_ID, [], |row| row.get(0))?.flatten())
}

/// Lines of any run that were stored after one, in the order of arrival; `None`: from the first.
pub fn after(db: &Connection, id: Option<LogId>, limit: u64) -> Result<Vec<Log>> {
    let id = id.unwrap_or(LogId::from_uuid(Uuid::nil()));
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    query::all(db, &AFTER, named_params! {":id": id, ":limit": limit}, read)
}

/// Lines of one run from a place on.
pub fn of_run(db: &Connection, wanted: &Wanted) -> Result<Lines> {
    // Before the lines, so that none is between both.
    let last = last(db)?;
    let since = wanted.since.unwrap_or(EARLIEST);
    let limit = i64::try_from(wanted.limit).unwrap_or(i64::MAX);
    let (run, level) = (wanted.run, wanted.level);
    let lines = match wanted.from {
        Start::After(place) => {
            let first = LogPosition {
                at: since,
                id: LogId::from_uuid(Uuid::nil()),
            };
            let place = place.filter(|place| place.at >= since).unwrap_or(first);
            let params = named_params! {
                ":flow_run_id": run, ":level": level, ":limit": limit, ":at": place.at, ":id": place.id,
            };
            query::all(db, &OF_RUN, params, read)?
        }
        Start::Before(place) => {
            let end = LogPosition {
                at: LATEST,
                id: LogId::from_uuid(Uuid::max()),
            };
            let place = place.unwrap_or(end);
            let params = named_params! {
                ":flow_run_id": run, ":level": level, ":since": since, ":limit": limit,
                ":at": place.at, ":id": place.id,
            };
            query::all(db, &OF_RUN_BACKWARDS, params, read)?
        }
        Start::Arrived(id) => {
            let params = named_params! {
                ":flow_run_id": run, ":level": level, ":since": since, ":limit": limit, ":id": id,
            };
            query::all(db, &ARRIVED, params, read)?
        }
    };
    Ok(Lines { lines, last })
}

impl Row for Log {
    const TABLE: &'static str = "logs";

    fn columns() -> &'static str {
        &sql::LOG
    }

    fn read(row: &SqlRow<'_>) -> rusqlite::Result<Self> {
        read(row)
    }
}

impl Filtered for Log {
    const NOUN: Noun = Noun::Log;
    const TIES_BY_ID: bool = true;
}

fn read(row: &SqlRow<'_>) -> rusqlite::Result<Log> {
    let mut columns = Columns::of(row);
    Ok(Log {
        id: columns.next()?,
        created: columns.next()?,
        line: NewLog {
            name: columns.next()?,
            level: columns.next()?,
            message: columns.text()?,
            timestamp: columns.next()?,
            flow_run_id: columns.next()?,
            task_run_id: columns.next()?,
            stream: columns.next()?,
        },
    })
}
