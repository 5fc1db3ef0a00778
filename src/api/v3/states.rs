//! Routes of states, and the answer to a proposal.

use axum::extract::{Request, State as Extract};
use axum::http::StatusCode;

use super::super::{Ctx, answer};
use super::extract::{Id, query_id};
use super::wire::{Decision, State};
use super::{Answer, ok};
use crate::app;
use crate::domain::ids::{FlowRunId, StateId, TaskRunId};

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
