//! What is done to one run: the buttons of its page.

use axum::extract::State;

use crate::api::{Ctx, Need, Operation};
use crate::app::Resumed;
use crate::domain::JsonMap;
use crate::domain::error::{Error, Result};
use crate::domain::flow_run::FlowRun;
use crate::domain::ids::FlowRunId;
use crate::domain::rules::{Client, Generation, Policy};
use crate::domain::state::{ProposedState, StateType};
use crate::pages::answer::{Answer, to};
use crate::pages::form::Form;
use crate::pages::path::Id;
use crate::pages::runs::confirm;
use crate::pages::visitor::Visitor;

/// What there is to ask.
pub fn operations() -> Vec<Operation> {
    vec![
        Operation::post("/runs/flow-run/{id}/cancel", "Cancels a flow run")
            .needs(Need::Operate, cancel),
        Operation::post("/runs/flow-run/{id}/retry", "Has a flow run begin again")
            .needs(Need::Operate, retry),
        Operation::post("/runs/flow-run/{id}/pause", "Pauses a flow run")
            .needs(Need::Operate, pause),
        Operation::post("/runs/flow-run/{id}/resume", "Has a paused flow run go on")
            .needs(Need::Operate, resume),
        Operation::post(
            "/runs/flow-run/{id}/delete",
            "Asks whether a flow run is to go",
        )
        .needs(Need::Operate, delete),
    ]
}

/// Cancels a run, in the name of whoever asks.
///
/// # Errors
/// Where there is no such run.
pub async fn cancel_one(ctx: &Ctx, visitor: &Visitor, id: FlowRunId) -> Result<()> {
    let cancelled = visitor.propose(StateType::Cancelled, "Cancelled from its page.");
    ctx.app.cancel_flow_run(id, cancelled).await.map(drop)
}

/// Has a run that has ended begin again.
///
/// # Errors
/// [`Kind::Refused`](crate::domain::error::Kind::Refused) where no agent would take it.
pub async fn retry_one(ctx: &Ctx, visitor: &Visitor, run: &FlowRun) -> Result<()> {
    if run.deployment_id.is_none() {
        let words = "A script began this run; run that script again.";
        return Err(Error::refused(words));
    }
    let again = ProposedState {
        name: Some("AwaitingRetry".to_owned()),
        ..ProposedState::scheduled(ctx.app.now())
    };
    let again = visitor.caller.signed(again);
    let forced = Policy::Forced(Generation::V3);
    let decided = ctx
        .app
        .propose_flow_run_state(run.id, again, forced, Client::default());
    decided.await.map(drop)
}

async fn cancel(State(ctx): State<Ctx>, Id(id): Id<FlowRunId>, form: Form) -> Answer {
    cancel_one(&ctx, &form.visitor, id).await?;
    Ok(to(&format!("/runs/flow-run/{id}")))
}

async fn retry(State(ctx): State<Ctx>, Id(id): Id<FlowRunId>, form: Form) -> Answer {
    let run = ctx.app.flow_run(id).await?;
    retry_one(&ctx, &form.visitor, &run).await?;
    Ok(to(&format!("/runs/flow-run/{id}")))
}

async fn pause(State(ctx): State<Ctx>, Id(id): Id<FlowRunId>, form: Form) -> Answer {
    let paused = form
        .visitor
        .propose(StateType::Paused, "Paused from its page.");
    let normal = Policy::Normal(Generation::V3);
    let decided = ctx
        .app
        .propose_flow_run_state(id, paused, normal, Client::default());
    let decision = decided.await?;
    match decision
        .shown()
        .is_some_and(|state| state.kind == StateType::Paused)
    {
        true => Ok(to(&format!("/runs/flow-run/{id}"))),
        false => Err(Error::refused("The run cannot be paused as it stands.").into()),
    }
}

async fn resume(State(ctx): State<Ctx>, Id(id): Id<FlowRunId>, _form: Form) -> Answer {
    let resumed = ctx
        .app
        .resume_flow_run(id, JsonMap::new(), Client::default());
    match resumed.await? {
        Resumed::Decided(_) => Ok(to(&format!("/runs/flow-run/{id}"))),
        Resumed::Unfit { why, .. } => Err(Error::refused(why).into()),
    }
}

async fn delete(State(ctx): State<Ctx>, Id(id): Id<FlowRunId>, form: Form) -> Answer {
    let run = ctx.app.flow_run(id).await?;
    confirm(&ctx, &form.visitor, vec![*run]).await
}
