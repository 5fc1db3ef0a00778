//! Routes of states, and what both kinds of run share in proposing one.

use axum::extract::State;
use axum::http::StatusCode;

use super::super::Ctx;
use super::read::{Fields, boolean};
use super::request_reader::RequestReader;
use super::wire::{self, DecisionOut, StateOut};
use super::{Answer, ok};
use crate::api::Operation;
use crate::api::access::Requester;
use crate::app::Decision;
use crate::domain::access::Need;
use crate::domain::error::Error;
use crate::domain::ids::{FlowRunId, StateId, TaskRunId};
use crate::domain::rules::{Generation, Policy};
use crate::domain::state::ProposedState;

/// What there is to request.
pub fn operations() -> Vec<Operation> {
    vec![
        Operation::get("/flow_run_states/", "Lists the states of a flow run")
            .asks_query("flow_run_id")
            .lists::<StateOut>()
            .needs(Need::Read, of_flow_run),
        Operation::get("/flow_run_states/{id}", "Reads a state of a flow run")
            .answers::<StateOut>()
            .needs(Need::Read, read_of_flow_run),
        Operation::get("/task_run_states/", "Lists the states of a task run")
            .asks_query("task_run_id")
            .lists::<StateOut>()
            .needs(Need::Read, of_task_run),
        Operation::get("/task_run_states/{id}", "Reads a state of a task run")
            .answers::<StateOut>()
            .needs(Need::Read, read_of_task_run),
    ]
}

/// The body of `set_state`.
pub fn proposal(fields: &mut Fields<'_, '_>) -> Option<(ProposedState, Policy)> {
    let state = fields.required("state", wire::proposal);
    let is_forced = fields.default("force", boolean, || false)?;
    Some((state?, Policy::of(Generation::Orion, is_forced)))
}

/// The refusal of a history whose buckets are shorter than a second.
pub fn interval_too_short() -> Error {
    Error::invalid("History interval must not be less than 1 second.")
}

/// 201 when a state was entered, 200 when none was.
pub async fn decided(who: &Requester, decision: &Decision) -> Answer {
    let status = match decision.state {
        Some(_) => StatusCode::CREATED,
        None => StatusCode::OK,
    };
    Ok(who.told(status, DecisionOut::from(decision)).await?)
}

pub async fn of_flow_run(
    State(ctx): State<Ctx>,
    who: Requester,
    mut request: RequestReader,
) -> Answer {
    let id = request.query_id("flow_run_id", FlowRunId::from_uuid);
    let states = ctx.app.flow_run_states(request.done(id)?).await?;
    ok(&who, states.iter().map(StateOut::from).collect::<Vec<_>>()).await
}

pub async fn of_task_run(
    State(ctx): State<Ctx>,
    who: Requester,
    mut request: RequestReader,
) -> Answer {
    let id = request.query_id("task_run_id", TaskRunId::from_uuid);
    let states = ctx.app.task_run_states(request.done(id)?).await?;
    ok(&who, states.iter().map(StateOut::from).collect::<Vec<_>>()).await
}

pub async fn read_of_flow_run(
    State(ctx): State<Ctx>,
    who: Requester,
    mut request: RequestReader,
) -> Answer {
    let id = request.id(StateId::from_uuid);
    let state = ctx.app.flow_run_state(request.done(id)?).await?;
    ok(&who, StateOut::from(&state)).await
}

pub async fn read_of_task_run(
    State(ctx): State<Ctx>,
    who: Requester,
    mut request: RequestReader,
) -> Answer {
    let id = request.id(StateId::from_uuid);
    let state = ctx.app.task_run_state(request.done(id)?).await?;
    ok(&who, StateOut::from(&state)).await
}
