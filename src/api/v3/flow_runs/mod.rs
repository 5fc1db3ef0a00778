//! Routes of flow runs.

pub mod create;
mod history;
pub mod inputs;
pub mod resume;
pub mod settings;
pub mod wire;

use axum::extract::State;

use super::client::Proposer;
use super::deployments::wire::refuse_choice;
use super::extract::{Aimed, Body, Id};
use super::states::decided;
use super::wire::{Decision, PageQuery, Paginated, Query, SetState};
use super::{Answer, created, no_content, ok};
use crate::api::Operation;
use crate::api::access::Requester;
use crate::api::{Caller, Ctx};
use crate::domain::access::Need;
use crate::domain::filter::flow_run::SORTS;
use crate::domain::ids::FlowRunId;
use crate::domain::state::{ProposedState, StateType};
use create::{FlowRunCreate, FlowRunUpdate, LabelsUpdate};
use wire::FlowRun;

/// What there is to ask.
pub fn operations() -> Vec<Operation> {
    let own = vec![
        Operation::post(
            "/flow_runs/",
            "Creates a flow run, or answers the one that is there",
        )
        .asks::<FlowRunCreate>()
        .makes::<FlowRun>()
        .aims(create),
        Operation::post("/flow_runs/filter", "Finds flow runs")
            .asks::<Query>()
            .lists::<FlowRun>()
            .needs(Need::Read, filter),
        Operation::post("/flow_runs/count", "Counts flow runs")
            .asks::<Query>()
            .tells("integer")
            .needs(Need::Read, count),
        Operation::post("/flow_runs/paginate", "Finds flow runs, page by page")
            .asks::<PageQuery>()
            .answers::<Paginated<FlowRun>>()
            .needs(Need::Read, paginate),
        Operation::get("/flow_runs/{id}", "Reads a flow run")
            .answers::<FlowRun>()
            .needs(Need::Read, read),
        Operation::patch("/flow_runs/{id}", "Changes a flow run")
            .asks::<FlowRunUpdate>()
            .is_silent()
            .aims(update),
        Operation::patch(
            "/flow_runs/{id}/labels",
            "Lays labels over those of a flow run",
        )
        .asks::<LabelsUpdate>()
        .is_silent()
        .aims(update_labels),
        Operation::delete("/flow_runs/{id}", "Deletes a flow run")
            .is_silent()
            .needs(Need::Operate, delete),
        Operation::post(
            "/flow_runs/{id}/set_state",
            "Proposes a state; the rules decide",
        )
        .asks::<SetState>()
        .makes::<Decision>()
        .aims(set_state),
        Operation::post(
            "/prefectd/flow_runs/{id}/cancel",
            "Ends a flow run unless it has ended, by way of Cancelling where it has a process",
        )
        .makes::<Decision>()
        .needs(Need::Operate, cancel),
    ];
    let all = [
        own,
        inputs::operations(),
        resume::operations(),
        history::operations(),
    ];
    all.into_iter().flatten().collect()
}

pub async fn create(
    State(ctx): State<Ctx>,
    who: Requester,
    caller: Caller,
    Aimed { asked, .. }: Aimed<FlowRunCreate>,
) -> Answer {
    let mut new = asked;
    new.created_by = caller.actor();
    let run = ctx.app.create_flow_run(new).await?;
    created(&who, run, |run| FlowRun::new(run, ctx.app.now())).await
}

pub async fn read(State(ctx): State<Ctx>, who: Requester, Id(id): Id) -> Answer {
    let run = ctx.app.flow_run(FlowRunId::from_uuid(id)).await?;
    ok(&who, FlowRun::new(*run, ctx.app.now())).await
}

pub async fn filter(State(ctx): State<Ctx>, who: Requester, Body(query): Body<Query>) -> Answer {
    let (filters, sort, page) = query.parts(SORTS)?;
    let runs = ctx.app.flow_runs(filters, sort, page).await?;
    let now = ctx.app.now();
    let runs = runs.into_iter().map(|run| FlowRun::new(run, now));
    ok(&who, runs.collect::<Vec<_>>()).await
}

pub async fn paginate(
    State(ctx): State<Ctx>,
    who: Requester,
    Body(query): Body<PageQuery>,
) -> Answer {
    let (filters, sort, page, number) = query.parts(SORTS)?;
    let count = ctx.app.count_flow_runs(filters.clone()).await?;
    let runs = ctx.app.flow_runs(filters, sort, page).await?;
    let now = ctx.app.now();
    let runs = runs.into_iter().map(|run| FlowRun::new(run, now));
    ok(
        &who,
        Paginated::new(runs.collect(), count, page.limit, number),
    )
    .await
}

pub async fn count(State(ctx): State<Ctx>, who: Requester, Body(query): Body<Query>) -> Answer {
    ok(&who, ctx.app.count_flow_runs(query.filters()?).await?).await
}

pub async fn update(
    State(ctx): State<Ctx>,
    Aimed { at, asked }: Aimed<FlowRunUpdate, FlowRunId>,
) -> Answer {
    refuse_choice(asked.infrastructure.as_ref())?;
    ctx.app.update_flow_run(at, asked).await?;
    no_content()
}

pub async fn update_labels(
    State(ctx): State<Ctx>,
    Aimed { at, asked }: Aimed<LabelsUpdate, FlowRunId>,
) -> Answer {
    ctx.app.update_flow_run_labels(at, asked).await?;
    no_content()
}

pub async fn delete(State(ctx): State<Ctx>, Id(id): Id) -> Answer {
    ctx.app.delete_flow_run(FlowRunId::from_uuid(id)).await?;
    no_content()
}

pub async fn set_state(
    State(ctx): State<Ctx>,
    who: Requester,
    caller: Caller,
    Proposer { client, worker }: Proposer,
    Aimed { at, asked }: Aimed<SetState, FlowRunId>,
) -> Answer {
    let (proposed, policy) = asked;
    let proposed = ProposedState {
        worker,
        ..caller.signed(proposed)
    };
    let decision = ctx
        .app
        .propose_flow_run_state(at, proposed, policy, client)
        .await?;
    decided(&who, &decision).await
}

pub async fn cancel(State(ctx): State<Ctx>, who: Requester, Id(id): Id, caller: Caller) -> Answer {
    let cancelled = ProposedState::new(StateType::Cancelled).because("Cancelled by prefectctl.");
    let cancelled = caller.signed(cancelled);
    let id = FlowRunId::from_uuid(id);
    decided(&who, &ctx.app.cancel_flow_run(id, cancelled).await?).await
}
