//! Routes of states, and what both kinds of run share in proposing one.

use axum::extract::State;
use axum::http::StatusCode;

use super::super::{Ctx, answer};
use super::ask::Ask;
use super::read::{Fields, boolean};
use super::wire::{self, DecisionOut, StateOut};
use super::{Answer, ok};
use crate::app::{Decision, Force};
use crate::domain::error::Error;
use crate::domain::ids::{FlowRunId, StateId, TaskRunId};
use crate::domain::state::ProposedState;

/// The body of `set_state`.
pub fn proposal(fields: &mut Fields<'_, '_>) -> Option<(ProposedState, Force)> {
    let state = fields.required("state", wire::proposal);
    let force = match fields.default("force", boolean, || false)? {
        true => Force::Yes,
        false => Force::No,
    };
    Some((state?, force))
}

/// The refusal of a history whose buckets are shorter than a second.
pub fn interval_too_short() -> Error {
    Error::invalid("History interval must not be less than 1 second.")
}

/// 201 when a state was entered, 200 when none was.
pub fn decided(decision: &Decision) -> Answer {
    let status = match decision.state {
        Some(_) => StatusCode::CREATED,
        None => StatusCode::OK,
    };
    Ok(answer::json(status, &DecisionOut::from(decision))?)
}

pub async fn of_flow_run(State(ctx): State<Ctx>, mut ask: Ask) -> Answer {
    let id = ask.query_id("flow_run_id", FlowRunId::from_uuid);
    let states = ctx.app.flow_run_states(ask.done(id)?).await?;
    ok(states.iter().map(StateOut::from).collect::<Vec<_>>())
}

pub async fn of_task_run(State(ctx): State<Ctx>, mut ask: Ask) -> Answer {
    let id = ask.query_id("task_run_id", TaskRunId::from_uuid);
    let states = ctx.app.task_run_states(ask.done(id)?).await?;
    ok(states.iter().map(StateOut::from).collect::<Vec<_>>())
}

pub async fn read_of_flow_run(State(ctx): State<Ctx>, mut ask: Ask) -> Answer {
    let id = ask.id(StateId::from_uuid);
    let state = ctx.app.flow_run_state(ask.done(id)?).await?;
    ok(StateOut::from(&state))
}

pub async fn read_of_task_run(State(ctx): State<Ctx>, mut ask: Ask) -> Answer {
    let id = ask.id(StateId::from_uuid);
    let state = ctx.app.task_run_state(ask.done(id)?).await?;
    ok(StateOut::from(&state))
}
