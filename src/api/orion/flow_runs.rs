//! Routes of flow runs.

use axum::extract::State;

use super::super::key::Key;
use super::super::{Caller, Ctx};
use super::aimed::Aimed;
use super::request_reader::RequestReader;
use super::shapes::{FILTERS, FLOW_RUN_UPDATE, HISTORY, NEW_FLOW_RUN, filtered, like};
use super::states::{decided, interval_too_short};
use super::wire::{self, BucketOut, DecisionOut, DependencyOut, FlowRunOut};
use super::{Answer, created, no_content, ok};
use crate::api::Operation;
use crate::api::access::Requester;
use crate::domain::access::Need;
use crate::domain::flow_run::{FlowRunUpdate, NewFlowRun};
use crate::domain::ids::FlowRunId;
use crate::domain::rules::{Client, Policy};
use crate::domain::state::ProposedState;

/// What there is to request.
pub fn operations() -> Vec<Operation> {
    vec![
        Operation::post(
            "/flow_runs/",
            "Creates a flow run, or answers the one that is there",
        )
        .asks_like(like(NEW_FLOW_RUN))
        .makes::<FlowRunOut>()
        .aims(create),
        Operation::post("/flow_runs/filter", "Finds flow runs")
            .asks_like(filtered("sort?: string, limit?: integer, offset?: integer"))
            .lists::<FlowRunOut>()
            .needs(Need::Read, filter),
        Operation::post("/flow_runs/count", "Counts flow runs")
            .asks_like(like(FILTERS))
            .tells("integer")
            .needs(Need::Read, count),
        Operation::post("/flow_runs/history", "Counts flow runs by time and state")
            .asks_like(filtered(HISTORY))
            .lists::<BucketOut>()
            .needs(Need::Read, history),
        Operation::get("/flow_runs/{id}", "Reads a flow run")
            .answers::<FlowRunOut>()
            .needs(Need::Read, read),
        Operation::patch("/flow_runs/{id}", "Changes a flow run")
            .asks_like(like(FLOW_RUN_UPDATE))
            .is_silent()
            .aims(update),
        Operation::delete("/flow_runs/{id}", "Deletes a flow run")
            .is_silent()
            .needs(Need::Operate, delete),
        Operation::get(
            "/flow_runs/{id}/graph",
            "Lists its task runs, each with those whose results it takes",
        )
        .lists::<DependencyOut>()
        .needs(Need::Read, graph),
        Operation::post(
            "/flow_runs/{id}/set_state",
            "Proposes a state; the rules decide",
        )
        .asks_like(like("state: StateCreate, force?: boolean"))
        .makes::<DecisionOut>()
        .aims(set_state),
    ]
}

pub async fn create(
    State(ctx): State<Ctx>,
    who: Requester,
    caller: Caller,
    Key(key): Key,
    aimed: Aimed<NewFlowRun>,
) -> Answer {
    let mut new = aimed.asked;
    new.idempotency_key = new.idempotency_key.or(key.map(|key| key.to_string()));
    new.created_by = caller.actor();
    let run = ctx.app.create_flow_run(new).await?;
    created(&who, &run, FlowRunOut::new(run.get(), ctx.app.now())).await
}

pub async fn read(State(ctx): State<Ctx>, who: Requester, mut request: RequestReader) -> Answer {
    let id = request.id(FlowRunId::from_uuid);
    let run = ctx.app.flow_run(request.done(id)?).await?;
    ok(&who, FlowRunOut::new(&run, ctx.app.now())).await
}

pub async fn filter(State(ctx): State<Ctx>, who: Requester, mut request: RequestReader) -> Answer {
    let asked = request.embedded(|fields| {
        let sort = wire::run_sort(fields);
        let page = wire::page(fields);
        let filters = wire::filters(fields);
        Some((filters?, sort?, page?))
    });
    let (filters, sort, page) = request.done(asked)?;
    let runs = ctx.app.flow_runs(filters, sort, page).await?;
    let now = ctx.app.now();
    let runs = runs.iter().map(|run| FlowRunOut::new(run, now));
    ok(&who, runs.collect::<Vec<_>>()).await
}

pub async fn count(State(ctx): State<Ctx>, who: Requester, mut request: RequestReader) -> Answer {
    let filters = request.embedded(wire::filters);
    ok(&who, ctx.app.count_flow_runs(request.done(filters)?).await?).await
}

pub async fn update(
    State(ctx): State<Ctx>,
    Aimed { at, asked }: Aimed<FlowRunUpdate, FlowRunId>,
) -> Answer {
    ctx.app.update_flow_run(at, asked).await?;
    no_content()
}

pub async fn delete(State(ctx): State<Ctx>, mut request: RequestReader) -> Answer {
    let id = request.id(FlowRunId::from_uuid);
    ctx.app.delete_flow_run(request.done(id)?).await?;
    no_content()
}

pub async fn set_state(
    State(ctx): State<Ctx>,
    who: Requester,
    caller: Caller,
    Aimed { at, asked }: Aimed<(ProposedState, Policy), FlowRunId>,
) -> Answer {
    let (proposed, policy) = asked;
    let proposed = caller.signed(proposed);
    let decision = ctx
        .app
        .propose_flow_run_state(at, proposed, policy, Client::OF_2_0A7)
        .await?;
    decided(&who, &decision).await
}

pub async fn history(State(ctx): State<Ctx>, who: Requester, mut request: RequestReader) -> Answer {
    let asked = request.embedded(wire::history);
    let (filters, buckets) = request.done(asked)?;
    let buckets = buckets.ok_or_else(interval_too_short)?;
    let tallies = ctx.app.flow_run_history(filters, buckets).await?;
    ok(&who, wire::buckets_out(buckets, &tallies)).await
}

/// The flow run's task runs, each with the task runs whose results it takes.
pub async fn graph(State(ctx): State<Ctx>, who: Requester, mut request: RequestReader) -> Answer {
    let id = request.id(FlowRunId::from_uuid);
    let id = request.done(id)?;
    let tasks = ctx.app.task_runs_of(id).await?;
    ok(
        &who,
        tasks.iter().map(DependencyOut::from).collect::<Vec<_>>(),
    )
    .await
}
