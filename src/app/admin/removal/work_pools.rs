//! Work pools go with their queues and workers.

use super::{CHUNK, all_rows, each};
use crate::app::budget::Budget;
use crate::app::events::emit;
use crate::app::tx::Tx;
use crate::domain::error::Result;
use crate::domain::event::{Happened, lifecycle};
use crate::domain::ids::{WorkPoolId, WorkQueueId};
use crate::domain::work::{WorkPool, WorkQueue};
use crate::storage::{removal, rows};

/// Runs and deployments stay, and have no queue.
pub(super) fn pool(tx: &mut Tx<'_>, id: WorkPoolId, budget: &Budget) -> Result<bool> {
    let (db, now) = (tx.db, tx.now);
    let queues = || removal::some_queues(db, id, CHUNK);
    let is_bare = each(budget, queues, |id| queue(tx, id).map(|()| true))?
        && all_rows(budget, || removal::some_workers(db, id, CHUNK))?;
    let known: Option<WorkPool> = rows::by_id(db, id)?;
    if let Some(known) = known.filter(|_| is_bare) {
        queue(tx, known.default_queue_id)?;
        rows::delete(db, id)?;
        emit(tx, lifecycle::work_pool(Happened::Deleted, &known, now))?;
    }
    Ok(is_bare)
}

fn queue(tx: &mut Tx<'_>, id: WorkQueueId) -> Result<()> {
    let known: Option<WorkQueue> = rows::by_id(tx.db, id)?;
    rows::delete(tx.db, id)?;
    match known {
        Some(known) => {
            let word = Happened::Deleted.word();
            emit(tx, lifecycle::work_queue(word, &known, tx.now))
        }
        None => Ok(()),
    }
}
