//! What automations have decided and is to be done.

use rusqlite::{Connection, Row as SqlRow, named_params};
use uuid::Uuid;

use super::super::column::Json;
use super::super::query::{self, Columns};
use crate::domain::automation::{Firing, Plan};
use crate::domain::error::Result;
use crate::domain::ids::{AutomationId, EventId};
use crate::domain::time::Timestamp;

const INSERT_FIRING: &str = include_str!("../../../sql/queries/automations/insert_firing.sql");
const INSERT: &str = include_str!("../../../sql/queries/automations/insert_work.sql");
const NEXT: &str = include_str!("../../../sql/queries/automations/next_work.sql");
const DELETE: &str = include_str!("../../../sql/queries/automations/delete_work.sql");
const DELETE_DONE: &str = include_str!("../../../sql/queries/automations/delete_done_firing.sql");
const POSTPONE: &str = include_str!("../../../sql/queries/automations/postpone_work.sql");

/// Something to do.
#[derive(Clone, Debug, PartialEq)]
pub struct Work {
    /// Its place in the order.
    pub place: i64,
    /// Names this one time that it is done.
    pub id: Uuid,
    /// Which of the plan's actions; absent: to tell that the automation has fired.
    pub number: Option<i64>,
    /// Not before.
    pub due: Timestamp,
    /// How often it was tried.
    pub tries: i64,
    /// How many of its messages have arrived.
    pub sent: i64,
    /// The firing, and what is done because of it.
    pub fired: Fired,
}

/// That an automation has fired.
#[derive(Clone, Debug, PartialEq)]
pub struct Fired {
    /// The automation.
    pub automation: AutomationId,
    /// What it was like.
    pub plan: Plan,
    /// The firing.
    pub firing: Firing,
    /// The id of the event that tells of it.
    pub told: EventId,
}

/// Notes all that is to be done because of a firing.
pub fn insert(db: &Connection, fired: &Fired, actions: i64, now: Timestamp) -> Result<()> {
    let params = named_params! {
        ":id": fired.firing.id.as_bytes(),
        ":automation_id": fired.automation,
        ":plan": Json(&fired.plan),
        ":firing": Json(&fired.firing),
        ":told": fired.told,
    };
    query::change(db, INSERT_FIRING, params)?;
    for number in std::iter::once(None).chain((0..actions).map(Some)) {
        let id = Uuid::now_v7();
        let params = named_params! {
            ":id": id.as_bytes(),
            ":firing_id": fired.firing.id.as_bytes(),
            ":number": number,
            ":now": now,
        };
        query::change(db, INSERT, params)?;
    }
    Ok(())
}

/// What is to be done first, but for what those automations have decided.
pub fn next(db: &Connection, busy: &[AutomationId]) -> Result<Option<Work>> {
    let busy: Vec<_> = busy
        .iter()
        .map(|id| id.uuid().simple().to_string())
        .collect();
    query::one(db, NEXT, named_params! {":busy": Json(&busy)}, read)
}

fn read(row: &SqlRow<'_>) -> rusqlite::Result<Work> {
    let mut columns = Columns::of(row);
    Ok(Work {
        place: columns.next()?,
        id: Uuid::from_bytes(columns.next()?),
        number: columns.next()?,
        due: columns.next()?,
        tries: columns.next()?,
        sent: columns.next()?,
        fired: Fired {
            automation: columns.next()?,
            plan: columns.next::<Json<_>>()?.0,
            firing: columns.next::<Json<_>>()?.0,
            told: columns.next()?,
        },
    })
}

/// Notes that something was done; false where that was noted before.
pub fn done(db: &Connection, work: &Work) -> Result<bool> {
    let gone = query::change(db, DELETE, named_params! {":place": work.place})?;
    let id = work.fired.firing.id;
    query::change(db, DELETE_DONE, named_params! {":id": id.as_bytes()})?;
    Ok(gone > 0)
}

/// Has something be tried again, not before a moment, of which so many messages have arrived.
pub fn postpone(db: &Connection, work: &Work, due: Timestamp, sent: i64) -> Result<()> {
    let params = named_params! {":place": work.place, ":due": due, ":sent": sent};
    query::change(db, POSTPONE, params)?;
    Ok(())
}
