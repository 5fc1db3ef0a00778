//! Slots of deployments: how they stand, and how they are taken and given back. All of it is in
//! rows that the granting transaction counts, so that nothing is lost or leaked when the daemon
//! dies.

use uuid::Uuid;

use super::flow_runs::read;
use super::propose_state::for_flow_run;
use crate::app::limits::{forget, release};
use crate::app::tx::{Effect, Tx};
use crate::domain::concurrency_limit::ConcurrencyLimit;
use crate::domain::error::Result;
use crate::domain::flow_run::FlowRun;
use crate::domain::ids::{DeploymentId, FlowRunId, LeaseId, LimitId};
use crate::domain::rules::{Client, Generation, Limit, Policy, Slot};
use crate::domain::state::ProposedState;
use crate::domain::time::{Span, Timestamp};
use crate::storage::leases::{self, DeploymentLimit, Holder, Lease, LimitSource};
use crate::storage::{Connection, concurrency_limits, rows};

/// How long a run may take to begin before its slot is given to others, where its deployment does
/// not say, as on the 3.9 server.
const GRACE: Span = Span::from_micros(300 * 1_000_000);

/// The most runs that one change of a limit lets in at once.
const MOST_LET_IN: i64 = 8;

/// How the slots of a run's deployment stand, and whether the run holds one.
pub(super) fn facts(tx: &Tx<'_>, run: &FlowRun) -> Result<(Option<Limit>, Slot)> {
    let Some(deployment) = run.deployment_id else {
        return Ok((None, Slot::None));
    };
    let told = run.state.as_ref().and_then(|state| state.details.lease);
    let held = leases::of_run(tx.db, run.id, deployment)?;
    let slot = match held {
        Some((lease, end)) if end.is_none_or(|end| end > tx.now) => Slot::Held(lease),
        Some(_) => Slot::Lost,
        None if told.is_some() => Slot::Lost,
        None => Slot::None,
    };
    let room = room(tx.db, deployment, run.id, tx.now)?;
    let limit = room.map(|room| Limit {
        slots: room.slots,
        taken: room.taken,
        when_full: room.limit.when_full,
        grace: room.limit.grace.unwrap_or(GRACE),
        next: LeaseId::new(),
    });
    Ok((limit, slot))
}

/// How the slots stand that a run of a deployment needs one of.
pub(super) struct Room {
    /// The limit.
    pub limit: DeploymentLimit,
    /// What the leases are on that count.
    pub of: Uuid,
    /// The limit's name, where it is shared.
    pub shared: Option<String>,
    /// So many there are.
    pub slots: i64,
    /// So many are taken by others.
    pub taken: i64,
}

/// That of a deployment for one of its runs; `None` where nothing limits it.
pub(super) fn room(
    db: &Connection,
    deployment: DeploymentId,
    run: FlowRunId,
    now: Timestamp,
) -> Result<Option<Room>> {
    let Some(limit) = leases::limit_of(db, deployment)? else {
        return Ok(None);
    };
    let leased = |of: Uuid| leases::taken(db, of, Some(run.uuid()), now);
    let room = |of: Uuid, slots: i64, taken: i64, shared: Option<String>| Room {
        limit,
        of,
        shared,
        slots,
        taken,
    };
    Ok(match limit.source {
        LimitSource::Own(slots) => {
            let of = deployment.uuid();
            Some(room(of, slots, leased(of)?, None))
        }
        LimitSource::Shared(id) => match active(db, id)? {
            Some(shared) => {
                let taken = shared.all_taken(leased(id.uuid())?, now);
                Some(room(id.uuid(), shared.slots, taken, Some(shared.name)))
            }
            None => None,
        },
    })
}

/// A limit by name, if it limits anything.
fn active(db: &Connection, id: LimitId) -> Result<Option<ConcurrencyLimit>> {
    let limit: Option<ConcurrencyLimit> = rows::by_id(db, id)?;
    Ok(limit.filter(|limit| limit.active))
}

/// What a slot of a deployment is one of: always of the deployment, by which it is known whose
/// it is; and of the limit that it shares, whose row notes it.
fn sources(tx: &Tx<'_>, deployment: DeploymentId) -> Result<Vec<Uuid>> {
    let mut of = vec![deployment.uuid()];
    if let Some(limit) = leases::limit_of(tx.db, deployment)?
        && let Some(id) = limit.shared()
        && let Some(mut shared) = rows::by_id(tx.db, id)?
    {
        shared.take(1, true, tx.now);
        concurrency_limits::update(tx.db, &shared, tx.now)?;
        of.push(id.uuid());
    }
    Ok(of)
}

/// Has a run hold a slot of its deployment.
pub(super) fn take(tx: &mut Tx<'_>, run: &FlowRun, id: LeaseId, grace: Span) -> Result<()> {
    let Some(deployment) = run.deployment_id else {
        return Ok(());
    };
    // One that it lost and that nobody has taken away yet.
    if let Some((lost, _)) = leases::of_run(tx.db, run.id, deployment)? {
        forget(tx, lost)?;
    }
    let lease = Lease {
        id,
        created: tx.now,
        expires: Some(tx.now + grace),
        slots: 1,
    };
    let holder = Holder {
        kind: "flow_run".to_owned(),
        id: run.id.uuid(),
    };
    tx.entail(Effect::WakeDeadlines);
    let of = sources(tx, deployment)?;
    leases::grant(tx.db, lease, &of, Some(&holder))
}

/// Has a run hold its slot for as long from here on; `None`: until it is given back.
pub(super) fn renew(tx: &Tx<'_>, run: &FlowRun, grace: Option<Span>) -> Result<()> {
    if let Some(deployment) = run.deployment_id
        && let Some((lease, _)) = leases::of_run(tx.db, run.id, deployment)?
    {
        leases::renew(tx.db, lease, grace.map(|grace| tx.now + grace), tx.now)?;
    }
    Ok(())
}

/// Gives a run's slot back, to whichever run has waited longest for it.
pub(super) fn give_back(tx: &mut Tx<'_>, run: &FlowRun) -> Result<()> {
    let Some(deployment) = run.deployment_id else {
        return Ok(());
    };
    match leases::of_run(tx.db, run.id, deployment)? {
        Some((lease, _)) => release(tx, lease),
        None => let_next_in(tx, deployment),
    }
}

/// Has the run try at once that has waited longest for a slot of a deployment. On the 3.9 server
/// each tries again by itself every half minute, and so it does here otherwise.
pub(in crate::app) fn let_next_in(tx: &mut Tx<'_>, deployment: DeploymentId) -> Result<()> {
    let next = leases::next_waiting(tx.db, deployment, tx.now)?;
    let_in(tx, next)
}

/// The same of a limit that deployments share, of which so many slots have come free; what it is
/// not tried by here tries again by itself.
pub(in crate::app) fn let_in_of_shared(tx: &mut Tx<'_>, limit: LimitId, free: i64) -> Result<()> {
    for _ in 0..free.clamp(0, MOST_LET_IN) {
        let next = leases::next_waiting_of_shared(tx.db, limit, tx.now)?;
        if next.is_none() {
            break;
        }
        let_in(tx, next)?;
    }
    Ok(())
}

fn let_in(tx: &mut Tx<'_>, next: Option<FlowRunId>) -> Result<()> {
    let Some(id) = next else {
        return Ok(());
    };
    let run = read(tx.db, id)?;
    let due = ProposedState::scheduled(tx.now)
        .named("AwaitingConcurrencySlot")
        .because("A slot of the deployment is free.");
    let forced = Policy::Forced(Generation::V3);
    for_flow_run(tx, &run, due, forced, Client::default())?;
    Ok(())
}
