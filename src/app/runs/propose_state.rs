//! The one road to every change of a run's state.
//!
//! Everything here runs inside the writer's transaction: the facts are read, the domain
//! decides, the verdict is written. Two clients can therefore never win the same step.

use super::steps::{enter_flow_run, enter_task_run, retry_failed_tasks, tell};
use super::{crash, slots};
use crate::app::limits::tags::{self as tag_slots, OfTags};
use crate::app::tasks;
use crate::app::tx::{Effect, Tx};
use crate::domain::access::run_key::without_keys;
use crate::domain::error::{Error, Result};
use crate::domain::flow_run::{Claim, FlowRun};
use crate::domain::rules::{
    Client, Consequence, Enclosing, Facts, Generation, Policy, Ruling, RunKind, Verdict, decide,
};
use crate::domain::run::Recording;
use crate::domain::state::{ProposedState, State, StateDetails, StateType};
use crate::domain::task_run::TaskRun;
use crate::domain::time::Timestamp;
use crate::domain::work::WORKER_LABEL;
use crate::storage::{flow_runs, rows, run_inputs, states, task_runs};

/// What became of a proposal.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    /// The state that was entered; absent when the run stays where it is.
    pub state: Option<State>,
    /// How it came to that.
    pub outcome: Outcome,
}

impl Decision {
    /// The state that the answer shows: the one that was entered, or the one that the run stays in.
    pub fn shown(&self) -> Option<&State> {
        let stays = match &self.outcome {
            Outcome::Refused { current, .. }
            | Outcome::Wait { current, .. }
            | Outcome::Aborted { current, .. } => current.as_deref(),
            Outcome::Accepted | Outcome::Rejected { .. } => None,
        };
        self.state.as_ref().or(stays)
    }
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
    /// Nothing was entered; the run stays where it is.
    Refused {
        /// Why.
        why: String,
        /// Where it stands.
        current: Option<Box<State>>,
    },
    /// Nothing was entered; ask again later.
    Wait {
        /// In so many seconds.
        delay_secs: i64,
        /// Why.
        why: String,
        /// Where it stands.
        current: Option<Box<State>>,
    },
    /// Nothing was entered; stop executing the run.
    Aborted {
        /// Why.
        why: String,
        /// Where it stands.
        current: Option<Box<State>>,
    },
}

/// Proposes a state for a flow run, and has whoever it concerns told.
pub(in crate::app) fn for_flow_run(
    tx: &mut Tx<'_>,
    run: &FlowRun,
    proposed: ProposedState,
    policy: Policy,
    client: Client,
) -> Result<Decision> {
    if let Some(id) = proposed.id
        && let Some(known) = states::of_flow_run_by_id(tx.db, id)?
    {
        return answered(known, &proposed, |details| {
            details.flow_run_id == Some(run.id)
        });
    }
    let (limit, slot) = slots::facts(tx, run)?;
    let taker = proposed.worker.clone();
    let facts = Facts {
        current: run.state.as_ref(),
        run_count: run.statistics.run_count,
        client,
        is_deployed: run.deployment_id.is_some(),
        is_held: run.claim.is_some(),
        taken_by: run.taker(),
        has_infrastructure: has_infrastructure(run),
        has_parent: run.parent_task_run_id.is_some(),
        policy: Some(&run.policy),
        limit,
        slot,
        ..Facts::default()
    };
    let ruling = rule(policy, RunKind::FlowRun, &facts, proposed, tx.now);
    let is_modern = policy.generation() == Generation::V3;
    let how = Recording {
        is_counted: ruling.is_counted,
        // What an agent of ours took has begun when its process did.
        ends_begun: is_modern && run.claim.is_none(),
    };
    let decision = settle(ruling.verdict, facts.current, |proposed| {
        let (state, run_count) = enter_flow_run(tx, run, proposed, how)?;
        if is_modern || is_watched(run) {
            tell(tx, run, run_count, (facts.current, &state))?;
        }
        Ok(state)
    })?;
    if let Some(state) = &decision.state {
        for consequence in ruling.consequences {
            carry_out_of_flow_run(tx, run, state, consequence)?;
        }
    }
    if let Some(taker) = taker {
        note_taker(tx, run, &decision, taker)?;
    }
    if concerns_deadlines(&decision) {
        tx.entail(Effect::WakeDeadlines);
    }
    if concerns_agents(run, &decision) {
        tx.entail(Effect::WakeAgents);
    }
    crash::entail(tx, run, &decision)?;
    Ok(decision)
}

/// Whether there are events of a run whatever its client knows of them: today's clients watch the
/// runs of deployments, and automations look after them, whoever has deployed what they run.
fn is_watched(run: &FlowRun) -> bool {
    run.deployment_id.is_some()
}

/// Notes which worker took a run of a pool, where a step was that.
fn note_taker(tx: &Tx<'_>, run: &FlowRun, decision: &Decision, worker: String) -> Result<()> {
    let entered = decision.state.as_ref().map(|state| state.kind);
    let is_taken = entered == Some(StateType::Pending) && run.work_queue_id.is_some();
    if is_taken && run.taker() != Some(&worker) {
        let mut labels = run.labels.clone();
        labels.insert(WORKER_LABEL.to_owned(), worker.into());
        flow_runs::set_labels(tx.db, run.id, &labels, tx.now)?;
    }
    Ok(())
}

/// Whether somebody told what was made for a run, so that there may be something to stop.
fn has_infrastructure(run: &FlowRun) -> bool {
    let made = |claim: &Claim| claim.infrastructure_id.is_some();
    run.infrastructure_pid.is_some() || run.claim.as_ref().is_some_and(made)
}

/// Writes what a flow run's step into a state entails.
fn carry_out_of_flow_run(
    tx: &mut Tx<'_>,
    run: &FlowRun,
    state: &State,
    what: Consequence,
) -> Result<()> {
    match what {
        Consequence::Policy(policy) => flow_runs::set_policy(tx.db, run.id, &policy),
        Consequence::DropInputs(keys) => {
            for key in keys.values() {
                run_inputs::delete(tx.db, run.id, key)?;
            }
            Ok(())
        }
        Consequence::TakeSlot { lease, grace } => slots::take(tx, run, lease, grace),
        Consequence::RenewSlot { grace } => slots::renew(tx, run, Some(grace)),
        Consequence::KeepSlot => slots::renew(tx, run, None),
        Consequence::GiveBackSlot => slots::give_back(tx, run),
        Consequence::RetryTasks => retry_failed_tasks(tx, run.id, state),
        // Of task runs.
        Consequence::Cache { .. }
        | Consequence::ResetRunCount
        | Consequence::OfAttempt(_)
        | Consequence::TakeTagSlots => Ok(()),
    }
}

/// Whether an agent has something to do after a run went on: a run may become due, or one
/// that is held has ended or is to stop. Most steps are told by the run's own engine and
/// concern nobody else, so that agents sleep through them.
fn concerns_agents(run: &FlowRun, decision: &Decision) -> bool {
    decision.state.as_ref().is_some_and(|state| {
        let is_over = state.kind.is_terminal() || state.kind == StateType::Cancelling;
        match state.kind {
            StateType::Scheduled => run.is_for_agents() && is_due_anew(run, state),
            _ => is_over && run.claim.is_some(),
        }
    })
}

/// Whether the state that a run entered is over at some time, or ends what is part of the run.
fn concerns_deadlines(decision: &Decision) -> bool {
    use StateType::{Cancelled, Cancelling, Paused};
    let kind = decision.state.as_ref().map(|state| state.kind);
    matches!(kind, Some(Paused | Cancelling | Cancelled))
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
    client: Client,
) -> Result<Decision> {
    if let Some(id) = proposed.id
        && let Some(known) = states::of_task_run_by_id(tx.db, id)?
    {
        return answered(known, &proposed, |details| {
            details.task_run_id == Some(run.id)
        });
    }
    let cached = cached(tx, &proposed, policy)?;
    // The rules of 2.0a7, and those of what is forced, look at neither.
    let begins = proposed.kind == StateType::Running && policy == Policy::Normal(Generation::V3);
    let (flow, tags) = match begins {
        true => (flow_of(tx, run)?, tag_slots::of_tags(tx, run)?),
        false => (None, OfTags::Unlimited),
    };
    let facts = Facts {
        tags: tags.facts(),
        current: run.state.as_ref(),
        run_count: run.statistics.run_count,
        client,
        retries: run.spec.policy,
        cached: cached.as_ref(),
        flow_run_run_count: run.flow_run_run_count,
        enclosing: flow.as_ref().map(|flow| Enclosing {
            state: flow.state.as_ref(),
            run_count: flow.statistics.run_count,
        }),
        ..Facts::default()
    };
    let kind = match policy.generation() {
        Generation::V3 if proposed.details.is_deferred() => RunKind::BackgroundTask,
        _ => RunKind::TaskRun,
    };
    let ruling = rule(policy, kind, &facts, proposed, tx.now);
    let is_anew = ruling.consequences.contains(&Consequence::ResetRunCount);
    let how = Recording {
        is_counted: true,
        ends_begun: policy.generation() == Generation::V3,
    };
    let decision = settle(ruling.verdict, facts.current, |proposed| {
        enter_task_run(tx, run, proposed, how, is_anew)
    })?;
    if let Some(state) = &decision.state {
        if !matches!(state.kind, StateType::Running | StateType::Cancelling) {
            tag_slots::give_back_all(tx, run)?;
        }
        for consequence in ruling.consequences {
            carry_out_of_task_run(tx, run, state, consequence)?;
        }
        if kind == RunKind::BackgroundTask {
            tasks::enqueue(tx, run, state)?;
        }
    }
    Ok(decision)
}

/// What is remembered of the result that a task run would compute.
fn cached(tx: &Tx<'_>, proposed: &ProposedState, policy: Policy) -> Result<Option<State>> {
    let begins = proposed.kind == StateType::Running && !policy.is_forced();
    match &proposed.details.cache_key {
        // An empty key is none, as to the 2.0a7 server.
        Some(key) if begins && !key.is_empty() => states::cached(tx.db, key, tx.now),
        _ => Ok(None),
    }
}

/// Writes what a task run's step into a state entails.
fn carry_out_of_task_run(
    tx: &mut Tx<'_>,
    run: &TaskRun,
    state: &State,
    what: Consequence,
) -> Result<()> {
    match what {
        Consequence::TakeTagSlots => tag_slots::take_of_tags(tx, run),
        Consequence::Cache { key } => states::cache(tx.db, &key, state),
        Consequence::OfAttempt(count) => task_runs::set_attempt(tx.db, run.id, count),
        // Written with the state, or of flow runs.
        _ => Ok(()),
    }
}

/// The flow run that a task run is part of.
fn flow_of(tx: &Tx<'_>, run: &TaskRun) -> Result<Option<FlowRun>> {
    let id = run.spec.flow_run_id;
    id.map_or(Ok(None), |id| rows::by_id(tx.db, id))
}

/// What the rules say; a state that is entered instead has the proposed one's id.
fn rule(
    policy: Policy,
    kind: RunKind,
    facts: &Facts<'_>,
    mut proposed: ProposedState,
    now: Timestamp,
) -> Ruling {
    // What a client says of a request that failed names the address.
    let message = proposed.message.as_deref().and_then(without_keys);
    proposed.message = message.or(proposed.message);
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

/// Carries a verdict out on a run that stands at `current`.
fn settle(
    verdict: Verdict,
    current: Option<&State>,
    enter: impl FnOnce(ProposedState) -> Result<State>,
) -> Result<Decision> {
    let current = || current.cloned().map(Box::new);
    let (state, outcome) = match verdict {
        Verdict::Accept(proposed) => (Some(enter(proposed)?), Outcome::Accepted),
        Verdict::Reject { instead, why } => {
            let why = why.to_owned();
            (Some(enter(instead)?), Outcome::Rejected { why })
        }
        Verdict::Stay { why } => {
            let current = current();
            (None, Outcome::Refused { why, current })
        }
        Verdict::Wait { delay_secs, why } => {
            let current = current();
            let outcome = Outcome::Wait {
                delay_secs,
                why,
                current,
            };
            (None, outcome)
        }
        Verdict::Abort { why } => {
            let current = current();
            (None, Outcome::Aborted { why, current })
        }
    };
    Ok(Decision { state, outcome })
}
