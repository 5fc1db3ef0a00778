//! Routes of task runs.

use axum::extract::State;

use super::super::{Caller, Ctx};
use super::aimed::Aimed;
use super::request_reader::RequestReader;
use super::shapes::{FILTERS, HISTORY, NEW_TASK_RUN, filtered, like};
use super::states::{decided, interval_too_short};
use super::wire::{self, BucketOut, DecisionOut, TaskRunOut};
use super::{Answer, created, no_content, ok};
use crate::api::Operation;
use crate::api::access::Requester;
use crate::domain::access::Need;
use crate::domain::ids::TaskRunId;
use crate::domain::rules::{Client, Policy};
use crate::domain::state::ProposedState;
use crate::domain::task_run::NewTaskRun;

/// What there is to request.
pub fn operations() -> Vec<Operation> {
    vec![
        Operation::post(
            "/task_runs/",
            "Creates a task run, or answers the one that is there",
        )
        .asks_like(like(NEW_TASK_RUN))
        .makes::<TaskRunOut>()
        .aims(create),
        Operation::post("/task_runs/filter", "Finds task runs")
            .asks_like(filtered("sort?: string, limit?: integer, offset?: integer"))
            .lists::<TaskRunOut>()
            .needs(Need::Read, filter),
        Operation::post("/task_runs/count", "Counts task runs")
            .asks_like(like(FILTERS))
            .tells("integer")
            .needs(Need::Read, count),
        Operation::post("/task_runs/history", "Counts task runs by time and state")
            .asks_like(filtered(HISTORY))
            .lists::<BucketOut>()
            .needs(Need::Read, history),
        Operation::get("/task_runs/{id}", "Reads a task run")
            .answers::<TaskRunOut>()
            .needs(Need::Read, read),
        Operation::delete("/task_runs/{id}", "Deletes a task run")
            .is_silent()
            .needs(Need::Operate, delete),
        Operation::post(
            "/task_runs/{id}/set_state",
            "Proposes a state; the rules decide",
        )
        .asks_like(like("state: StateCreate, force?: boolean"))
        .makes::<DecisionOut>()
        .aims(set_state),
    ]
}

pub async fn create(State(ctx): State<Ctx>, who: Requester, aimed: Aimed<NewTaskRun>) -> Answer {
    let run = ctx.app.create_task_run(aimed.asked).await?;
    created(&who, &run, TaskRunOut::new(run.get(), ctx.app.now())).await
}

pub async fn read(State(ctx): State<Ctx>, who: Requester, mut request: RequestReader) -> Answer {
    let id = request.id(TaskRunId::from_uuid);
    let run = ctx.app.task_run(request.done(id)?).await?;
    ok(&who, TaskRunOut::new(&run, ctx.app.now())).await
}

pub async fn filter(State(ctx): State<Ctx>, who: Requester, mut request: RequestReader) -> Answer {
    let asked = request.embedded(|fields| {
        let sort = wire::run_sort(fields);
        let page = wire::page(fields);
        let filters = wire::filters(fields);
        Some((filters?, sort?, page?))
    });
    let (filters, sort, page) = request.done(asked)?;
    let runs = ctx.app.task_runs(filters, sort, page).await?;
    let now = ctx.app.now();
    let runs = runs.iter().map(|run| TaskRunOut::new(run, now));
    ok(&who, runs.collect::<Vec<_>>()).await
}

pub async fn count(State(ctx): State<Ctx>, who: Requester, mut request: RequestReader) -> Answer {
    let filters = request.embedded(wire::filters);
    ok(&who, ctx.app.count_task_runs(request.done(filters)?).await?).await
}

pub async fn delete(State(ctx): State<Ctx>, mut request: RequestReader) -> Answer {
    let id = request.id(TaskRunId::from_uuid);
    ctx.app.delete_task_run(request.done(id)?).await?;
    no_content()
}

pub async fn set_state(
    State(ctx): State<Ctx>,
    who: Requester,
    caller: Caller,
    Aimed { at, asked }: Aimed<(ProposedState, Policy), TaskRunId>,
) -> Answer {
    let (proposed, policy) = asked;
    let proposed = caller.signed(proposed);
    let decision = ctx
        .app
        .propose_task_run_state(at, proposed, policy, Client::OF_2_0A7)
        .await?;
    decided(&who, &decision).await
}

pub async fn history(State(ctx): State<Ctx>, who: Requester, mut request: RequestReader) -> Answer {
    let asked = request.embedded(wire::history);
    let (filters, buckets) = request.done(asked)?;
    let buckets = buckets.ok_or_else(interval_too_short)?;
    let tallies = ctx.app.task_run_history(filters, buckets).await?;
    ok(&who, wire::buckets_out(buckets, &tallies)).await
}
