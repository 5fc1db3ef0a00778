//! Holds on slots of limits. How many are taken is counted from these rows.

use rusqlite::{Connection, Row, named_params};
use uuid::Uuid;

use super::query;
use crate::domain::error::Result;
use crate::domain::ids::{DeploymentId, FlowRunId, LeaseId, LimitId};
use crate::domain::rules::WhenFull;
use crate::domain::time::{Span, Timestamp};

const INSERT: &str = include_str!("../../sql/queries/leases/insert.sql");
const INSERT_LIMIT: &str = include_str!("../../sql/queries/leases/insert_limit.sql");
const TAKEN: &str = include_str!("../../sql/queries/leases/taken.sql");
const OF_HOLDER: &str = include_str!("../../sql/queries/leases/of_holder.sql");
const RENEW: &str = include_str!("../../sql/queries/leases/renew.sql");
const DELETE: &str = include_str!("../../sql/queries/leases/delete.sql");
const BY_ID: &str = include_str!("../../sql/queries/leases/by_id.sql");
const LIMITS_OF: &str = include_str!("../../sql/queries/leases/limits_of.sql");
const OVER: &str = include_str!("../../sql/queries/leases/over.sql");
const LEASED: &str = include_str!("../../sql/queries/leases/leased.sql");
const HOLDERS: &str = include_str!("../../sql/queries/leases/holders.sql");
const END_OF_HOLDER: &str = include_str!("../../sql/queries/leases/end_of_holder.sql");
const SOME_OF_LIMIT: &str = include_str!("../../sql/queries/leases/some_of_limit.sql");
const OF_ANY: &str = include_str!("../../sql/queries/leases/of_any_holder.sql");
const NEXT_END: &str = include_str!("../../sql/queries/leases/next_end.sql");
const LIMIT_OF: &str = include_str!("../../sql/queries/leases/limit_of_deployment.sql");
const NEXT_WAITING: &str = include_str!("../../sql/queries/leases/next_waiting.sql");
const NEXT_OF_SHARED: &str = include_str!("../../sql/queries/leases/next_waiting_of_shared.sql");

/// A hold on slots.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lease {
    /// Its id.
    pub id: LeaseId,
    /// When it was granted.
    pub created: Timestamp,
    /// When it is over unless it is renewed; absent: only when it is given back.
    pub expires: Option<Timestamp>,
    /// Of how many slots of each of its limits.
    pub slots: i64,
}

/// How many runs of a deployment may go on at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeploymentLimit {
    /// What says so.
    pub source: LimitSource,
    /// What becomes of a run that finds no slot free.
    pub when_full: WhenFull,
    /// How long a run may take to begin, where the deployment says so.
    pub grace: Option<Span>,
}

impl DeploymentLimit {
    /// The limit that the deployment shares.
    pub fn shared(&self) -> Option<LimitId> {
        match self.source {
            LimitSource::Shared(id) => Some(id),
            LimitSource::Own(_) => None,
        }
    }
}

/// What says how many runs of a deployment may go on at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LimitSource {
    /// It does by itself: so many.
    Own(i64),
    /// A limit that it shares with others.
    Shared(LimitId),
}

/// The limit of a deployment that has one.
pub fn limit_of(db: &Connection, id: DeploymentId) -> Result<Option<DeploymentLimit>> {
    let read = |row: &Row<'_>| {
        let shared: Option<LimitId> = row.get(1)?;
        let strategy: Option<String> = row.get(2)?;
        let grace: Option<i64> = row.get(3)?;
        Ok(DeploymentLimit {
            source: match shared {
                Some(shared) => LimitSource::Shared(shared),
                None => LimitSource::Own(row.get(0)?),
            },
            when_full: match strategy.as_deref() {
                Some("CANCEL_NEW") => WhenFull::CancelNew,
                _ => WhenFull::Enqueue,
            },
            grace: grace.map(|secs| Span::from_micros(secs.saturating_mul(1_000_000))),
        })
    };
    query::one(db, LIMIT_OF, named_params! {":id": id}, read)
}

/// Who holds a lease: what kind of thing, and its id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// `flow_run`, `task_run` or `deployment`.
    pub kind: String,
    /// Its id.
    pub id: Uuid,
}

/// Grants a lease on slots of each of some limits.
pub fn grant(db: &Connection, lease: Lease, on: &[Uuid], holder: Option<&Holder>) -> Result<()> {
    let params = named_params! {
        ":id": lease.id,
        ":now": lease.created,
        ":expires": lease.expires,
        ":slots": lease.slots,
        ":holder_type": holder.map(|holder| holder.kind.as_str()),
        ":holder_id": holder.map(|holder| holder.id.as_bytes().as_slice()),
    };
    query::change(db, INSERT, params)?;
    for limit in on {
        let params = named_params! {":limit_id": limit.as_bytes(), ":lease_id": lease.id};
        query::change(db, INSERT_LIMIT, params)?;
    }
    Ok(())
}

/// How many slots of a limit are taken at `now`, but for those that somebody holds.
pub fn taken(db: &Connection, limit: Uuid, but: Option<Uuid>, now: Timestamp) -> Result<i64> {
    let params = named_params! {
        ":limit_id": limit.as_bytes(),
        ":now": now,
        ":but": but.as_ref().map(|id| id.as_bytes().as_slice()),
    };
    let taken = query::one(db, TAKEN, params, |row| row.get(0))?;
    Ok(taken.unwrap_or_default())
}

/// How many slots of a limit are held at `now`, by how many leases.
pub fn leased(db: &Connection, limit: Uuid, now: Timestamp) -> Result<(i64, i64)> {
    let params = named_params! {":limit_id": limit.as_bytes(), ":now": now};
    let found = query::one(db, LEASED, params, |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(found.unwrap_or_default())
}

/// Up to `most` leases on a limit whose holders are known, with these.
pub fn holders(
    db: &Connection,
    limit: Uuid,
    now: Timestamp,
    most: i64,
) -> Result<Vec<(LeaseId, Holder)>> {
    let params = named_params! {":limit_id": limit.as_bytes(), ":now": now, ":limit": most};
    query::all(db, HOLDERS, params, |row| {
        let holder = Holder {
            kind: row.get::<_, Option<String>>(1)?.unwrap_or_default(),
            id: Uuid::from_bytes(row.get(2)?),
        };
        Ok((row.get(0)?, holder))
    })
}

/// Has all that somebody holds be over at `now`.
pub fn end_of_holder(db: &Connection, holder: Uuid, now: Timestamp) -> Result<()> {
    let params = named_params! {":holder_id": holder.as_bytes(), ":now": now};
    query::change(db, END_OF_HOLDER, params)?;
    Ok(())
}

/// The most leases of one holder that are looked at.
const MOST_OF_ONE: i64 = 100;

/// The leases that somebody holds, or some of them.
pub fn of_any(db: &Connection, holder: Uuid) -> Result<Vec<LeaseId>> {
    let params = named_params! {":holder_id": holder.as_bytes(), ":limit": MOST_OF_ONE};
    query::all(db, OF_ANY, params, |row| row.get(0))
}

/// Whether somebody holds a lease.
pub fn is_holder(db: &Connection, holder: Uuid) -> Result<bool> {
    let params = named_params! {":holder_id": holder.as_bytes(), ":limit": 1};
    query::any(db, OF_ANY, params)
}

/// Up to `most` leases on a limit, whether they are over or not.
pub fn some_of_limit(db: &Connection, limit: Uuid, most: i64) -> Result<Vec<LeaseId>> {
    let params = named_params! {":limit_id": limit.as_bytes(), ":limit": most};
    query::all(db, SOME_OF_LIMIT, params, |row| row.get(0))
}

/// A run's hold on a slot of its deployment, and when that is over.
pub fn of_run(
    db: &Connection,
    run: FlowRunId,
    deployment: DeploymentId,
) -> Result<Option<(LeaseId, Option<Timestamp>)>> {
    let params = named_params! {":holder_id": run, ":limit_id": deployment};
    query::one(db, OF_HOLDER, params, |row| Ok((row.get(0)?, row.get(1)?)))
}

/// Has a lease last until another moment; false where it is over or there is none.
pub fn renew(
    db: &Connection,
    id: LeaseId,
    expires: Option<Timestamp>,
    now: Timestamp,
) -> Result<bool> {
    let params = named_params! {":id": id, ":expires": expires, ":now": now};
    Ok(query::change(db, RENEW, params)? > 0)
}

/// Takes a lease back; false where there is none.
pub fn delete(db: &Connection, id: LeaseId) -> Result<bool> {
    Ok(query::change(db, DELETE, named_params! {":id": id})? > 0)
}

/// The lease of that id.
pub fn by_id(db: &Connection, id: LeaseId) -> Result<Option<Lease>> {
    query::one(db, BY_ID, named_params! {":id": id}, |row: &Row<'_>| {
        Ok(Lease {
            id: row.get(0)?,
            created: row.get(1)?,
            expires: row.get(2)?,
            slots: row.get(3)?,
        })
    })
}

/// What a lease is on.
pub fn limits_of(db: &Connection, id: LeaseId) -> Result<Vec<Uuid>> {
    let read = |row: &Row<'_>| row.get::<_, [u8; 16]>(0).map(Uuid::from_bytes);
    query::all(db, LIMITS_OF, named_params! {":id": id}, read)
}

/// Up to `limit` leases that are over at `now`.
pub fn over(db: &Connection, now: Timestamp, limit: u64) -> Result<Vec<LeaseId>> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let params = named_params! {":now": now, ":limit": limit};
    query::all(db, OVER, params, |row| row.get(0))
}

/// When the next lease is over.
pub fn next_end(db: &Connection) -> Result<Option<Timestamp>> {
    query::one(db, NEXT_END, [], |row| row.get(0))
}

/// The run of a deployment that has waited longest for a slot and is not due yet.
pub fn next_waiting(
    db: &Connection,
    deployment: DeploymentId,
    now: Timestamp,
) -> Result<Option<FlowRunId>> {
    let params = named_params! {":deployment_id": deployment, ":now": now};
    query::one(db, NEXT_WAITING, params, |row| row.get(0))
}

/// The same of all deployments that share a limit.
pub fn next_waiting_of_shared(
    db: &Connection,
    limit: LimitId,
    now: Timestamp,
) -> Result<Option<FlowRunId>> {
    let params = named_params! {":limit_id": limit, ":now": now};
    query::one(db, NEXT_OF_SHARED, params, |row| row.get(0))
}
