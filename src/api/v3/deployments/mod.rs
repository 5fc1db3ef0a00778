//! Routes of deployments.

pub mod around;
pub mod wire;

use axum::extract::{Path, State};

use super::extract::{Body, Id};
use super::ids;
use super::wire::{FlowRun, Ids, Query};
use super::{Answer, created, no_content, ok};
use crate::api::access::Need;
use crate::api::describe::{Routes, Talk};
use crate::api::{Caller, Ctx};
use crate::domain::deployment;
use crate::domain::flow_run::DeploymentRunRequest;
use crate::domain::ids::DeploymentId;
use around::Around;
use axum::routing::{get, post};
use wire::{Deployment, DeploymentCreate, RunRequest};

/// What there is to ask.
pub fn routes(routes: Routes) -> Routes {
    routes
        .add(
            "POST /deployments/",
            "Creates a deployment, or answers the one that is there",
            Talk::made::<Deployment>().asks::<DeploymentCreate>(),
            post(create),
        )
        .add(
            "POST /deployments/filter",
            "Finds deployments",
            Talk::many::<Deployment>().asks::<Query>().needs(Need::Read),
            post(filter),
        )
        .add(
            "POST /deployments/count",
            "Counts deployments",
            Talk::plain("integer").asks::<Query>().needs(Need::Read),
            post(count),
        )
        .add(
            "GET /deployments/{id}",
            "Reads a deployment",
            Talk::one::<Deployment>().needs(Need::Read),
            get(read),
        )
        .add(
            "DELETE /deployments/{id}",
            "Deletes a deployment",
            Talk::silent(),
            axum::routing::delete(delete),
        )
        .add(
            "GET /deployments/name/{flow_name}/{deployment_name}",
            "Reads a deployment by its names",
            Talk::one::<Deployment>().needs(Need::Read),
            get(read_by_name),
        )
        .add(
            "POST /deployments/{id}/create_flow_run",
            "Runs a deployment",
            Talk::made::<FlowRun>()
                .asks::<RunRequest>()
                .needs(Need::RunOfDeployment),
            post(create_flow_run),
        )
        .add(
            "POST /deployments/{id}/pause_deployment",
            "Switches its schedule off",
            Talk::plain("any"),
            post(pause),
        )
        .add(
            "POST /deployments/{id}/resume_deployment",
            "Switches its schedule on",
            Talk::plain("any"),
            post(resume),
        )
        .add(
            "POST /prefectd/deployments/around",
            "Tells which run of each deployment is next, and which was last",
            Talk::many::<Around>().asks::<Ids>().needs(Need::Inspect),
            post(around),
        )
}

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

pub async fn around(State(ctx): State<Ctx>, Body(Ids { ids }): Body<Ids>) -> Answer {
    ids::check(ids.len())?;
    let ids = ids.into_iter().map(DeploymentId::from_uuid).collect();
    let around = ctx.app.runs_around(ids).await?.into_iter();
    ok(around.map(Around::from).collect::<Vec<_>>())
}
