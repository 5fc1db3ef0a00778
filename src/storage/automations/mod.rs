//! Automations in the store: what they are like, what their triggers have counted, and what is to
//! be done.

pub mod windows;
pub mod work;

use rusqlite::{Connection, Row as SqlRow, named_params};

use super::column::Json;
use super::query::{self, Columns};
use super::rows::{Filtered, Row, key};
use super::sql::{self, Statement, statement};
use crate::domain::automation::{Automation, Plan};
use crate::domain::error::Result;
use crate::domain::filter::Noun;
use crate::domain::ids::AutomationId;
use crate::domain::time::Timestamp;

const INSERT: &str = include_str!("../../../sql/queries/automations/insert.sql");
const UPDATE: &str = include_str!("../../../sql/queries/automations/update.sql");
const COUNT: &str = include_str!("../../../sql/queries/automations/count.sql");
const RELATE: &str = include_str!("../../../sql/queries/automations/relate.sql");
const UNRELATE: &str = include_str!("../../../sql/queries/automations/unrelate.sql");
static ENABLED: Statement = statement!("automations/enabled.sql");
static OF_RESOURCE: Statement = statement!("automations/of_resource.sql");

/// Stores an automation that is not there yet.
pub fn insert(
    db: &Connection,
    id: AutomationId,
    plan: &Plan,
    now: Timestamp,
) -> Result<AutomationId> {
    write(db, INSERT, id, plan, now)?;
    Ok(id)
}

/// Has an automation be like that.
pub fn update(db: &Connection, id: AutomationId, plan: &Plan, now: Timestamp) -> Result<()> {
    write(db, UPDATE, id, plan, now)
}

fn write(db: &Connection, sql: &str, id: AutomationId, plan: &Plan, now: Timestamp) -> Result<()> {
    let params = named_params! {
        ":id": id,
        ":now": now,
        ":name": plan.name,
        ":enabled": plan.enabled,
        ":tags": Json(&plan.tags),
        ":plan": Json(plan),
    };
    query::change(db, sql, params)?;
    Ok(())
}

/// How many automations there are.
pub fn count(db: &Connection) -> Result<u64> {
    query::count(db, COUNT, [])
}

/// Those that look at events.
pub fn enabled(db: &Connection) -> Result<Vec<Automation>> {
    query::all(db, &ENABLED, [], Automation::read)
}

/// Those that have to do with a resource, or only those that go with it.
pub fn of_resource(db: &Connection, resource: &str, owned: bool) -> Result<Vec<Automation>> {
    let params = named_params! {":resource_id": resource, ":is_owner": owned};
    query::all(db, &OF_RESOURCE, params, Automation::read)
}

/// Has an automation have to do with a resource, or go with it.
pub fn relate(db: &Connection, id: AutomationId, resource: &str, is_owner: bool) -> Result<()> {
    let params = named_params! {":id": id, ":resource_id": resource, ":is_owner": is_owner};
    query::change(db, RELATE, params)?;
    Ok(())
}

/// Forgets the resources that an automation had to do with, but for those that it goes with.
pub fn unrelate(db: &Connection, id: AutomationId) -> Result<()> {
    query::change(db, UNRELATE, named_params! {":id": id})?;
    Ok(())
}

key!(AutomationId, Automation);

impl Row for Automation {
    const TABLE: &'static str = "automations";

    fn columns() -> &'static str {
        &sql::AUTOMATION
    }

    fn read(row: &SqlRow<'_>) -> rusqlite::Result<Self> {
        let mut columns = Columns::of(row);
        Ok(Self {
            id: columns.next()?,
            created: columns.next()?,
            updated: columns.next()?,
            plan: columns.next::<Json<_>>()?.0,
        })
    }
}

impl Filtered for Automation {
    const NOUN: Noun = Noun::Automation;
    const TIES_BY_ID: bool = true;
}
