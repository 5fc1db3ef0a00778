//! Makes task runs of the events that tell of them, in the transaction that stores these.

use crate::app::tx::Tx;
use crate::domain::error::Result;
use crate::domain::event::told::ToldTaskRun;
use crate::domain::ids::TaskRunId;
use crate::domain::task_run::{RetryPolicy, TaskRun, TaskRunSpec};
use crate::storage::{StateOf, rows, states, task_queue, task_runs};

/// Makes or updates the run, and keeps the state. An event may tell of a flow run that is not, or
/// not any more, there, or of another flow run's task run: then nothing is done, and the event is
/// only an event.
pub(super) fn record(tx: &Tx<'_>, told: &ToldTaskRun) -> Result<()> {
    if let Some(flow_run) = told.flow_run_id
        && !rows::exists(tx.db, flow_run)?
    {
        return Ok(());
    }
    if states::of_task_run_by_id(tx.db, told.state.id)?.is_some() {
        return Ok(());
    }
    let Some(known) = task_runs::known(tx.db, told)? else {
        task_runs::insert(tx.db, &new_run(tx, told), &told.state)?;
        return keep_state(tx, told.id, told);
    };
    if known.flow_run_id != told.flow_run_id {
        return Ok(());
    }
    keep_state(tx, known.id, told)?;
    if known
        .state
        .is_none_or(|current| told.is_later_than(current))
    {
        task_runs::record(tx.db, known, told, tx.now)?;
        // If it was handed in, somebody has begun it.
        task_queue::leave(tx.db, known.id)?;
    }
    Ok(())
}

fn keep_state(tx: &Tx<'_>, id: TaskRunId, told: &ToldTaskRun) -> Result<()> {
    let mut state = told.state.clone();
    state.details.task_run_id = Some(id);
    states::insert(tx.db, StateOf::TaskRun(id), &state)
}

fn new_run(tx: &Tx<'_>, told: &ToldTaskRun) -> TaskRun {
    TaskRun {
        id: told.id,
        created: tx.now,
        updated: tx.now,
        spec: TaskRunSpec {
            name: told.name.clone(),
            flow_run_id: told.flow_run_id,
            task_key: told.task_key.clone(),
            dynamic_key: told.dynamic_key.clone(),
            cache_key: None,
            cache_expiration: None,
            task_version: None,
            policy: RetryPolicy::told(&told.empirical_policy),
            empirical_policy: told.empirical_policy.clone(),
            tags: told.tags.clone(),
            labels: told.labels.clone(),
            task_inputs: told.task_inputs.clone(),
        },
        flow_run_run_count: told.flow_run_run_count,
        statistics: told.statistics.clone(),
        state: None,
    }
}

#[cfg(test)]
mod tests;
