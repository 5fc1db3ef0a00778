//! The ends of leases.

use crate::app::App;
use crate::app::runs::slots::{let_in_of_shared, let_next_in};
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

/// What slots have come back to.
#[derive(Default)]
struct Back {
    slots: i64,
    limits: Vec<LimitId>,
    deployments: Vec<DeploymentId>,
}

/// Takes a lease back, if it is there, with the slots that it holds, and lets whoever waits for
/// them have them.
pub(in crate::app) fn release(tx: &mut Tx<'_>, id: LeaseId) -> Result<()> {
    let back = take_back(tx, id)?;
    for limit in &back.limits {
        let_in_of_shared(tx, *limit, back.slots)?;
    }
    for deployment in back.deployments {
        // Whoever waits now may wait for another limit than this was a slot of.
        let limit = leases::limit_of(tx.db, deployment)?;
        match limit.and_then(|limit| limit.shared()) {
            Some(limit) if back.limits.contains(&limit) => {}
            Some(limit) => let_in_of_shared(tx, limit, 1)?,
            None => let_next_in(tx, deployment)?,
        }
    }
    Ok(())
}

/// Takes a lease back, and lets nobody know.
pub(in crate::app) fn forget(tx: &mut Tx<'_>, id: LeaseId) -> Result<()> {
    take_back(tx, id).map(drop)
}

fn take_back(tx: &mut Tx<'_>, id: LeaseId) -> Result<Back> {
    let Some(lease) = leases::by_id(tx.db, id)? else {
        return Ok(Back::default());
    };
    let held = leases::limits_of(tx.db, id)?;
    leases::delete(tx.db, id)?;
    let mut back = Back {
        slots: lease.slots,
        ..Back::default()
    };
    for of in held {
        let known: Option<ConcurrencyLimit> = rows::by_id(tx.db, LimitId::from_uuid(of))?;
        match known {
            Some(mut limit) => {
                let occupied = tx.now - lease.created;
                limit.give_back(lease.slots, true, Some(occupied), tx.now);
                concurrency_limits::update(tx.db, &limit, tx.now)?;
                back.limits.push(limit.id);
            }
            None => back.deployments.push(DeploymentId::from_uuid(of)),
        }
    }
    Ok(back)
}
