//! Verbs on flow runs.

use super::announce::{self, Crash};
use super::{App, Decision, Force, Outcome, propose_state};
use crate::domain::container::labels;
use crate::domain::error::{Error, Result};
use crate::domain::filter::{Filters, Page, RunSort};
use crate::domain::flow::Created;
use crate::domain::flow_run::{FlowRun, FlowRunUpdate, NewFlowRun};
use crate::domain::ids::{FlowRunId, StateId};
use crate::domain::state::{ProposedState, State, StateType};
use crate::domain::time::Timestamp;
use crate::domain::weight;
use crate::storage::removal::Removal;
use crate::storage::{Connection, StateOf, deployments, flow_runs, flows, states, task_runs};

impl App {
    /// Creates a flow run, or answers the flow's run with the same idempotency key.
    ///
    /// Fails as a conflict when the flow, deployment or parent task run does not exist.
    pub async fn create_flow_run(&self, new: NewFlowRun) -> Result<Created<FlowRun>> {
        let bytes = weight::of_map(&new.parameters) + weight::of_map(&new.context);
        let then = self.ring_if(|created: &Created<FlowRun>| may_become_due(created.get()));
        self.write_once_then(bytes, move |db, now| create_run(db, new, now), then)
            .await
    }

    /// The flow run with that id.
    pub async fn flow_run(&self, id: FlowRunId) -> Result<FlowRun> {
        self.look_up(move |db| read(db, id)).await
    }

    /// A page of flow runs.
    pub async fn flow_runs(
        &self,
        filters: Filters,
        sort: RunSort,
        page: Page,
    ) -> Result<Vec<FlowRun>> {
        self.scan(move |db| flow_runs::page(db, &filters, sort, page))
            .await
    }

    /// How many flow runs match.
    pub async fn count_flow_runs(&self, filters: Filters) -> Result<u64> {
        self.scan(move |db| flow_runs::count(db, &filters)).await
    }

    /// Changes what the update names.
    pub async fn update_flow_run(&self, id: FlowRunId, update: FlowRunUpdate) -> Result<()> {
        if let Some(infrastructure) = &update.infrastructure {
            labels::check_settings(infrastructure).map_err(Error::invalid)?;
        }
        self.write_once(move |db, now| flow_runs::update(db, read(db, id)?, update, now))
            .await
    }

    /// Removes a flow run with its states and task runs.
    pub async fn delete_flow_run(&self, id: FlowRunId) -> Result<()> {
        self.remove(Removal::FlowRun(id)).await
    }

    /// Proposes a state for a flow run; see [`crate::domain::orchestration`].
    pub async fn propose_flow_run_state(
        &self,
        id: FlowRunId,
        proposed: ProposedState,
        force: Force,
    ) -> Result<Decision> {
        let bytes = proposed.data.as_ref().map_or(0, weight::of_value);
        self.step(id, bytes, move |db, run, now| {
            propose_state::for_flow_run(db, run, proposed, force, now)
        })
        .await
    }

    /// Ends a flow run, with what `cancelled` says besides its type: one that has a process is
    /// Cancelling until that is gone, any other is Cancelled at once, whenever it is due. One
    /// that has ended stays as it is, which is answered as an abort.
    pub async fn cancel_flow_run(
        &self,
        id: FlowRunId,
        mut cancelled: ProposedState,
    ) -> Result<Decision> {
        self.step(id, 0, move |db, run, now| {
            let claim = run.claim.as_ref();
            let has_process = claim.is_some_and(|claim| claim.infrastructure_id.is_some());
            cancelled.kind = match has_process {
                true => StateType::Cancelling,
                false => StateType::Cancelled,
            };
            let is_answered = match cancelled.id {
                Some(id) => states::of_flow_run_by_id(db, id)?.is_some(),
                None => false,
            };
            let state = run.state.as_ref();
            if let Some(ended) = state.filter(|state| state.kind.is_terminal())
                && !is_answered
            {
                let why = format!("This run has ended already: {}", ended.name);
                return Ok(Decision {
                    state: None,
                    outcome: Outcome::Aborted { why },
                });
            }
            propose_state::for_flow_run(db, run, cancelled, Force::Yes, now)
        })
        .await
    }

    /// Takes a run one step on in the writer's transaction, and tells whoever it concerns.
    async fn step(
        &self,
        id: FlowRunId,
        bytes: usize,
        step: impl FnOnce(&Connection, &FlowRun, Timestamp) -> Result<Decision> + Send + 'static,
    ) -> Result<Decision> {
        let bell = self.agent_bell();
        let work = move |db: &Connection, now| {
            let run = read(db, id)?;
            let decision = step(db, &run, now)?;
            let concerns_agents = concerns_agents(&run, &decision);
            let crash = announce::crash(db, &run, &decision)?;
            Ok((decision, concerns_agents, crash))
        };
        let then = move |(_, concerns_agents, crash): &(Decision, bool, Option<Crash>)| {
            if *concerns_agents {
                bell.ring();
            }
            announce::tell(crash.as_ref());
        };
        let (decision, ..) = self.write_then(bytes, work, then).await?;
        Ok(decision)
    }

    /// One state of some flow run.
    pub async fn flow_run_state(&self, id: StateId) -> Result<State> {
        self.read(move |db| {
            states::of_flow_run_by_id(db, id)?.ok_or_else(|| Error::not_found("Flow run state"))
        })
        .await
    }

    /// A flow run's states, oldest first; none for an unknown run.
    pub async fn flow_run_states(&self, id: FlowRunId) -> Result<Vec<State>> {
        self.read(move |db| states::of_run(db, StateOf::FlowRun(id)))
            .await
    }
}

/// Whether an agent has something to do after a run was created: it takes runs of
/// deployments when their time has come.
pub(super) fn may_become_due(run: &FlowRun) -> bool {
    let is_scheduled = |state: &State| state.kind == StateType::Scheduled;
    run.deployment_id.is_some() && run.state.as_ref().is_some_and(is_scheduled)
}

/// Whether an agent has something to do after a run went on: a run may become due, or one
/// that is held has ended or is to stop. Most steps are told by the run's own engine and
/// concern nobody else, so that agents sleep through them.
fn concerns_agents(run: &FlowRun, decision: &Decision) -> bool {
    decision.state.as_ref().is_some_and(|state| {
        let is_over = state.kind.is_terminal() || state.kind == StateType::Cancelling;
        match state.kind {
            StateType::Scheduled => run.deployment_id.is_some(),
            _ => is_over && run.claim.is_some(),
        }
    })
}

/// Creates a run and its first state.
pub(super) fn create_run(
    db: &Connection,
    new: NewFlowRun,
    now: Timestamp,
) -> Result<Created<FlowRun>> {
    if let Some(key) = &new.idempotency_key
        && let Some(known) = flow_runs::id_by_key(db, new.flow_id, key)?
    {
        return read(db, known).map(Created::Known);
    }
    labels::check_settings(&new.infrastructure).map_err(Error::invalid)?;
    check_parents(db, &new)?;
    let (run, first) = FlowRun::create(new, now);
    propose_state::begin_flow_run(db, run, first, now).map(Created::New)
}

fn check_parents(db: &Connection, new: &NewFlowRun) -> Result<()> {
    if !flows::exists(db, new.flow_id)? {
        return Err(Error::conflict(format!(
            "There is no flow {}.",
            new.flow_id
        )));
    }
    if let Some(id) = new.deployment_id
        && !deployments::exists(db, id)?
    {
        return Err(Error::conflict(format!("There is no deployment {id}.")));
    }
    if let Some(id) = new.parent_task_run_id
        && !task_runs::exists(db, id)?
    {
        return Err(Error::conflict(format!("There is no task run {id}.")));
    }
    Ok(())
}

pub(super) fn read(db: &Connection, id: FlowRunId) -> Result<FlowRun> {
    flow_runs::by_id(db, id)?.ok_or_else(unknown)
}

fn unknown() -> Error {
    Error::not_found("Flow run")
}
