//! Automations go with what their triggers have counted.

use super::{CHUNK, all_rows};
use crate::app::automations;
use crate::app::budget::Budget;
use crate::app::tx::Tx;
use crate::domain::automation::Automation;
use crate::domain::error::Result;
use crate::domain::ids::AutomationId;
use crate::storage::{removal, rows};

/// One that does not go at once is off from then on, so that its triggers count no more.
pub(super) fn automation(tx: &mut Tx<'_>, id: AutomationId, budget: &Budget) -> Result<bool> {
    let db = tx.db;
    let is_bare = all_rows(budget, || removal::some_of_triggers(db, id, CHUNK))?;
    let known: Option<Automation> = rows::by_id(db, id)?;
    match known {
        Some(known) if is_bare => automations::delete(tx, &known)?,
        Some(known) => automations::turn_off(tx, known)?,
        None => {}
    }
    Ok(is_bare)
}
