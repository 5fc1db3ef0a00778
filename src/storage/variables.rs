//! Variables in the store.

use rusqlite::{Connection, Row as SqlRow, named_params};

use super::column::Json;
use super::query::{self, Columns};
use super::rows::{Filtered, Row, key};
use super::sql::{self, Statement, statement};
use crate::domain::error::Result;
use crate::domain::filter::Noun;
use crate::domain::ids::VariableId;
use crate::domain::time::Timestamp;
use crate::domain::variable::{NewVariable, Variable, VariableUpdate};

const INSERT: &str = include_str!("../../sql/queries/variables/insert.sql");
const UPDATE: &str = include_str!("../../sql/queries/variables/update.sql");
static BY_NAME: Statement = statement!("variables/by_name.sql");

/// Stores a variable that is not there yet.
pub fn insert(db: &Connection, new: &NewVariable, now: Timestamp) -> Result<VariableId> {
    let id = VariableId::new();
    let params = named_params! {
        ":id": id,
        ":now": now,
        ":name": new.name,
        ":value": Json(&new.value),
        ":tags": Json(&new.tags),
    };
    query::change(db, INSERT, params)?;
    Ok(id)
}

/// Changes what the update names.
pub fn update(
    db: &Connection,
    known: Variable,
    update: VariableUpdate,
    now: Timestamp,
) -> Result<()> {
    let VariableUpdate { name, value, tags } = update;
    let params = named_params! {
        ":id": known.id,
        ":now": now,
        ":name": name.unwrap_or(known.name),
        ":value": Json(&value.unwrap_or(known.value)),
        ":tags": Json(&tags.unwrap_or(known.tags)),
    };
    query::change(db, UPDATE, params)?;
    Ok(())
}

/// The variable of that name.
pub fn by_name(db: &Connection, name: &str) -> Result<Option<Variable>> {
    query::one(db, &BY_NAME, named_params! {":name": name}, Variable::read)
}

key!(VariableId, Variable);

impl Row for Variable {
    const TABLE: &'static str = "variables";

    fn columns() -> &'static str {
        &sql::VARIABLE
    }

    fn read(row: &SqlRow<'_>) -> rusqlite::Result<Self> {
        let mut columns = Columns::of(row);
        Ok(Self {
            id: columns.next()?,
            created: columns.next()?,
            updated: columns.next()?,
            name: columns.next()?,
            value: columns.next::<Json<_>>()?.0,
            tags: columns.next::<Json<_>>()?.0,
        })
    }
}

impl Filtered for Variable {
    const NOUN: Noun = Noun::Variable;
    const TIES_BY_ID: bool = true;
}
