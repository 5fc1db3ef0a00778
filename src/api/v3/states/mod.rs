//! Routes of states, and the answer to a proposal.

mod details;
pub mod wire;

use axum::extract::{Request, State as Extract};
use axum::http::StatusCode;

use super::extract::{Id, query_id};
use super::{Answer, ok};
use crate::api::Ctx;
use crate::api::Operation;
use crate::api::access::Requester;
use crate::app;
use crate::domain::access::Need;
use crate::domain::ids::{FlowRunId, StateId, TaskRunId};
use wire::{Decision, State};

/// What there is to ask.
pub fn operations() -> Vec<Operation> {
    vec![
        Operation::get("/flow_run_states/", "Lists the states of a flow run")
            .asks_query("flow_run_id")
            .lists::<State>()
            .needs(Need::Read, of_flow_run),
        Operation::get("/flow_run_states/{id}", "Reads a state of a flow run")
            .answers::<State>()
            .needs(Need::Read, read_of_flow_run),
        Operation::get("/task_run_states/", "Lists the states of a task run")
            .asks_query("task_run_id")
            .lists::<State>()
            .needs(Need::Read, of_task_run),
        Operation::get("/task_run_states/{id}", "Reads a state of a task run")
            .answers::<State>()
            .needs(Need::Read, read_of_task_run),
    ]
}

/// 201 when a state was entered, 200 when none was.
pub async fn decided(who: &Requester, decision: &app::Decision) -> Answer {
    let status = match decision.state {
        Some(_) => StatusCode::CREATED,
        None => StatusCode::OK,
    };
    Ok(who.told(status, Decision::from(decision)).await?)
}

pub async fn of_flow_run(Extract(ctx): Extract<Ctx>, who: Requester, request: Request) -> Answer {
    let id = query_id(&request.into_parts().0, "flow_run_id")?;
    let states = ctx.app.flow_run_states(FlowRunId::from_uuid(id)).await?;
    ok(&who, states.iter().map(State::from).collect::<Vec<_>>()).await
}

pub async fn of_task_run(Extract(ctx): Extract<Ctx>, who: Requester, request: Request) -> Answer {
    let id = query_id(&request.into_parts().0, "task_run_id")?;
    let states = ctx.app.task_run_states(TaskRunId::from_uuid(id)).await?;
    ok(&who, states.iter().map(State::from).collect::<Vec<_>>()).await
}

pub async fn read_of_flow_run(Extract(ctx): Extract<Ctx>, who: Requester, Id(id): Id) -> Answer {
    let state = ctx.app.flow_run_state(StateId::from_uuid(id)).await?;
    ok(&who, State::from(&state)).await
}

pub async fn read_of_task_run(Extract(ctx): Extract<Ctx>, who: Requester, Id(id): Id) -> Answer {
    let state = ctx.app.task_run_state(StateId::from_uuid(id)).await?;
    ok(&who, State::from(&state)).await
}
