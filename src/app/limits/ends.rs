//! The ends of leases.

use crate::app::App;
use crate::app::runs::slots::let_next_in;
use crate::app::tx::Tx;
use crate::domain::error::Result;
use crate::domain::ids::{DeploymentId, LeaseId, LimitId};
use crate::domain::time::Timestamp;
use crate::storage::{Job, concurrency_limits, leases, rows};

/// How many leases one transaction takes back.
const AT_ONCE: u64 = 32;

impl App {
    /// Takes back the leases that are over, and lets whoever waits for their slots have them;
    /// answers how many.
    pub async fn end_leases(&self) -> Result<u64> {
        let mut ended = 0;
        loop {
            let some = self.write_as(Job::bulk(0), |tx| {
                let over = leases::over(tx.db, tx.now, AT_ONCE)?;
                for id in &over {
                    release(tx, *id)?;
                }
                Ok(over.len() as u64)
            });
            let some = some.await?;
            ended += some;
            if some < AT_ONCE {
                return Ok(ended);
            }
        }
    }

    /// When the next lease is over.
    pub async fn next_end_of_lease(&self) -> Result<Option<Timestamp>> {
        self.read(leases::next_end).await
    }
}

/// Takes a lease back, if it is there, with the slots that it holds.
pub(in crate::app) fn release(tx: &mut Tx<'_>, id: LeaseId) -> Result<()> {
    let Some(lease) = leases::by_id(tx.db, id)? else {
        return Ok(());
    };
    let held = leases::limits_of(tx.db, id)?;
    leases::delete(tx.db, id)?;
    for of in held {
        match rows::by_id(tx.db, LimitId::from_uuid(of))? {
            Some(mut limit) => {
                let occupied = tx.now - lease.created;
                limit.give_back(lease.slots, true, Some(occupied), tx.now);
                concurrency_limits::update(tx.db, &limit, tx.now)?;
            }
            // A deployment's own.
            None => let_next_in(tx, DeploymentId::from_uuid(of))?,
        }
    }
    Ok(())
}
