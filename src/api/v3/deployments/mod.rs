//! Routes of deployments.

pub mod around;
mod schedules;
pub mod wire;

use axum::extract::{Path, State};

use super::extract::{Aimed, Body, Id};
use super::ids;
use super::wire::{FlowRun, Ids, PageQuery, Paginated, Query};
use super::{Answer, created, no_content, ok};
use crate::api::Operation;
use crate::api::access::Requester;
use crate::api::{Caller, Ctx};
use crate::app::Outlook;
use crate::domain::access::Need;
use crate::domain::deployment;
use crate::domain::filter::NAMED_SORTS;
use crate::domain::ids::DeploymentId;
use around::Around;
use wire::{Deployment, DeploymentCreate, DeploymentUpdate, DueQuery, RunRequest, refuse_choice};

/// What there is to ask.
pub fn operations() -> Vec<Operation> {
    let mut all = own();
    all.extend(schedules::operations());
    all
}

fn own() -> Vec<Operation> {
    vec![
        Operation::post(
            "/deployments/",
            "Creates a deployment, or answers the one that is there",
        )
        .asks::<DeploymentCreate>()
        .makes::<Deployment>()
        .needs(Need::Operate, create),
        Operation::post("/deployments/filter", "Finds deployments")
            .asks::<Query>()
            .lists::<Deployment>()
            .needs(Need::Read, filter),
        Operation::post("/deployments/count", "Counts deployments")
            .asks::<Query>()
            .tells("integer")
            .needs(Need::Read, count),
        Operation::post("/deployments/paginate", "Finds deployments, page by page")
            .asks::<PageQuery>()
            .answers::<Paginated<Deployment>>()
            .needs(Need::Read, paginate),
        Operation::get("/deployments/{id}", "Reads a deployment")
            .answers::<Deployment>()
            .needs(Need::Read, read),
        Operation::patch("/deployments/{id}", "Changes a deployment")
            .asks::<DeploymentUpdate>()
            .is_silent()
            .needs(Need::Operate, update),
        Operation::delete("/deployments/{id}", "Deletes a deployment")
            .is_silent()
            .needs(Need::Operate, delete),
        Operation::get(
            "/deployments/name/{flow_name}/{deployment_name}",
            "Reads a deployment by its names",
        )
        .answers::<Deployment>()
        .needs(Need::Read, read_by_name),
        Operation::post("/deployments/{id}/create_flow_run", "Runs a deployment")
            .asks::<RunRequest>()
            .makes::<FlowRun>()
            .aims(create_flow_run),
        Operation::post(
            "/deployments/get_scheduled_flow_runs",
            "Finds the runs of deployments that are due, for whoever runs them",
        )
        .asks::<DueQuery>()
        .lists::<FlowRun>()
        .is_routine()
        .needs(Need::Operate, scheduled),
        Operation::post(
            "/prefectd/deployments/around",
            "Tells which run of each deployment is next, and which was last",
        )
        .asks::<Ids>()
        .lists::<Around>()
        .needs(Need::Inspect, around),
    ]
}

pub async fn create(
    State(ctx): State<Ctx>,
    who: Requester,
    caller: Caller,
    Body(create): Body<DeploymentCreate>,
) -> Answer {
    let new = create.meaning(ctx.app.now(), caller.actor())?;
    let made = ctx.app.create_deployment(new).await?;
    created(&who, made, |it| Deployment::new(it, ctx.app.service())).await
}

pub async fn update(
    State(ctx): State<Ctx>,
    Id(id): Id,
    caller: Caller,
    Body(update): Body<DeploymentUpdate>,
) -> Answer {
    let update = update.meaning(ctx.app.now(), caller.actor())?;
    let id = DeploymentId::from_uuid(id);
    ctx.app.update_deployment(id, update).await?;
    no_content()
}

pub async fn read(State(ctx): State<Ctx>, who: Requester, Id(id): Id) -> Answer {
    let deployment = ctx.app.deployment(DeploymentId::from_uuid(id)).await?;
    whole(&ctx, &who, deployment).await
}

pub async fn read_by_name(
    State(ctx): State<Ctx>,
    who: Requester,
    Path((flow, name)): Path<(String, String)>,
) -> Answer {
    let deployment = ctx.app.deployment_by_name(&flow, &name).await?;
    whole(&ctx, &who, deployment).await
}

/// The most schedules of one deployment whose next dates are looked for.
const MOST_OUTLOOKS: usize = 16;

/// A deployment with what its schedules are good for: when the first of them is due.
async fn whole(ctx: &Ctx, who: &Requester, deployment: deployment::Deployment) -> Answer {
    let mut outlook = None;
    let active = deployment.schedules.iter().filter(|it| it.active);
    for schedule in active.take(MOST_OUTLOOKS) {
        let this = ctx.app.outlook(schedule.rule.clone()).await?;
        outlook = Some(match outlook {
            Some(other) => sooner(other, this),
            None => this,
        });
    }
    let told = Deployment::new(deployment, ctx.app.service());
    ok(who, told.with_outlook(outlook)).await
}

fn sooner(one: Outlook, other: Outlook) -> Outlook {
    match (&one, &other) {
        (Outlook::Next(first), Outlook::Next(second)) if second < first => other,
        (Outlook::Next(_), _) => one,
        (_, Outlook::Next(_)) => other,
        _ => one,
    }
}

pub async fn filter(State(ctx): State<Ctx>, who: Requester, Body(query): Body<Query>) -> Answer {
    let (filters, sort, page) = query.parts(NAMED_SORTS)?;
    let found = ctx.app.deployments(filters, sort, page).await?;
    let service = ctx.app.service();
    let told = found.into_iter().map(|it| Deployment::new(it, service));
    ok(&who, told.collect::<Vec<_>>()).await
}

pub async fn paginate(
    State(ctx): State<Ctx>,
    who: Requester,
    Body(query): Body<PageQuery>,
) -> Answer {
    let (filters, sort, page, number) = query.parts(NAMED_SORTS)?;
    let count = ctx.app.count_deployments(filters.clone()).await?;
    let found = ctx.app.deployments(filters, sort, page).await?;
    let service = ctx.app.service();
    let found = found.into_iter().map(|it| Deployment::new(it, service));
    let found = found.collect();
    ok(&who, Paginated::new(found, count, page.limit, number)).await
}

pub async fn count(State(ctx): State<Ctx>, who: Requester, Body(query): Body<Query>) -> Answer {
    ok(&who, ctx.app.count_deployments(query.filters()?).await?).await
}

pub async fn delete(State(ctx): State<Ctx>, Id(id): Id) -> Answer {
    let id = DeploymentId::from_uuid(id);
    ctx.app.delete_deployment(id).await?;
    no_content()
}

pub async fn create_flow_run(
    State(ctx): State<Ctx>,
    who: Requester,
    caller: Caller,
    Aimed { at, asked }: Aimed<RunRequest, DeploymentId>,
) -> Answer {
    let mut request = asked;
    refuse_choice(request.infrastructure.as_ref())?;
    request.created_by = caller.actor();
    let run = ctx.app.create_run_of_deployment(at, request).await?;
    created(&who, run, |run| FlowRun::new(run, ctx.app.now())).await
}

/// Whoever asks is taken for somebody who will run them.
pub async fn scheduled(
    State(ctx): State<Ctx>,
    who: Requester,
    Body(query): Body<DueQuery>,
) -> Answer {
    let (ids, before, limit) = query.parts()?;
    let runs = ctx.app.scheduled_runs_of(ids, before, limit).await?;
    let now = ctx.app.now();
    let told = runs.into_iter().map(|run| FlowRun::new(run, now));
    ok(&who, told.collect::<Vec<_>>()).await
}

pub async fn around(
    State(ctx): State<Ctx>,
    who: Requester,
    Body(Ids { ids }): Body<Ids>,
) -> Answer {
    ids::check(ids.len())?;
    let ids = ids.into_iter().map(DeploymentId::from_uuid).collect();
    let around = ctx.app.runs_around(ids).await?.into_iter();
    ok(&who, around.map(Around::from).collect::<Vec<_>>()).await
}
