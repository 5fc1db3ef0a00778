//! Verbs on flow runs.

use uuid::Uuid;

use super::propose_state::{self, Decision, Outcome};
use super::steps;
use crate::app::App;
use crate::app::request::{Repeat, comes_to_the_same};
use crate::app::tx::{Effect, Tx};
use crate::app::work::queues;
use crate::domain::JsonMap;
use crate::domain::container::labels;
use crate::domain::deployment::{Deployment, QueueNames};
use crate::domain::error::{Error, Result};
use crate::domain::filter::{Filters, Page, Sort};
use crate::domain::flow::Created;
use crate::domain::flow_run::{FlowRun, FlowRunUpdate, NewFlowRun, RunQueue};
use crate::domain::ids::{FlowRunId, StateId};
use crate::domain::patch::Patch;
use crate::domain::rules::{Client, Generation, Policy};
use crate::domain::state::{ProposedState, State, StateType};
use crate::domain::weight;
use crate::storage::removal::Removal;
use crate::storage::{Connection, Job, StateOf, flow_runs, rows, states};

/// The most labels of a run.
const MOST_LABELS: usize = 1000;

impl App {
    /// Creates a flow run, or answers the flow's run with the same idempotency key.
    ///
    /// Fails as a conflict when the flow, deployment or parent task run does not exist.
    pub async fn create_flow_run(&self, new: NewFlowRun) -> Result<Created<FlowRun>> {
        let bytes = weight::of_map(&new.parameters) + weight::of_map(&new.context);
        self.write_as(Job::prompt(bytes), move |tx| create_run(tx, new))
            .await
    }

    /// The flow run with that id; in a box, for it is large and handed on often.
    pub async fn flow_run(&self, id: FlowRunId) -> Result<Box<FlowRun>> {
        self.by_key(move |db| read(db, id).map(Box::new)).await
    }

    /// A page of flow runs.
    pub async fn flow_runs(
        &self,
        filters: Filters,
        sort: Sort,
        page: Page,
    ) -> Result<Vec<FlowRun>> {
        self.find(move |db| rows::page(db, &filters, sort, page))
            .await
    }

    /// How many flow runs match.
    pub fn count_flow_runs(&self, filters: Filters) -> impl Future<Output = Result<u64>> + Send {
        self.count::<FlowRun>(filters)
    }

    /// Changes what the update names.
    pub async fn update_flow_run(&self, id: FlowRunId, update: FlowRunUpdate) -> Result<()> {
        if let Some(infrastructure) = &update.infrastructure {
            labels::check_settings(infrastructure).map_err(Error::invalid)?;
        }
        if let Patch::Set(own) = &update.job_variables {
            self.check_new_job(id, own).await?;
        }
        self.write(move |tx| {
            let run = read(tx.db, id)?;
            if matches!(update.job_variables, Patch::Set(_)) {
                check_job_can_change(&run)?;
            }
            // A name, a tag or a parameter is in lists that are watched.
            tx.entail(Effect::TellNews);
            flow_runs::update(tx.db, run, update, tx.now)
        })
        .await
    }

    async fn check_new_job(&self, id: FlowRunId, own: &JsonMap) -> Result<()> {
        let run = self.flow_run(id).await?;
        check_job_can_change(&run)?;
        let Some(deployment) = run.deployment_id else {
            return Ok(());
        };
        let deployment = self.deployment(deployment).await?;
        let doing = "updating flow run";
        self.check_job_of_run(&deployment, Some(own), doing).await
    }

    /// Lays labels over those that a flow run has.
    pub async fn update_flow_run_labels(&self, id: FlowRunId, labels: JsonMap) -> Result<()> {
        self.write(move |tx| {
            let mut all = read(tx.db, id)?.labels;
            all.extend(labels);
            match all.len() <= MOST_LABELS {
                true => flow_runs::set_labels(tx.db, id, &all, tx.now),
                false => Err(Error::invalid(format!(
                    "A flow run has at most {MOST_LABELS} labels."
                ))),
            }
        })
        .await
    }

    /// Removes a flow run with its states and task runs.
    pub async fn delete_flow_run(&self, id: FlowRunId) -> Result<()> {
        self.remove(Removal::FlowRun(id)).await
    }

    /// Proposes a state for a flow run; see [`crate::domain::rules`].
    pub async fn propose_flow_run_state(
        &self,
        id: FlowRunId,
        proposed: ProposedState,
        policy: Policy,
        client: Client,
    ) -> Result<Decision> {
        let bytes = proposed.data.as_ref().map_or(0, weight::of_value);
        self.write_as(Job::prompt(bytes), move |tx| {
            let run = read(tx.db, id)?;
            propose_state::for_flow_run(tx, &run, of_request(tx, proposed), policy, client)
        })
        .await
    }

    /// Ends a flow run, with what `cancelled` says besides its type: one that has a process is
    /// Cancelling until that is gone, any other is Cancelled at once, whenever it is due. One
    /// that has ended stays as it is, which is answered as an abort.
    pub async fn cancel_flow_run(
        &self,
        id: FlowRunId,
        cancelled: ProposedState,
    ) -> Result<Decision> {
        self.write(move |tx| {
            let run = read(tx.db, id)?;
            cancel(tx, &run, of_request(tx, cancelled))
        })
        .await
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

comes_to_the_same!(Decision);

/// A proposal whose state is known by the request's key, so that it is answered again by what
/// it led to.
pub(super) fn of_request(tx: &Tx<'_>, mut proposed: ProposedState) -> ProposedState {
    proposed.id = proposed.id.or(tx.key.map(StateId::from_uuid));
    proposed
}

fn cancel(tx: &mut Tx<'_>, run: &FlowRun, mut cancelled: ProposedState) -> Result<Decision> {
    let has_process = match &run.claim {
        Some(claim) => claim.infrastructure_id.is_some(),
        None => is_listened_for(tx.db, run)?,
    };
    cancelled.kind = match has_process {
        true => StateType::Cancelling,
        false => StateType::Cancelled,
    };
    let is_answered = match cancelled.id {
        Some(id) => states::of_flow_run_by_id(tx.db, id)?.is_some(),
        None => false,
    };
    let state = run.state.as_ref();
    if let Some(ended) = state.filter(|state| state.kind.is_terminal())
        && !is_answered
    {
        let why = format!("This run has ended already: {}", ended.name);
        return Ok(Decision {
            state: None,
            outcome: Outcome::Aborted { why, current: None },
        });
    }
    if let Some(asked) = state.filter(|state| state.kind == cancelled.kind)
        && !is_answered
    {
        // How long it may take counts from when it was first asked.
        return Ok(Decision {
            state: Some(asked.clone()),
            outcome: Outcome::Accepted,
        });
    }
    let forced = Policy::Forced(Generation::V3);
    propose_state::for_flow_run(tx, run, cancelled, forced, Client::default())
}

/// Whether a run that no agent of ours holds is under way in a runner or a worker, which stop it
/// once they hear that they are to. Those of 2.0a7 do not listen, nor does a script.
fn is_listened_for(db: &Connection, run: &FlowRun) -> Result<bool> {
    let (Some(deployment), Some(state)) = (run.deployment_id, &run.state) else {
        return Ok(false);
    };
    let is_under_way = match state.kind {
        StateType::Pending | StateType::Running | StateType::Cancelling => true,
        StateType::Paused => !state.details.pause_reschedule,
        StateType::Scheduled => state.name == "AwaitingRetry" && run.infrastructure_pid.is_some(),
        _ => false,
    };
    let deployment: Option<Deployment> = rows::by_id(db, deployment)?;
    Ok(is_under_way && deployment.is_some_and(|it| it.flow_data.is_none()))
}

impl Repeat for Created<FlowRun> {
    fn made(&self) -> Option<Vec<Uuid>> {
        Some(vec![self.get().id.uuid()])
    }

    fn again(tx: &mut Tx<'_>, made: &[Uuid]) -> Result<Self> {
        let id = made.first().copied().map(FlowRunId::from_uuid);
        id.map_or_else(|| Err(unknown()), |id| read(tx.db, id))
            .map(Self::Known)
    }
}

/// Creates a run and its first state.
pub(in crate::app) fn create_run(tx: &mut Tx<'_>, new: NewFlowRun) -> Result<Created<FlowRun>> {
    if let Some(key) = &new.idempotency_key
        && let Some(known) = flow_runs::id_by_key(tx.db, new.flow_id, key)?
    {
        return read(tx.db, known).map(Created::Known);
    }
    labels::check_settings(&new.infrastructure).map_err(Error::invalid)?;
    check_parents(tx.db, &new)?;
    let is_told = new.is_told;
    let names = new.queue_names.clone();
    let (mut run, first) = FlowRun::create(new, tx.now);
    let queue = match names {
        Some(QueueNames {
            pool: Some(pool),
            queue,
        }) => Some(queues::in_pool(tx.db, pool, queue)?),
        _ => { run.work_queue_id }.map_or(Ok(None), |id| rows::by_id(tx.db, id))?,
    };
    run.work_queue_id = queue.as_ref().map(|queue| queue.id).or(run.work_queue_id);
    run.queue = queue.map(|queue| RunQueue {
        name: queue.name,
        pool_id: queue.work_pool_id,
        pool_name: queue.pool_name,
    });
    steps::begin_flow_run(tx, run, first, is_told).map(Created::New)
}

/// Refuses other variables for the job of a run that has begun, or that is of no deployment.
fn check_job_can_change(run: &FlowRun) -> Result<()> {
    let kind = run.state.as_ref().map(|state| state.kind);
    match kind {
        Some(StateType::Scheduled) if run.deployment_id.is_some() => Ok(()),
        Some(StateType::Scheduled) => Err(Error::refused(
            "A deployment for the flow run could not be found",
        )),
        kind => Err(Error::refused(format!(
            "Job variables for a flow run in state {} cannot be updated",
            kind.map_or("none", StateType::word)
        ))),
    }
}

fn check_parents(db: &Connection, new: &NewFlowRun) -> Result<()> {
    if !rows::exists(db, new.flow_id)? {
        return Err(Error::conflict(format!(
            "There is no flow {}.",
            new.flow_id
        )));
    }
    if let Some(id) = new.deployment_id
        && !rows::exists(db, id)?
    {
        return Err(Error::conflict(format!("There is no deployment {id}.")));
    }
    if let Some(id) = new.parent_task_run_id
        && !rows::exists(db, id)?
    {
        return Err(Error::conflict(format!("There is no task run {id}.")));
    }
    Ok(())
}

pub(in crate::app) fn read(db: &Connection, id: FlowRunId) -> Result<FlowRun> {
    rows::by_id(db, id)?.ok_or_else(unknown)
}

fn unknown() -> Error {
    Error::not_found("Flow run")
}
