//! Verbs on task runs.

use super::flow_runs::of_request;
use super::propose_state::{self, Decision};
use super::steps;
use crate::app::App;
use crate::app::request::comes_to_the_same;
use crate::app::tx::Tx;
use crate::domain::error::{Error, Result};
use crate::domain::filter::{Filters, Page, Sort};
use crate::domain::flow::Created;
use crate::domain::flow_run::Origin;
use crate::domain::ids::{FlowRunId, StateId, TaskRunId};
use crate::domain::rules::{Client, Policy};
use crate::domain::state::{ProposedState, State};
use crate::domain::task_run::{NewTaskRun, TaskRun, TaskRunSpec, TaskRunUpdate};
use crate::domain::weight;
use crate::storage::removal::Removal;
use crate::storage::{Connection, Job, StateOf, flow_runs, rows, states, task_runs};

impl App {
    /// Creates a task run, or answers the one of the same task and dynamic key in the same
    /// flow run. Fails as a conflict when the flow run does not exist, or another run has the id.
    pub async fn create_task_run(&self, new: NewTaskRun) -> Result<Created<TaskRun>> {
        self.write(move |tx| create(tx, new)).await
    }

    /// Changes what the update names.
    pub async fn update_task_run(&self, id: TaskRunId, update: TaskRunUpdate) -> Result<()> {
        self.write(move |tx| {
            let run = read(tx.db, id)?;
            let name = update.name.unwrap_or(run.spec.name);
            task_runs::rename(tx.db, id, &name, tx.now)?;
            Ok(())
        })
        .await
    }

    /// The task run with that id.
    pub async fn task_run(&self, id: TaskRunId) -> Result<TaskRun> {
        self.by_key(move |db| read(db, id)).await
    }

    /// A page of task runs.
    pub async fn task_runs(
        &self,
        filters: Filters,
        sort: Sort,
        page: Page,
    ) -> Result<Vec<TaskRun>> {
        let sort = sort.at(self.now());
        self.find(move |db| rows::page(db, &filters, sort, page))
            .await
    }

    /// Every task run of a flow run, newest first.
    pub async fn task_runs_of(&self, id: FlowRunId) -> Result<Vec<TaskRun>> {
        self.scan(move |db| {
            super::flow_runs::read(db, id)?;
            let filters = Filters::of_flow_run(id);
            let all = Page {
                limit: i64::MAX.unsigned_abs(),
                offset: 0,
            };
            rows::page(db, &filters, Sort::NEWEST, all)
        })
        .await
    }

    /// How many task runs match.
    pub fn count_task_runs(&self, filters: Filters) -> impl Future<Output = Result<u64>> + Send {
        self.count::<TaskRun>(filters)
    }

    /// Removes a task run with its states.
    pub async fn delete_task_run(&self, id: TaskRunId) -> Result<()> {
        self.remove(Removal::TaskRun(id)).await
    }

    /// Proposes a state for a task run; see [`crate::domain::rules`].
    pub async fn propose_task_run_state(
        &self,
        id: TaskRunId,
        proposed: ProposedState,
        policy: Policy,
        client: Client,
    ) -> Result<Decision> {
        let bytes = proposed.data.as_ref().map_or(0, weight::of_value);
        self.write_as(Job::prompt(bytes), move |tx| {
            let run = read(tx.db, id)?;
            propose_state::for_task_run(tx, &run, of_request(tx, proposed), policy, client)
        })
        .await
    }

    /// One state of some task run.
    pub async fn task_run_state(&self, id: StateId) -> Result<State> {
        self.read(move |db| {
            // The 2.0a7 server calls it so, task run or not.
            states::of_task_run_by_id(db, id)?.ok_or_else(|| Error::not_found("Flow run state"))
        })
        .await
    }

    /// A task run's states, oldest first; none for an unknown run.
    pub async fn task_run_states(&self, id: TaskRunId) -> Result<Vec<State>> {
        self.read(move |db| states::of_run(db, StateOf::TaskRun(id)))
            .await
    }
}

// Found by its flow run, task and dynamic key.
comes_to_the_same!(Created<TaskRun>);

fn create(tx: &mut Tx<'_>, mut new: NewTaskRun) -> Result<Created<TaskRun>> {
    if let Some(known) = task_runs::id_by_key(tx.db, &new.spec)? {
        return read(tx.db, known).map(Created::Known);
    }
    if let Some(id) = new.id
        && let Some(known) = rows::by_id(tx.db, id)?
    {
        let is_same = known.spec.flow_run_id == new.spec.flow_run_id
            && known.spec.task_key == new.spec.task_key
            && known.spec.dynamic_key == new.spec.dynamic_key;
        return match is_same {
            true => Ok(Created::Known(known)),
            false => Err(Error::conflict(format!(
                "Another task run has the id {id}."
            ))),
        };
    }
    if let Some(parent) = new.spec.flow_run_id {
        let Some(origin) = flow_runs::origin(tx.db, parent)? else {
            return Err(Error::conflict(format!("There is no flow run {parent}.")));
        };
        label(&mut new.spec, parent, origin);
    }
    let (run, first) = TaskRun::create(new, tx.now);
    steps::begin_task_run(tx, run, first).map(Created::New)
}

/// Labels a task run as its flow run is and with that, as the reference does; its own labels count.
fn label(spec: &mut TaskRunSpec, parent: FlowRunId, origin: Origin) {
    let mut labels = origin.all_labels();
    labels.insert("prefect.flow-run.id".to_owned(), parent.to_string().into());
    labels.extend(std::mem::take(&mut spec.labels));
    spec.labels = labels;
}

fn read(db: &Connection, id: TaskRunId) -> Result<TaskRun> {
    rows::by_id(db, id)?.ok_or_else(unknown)
}

fn unknown() -> Error {
    // The 2.0a7 server's word for it.
    Error::not_found("Task")
}
