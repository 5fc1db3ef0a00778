//! Fills a database that the daemon itself has made with stored runs, in one transaction.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Context;
use chrono::{DateTime, TimeDelta, Utc};
use rusqlite::Connection;

use super::args::Generation;
use super::server::Server;

const STORED: &str = include_str!("seed.sql");
/// What modern runs have beyond that.
const MODERN: &str = include_str!("modern/seed.sql");

/// Microseconds from one run to the next.
const STEP: i64 = 10_000_000;
/// An hour, into which the middle half of the runs falls in a modern database.
const HOUR: i64 = 3_600_000_000;

/// When the stored runs of a database happened.
#[derive(Clone, Copy, Debug)]
pub struct Stored {
    /// Those of the 2.0a7 generation are spaced evenly.
    generation: Generation,
    runs: i64,
    /// When the last one began, in microseconds since the epoch.
    now: i64,
}

impl Stored {
    /// So many runs up to now.
    fn up_to_now(generation: Generation, runs: u64) -> anyhow::Result<Self> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_micros();
        Ok(Self {
            generation,
            runs: runs.try_into()?,
            now: now.try_into()?,
        })
    }

    /// The hour into which half of the runs of a modern database falls.
    pub fn busy_hour(&self) -> (DateTime<Utc>, DateTime<Utc>) {
        let end = self.now - self.quarter() * STEP;
        (instant(end - HOUR), instant(end))
    }

    /// From before the first run to after the last one, in a modern database.
    pub fn all(&self) -> (DateTime<Utc>, DateTime<Utc>) {
        let first = self.now - 2 * self.quarter() * STEP - HOUR;
        let day = TimeDelta::days(1);
        (instant(first) - day, instant(self.now) + day)
    }

    const fn quarter(&self) -> i64 {
        self.runs / 4
    }

    /// The time of the run `n` in SQL.
    fn time(&self) -> String {
        let Self { runs, now, .. } = self;
        let evenly = format!("{now} - ({runs} - n) * {STEP}");
        if self.generation == Generation::Orion {
            return evenly;
        }
        let quarter = self.quarter();
        let half = runs - 2 * quarter;
        let end = now - quarter * STEP;
        format!(
            "CASE WHEN n > {runs} - {quarter} THEN {evenly} \
             WHEN n > {quarter} THEN {end} - ({runs} - {quarter} - n) * {HOUR} / {half} \
             ELSE {end} - {HOUR} - ({quarter} - n) * {STEP} END"
        )
    }

    fn script(&self) -> String {
        let script = match self.generation {
            Generation::Orion => STORED.to_owned(),
            Generation::Modern => format!("{STORED}\n{MODERN}"),
        };
        script
            .replace(":at", &format!("({})", self.time()))
            .replace(":runs", &self.runs.to_string())
            .replace(":now", &self.now.to_string())
    }
}

fn instant(micros: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_micros(micros).unwrap_or_default()
}

/// Notes that the directory is not what it was: the next time it is made anew.
pub fn spent(dir: &Path) -> anyhow::Result<()> {
    Ok(std::fs::remove_dir_all(dir)?)
}

/// A state directory with so many stored runs. One that is there from an earlier time is
/// taken as it is.
pub async fn state_dir(
    program: &Path,
    dir: &Path,
    runs: u64,
    generation: Generation,
) -> anyhow::Result<Stored> {
    let mut stored = Stored::up_to_now(generation, runs)?;
    let whole = dir.join("seeded");
    if let Ok(text) = std::fs::read_to_string(&whole) {
        stored.now = text.trim().parse().unwrap_or(stored.now);
        return Ok(stored);
    }
    Server::prefectd(program, dir, &[]).await?.stop()?;
    let db = Connection::open(dir.join("prefectd.db"))?;
    // Nobody else uses the file, and a seed that breaks off is made anew.
    db.execute_batch(
        "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -400000;",
    )?;
    let script = stored.script();
    let counted = counting(&db)?;
    db.execute_batch(&format!(
        "BEGIN; {script} {counted} COMMIT; PRAGMA journal_mode = WAL;"
    ))
    .context("seeding")?;
    std::fs::write(whole, stored.now.to_string())?;
    Ok(stored)
}

/// What counts the runs and the events that there are, as the migrations do that bring the counts;
/// nothing where the daemon is older than these, or counts events by itself as they come.
fn counting(db: &Connection) -> anyhow::Result<String> {
    let is_there = |name: &str| -> rusqlite::Result<bool> {
        let sql = "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = ?1)";
        db.query_row(sql, [name], |row| row.get(0))
    };
    let mut counting = String::new();
    if is_there("flow_run_counts")? {
        counting += &counts(include_str!("../../sql/migrations/V27__run_counts.sql"));
    }
    if is_there("event_counts")? && !is_there("events_are_counted")? {
        counting += &counts(include_str!("../../sql/migrations/V26__event_counts.sql"));
    }
    Ok(counting)
}

/// The statements of a migration that count.
fn counts(migration: &str) -> String {
    let statements = migration.split_inclusive(";\n\n");
    statements.filter(|it| it.contains("GROUP BY")).collect()
}
