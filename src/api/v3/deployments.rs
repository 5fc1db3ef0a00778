//! Routes of deployments.

use axum::extract::{Path, State};

use super::super::{Caller, Ctx};
use super::extract::{Body, Id};
use super::wire::{Deployment, DeploymentCreate, FlowRun, Query, RunRequest};
use super::{Answer, created, no_content, ok};
use crate::domain::deployment;
use crate::domain::flow_run::DeploymentRunRequest;
use crate::domain::ids::DeploymentId;

pub async fn create(State(ctx): State<Ctx>, Body(create): Body<DeploymentCreate>) -> Answer {
    let made = ctx.app.create_deployment(create.into()).await?;
    created(made, Deployment::from)
}

pub async fn read(State(ctx): State<Ctx>, Id(id): Id) -> Answer {
    let deployment = ctx.app.deployment(DeploymentId::from_uuid(id)).await?;
    whole(&ctx, deployment).await
}

pub async fn read_by_name(
    State(ctx): State<Ctx>,
    Path((flow, name)): Path<(String, String)>,
) -> Answer {
    let deployment = ctx.app.deployment_by_name(&flow, &name).await?;
    whole(&ctx, deployment).await
}

/// A deployment with what its schedule is good for.
async fn whole(ctx: &Ctx, deployment: deployment::Deployment) -> Answer {
    let outlook = match deployment.schedule.clone() {
        Some(schedule) => Some(ctx.app.outlook(schedule).await?),
        None => None,
    };
    ok(Deployment::from(deployment).with_outlook(outlook))
}

pub async fn filter(State(ctx): State<Ctx>, Body(query): Body<Query>) -> Answer {
    let (filters, _, page) = query.parts()?;
    let found = ctx.app.deployments(filters, page).await?;
    ok(found.into_iter().map(Deployment::from).collect::<Vec<_>>())
}

pub async fn count(State(ctx): State<Ctx>, Body(query): Body<Query>) -> Answer {
    ok(ctx.app.count_deployments(query.parts()?.0).await?)
}

pub async fn delete(State(ctx): State<Ctx>, Id(id): Id) -> Answer {
    let id = DeploymentId::from_uuid(id);
    ctx.app.delete_deployment(id).await?;
    no_content()
}

pub async fn create_flow_run(
    State(ctx): State<Ctx>,
    Id(id): Id,
    caller: Caller,
    Body(request): Body<RunRequest>,
) -> Answer {
    let mut request: DeploymentRunRequest = request.try_into()?;
    request.created_by = caller.actor();
    let id = DeploymentId::from_uuid(id);
    let run = ctx.app.create_run_of_deployment(id, request).await?;
    created(run, |run| FlowRun::new(run, ctx.app.now()))
}

pub async fn pause(State(ctx): State<Ctx>, Id(id): Id) -> Answer {
    let id = DeploymentId::from_uuid(id);
    ctx.app.set_schedule_active(id, false).await?;
    ok(())
}

pub async fn resume(State(ctx): State<Ctx>, Id(id): Id) -> Answer {
    let id = DeploymentId::from_uuid(id);
    ctx.app.set_schedule_active(id, true).await?;
    ok(())
}
