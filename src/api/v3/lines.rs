//! Routes of a run's log, page by page, and of what runs use.

use axum::extract::State;

use super::super::Ctx;
use super::extract::{Body, Id};
use super::wire::{LinesPage, LinesQuery, OutputState, Process};
use super::{Answer, ok};
use crate::domain::filter::{Filters, FlowRunCriterion, Page, RunSort};
use crate::domain::ids::FlowRunId;
use crate::domain::state::StateType;

pub async fn page(State(ctx): State<Ctx>, Body(query): Body<LinesQuery>) -> Answer {
    let page = ctx.app.lines(query.try_into()?).await?;
    ok(LinesPage::from(page))
}

pub async fn output(State(ctx): State<Ctx>, Id(id): Id) -> Answer {
    let state = ctx.app.output_state(FlowRunId::from_uuid(id)).await?;
    ok(OutputState::from(state))
}

pub async fn processes(State(ctx): State<Ctx>) -> Answer {
    let begun = [
        StateType::Pending,
        StateType::Running,
        StateType::Cancelling,
    ];
    let filters = Filters {
        flow_runs: Some(vec![FlowRunCriterion::StateTypeIn(begun.to_vec())]),
        ..Filters::default()
    };
    let runs = ctx.app.flow_runs(filters, RunSort::IdDesc, Page::default());
    let runs = runs.await?;
    let infrastructure = runs.iter().map(|run| {
        let claim = run.claim.as_ref();
        (
            run.id,
            claim.and_then(|claim| claim.infrastructure_id.clone()),
        )
    });
    let used = ctx.premises.usage(infrastructure.collect()).await;
    let now = ctx.app.now();
    let processes = runs.into_iter().map(|run| {
        let usage = used.get(&run.id);
        Process::new(run, usage, now)
    });
    ok(processes.collect::<Vec<_>>())
}
