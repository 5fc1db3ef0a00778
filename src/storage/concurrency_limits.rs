//! Limits on what goes on at once, by name.

use rusqlite::{Connection, Row as SqlRow, named_params};

use super::query::{self, Columns};
use super::rows::{Row, key};
use super::sql::{self, Statement, statement};
use crate::domain::concurrency_limit::ConcurrencyLimit;
use crate::domain::error::Result;
use crate::domain::filter::Page;
use crate::domain::ids::{DeploymentId, LimitId};
use crate::domain::time::Timestamp;

const INSERT: &str = include_str!("../../sql/queries/concurrency_limits/insert.sql");
const UPDATE: &str = include_str!("../../sql/queries/concurrency_limits/update.sql");
static BY_NAME: Statement = statement!("concurrency_limits/by_name.sql");
static OF_DEPLOYMENT: Statement = statement!("concurrency_limits/of_deployment.sql");
static PAGE: Statement = statement!("concurrency_limits/page.sql");

/// Stores a limit that is not there yet.
pub fn insert(db: &Connection, limit: &ConcurrencyLimit) -> Result<()> {
    let params = named_params! {
        ":id": limit.id,
        ":now": limit.created,
        ":name": limit.name,
        ":slots": limit.slots,
        ":active": limit.active,
        ":decay": limit.decay,
        ":taken": limit.taken,
        ":denied": limit.denied,
    };
    query::change(db, INSERT, params)?;
    Ok(())
}

/// Keeps a limit as it is at `now`.
pub fn update(db: &Connection, limit: &ConcurrencyLimit, now: Timestamp) -> Result<()> {
    let params = named_params! {
        ":id": limit.id,
        ":now": now,
        ":name": limit.name,
        ":slots": limit.slots,
        ":active": limit.active,
        ":decay": limit.decay,
        ":taken": limit.taken,
        ":denied": limit.denied,
        ":occupancy": limit.occupancy,
    };
    query::change(db, UPDATE, params)?;
    Ok(())
}

/// The limit of that name.
pub fn by_name(db: &Connection, name: &str) -> Result<Option<ConcurrencyLimit>> {
    let params = named_params! {":name": name};
    query::one(db, &BY_NAME, params, ConcurrencyLimit::read)
}

/// The limit that a deployment has.
pub fn of_deployment(db: &Connection, id: DeploymentId) -> Result<Option<ConcurrencyLimit>> {
    let params = named_params! {":id": id};
    query::one(db, &OF_DEPLOYMENT, params, ConcurrencyLimit::read)
}

/// A page of the limits whose names lie in a range, by name; those of deployments are among them
/// where the range has no end.
pub fn page(
    db: &Connection,
    (from, until): (&str, Option<&str>),
    page: Page,
) -> Result<Vec<ConcurrencyLimit>> {
    let params = named_params! {
        ":from": from,
        ":until": until,
        ":limit": i64::try_from(page.limit).unwrap_or(i64::MAX),
        ":offset": i64::try_from(page.offset).unwrap_or(i64::MAX),
    };
    query::all(db, &PAGE, params, ConcurrencyLimit::read)
}

key!(LimitId, ConcurrencyLimit);

impl Row for ConcurrencyLimit {
    const TABLE: &'static str = "concurrency_limits";

    fn columns() -> &'static str {
        &sql::CONCURRENCY_LIMIT
    }

    fn read(row: &SqlRow<'_>) -> rusqlite::Result<Self> {
        let mut columns = Columns::of(row);
        Ok(Self {
            id: columns.next()?,
            created: columns.next()?,
            updated: columns.next()?,
            name: columns.next()?,
            slots: columns.next()?,
            active: columns.next()?,
            decay: columns.next()?,
            taken: columns.next()?,
            denied: columns.next()?,
            counted_at: columns.next()?,
            occupancy: columns.next()?,
        })
    }
}
