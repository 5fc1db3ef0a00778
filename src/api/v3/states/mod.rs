//! Routes of states, and the answer to a proposal.

pub mod wire;

use axum::extract::{Request, State as Extract};
use axum::http::StatusCode;

use super::extract::{Id, query_id};
use super::{Answer, ok};
use crate::api::access::Need;
use crate::api::describe::{Routes, Talk};
use crate::api::{Ctx, answer};
use crate::app;
use crate::domain::ids::{FlowRunId, StateId, TaskRunId};
use axum::routing::get;
use wire::{Decision, State};

/// What there is to ask.
pub fn routes(routes: Routes) -> Routes {
    routes
        .add(
            "GET /flow_run_states/",
            "Lists the states of a flow run",
            Talk::many::<State>().needs(Need::Read),
            get(of_flow_run),
        )
        .add(
            "GET /flow_run_states/{id}",
            "Reads a state of a flow run",
            Talk::one::<State>().needs(Need::Read),
            get(read_of_flow_run),
        )
        .add(
            "GET /task_run_states/",
            "Lists the states of a task run",
            Talk::many::<State>().needs(Need::Read),
            get(of_task_run),
        )
        .add(
            "GET /task_run_states/{id}",
            "Reads a state of a task run",
            Talk::one::<State>().needs(Need::Read),
            get(read_of_task_run),
        )
}

/// 201 when a state was entered, 200 when none was.
pub fn decided(decision: &app::Decision) -> Answer {
    let status = match decision.state {
        Some(_) => StatusCode::CREATED,
        None => StatusCode::OK,
    };
    Ok(answer::json(status, &Decision::from(decision))?)
}

pub async fn of_flow_run(Extract(ctx): Extract<Ctx>, request: Request) -> Answer {
    let id = query_id(&request.into_parts().0, "flow_run_id")?;
    let states = ctx.app.flow_run_states(FlowRunId::from_uuid(id)).await?;
    ok(states.iter().map(State::from).collect::<Vec<_>>())
}

pub async fn of_task_run(Extract(ctx): Extract<Ctx>, request: Request) -> Answer {
    let id = query_id(&request.into_parts().0, "task_run_id")?;
    let states = ctx.app.task_run_states(TaskRunId::from_uuid(id)).await?;
    ok(states.iter().map(State::from).collect::<Vec<_>>())
}

pub async fn read_of_flow_run(Extract(ctx): Extract<Ctx>, Id(id): Id) -> Answer {
    let state = ctx.app.flow_run_state(StateId::from_uuid(id)).await?;
    ok(State::from(&state))
}

pub async fn read_of_task_run(Extract(ctx): Extract<Ctx>, Id(id): Id) -> Answer {
    let state = ctx.app.task_run_state(StateId::from_uuid(id)).await?;
    ok(State::from(&state))
}
