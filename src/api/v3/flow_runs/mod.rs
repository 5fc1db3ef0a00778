//! Routes of flow runs.

pub mod wire;

use axum::extract::State;

use super::extract::{Body, Id};
use super::states::decided;
use super::wire::{Decision, Query, SetState};
use super::{Answer, created, no_content, ok};
use crate::api::access::Need;
use crate::api::describe::{Routes, Talk};
use crate::api::key::Key;
use crate::api::{Caller, Ctx};
use crate::domain::flow_run::NewFlowRun;
use crate::domain::ids::{FlowRunId, StateId};
use crate::domain::state::{ProposedState, StateType};
use axum::routing::{get, patch, post};
use wire::{FlowRun, FlowRunCreate, FlowRunUpdate};

/// What there is to ask.
pub fn routes(routes: Routes) -> Routes {
    routes
        .add(
            "POST /flow_runs/",
            "Creates a flow run, or answers the one that is there",
            Talk::made::<FlowRun>()
                .asks::<FlowRunCreate>()
                .needs(Need::NewFlowRun),
            post(create),
        )
        .add(
            "POST /flow_runs/filter",
            "Finds flow runs",
            Talk::many::<FlowRun>().asks::<Query>().needs(Need::Read),
            post(filter),
        )
        .add(
            "POST /flow_runs/count",
            "Counts flow runs",
            Talk::plain("integer").asks::<Query>().needs(Need::Read),
            post(count),
        )
        .add(
            "GET /flow_runs/{id}",
            "Reads a flow run",
            Talk::one::<FlowRun>().needs(Need::Read),
            get(read),
        )
        .add(
            "PATCH /flow_runs/{id}",
            "Changes a flow run",
            Talk::silent()
                .asks::<FlowRunUpdate>()
                .needs(Need::ChangeFlowRun),
            patch(update),
        )
        .add(
            "DELETE /flow_runs/{id}",
            "Deletes a flow run",
            Talk::silent(),
            axum::routing::delete(delete),
        )
        .add(
            "POST /flow_runs/{id}/set_state",
            "Proposes a state; the rules decide",
            Talk::made::<Decision>()
                .asks::<SetState>()
                .needs(Need::StateOfFlowRun),
            post(set_state),
        )
        .add(
            "POST /prefectd/flow_runs/{id}/cancel",
            "Ends a flow run unless it has ended, by way of Cancelling where it has a process",
            Talk::made::<Decision>(),
            post(cancel),
        )
}

pub async fn create(
    State(ctx): State<Ctx>,
    caller: Caller,
    Body(create): Body<FlowRunCreate>,
) -> Answer {
    let mut new: NewFlowRun = create.try_into()?;
    new.created_by = caller.actor();
    let run = ctx.app.create_flow_run(new).await?;
    created(run, |run| FlowRun::new(run, ctx.app.now()))
}

pub async fn read(State(ctx): State<Ctx>, Id(id): Id) -> Answer {
    let run = ctx.app.flow_run(FlowRunId::from_uuid(id)).await?;
    ok(FlowRun::new(run, ctx.app.now()))
}

pub async fn filter(State(ctx): State<Ctx>, Body(query): Body<Query>) -> Answer {
    let (filters, sort, page) = query.parts()?;
    let runs = ctx.app.flow_runs(filters, sort, page).await?;
    let now = ctx.app.now();
    let runs = runs.into_iter().map(|run| FlowRun::new(run, now));
    ok(runs.collect::<Vec<_>>())
}

pub async fn count(State(ctx): State<Ctx>, Body(query): Body<Query>) -> Answer {
    ok(ctx.app.count_flow_runs(query.parts()?.0).await?)
}

pub async fn update(
    State(ctx): State<Ctx>,
    Id(id): Id,
    Body(update): Body<FlowRunUpdate>,
) -> Answer {
    let id = FlowRunId::from_uuid(id);
    ctx.app.update_flow_run(id, update.into()).await?;
    no_content()
}

pub async fn delete(State(ctx): State<Ctx>, Id(id): Id) -> Answer {
    ctx.app.delete_flow_run(FlowRunId::from_uuid(id)).await?;
    no_content()
}

pub async fn set_state(
    State(ctx): State<Ctx>,
    Id(id): Id,
    caller: Caller,
    Key(key): Key,
    Body(set): Body<SetState>,
) -> Answer {
    let (proposed, force) = set.parts()?;
    let proposed = caller
        .signed(proposed)
        .known_as(key.map(StateId::from_uuid));
    let id = FlowRunId::from_uuid(id);
    let decision = ctx.app.propose_flow_run_state(id, proposed, force).await?;
    decided(&decision)
}

pub async fn cancel(State(ctx): State<Ctx>, Id(id): Id, caller: Caller, Key(key): Key) -> Answer {
    let cancelled = ProposedState::new(StateType::Cancelled).because("Cancelled by prefectctl.");
    let cancelled = caller
        .signed(cancelled)
        .known_as(key.map(StateId::from_uuid));
    let id = FlowRunId::from_uuid(id);
    decided(&ctx.app.cancel_flow_run(id, cancelled).await?)
}
