//! Routes that do the same to many things at once.

pub mod wire;

use axum::extract::State;

use super::client::Known;
use super::deployments::wire::{RunRequest, refuse_choice};
use super::extract::{AimedBody, Body, Exact, Id};
use super::{Answer, ok};
use crate::api::access::Requester;
use crate::api::{Caller, Ctx, Operation};
use crate::domain::access::Need;
use crate::domain::ids::DeploymentId;
use wire::{
    BulkCreated, BulkDecided, BulkDeployments, BulkFlowRuns, BulkFlows, BulkSetState, Deleted,
};

/// What there is to ask.
pub fn operations() -> Vec<Operation> {
    vec![
        Operation::post("/flows/bulk_delete", "Deletes flows with their deployments")
            .asks::<BulkFlows>()
            .answers::<Deleted>()
            .needs(Need::Operate, delete_flows),
        Operation::post("/deployments/bulk_delete", "Deletes deployments")
            .asks::<BulkDeployments>()
            .answers::<Deleted>()
            .needs(Need::Operate, delete_deployments),
        Operation::post("/flow_runs/bulk_delete", "Deletes flow runs")
            .asks::<BulkFlowRuns>()
            .answers::<Deleted>()
            .needs(Need::Operate, delete_flow_runs),
        Operation::post(
            "/flow_runs/bulk_set_state",
            "Proposes a state for flow runs; the rules decide of each",
        )
        .asks::<BulkSetState>()
        .answers::<BulkDecided>()
        .needs(Need::Operate, set_state),
        Operation::post(
            "/deployments/{id}/create_flow_run/bulk",
            "Runs a deployment several times",
        )
        .asks_many::<RunRequest>()
        .answers::<BulkCreated>()
        .needs(Need::Operate, create_flow_runs),
    ]
}

pub async fn delete_flows(
    State(ctx): State<Ctx>,
    who: Requester,
    Exact(asked): Exact<BulkFlows>,
) -> Answer {
    let (filters, most) = asked.parts()?;
    let deleted = ctx.app.delete_flows(filters, most).await?;
    ok(&who, Deleted::of(deleted.iter().map(|id| id.uuid()))).await
}

pub async fn delete_deployments(
    State(ctx): State<Ctx>,
    who: Requester,
    Exact(asked): Exact<BulkDeployments>,
) -> Answer {
    let (filters, most) = asked.parts()?;
    let deleted = ctx.app.delete_deployments(filters, most).await?;
    ok(&who, Deleted::of(deleted.iter().map(|id| id.uuid()))).await
}

pub async fn delete_flow_runs(
    State(ctx): State<Ctx>,
    who: Requester,
    Exact(asked): Exact<BulkFlowRuns>,
) -> Answer {
    let (filters, most) = asked.parts()?;
    let deleted = ctx.app.delete_flow_runs(filters, most).await?;
    ok(&who, Deleted::of(deleted.iter().map(|id| id.uuid()))).await
}

pub async fn set_state(
    State(ctx): State<Ctx>,
    who: Requester,
    caller: Caller,
    Known(client): Known,
    Exact(asked): Exact<BulkSetState>,
) -> Answer {
    let (filters, most, (proposed, policy)) = asked.parts()?;
    let proposed = caller.signed(proposed);
    let decided = ctx
        .app
        .propose_flow_run_states(filters, most, proposed, policy, client)
        .await?;
    ok(&who, BulkDecided::from(decided)).await
}

pub async fn create_flow_runs(
    State(ctx): State<Ctx>,
    who: Requester,
    Id(id): Id,
    caller: Caller,
    Body(asked): Body<Vec<RunRequest>>,
) -> Answer {
    wire::check_number(asked.len())?;
    let id = DeploymentId::from_uuid(id);
    // Also where nothing is asked for, an unknown deployment is told.
    ctx.app.deployment(id).await?;
    let mut results = Vec::with_capacity(asked.len());
    for request in asked {
        let request = request.meaning().and_then(|mut request| {
            refuse_choice(request.infrastructure.as_ref())?;
            request.created_by = caller.actor();
            Ok(request)
        });
        let made = match request {
            Ok(request) => ctx.app.create_run_of_deployment(id, request).await,
            Err(error) => Err(error),
        };
        results.push(made.into());
    }
    ok(&who, BulkCreated { results }).await
}
