//! A run's step into a state: what is written of it, and what follows from it.

use crate::app::events;
use crate::app::tasks;
use crate::app::tx::{Effect, Tx};
use crate::domain::error::Result;
use crate::domain::event::flow_run::entered;
use crate::domain::flow_run::FlowRun;
use crate::domain::ids::FlowRunId;
use crate::domain::run::{Recording, RunStatistics};
use crate::domain::state::{ProposedState, State, StateType};
use crate::domain::task_run::TaskRun;
use crate::domain::time::{Span, Timestamp};
use crate::storage::{
    StateOf, events as stored_events, flow_runs, rows, states, task_queue, task_runs,
};

/// The most failed tasks that one step of a flow run has tried again.
const MOST_RETRIED: i64 = 10_000;

/// Stores a run that is new together with its first state, which no rule is asked about;
/// `is_told`: and the event of that.
pub(super) fn begin_flow_run(
    tx: &mut Tx<'_>,
    mut run: FlowRun,
    first: ProposedState,
    is_told: bool,
) -> Result<FlowRun> {
    let (state, statistics) = step_of_flow_run(&run, first, tx.now, Recording::PLAIN);
    run.statistics = statistics;
    flow_runs::insert(tx.db, &run, &state)?;
    states::insert(tx.db, StateOf::FlowRun(run.id), &state)?;
    follow_subflow(tx, &run, &state, Recording::PLAIN)?;
    tx.entail(Effect::TellNews);
    if run.is_for_agents() && state.kind == StateType::Scheduled {
        tx.entail(Effect::WakeAgents);
    }
    if is_told {
        tell(tx, &run, run.statistics.run_count, (None, &state))?;
    }
    run.state = Some(state);
    Ok(run)
}

/// The same for a task run.
pub(super) fn begin_task_run(
    tx: &mut Tx<'_>,
    mut run: TaskRun,
    first: ProposedState,
) -> Result<TaskRun> {
    let (state, statistics) = step_of_task_run(&run, first, tx.now, Recording::PLAIN);
    run.statistics = statistics;
    task_runs::insert(tx.db, &run, &state)?;
    states::insert(tx.db, StateOf::TaskRun(run.id), &state)?;
    tasks::enqueue(tx, &run, &state)?;
    run.state = Some(state);
    Ok(run)
}

/// The state, and how often the run has run.
pub(super) fn enter_flow_run(
    tx: &mut Tx<'_>,
    run: &FlowRun,
    proposed: ProposedState,
    how: Recording,
) -> Result<(State, i64)> {
    let (state, statistics) = step_of_flow_run(run, proposed, tx.now, how);
    states::insert(tx.db, StateOf::FlowRun(run.id), &state)?;
    flow_runs::enter_state(tx.db, run, &state, &statistics)?;
    follow_subflow(tx, run, &state, how)?;
    tx.entail(Effect::TellNews);
    Ok((state, statistics.run_count))
}

/// Stores the event of a flow run's step.
pub(super) fn tell(
    tx: &mut Tx<'_>,
    run: &FlowRun,
    run_count: i64,
    step: (Option<&State>, &State),
) -> Result<()> {
    let belongs_to = stored_events::belongs_to(tx.db, run)?;
    let event = entered(run, run_count, step, belongs_to);
    events::emit(tx, event)
}

/// The state that a flow run enters, and its statistics after that.
fn step_of_flow_run(
    run: &FlowRun,
    mut proposed: ProposedState,
    now: Timestamp,
    how: Recording,
) -> (State, RunStatistics) {
    // The 2.0a7 server makes the runs of schedules in bulk, and their first states do not
    // name their runs.
    if !(run.auto_scheduled && run.state.is_none()) {
        proposed.details.flow_run_id = Some(run.id);
    }
    if run.parent_task_run_id.is_some() {
        proposed.details.task_run_id = run.parent_task_run_id;
    }
    let state = State::enter(proposed, after(run.state.as_ref(), now));
    let mut statistics = run.statistics.clone();
    statistics.record(run.state.as_ref(), &state, how);
    (state, statistics)
}

/// The moment of a step: no two states of a run are of one.
fn after(current: Option<&State>, now: Timestamp) -> Timestamp {
    match current {
        Some(state) if state.timestamp == now => now + Span::from_micros(1),
        _ => now,
    }
}

/// The task run that stands for a sub-flow goes where the sub-flow goes.
fn follow_subflow(tx: &Tx<'_>, run: &FlowRun, state: &State, how: Recording) -> Result<()> {
    let Some(parent) = run.parent_task_run_id else {
        return Ok(());
    };
    let Some(parent) = rows::by_id(tx.db, parent)? else {
        return Ok(());
    };
    let mut proposed = state.as_proposal();
    proposed.details.child_flow_run_id = Some(run.id);
    let how = Recording {
        is_counted: true,
        ..how
    };
    enter_task_run(tx, &parent, proposed, how, false)?;
    Ok(())
}

/// `is_anew`: as if the run had not run yet.
pub(super) fn enter_task_run(
    tx: &Tx<'_>,
    run: &TaskRun,
    proposed: ProposedState,
    how: Recording,
    is_anew: bool,
) -> Result<State> {
    let (state, mut statistics) = step_of_task_run(run, proposed, tx.now, how);
    if is_anew {
        statistics.run_count -= run.statistics.run_count;
    }
    states::insert(tx.db, StateOf::TaskRun(run.id), &state)?;
    task_runs::enter_state(tx.db, run, &state, &statistics)?;
    if run.state.as_ref().is_some_and(State::waits_in_background) {
        task_queue::leave(tx.db, run.id)?;
    }
    Ok(state)
}

/// Has the failed task runs of a flow run wait for the attempt that it waits for, as if they had
/// not run yet.
///
/// Mirrors what `RetryFailedFlows` of the 3.9 server does for clients before API 0.8.3.
pub(super) fn retry_failed_tasks(tx: &Tx<'_>, id: FlowRunId, awaiting: &State) -> Result<()> {
    let due = awaiting.details.scheduled_time.unwrap_or(tx.now);
    for id in task_runs::failed_of_run(tx.db, id, MOST_RETRIED)? {
        if let Some(task) = rows::by_id(tx.db, id)? {
            let again = ProposedState::scheduled(due).named(awaiting.name.clone());
            enter_task_run(tx, &task, again, Recording::PLAIN, true)?;
        }
    }
    Ok(())
}

/// The state that a task run enters, and its statistics after that.
fn step_of_task_run(
    run: &TaskRun,
    mut proposed: ProposedState,
    now: Timestamp,
    how: Recording,
) -> (State, RunStatistics) {
    proposed.details.flow_run_id = run.spec.flow_run_id;
    proposed.details.task_run_id = Some(run.id);
    let state = State::enter(proposed, now);
    let mut statistics = run.statistics.clone();
    statistics.record(run.state.as_ref(), &state, how);
    (state, statistics)
}
