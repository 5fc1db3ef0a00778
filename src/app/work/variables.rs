//! Verbs on variables.

use uuid::Uuid;

use crate::app::App;
use crate::app::events::emit;
use crate::app::request::Repeat;
use crate::app::tx::Tx;
use crate::domain::error::{Error, Kind, Result};
use crate::domain::event::{Happened, lifecycle};
use crate::domain::filter::{Filters, Page, Sort};
use crate::domain::ids::VariableId;
use crate::domain::variable::{NewVariable, Variable, VariableUpdate, check_name, check_value};
use crate::storage::{Connection, rows, variables};

/// How a request names a variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VariableKey {
    /// By its id.
    Id(VariableId),
    /// By its name.
    Name(String),
}

impl App {
    /// Creates a variable.
    ///
    /// Fails as a conflict when there is one of that name.
    pub async fn create_variable(&self, new: NewVariable) -> Result<Variable> {
        check_name(&new.name).map_err(Error::invalid)?;
        check_value(&new.value).map_err(Error::invalid)?;
        self.write(move |tx| {
            check_free(tx.db, &new.name)?;
            let id = variables::insert(tx.db, &new, tx.now)?;
            let made = rows::by_id(tx.db, id)?.ok_or_else(unknown)?;
            emit(tx, lifecycle::variable(Happened::Created, &made, tx.now))?;
            Ok(made)
        })
        .await
    }

    /// One variable.
    pub async fn variable(&self, key: VariableKey) -> Result<Variable> {
        self.read(move |db| read(db, &key)).await
    }

    /// A page of variables.
    pub async fn variables(
        &self,
        filters: Filters,
        sort: Sort,
        page: Page,
    ) -> Result<Vec<Variable>> {
        self.scan(move |db| rows::page(db, &filters, sort, page))
            .await
    }

    /// How many variables match.
    pub async fn count_variables(&self, filters: Filters) -> Result<u64> {
        self.scan(move |db| rows::count::<Variable>(db, &filters))
            .await
    }

    /// Changes what the update names.
    pub async fn update_variable(&self, key: VariableKey, update: VariableUpdate) -> Result<()> {
        if let Some(name) = &update.name {
            check_name(name).map_err(Error::invalid)?;
        }
        if let Some(value) = &update.value {
            check_value(value).map_err(Error::invalid)?;
        }
        self.write(move |tx| {
            let known = read(tx.db, &key)?;
            if let Some(name) = update.name.as_ref().filter(|name| **name != known.name) {
                check_free(tx.db, name)?;
            }
            let key = VariableKey::Id(known.id);
            variables::update(tx.db, known, update, tx.now)?;
            let changed = read(tx.db, &key)?;
            emit(tx, lifecycle::variable(Happened::Updated, &changed, tx.now))
        })
        .await
    }

    /// Removes a variable.
    pub async fn delete_variable(&self, key: VariableKey) -> Result<()> {
        self.write(move |tx| {
            let known = read(tx.db, &key)?;
            rows::delete(tx.db, known.id)?;
            emit(tx, lifecycle::variable(Happened::Deleted, &known, tx.now))
        })
        .await
    }
}

impl Repeat for Variable {
    fn made(&self) -> Option<Vec<Uuid>> {
        Some(vec![self.id.uuid()])
    }

    fn again(tx: &mut Tx<'_>, made: &[Uuid]) -> Result<Self> {
        let id = made.first().copied().map(VariableId::from_uuid);
        id.map_or_else(|| Err(unknown()), |id| read(tx.db, &VariableKey::Id(id)))
    }
}

fn check_free(db: &Connection, name: &str) -> Result<()> {
    match variables::by_name(db, name)? {
        Some(_) => Err(Error::conflict(format!(
            "A variable with the name '{name}' already exists."
        ))),
        None => Ok(()),
    }
}

fn read(db: &Connection, key: &VariableKey) -> Result<Variable> {
    match key {
        VariableKey::Id(id) => rows::by_id(db, *id)?,
        VariableKey::Name(name) => variables::by_name(db, name)?,
    }
    .ok_or_else(unknown)
}

fn unknown() -> Error {
    Error::new(Kind::NotFound, "Variable not found.")
}
