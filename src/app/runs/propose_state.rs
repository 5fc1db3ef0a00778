//! The one road to every change of a run's state.
//!
//! Everything here runs inside the writer's transaction: the facts are read, the domain
//! decides, the verdict is written. Two clients can therefore never win the same step.

use super::crash;
use crate::app::tx::{Effect, Tx};
use crate::domain::error::{Error, Result};
use crate::domain::flow_run::FlowRun;
use crate::domain::rules::{Consequence, Facts, Policy, Ruling, RunKind, Verdict, decide};
use crate::domain::run::RunStatistics;
use crate::domain::state::{ProposedState, State, StateDetails, StateType};
use crate::domain::task_run::TaskRun;
use crate::domain::time::Timestamp;
use crate::storage::{StateOf, flow_runs, rows, states, task_runs};

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
    tx: &mut Tx<'_>,
    mut run: FlowRun,
    first: ProposedState,
) -> Result<FlowRun> {
    let (state, statistics) = step_of_flow_run(&run, first, tx.now);
    run.statistics = statistics;
    flow_runs::insert(tx.db, &run, &state)?;
    states::insert(tx.db, StateOf::FlowRun(run.id), &state)?;
    follow_subflow(tx, &run, &state)?;
    if run.deployment_id.is_some() && state.kind == StateType::Scheduled {
        // Agents take runs of deployments when their time has come.
        tx.entail(Effect::WakeAgents);
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
    let (state, statistics) = step_of_task_run(&run, first, tx.now);
    run.statistics = statistics;
    task_runs::insert(tx.db, &run, &state)?;
    states::insert(tx.db, StateOf::TaskRun(run.id), &state)?;
    run.state = Some(state);
    Ok(run)
}

/// Proposes a state for a flow run, and has whoever it concerns told.
pub(in crate::app) fn for_flow_run(
    tx: &mut Tx<'_>,
    run: &FlowRun,
    proposed: ProposedState,
    policy: Policy,
) -> Result<Decision> {
    if let Some(id) = proposed.id
        && let Some(known) = states::of_flow_run_by_id(tx.db, id)?
    {
        return answered(known, &proposed, |details| {
            details.flow_run_id == Some(run.id)
        });
    }
    let facts = Facts {
        current: run.state.as_ref(),
        run_count: run.statistics.run_count,
        is_deployed: run.deployment_id.is_some(),
        is_held: run.claim.is_some(),
        ..Facts::default()
    };
    let ruling = rule(policy, RunKind::FlowRun, &facts, proposed, tx.now);
    let decision = settle(tx, ruling, |proposed| enter_flow_run(tx, run, proposed))?;
    if concerns_agents(run, &decision) {
        tx.entail(Effect::WakeAgents);
    }
    crash::entail(tx, run, &decision)?;
    Ok(decision)
}

/// Whether an agent has something to do after a run went on: a run may become due, or one
/// that is held has ended or is to stop. Most steps are told by the run's own engine and
/// concern nobody else, so that agents sleep through them.
fn concerns_agents(run: &FlowRun, decision: &Decision) -> bool {
    decision.state.as_ref().is_some_and(|state| {
        let is_over = state.kind.is_terminal() || state.kind == StateType::Cancelling;
        match state.kind {
            StateType::Scheduled => run.deployment_id.is_some() && is_due_anew(run, state),
            _ => is_over && run.claim.is_some(),
        }
    })
}

/// Whether a scheduled state says another time than the one before it.
fn is_due_anew(run: &FlowRun, state: &State) -> bool {
    let before = run.state.as_ref();
    before.is_none_or(|before| {
        before.kind != StateType::Scheduled
            || before.details.scheduled_time != state.details.scheduled_time
    })
}

/// Proposes a state for a task run.
pub(super) fn for_task_run(
    tx: &mut Tx<'_>,
    run: &TaskRun,
    proposed: ProposedState,
    policy: Policy,
) -> Result<Decision> {
    if let Some(id) = proposed.id
        && let Some(known) = states::of_task_run_by_id(tx.db, id)?
    {
        return answered(known, &proposed, |details| {
            details.task_run_id == Some(run.id)
        });
    }
    let cached = match &proposed.details.cache_key {
        // An empty key is none, as to the 2.0a7 server.
        Some(key)
            if proposed.kind == StateType::Running && !policy.is_forced() && !key.is_empty() =>
        {
            states::cached(tx.db, key, tx.now)?
        }
        _ => None,
    };
    let facts = Facts {
        current: run.state.as_ref(),
        run_count: run.statistics.run_count,
        retries: run.spec.policy,
        cached: cached.as_ref(),
        ..Facts::default()
    };
    let ruling = rule(policy, RunKind::TaskRun, &facts, proposed, tx.now);
    settle(tx, ruling, |proposed| enter_task_run(tx, run, proposed))
}

/// What the rules say; a state that is entered instead has the proposed one's id.
fn rule(
    policy: Policy,
    kind: RunKind,
    facts: &Facts<'_>,
    proposed: ProposedState,
    now: Timestamp,
) -> Ruling {
    let id = proposed.id;
    let mut ruling = decide(policy, kind, facts, proposed, now);
    if let Verdict::Reject { instead, .. } = &mut ruling.verdict {
        instead.id = id;
    }
    ruling
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

/// Carries a ruling out.
fn settle(
    tx: &Tx<'_>,
    ruling: Ruling,
    enter: impl FnOnce(ProposedState) -> Result<State>,
) -> Result<Decision> {
    let (state, outcome) = match ruling.verdict {
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
    if let Some(state) = &state {
        for consequence in ruling.consequences {
            carry_out(tx, consequence, state)?;
        }
    }
    Ok(Decision { state, outcome })
}

/// Writes what the entering of `state` entails.
fn carry_out(tx: &Tx<'_>, consequence: Consequence, state: &State) -> Result<()> {
    match consequence {
        Consequence::Cache { key } => states::cache(tx.db, &key, state),
    }
}

fn enter_flow_run(tx: &Tx<'_>, run: &FlowRun, proposed: ProposedState) -> Result<State> {
    let (state, statistics) = step_of_flow_run(run, proposed, tx.now);
    states::insert(tx.db, StateOf::FlowRun(run.id), &state)?;
    flow_runs::enter_state(tx.db, run, &state, &statistics)?;
    follow_subflow(tx, run, &state)?;
    Ok(state)
}

/// The state that a flow run enters, and its statistics after that.
fn step_of_flow_run(
    run: &FlowRun,
    mut proposed: ProposedState,
    now: Timestamp,
) -> (State, RunStatistics) {
    // The 2.0a7 server makes the runs of schedules in bulk, and their first states do not
    // name their runs.
    if !(run.auto_scheduled && run.state.is_none()) {
        proposed.details.flow_run_id = Some(run.id);
    }
    if run.parent_task_run_id.is_some() {
        proposed.details.task_run_id = run.parent_task_run_id;
    }
    let state = State::enter(proposed, now);
    let mut statistics = run.statistics.clone();
    statistics.record(run.state.as_ref(), &state);
    (state, statistics)
}

/// The task run that stands for a sub-flow goes where the sub-flow goes.
fn follow_subflow(tx: &Tx<'_>, run: &FlowRun, state: &State) -> Result<()> {
    let Some(parent) = run.parent_task_run_id else {
        return Ok(());
    };
    let Some(parent) = rows::by_id(tx.db, parent)? else {
        return Ok(());
    };
    let mut proposed = state.as_proposal();
    proposed.details.child_flow_run_id = Some(run.id);
    enter_task_run(tx, &parent, proposed)?;
    Ok(())
}

fn enter_task_run(tx: &Tx<'_>, run: &TaskRun, proposed: ProposedState) -> Result<State> {
    let (state, statistics) = step_of_task_run(run, proposed, tx.now);
    states::insert(tx.db, StateOf::TaskRun(run.id), &state)?;
    task_runs::enter_state(tx.db, run, &state, &statistics)?;
    Ok(state)
}

/// The state that a task run enters, and its statistics after that.
fn step_of_task_run(
    run: &TaskRun,
    mut proposed: ProposedState,
    now: Timestamp,
) -> (State, RunStatistics) {
    proposed.details.flow_run_id = run.spec.flow_run_id;
    proposed.details.task_run_id = Some(run.id);
    let state = State::enter(proposed, now);
    let mut statistics = run.statistics.clone();
    statistics.record(run.state.as_ref(), &state);
    (state, statistics)
}
