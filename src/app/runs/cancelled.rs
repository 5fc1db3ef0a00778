//! What is part of a cancelled run is cancelled, too.
//!
//! Mirrors the cancellation clean-up of the 3.9 server: sub-flows that are deployments' runs are
//! asked to stop, others are Cancelled at once, and so are task runs.

use super::flow_runs::read;
use super::propose_state;
use crate::app::App;
use crate::app::tx::Tx;
use crate::domain::error::Result;
use crate::domain::flow_run::FlowRun;
use crate::domain::ids::FlowRunId;
use crate::domain::rules::{Client, Generation, Policy};
use crate::domain::state::{ProposedState, StateType};
use crate::domain::time::Timestamp;
use crate::storage::{Job, flow_runs, rows, task_runs};

/// How many cancelled runs are looked at between two looks for more.
const PAGE: i64 = 100;
/// How many of its parts one transaction cancels.
const AT_ONCE: i64 = 32;
/// Why they are.
const WHY: &str = "The parent flow run was cancelled.";

impl App {
    /// Cancels what is part of runs that were cancelled after `since` and lives.
    pub async fn cancel_parts(&self, since: Timestamp) -> Result<()> {
        let mut seen = since;
        loop {
            let some = self
                .read(move |db| flow_runs::cancelled_since(db, seen, PAGE))
                .await?;
            let Some((_, last)) = some.last() else {
                return Ok(());
            };
            seen = *last;
            for (id, _) in some {
                self.cancel_parts_of(id).await?;
            }
        }
    }

    async fn cancel_parts_of(&self, id: FlowRunId) -> Result<()> {
        let has_parts = self.read(move |db| {
            Ok(!flow_runs::live_sub_runs(db, id, AT_ONCE)?.is_empty()
                || !task_runs::live_of_run(db, id, 1)?.is_empty())
        });
        if !has_parts.await? {
            return Ok(());
        }
        let some = async || {
            self.write_as(Job::bulk(0), move |tx| cancel_some(tx, id))
                .await
        };
        while some().await? > 0 {}
        Ok(())
    }
}

/// Cancels some parts of a run; answers how many. Those that are asked to stop already are none.
fn cancel_some(tx: &mut Tx<'_>, id: FlowRunId) -> Result<u64> {
    let is_cancelled = |run: &FlowRun| {
        let state = run.state.as_ref();
        state.is_some_and(|state| state.kind == StateType::Cancelled)
    };
    // It may have been begun anew, or be gone.
    if !rows::by_id(tx.db, id)?.as_ref().is_some_and(is_cancelled) {
        return Ok(0);
    }
    let mut count = 0;
    for sub_run in flow_runs::live_sub_runs(tx.db, id, PAGE)? {
        let run = read(tx.db, sub_run)?;
        count += u64::from(cancel(tx, &run)?);
    }
    for task in task_runs::live_of_run(tx.db, id, AT_ONCE)? {
        let Some(run) = rows::by_id(tx.db, task)? else {
            continue;
        };
        let cancelled = ProposedState::new(StateType::Cancelled).because(WHY);
        let forced = Policy::Forced(Generation::V3);
        propose_state::for_task_run(tx, &run, cancelled, forced, Client::default())?;
        count += 1;
    }
    Ok(count)
}

/// Cancels a sub-flow's run; false where that goes on already or may not be.
fn cancel(tx: &mut Tx<'_>, run: &FlowRun) -> Result<bool> {
    let is_asked = run.state.as_ref().map(|state| state.kind) == Some(StateType::Cancelling);
    let kind = match run.deployment_id {
        Some(_) if is_asked => return Ok(false),
        Some(_) => StateType::Cancelling,
        None => StateType::Cancelled,
    };
    let proposed = ProposedState::new(kind).because(WHY);
    let policy = Policy::Normal(Generation::V3);
    let decision = propose_state::for_flow_run(tx, run, proposed, policy, Client::default())?;
    Ok(decision.state.is_some())
}
