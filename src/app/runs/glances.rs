//! Verbs that look at many runs at once, each only at a glance.

use crate::app::App;
use crate::domain::deployment::Deployment;
use crate::domain::error::Result;
use crate::domain::filter::{Filters, Page, Sort, Test, flow, task_run};
use crate::domain::glance::{Glance, Outcomes};
use crate::domain::history::Buckets;
use crate::domain::ids::{FlowId, FlowRunId, TaskRunId};
use crate::domain::observed::{ObservedState, Order, chosen};
use crate::domain::state::StateType;
use crate::domain::task_run::TaskRun;
use crate::storage::{glances, rows};

impl App {
    /// A page of flow runs at a glance; it may be longer than other pages.
    pub async fn flow_run_glances(
        &self,
        filters: Filters,
        sort: Sort,
        page: Page,
    ) -> Result<Vec<Glance>> {
        self.scan(move |db| rows::page(db, &filters, sort, page))
            .await
    }

    /// How many task runs each flow run has, those that stand for sub-flows apart.
    pub async fn count_task_runs_of(&self, ids: Vec<FlowRunId>) -> Result<Vec<(FlowRunId, u64)>> {
        self.scan(move |db| {
            let each = ids.iter().map(|&id| {
                let asked = vec![
                    task_run::FLOW_RUN_ID.is_one_of_ids([id.uuid()]),
                    task_run::SUBFLOW_RUNS.asked(Test::Is(false)),
                ];
                let filters = Filters {
                    task_runs: Some(asked.into()),
                    ..Filters::default()
                };
                Ok((id, rows::count::<TaskRun>(db, &filters)?))
            });
            each.collect()
        })
        .await
    }

    /// How many deployments each flow has.
    pub async fn count_deployments_of(&self, ids: Vec<FlowId>) -> Result<Vec<(FlowId, u64)>> {
        self.scan(move |db| {
            let each = ids.iter().map(|&id| {
                let filters = of_flow(id, Filters::default());
                let count = rows::count::<Deployment>(db, &filters)?;
                Ok((id, count))
            });
            each.collect()
        })
        .await
    }

    /// The run of each flow that is due next, where one is.
    pub async fn next_runs_of(&self, ids: Vec<FlowId>) -> Result<Vec<(FlowId, Option<Glance>)>> {
        self.scan(move |db| {
            let each = ids
                .iter()
                .map(|&id| Ok((id, glances::next_run_of_flow(db, id)?)));
            each.collect()
        })
        .await
    }

    /// How many task runs there are of each type of state.
    pub async fn count_task_runs_by_state(
        &self,
        filters: Filters,
    ) -> Result<Vec<(StateType, i64)>> {
        self.scan(move |db| glances::task_runs_by_state(db, &filters))
            .await
    }

    /// How the task runs ended that began in each part of time.
    pub async fn task_run_outcomes(
        &self,
        filters: Filters,
        buckets: Buckets,
    ) -> Result<Vec<Outcomes>> {
        self.scan(move |db| glances::outcomes(db, &filters, buckets))
            .await
    }

    /// The states that runs were in, of those that are kept.
    pub async fn observed_states(
        &self,
        beginning: String,
        order: Order,
        limit: usize,
    ) -> Result<Vec<ObservedState>> {
        let all = self.scan(glances::observed_states).await?;
        Ok(chosen(all, &beginning, order, limit))
    }

    /// A task run with the name of its flow run, where it has one.
    pub async fn task_run_in_flow_run(&self, id: TaskRunId) -> Result<(TaskRun, Option<String>)> {
        let run = self.task_run(id).await?;
        let Some(of) = run.spec.flow_run_id else {
            return Ok((run, None));
        };
        let found = self.by_key(move |db| rows::by_id(db, of)).await?;
        Ok((run, found.map(|flow_run| flow_run.name)))
    }
}

fn of_flow(id: FlowId, rest: Filters) -> Filters {
    Filters {
        flows: Some(vec![flow::ID.is_one_of_ids([id.uuid()])].into()),
        ..rest
    }
}
