//! Slots of deployments: how they stand, and how they are taken and given back. All of it is in
//! rows that the granting transaction counts, so that nothing is lost or leaked when the daemon
//! dies.

use super::flow_runs::read;
use super::propose_state::for_flow_run;
use crate::app::tx::{Effect, Tx};
use crate::domain::error::Result;
use crate::domain::flow_run::FlowRun;
use crate::domain::ids::{DeploymentId, LeaseId};
use crate::domain::rules::{Client, Generation, Limit, Policy, Slot};
use crate::domain::state::ProposedState;
use crate::domain::time::Span;
use crate::storage::leases::{self, Holder, Lease};

/// How long a run may take to begin before its slot is given to others, where its deployment does
/// not say, as on the 3.9 server.
const GRACE: Span = Span::from_micros(300 * 1_000_000);

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
    let Some(limit) = leases::limit_of(tx.db, deployment)? else {
        return Ok((None, slot));
    };
    let limit = Limit {
        slots: limit.slots,
        taken: leases::taken(tx.db, deployment.uuid(), Some(run.id.uuid()), tx.now)?,
        when_full: limit.when_full,
        grace: limit.grace.unwrap_or(GRACE),
        next: LeaseId::new(),
    };
    Ok((Some(limit), slot))
}

/// Has a run hold a slot of its deployment.
pub(super) fn take(tx: &mut Tx<'_>, run: &FlowRun, id: LeaseId, grace: Span) -> Result<()> {
    let Some(deployment) = run.deployment_id else {
        return Ok(());
    };
    // One that it lost and that nobody has taken away yet.
    if let Some((lost, _)) = leases::of_run(tx.db, run.id, deployment)? {
        leases::delete(tx.db, lost)?;
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
    leases::grant(tx.db, lease, &[deployment.uuid()], Some(&holder))
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
    if let Some((lease, _)) = leases::of_run(tx.db, run.id, deployment)? {
        leases::delete(tx.db, lease)?;
    }
    let_next_in(tx, deployment)
}

/// Has the run try at once that has waited longest for a slot of a deployment. On the 3.9 server
/// each tries again by itself every half minute, and so it does here otherwise.
pub(in crate::app) fn let_next_in(tx: &mut Tx<'_>, deployment: DeploymentId) -> Result<()> {
    let Some(id) = leases::next_waiting(tx.db, deployment, tx.now)? else {
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
