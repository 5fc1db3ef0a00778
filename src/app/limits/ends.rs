//! The ends of leases.

use crate::app::App;
use crate::app::runs::slots::{let_next_in, let_next_of_shared};
use crate::app::tx::Tx;
use crate::domain::concurrency_limit::ConcurrencyLimit;
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
    let mut shared = Vec::new();
    let mut deployments = Vec::new();
    for of in held {
        let known: Option<ConcurrencyLimit> = rows::by_id(tx.db, LimitId::from_uuid(of))?;
        match known {
            Some(mut limit) => {
                let occupied = tx.now - lease.created;
                limit.give_back(lease.slots, true, Some(occupied), tx.now);
                concurrency_limits::update(tx.db, &limit, tx.now)?;
                shared.push(limit.id);
            }
            None => deployments.push(DeploymentId::from_uuid(of)),
        }
    }
    for id in &shared {
        let_next_of_shared(tx, *id)?;
    }
    // A slot of a limit that a deployment shares is the next one's of any that shares it.
    for id in deployments.into_iter().filter(|_| shared.is_empty()) {
        let_next_in(tx, id)?;
    }
    Ok(())
}
