//! Routes of task runs.

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
use crate::domain::ids::{StateId, TaskRunId};
use axum::routing::{get, post};
use wire::{TaskRun, TaskRunCreate};

/// What there is to ask.
pub fn routes(routes: Routes) -> Routes {
    routes
        .add(
            "POST /task_runs/",
            "Creates a task run, or answers the one that is there",
            Talk::made::<TaskRun>()
                .asks::<TaskRunCreate>()
                .needs(Need::NewTaskRun),
            post(create),
        )
        .add(
            "POST /task_runs/filter",
            "Finds task runs",
            Talk::many::<TaskRun>().asks::<Query>().needs(Need::Read),
            post(filter),
        )
        .add(
            "POST /task_runs/count",
            "Counts task runs",
            Talk::plain("integer").asks::<Query>().needs(Need::Read),
            post(count),
        )
        .add(
            "GET /task_runs/{id}",
            "Reads a task run",
            Talk::one::<TaskRun>().needs(Need::Read),
            get(read),
        )
        .add(
            "DELETE /task_runs/{id}",
            "Deletes a task run",
            Talk::silent(),
            axum::routing::delete(delete),
        )
        .add(
            "POST /task_runs/{id}/set_state",
            "Proposes a state; the rules decide",
            Talk::made::<Decision>()
                .asks::<SetState>()
                .needs(Need::StateOfTaskRun),
            post(set_state),
        )
}

pub async fn create(State(ctx): State<Ctx>, Body(create): Body<TaskRunCreate>) -> Answer {
    let run = ctx.app.create_task_run(create.try_into()?).await?;
    created(run, |run| TaskRun::new(run, ctx.app.now()))
}

pub async fn read(State(ctx): State<Ctx>, Id(id): Id) -> Answer {
    let run = ctx.app.task_run(TaskRunId::from_uuid(id)).await?;
    ok(TaskRun::new(run, ctx.app.now()))
}

pub async fn filter(State(ctx): State<Ctx>, Body(query): Body<Query>) -> Answer {
    let (filters, sort, page) = query.parts()?;
    let runs = ctx.app.task_runs(filters, sort, page).await?;
    let now = ctx.app.now();
    let runs = runs.into_iter().map(|run| TaskRun::new(run, now));
    ok(runs.collect::<Vec<_>>())
}

pub async fn count(State(ctx): State<Ctx>, Body(query): Body<Query>) -> Answer {
    ok(ctx.app.count_task_runs(query.parts()?.0).await?)
}

pub async fn delete(State(ctx): State<Ctx>, Id(id): Id) -> Answer {
    ctx.app.delete_task_run(TaskRunId::from_uuid(id)).await?;
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
    let id = TaskRunId::from_uuid(id);
    let decision = ctx.app.propose_task_run_state(id, proposed, force).await?;
    decided(&decision)
}
