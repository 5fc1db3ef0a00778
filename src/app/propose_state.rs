//! The one road to every change of a run's state.
//!
//! Everything here runs inside the writer's transaction: the facts are read, the domain
//! decides, the verdict is written. Two clients can therefore never win the same step.

use crate::domain::error::{Error, Result};
use crate::domain::flow_run::FlowRun;
use crate::domain::orchestration::{Facts, Subject, Verdict, decide};
use crate::domain::run::RunBooks;
use crate::domain::state::{ProposedState, State, StateDetails, StateType};
use crate::domain::task_run::TaskRun;
use crate::domain::time::Timestamp;
use crate::storage::{Connection, StateOf, flow_runs, states, task_runs};

/// Whether the rules are asked. The books are kept either way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Force {
    /// The rules decide.
    No,
    /// The proposed state is entered whatever the rules say.
    Yes,
}

/// What became of a proposal.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    /// The state that was entered; absent when the run stays where it is.
    pub state: Option<State>,
    /// How it came to that.
    pub outcome: Outcome,
}

/// How a proposal was answered.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// The proposed state was entered.
    Accepted,
    /// Another state was entered instead.
    Rejected {
        /// Why.
        why: String,
    },
    /// Nothing was entered; ask again later.
    Wait {
        /// In so many seconds.
        delay_secs: i64,
        /// Why.
        why: String,
    },
    /// Nothing was entered; stop executing the run.
    Aborted {
        /// Why.
        why: String,
    },
}

/// Stores a run that is new together with its first state, which no rule is asked about.
pub(super) fn begin_flow_run(
    db: &Connection,
    mut run: FlowRun,
    first: ProposedState,
    now: Timestamp,
) -> Result<FlowRun> {
    let (state, books) = step_of_flow_run(&run, first, now);
    run.books = books;
    flow_runs::insert(db, &run, &state)?;
    states::insert(db, StateOf::FlowRun(run.id), &state)?;
    follow_subflow(db, &run, &state, now)?;
    run.state = Some(state);
    Ok(run)
}

/// The same for a task run.
pub(super) fn begin_task_run(
    db: &Connection,
    mut run: TaskRun,
    first: ProposedState,
    now: Timestamp,
) -> Result<TaskRun> {
    let (state, books) = step_of_task_run(&run, first, now);
    run.books = books;
    task_runs::insert(db, &run, &state)?;
    states::insert(db, StateOf::TaskRun(run.id), &state)?;
    run.state = Some(state);
    Ok(run)
}

/// Proposes a state for a flow run.
pub(super) fn for_flow_run(
    db: &Connection,
    run: &FlowRun,
    proposed: ProposedState,
    force: Force,
    now: Timestamp,
) -> Result<Decision> {
    if let Some(id) = proposed.id
        && let Some(known) = states::of_flow_run_by_id(db, id)?
    {
        return answered(known, &proposed, |details| {
            details.flow_run_id == Some(run.id)
        });
    }
    let facts = Facts {
        current: run.state.as_ref(),
        run_count: run.books.run_count,
        subject: Subject::FlowRun {
            deployed: run.deployment_id.is_some(),
            held: run.claim.is_some(),
        },
    };
    settle(verdict(&facts, proposed, force, now), |proposed| {
        enter_flow_run(db, run, proposed, now)
    })
}

/// Proposes a state for a task run.
pub(super) fn for_task_run(
    db: &Connection,
    run: &TaskRun,
    proposed: ProposedState,
    force: Force,
    now: Timestamp,
) -> Result<Decision> {
    if let Some(id) = proposed.id
        && let Some(known) = states::of_task_run_by_id(db, id)?
    {
        return answered(known, &proposed, |details| {
            details.task_run_id == Some(run.id)
        });
    }
    let cached = match &proposed.details.cache_key {
        // An empty key is none, as to the 2.0a7 server.
        Some(key)
            if proposed.kind == StateType::Running && force == Force::No && !key.is_empty() =>
        {
            states::cached(db, key, now)?
        }
        _ => None,
    };
    let facts = Facts {
        current: run.state.as_ref(),
        run_count: run.books.run_count,
        subject: Subject::TaskRun {
            policy: run.spec.policy,
            cached: cached.as_ref(),
        },
    };
    let completes = proposed.kind == StateType::Completed && force == Force::No;
    let decision = settle(verdict(&facts, proposed, force, now), |proposed| {
        enter_task_run(db, run, proposed, now)
    })?;
    if let (true, Some(state)) = (completes, &decision.state)
        && let Some(key) = &state.details.cache_key
        && !key.is_empty()
    {
        states::cache(db, key, state)?;
    }
    Ok(decision)
}

fn verdict(facts: &Facts<'_>, proposed: ProposedState, force: Force, now: Timestamp) -> Verdict {
    let id = proposed.id;
    let mut verdict = match force {
        Force::Yes => Verdict::Accept(proposed),
        Force::No => decide(facts, proposed, now),
    };
    if let Verdict::Reject { instead, .. } = &mut verdict {
        instead.id = id;
    }
    verdict
}

/// The answer to a proposal that was answered before: the state that it led to.
fn answered(
    known: State,
    proposed: &ProposedState,
    is_of_this_run: impl FnOnce(&StateDetails) -> bool,
) -> Result<Decision> {
    if !is_of_this_run(&known.details) {
        return Err(Error::conflict(
            "The state's id is that of another run's state.",
        ));
    }
    let outcome = match known.kind == proposed.kind {
        true => Outcome::Accepted,
        false => Outcome::Rejected {
            why: "The proposal was answered before.".to_owned(),
        },
    };
    Ok(Decision {
        state: Some(known),
        outcome,
    })
}

/// Carries a verdict out.
fn settle(
    verdict: Verdict,
    enter: impl FnOnce(ProposedState) -> Result<State>,
) -> Result<Decision> {
    let (state, outcome) = match verdict {
        Verdict::Accept(proposed) => (Some(enter(proposed)?), Outcome::Accepted),
        Verdict::Reject { instead, why } => {
            let why = why.to_owned();
            (Some(enter(instead)?), Outcome::Rejected { why })
        }
        Verdict::Wait { delay_secs, why } => {
            let why = why.to_owned();
            (None, Outcome::Wait { delay_secs, why })
        }
        Verdict::Abort { why } => (None, Outcome::Aborted { why }),
    };
    Ok(Decision { state, outcome })
}

fn enter_flow_run(
    db: &Connection,
    run: &FlowRun,
    proposed: ProposedState,
    now: Timestamp,
) -> Result<State> {
    let (state, books) = step_of_flow_run(run, proposed, now);
    states::insert(db, StateOf::FlowRun(run.id), &state)?;
    flow_runs::enter_state(db, run, &state, &books)?;
    follow_subflow(db, run, &state, now)?;
    Ok(state)
}

/// The state that a flow run enters, and its books after that.
fn step_of_flow_run(
    run: &FlowRun,
    mut proposed: ProposedState,
    now: Timestamp,
) -> (State, RunBooks) {
    // The 2.0a7 server makes the runs of schedules in bulk, and their first states do not
    // name their runs.
    if !(run.auto_scheduled && run.state.is_none()) {
        proposed.details.flow_run_id = Some(run.id);
    }
    if run.parent_task_run_id.is_some() {
        proposed.details.task_run_id = run.parent_task_run_id;
    }
    let state = State::enter(proposed, now);
    let mut books = run.books.clone();
    books.record(run.state.as_ref(), &state);
    (state, books)
}

/// The task run that stands for a sub-flow goes where the sub-flow goes.
fn follow_subflow(db: &Connection, run: &FlowRun, state: &State, now: Timestamp) -> Result<()> {
    let Some(parent) = run.parent_task_run_id else {
        return Ok(());
    };
    let Some(parent) = task_runs::by_id(db, parent)? else {
        return Ok(());
    };
    let mut proposed = state.as_proposal();
    proposed.details.child_flow_run_id = Some(run.id);
    enter_task_run(db, &parent, proposed, now)?;
    Ok(())
}

fn enter_task_run(
    db: &Connection,
    run: &TaskRun,
    proposed: ProposedState,
    now: Timestamp,
) -> Result<State> {
    let (state, books) = step_of_task_run(run, proposed, now);
    states::insert(db, StateOf::TaskRun(run.id), &state)?;
    task_runs::enter_state(db, run, &state, &books)?;
    Ok(state)
}

/// The state that a task run enters, and its books after that.
fn step_of_task_run(
    run: &TaskRun,
    mut proposed: ProposedState,
    now: Timestamp,
) -> (State, RunBooks) {
    proposed.details.flow_run_id = Some(run.spec.flow_run_id);
    proposed.details.task_run_id = Some(run.id);
    let state = State::enter(proposed, now);
    let mut books = run.books.clone();
    books.record(run.state.as_ref(), &state);
    (state, books)
}
