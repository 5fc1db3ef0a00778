//! Routes of task runs.

pub mod wire;

use axum::extract::State;

use super::client::Known;
use super::extract::{Aimed, Body, Id};
use super::states::decided;
use super::wire::{Decision, PageQuery, Paginated, Query, SetState};
use super::{Answer, created, no_content, ok};
use crate::api::Operation;
use crate::api::access::Requester;
use crate::api::{Caller, Ctx};
use crate::domain::access::Need;
use crate::domain::filter::task_run::SORTS;
use crate::domain::ids::TaskRunId;
use wire::{TaskRun, TaskRunCreate, TaskRunUpdate};

/// What there is to ask.
pub fn operations() -> Vec<Operation> {
    vec![
        Operation::post(
            "/task_runs/",
            "Creates a task run, or answers the one that is there",
        )
        .asks::<TaskRunCreate>()
        .makes::<TaskRun>()
        .aims(create),
        Operation::post("/task_runs/filter", "Finds task runs")
            .asks::<Query>()
            .lists::<TaskRun>()
            .needs(Need::Read, filter),
        Operation::post("/task_runs/count", "Counts task runs")
            .asks::<Query>()
            .tells("integer")
            .needs(Need::Read, count),
        Operation::post("/task_runs/paginate", "Finds task runs, page by page")
            .asks::<PageQuery>()
            .answers::<Paginated<TaskRun>>()
            .needs(Need::Read, paginate),
        Operation::get("/task_runs/{id}", "Reads a task run")
            .answers::<TaskRun>()
            .needs(Need::Read, read),
        Operation::patch("/task_runs/{id}", "Renames a task run")
            .asks::<TaskRunUpdate>()
            .is_silent()
            .aims(update),
        Operation::delete("/task_runs/{id}", "Deletes a task run")
            .is_silent()
            .needs(Need::Operate, delete),
        Operation::post(
            "/task_runs/{id}/set_state",
            "Proposes a state; the rules decide",
        )
        .asks::<SetState>()
        .makes::<Decision>()
        .aims(set_state),
    ]
}

pub async fn create(
    State(ctx): State<Ctx>,
    who: Requester,
    Aimed { asked, .. }: Aimed<TaskRunCreate>,
) -> Answer {
    let run = ctx.app.create_task_run(asked).await?;
    created(&who, run, |run| TaskRun::new(run, ctx.app.now())).await
}

pub async fn read(State(ctx): State<Ctx>, who: Requester, Id(id): Id) -> Answer {
    let run = ctx.app.task_run(TaskRunId::from_uuid(id)).await?;
    ok(&who, TaskRun::new(run, ctx.app.now())).await
}

pub async fn filter(State(ctx): State<Ctx>, who: Requester, Body(query): Body<Query>) -> Answer {
    let (filters, sort, page) = query.parts(SORTS)?;
    let runs = ctx.app.task_runs(filters, sort, page).await?;
    let now = ctx.app.now();
    let runs = runs.into_iter().map(|run| TaskRun::new(run, now));
    ok(&who, runs.collect::<Vec<_>>()).await
}

pub async fn paginate(
    State(ctx): State<Ctx>,
    who: Requester,
    Body(query): Body<PageQuery>,
) -> Answer {
    let (filters, sort, page, number) = query.parts(SORTS)?;
    let count = ctx.app.count_task_runs(filters.clone()).await?;
    let runs = ctx.app.task_runs(filters, sort, page).await?;
    let now = ctx.app.now();
    let runs = runs.into_iter().map(|run| TaskRun::new(run, now));
    ok(
        &who,
        Paginated::new(runs.collect(), count, page.limit, number),
    )
    .await
}

pub async fn count(State(ctx): State<Ctx>, who: Requester, Body(query): Body<Query>) -> Answer {
    ok(&who, ctx.app.count_task_runs(query.filters()?).await?).await
}

pub async fn update(
    State(ctx): State<Ctx>,
    Aimed { at, asked }: Aimed<TaskRunUpdate, TaskRunId>,
) -> Answer {
    ctx.app.update_task_run(at, asked).await?;
    no_content()
}

pub async fn delete(State(ctx): State<Ctx>, Id(id): Id) -> Answer {
    ctx.app.delete_task_run(TaskRunId::from_uuid(id)).await?;
    no_content()
}

pub async fn set_state(
    State(ctx): State<Ctx>,
    who: Requester,
    caller: Caller,
    Known(client): Known,
    Aimed { at, asked }: Aimed<SetState, TaskRunId>,
) -> Answer {
    let (proposed, policy) = asked;
    let proposed = caller.signed(proposed);
    let decision = ctx
        .app
        .propose_task_run_state(at, proposed, policy, client)
        .await?;
    decided(&who, &decision).await
}
