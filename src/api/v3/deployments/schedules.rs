//! Routes of the schedules of deployments.

use axum::extract::State;
use axum::http::StatusCode;

use super::wire::{Schedule, ScheduleCreate, ScheduleRange, ScheduleUpdate};
use crate::api::access::Requester;
use crate::api::v3::extract::{Body, Id, ScheduleIdIn};
use crate::api::v3::{Answer, no_content, ok};
use crate::api::{Ctx, Operation};
use crate::domain::access::Need;
use crate::domain::error::Error;
use crate::domain::ids::DeploymentId;

/// What there is to ask.
pub fn operations() -> Vec<Operation> {
    vec![
        Operation::post(
            "/deployments/{id}/pause_deployment",
            "Follows none of its schedules",
        )
        .tells("any")
        .needs(Need::Operate, pause),
        Operation::post(
            "/deployments/{id}/resume_deployment",
            "Follows its schedules again",
        )
        .tells("any")
        .needs(Need::Operate, resume),
        Operation::post(
            "/deployments/{id}/schedule",
            "Makes the runs of a range of its schedules",
        )
        .asks::<ScheduleRange>()
        .tells("any")
        .needs(Need::Operate, schedule),
        Operation::get("/deployments/{id}/schedules", "Lists its schedules")
            .lists::<Schedule>()
            .needs(Need::Read, list),
        Operation::post("/deployments/{id}/schedules", "Gives it more schedules")
            .asks_many::<ScheduleCreate>()
            .lists::<Schedule>()
            .needs(Need::Operate, create),
        Operation::patch(
            "/deployments/{id}/schedules/{schedule_id}",
            "Changes one of its schedules",
        )
        .asks::<ScheduleUpdate>()
        .is_silent()
        .needs(Need::Operate, update),
        Operation::delete(
            "/deployments/{id}/schedules/{schedule_id}",
            "Removes one of its schedules",
        )
        .is_silent()
        .needs(Need::Operate, delete),
    ]
}

pub async fn pause(State(ctx): State<Ctx>, who: Requester, Id(id): Id) -> Answer {
    let id = DeploymentId::from_uuid(id);
    ctx.app.set_schedule_active(id, false).await?;
    ok(&who, ()).await
}

pub async fn resume(State(ctx): State<Ctx>, who: Requester, Id(id): Id) -> Answer {
    let id = DeploymentId::from_uuid(id);
    ctx.app.set_schedule_active(id, true).await?;
    ok(&who, ()).await
}

pub async fn schedule(
    State(ctx): State<Ctx>,
    who: Requester,
    Id(id): Id,
    Body(range): Body<ScheduleRange>,
) -> Answer {
    let id = DeploymentId::from_uuid(id);
    ctx.app.schedule_runs(id, range.meaning()?).await?;
    ok(&who, ()).await
}

pub async fn list(State(ctx): State<Ctx>, who: Requester, Id(id): Id) -> Answer {
    let id = DeploymentId::from_uuid(id);
    let deployment = ctx.app.deployment(id).await?;
    ok(&who, Schedule::all_of(id, deployment.schedules)).await
}

pub async fn create(
    State(ctx): State<Ctx>,
    who: Requester,
    Id(id): Id,
    Body(create): Body<Vec<ScheduleCreate>>,
) -> Answer {
    let id = DeploymentId::from_uuid(id);
    let now = ctx.app.now();
    let new = create.into_iter().map(|it| it.meaning(now));
    let new = new.collect::<Result<Vec<_>, Error>>()?;
    let made = ctx.app.add_schedules(id, new).await?.into_iter();
    let made: Vec<_> = made.map(|it| Schedule::of(id, it)).collect();
    Ok(who.shown(StatusCode::CREATED, made).await?)
}

pub async fn update(
    State(ctx): State<Ctx>,
    Id(id): Id,
    ScheduleIdIn(schedule): ScheduleIdIn,
    Body(update): Body<ScheduleUpdate>,
) -> Answer {
    let change = update.meaning(ctx.app.now())?;
    let id = DeploymentId::from_uuid(id);
    ctx.app.update_schedule(id, schedule, change.update).await?;
    no_content()
}

pub async fn delete(
    State(ctx): State<Ctx>,
    Id(id): Id,
    ScheduleIdIn(schedule): ScheduleIdIn,
) -> Answer {
    let id = DeploymentId::from_uuid(id);
    ctx.app.delete_schedule(id, schedule).await?;
    no_content()
}
