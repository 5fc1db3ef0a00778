//! Routes of deployments.

use axum::extract::State;

use super::super::{Caller, Ctx};
use super::aimed::Aimed;
use super::read::{JsonValue, ReadContext, timestamp, within};
use super::request_reader::RequestReader;
use super::shapes::{FILTERS, NEW_DEPLOYMENT, RUN_REQUEST, SCHEDULE_RANGE, filtered, like};
use super::wire::{self, DeploymentOut, FlowRunOut};
use super::{Answer, created, no_content, ok};
use crate::api::Operation;
use crate::api::access::Requester;
use crate::app::Range;
use crate::domain::access::Need;
use crate::domain::error::Kind;
use crate::domain::filter::Sort;
use crate::domain::flow_run::DeploymentRunRequest;
use crate::domain::ids::DeploymentId;

/// What there is to request.
pub fn operations() -> Vec<Operation> {
    vec![
        Operation::post(
            "/deployments/",
            "Creates a deployment, or answers the one that is there",
        )
        .asks_like(like(NEW_DEPLOYMENT))
        .makes::<DeploymentOut>()
        .needs(Need::Operate, create),
        Operation::post("/deployments/filter", "Finds deployments")
            .asks_like(filtered("limit?: integer, offset?: integer"))
            .lists::<DeploymentOut>()
            .needs(Need::Read, filter),
        Operation::post("/deployments/count", "Counts deployments")
            .asks_like(like(FILTERS))
            .tells("integer")
            .needs(Need::Read, count),
        Operation::get(
            "/deployments/name/{flow_name}/{deployment_name}",
            "Reads a deployment by its names",
        )
        .answers::<DeploymentOut>()
        .needs(Need::Read, read_by_name),
        Operation::get("/deployments/{id}", "Reads a deployment")
            .answers::<DeploymentOut>()
            .needs(Need::Read, read),
        Operation::delete("/deployments/{id}", "Deletes a deployment")
            .is_silent()
            .needs(Need::Operate, delete),
        Operation::post(
            "/deployments/{id}/schedule",
            "Makes the runs of a range of its schedule",
        )
        .asks_like(like(SCHEDULE_RANGE))
        .tells("any")
        .needs(Need::Operate, schedule),
        Operation::post(
            "/deployments/{id}/set_schedule_active",
            "Switches its schedule on",
        )
        .tells("any")
        .needs(Need::Operate, set_schedule_active),
        Operation::post(
            "/deployments/{id}/set_schedule_inactive",
            "Switches its schedule off",
        )
        .tells("any")
        .needs(Need::Operate, set_schedule_inactive),
        Operation::post("/deployments/{id}/create_flow_run", "Runs a deployment")
            .asks_like(like(RUN_REQUEST))
            .makes::<FlowRunOut>()
            .aims(create_flow_run),
    ]
}

pub async fn create(State(ctx): State<Ctx>, who: Requester, mut request: RequestReader) -> Answer {
    let new = request.body(wire::new_deployment);
    let schedule = new.as_ref().and_then(|new| new.schedules.first());
    if let Some(schedule) = schedule
        && let Err(error) = ctx.app.check_schedule(schedule.rule.clone()).await
    {
        match error.kind() {
            Kind::Invalid => request.fault("schedule", error.message()),
            _ => return Err(error.into()),
        }
    }
    let deployment = ctx.app.create_deployment(request.done(new)?).await?;
    created(&who, &deployment, DeploymentOut::from(deployment.get())).await
}

pub async fn read(State(ctx): State<Ctx>, who: Requester, mut request: RequestReader) -> Answer {
    let id = request.id(DeploymentId::from_uuid);
    let deployment = ctx.app.deployment(request.done(id)?).await?;
    ok(&who, DeploymentOut::from(&deployment)).await
}

pub async fn read_by_name(
    State(ctx): State<Ctx>,
    who: Requester,
    request: RequestReader,
) -> Answer {
    let (flow, name) = (request.param("flow_name"), request.param("deployment_name"));
    let deployment = ctx.app.deployment_by_name(&flow, &name).await?;
    ok(&who, DeploymentOut::from(&deployment)).await
}

pub async fn filter(State(ctx): State<Ctx>, who: Requester, mut request: RequestReader) -> Answer {
    let asked = request.embedded(|fields| {
        let page = wire::page(fields);
        let filters = wire::filters(fields);
        page.zip(filters)
    });
    let (page, filters) = request.done(asked)?;
    let found = ctx.app.deployments(filters, Sort::NAME, page).await?;
    ok(
        &who,
        found.iter().map(DeploymentOut::from).collect::<Vec<_>>(),
    )
    .await
}

pub async fn count(State(ctx): State<Ctx>, who: Requester, mut request: RequestReader) -> Answer {
    let filters = request.embedded(wire::filters);
    ok(
        &who,
        ctx.app.count_deployments(request.done(filters)?).await?,
    )
    .await
}

pub async fn delete(State(ctx): State<Ctx>, mut request: RequestReader) -> Answer {
    let id = request.id(DeploymentId::from_uuid);
    ctx.app.delete_deployment(request.done(id)?).await?;
    no_content()
}

pub async fn schedule(
    State(ctx): State<Ctx>,
    who: Requester,
    mut request: RequestReader,
) -> Answer {
    let id = request.id(DeploymentId::from_uuid);
    let range = request.embedded(|fields| {
        let from = fields.optional("start_time", timestamp);
        let until = fields.optional("end_time", timestamp);
        let most = fields.optional("max_runs", max_runs);
        Some(Range {
            from: from?,
            until: until?,
            most: most?,
            ..Range::default()
        })
    });
    let (id, range) = request.done(id.zip(range))?;
    ctx.app.schedule_runs(id, range).await?;
    ok(&who, ()).await
}

/// How many runs a schedule may be asked for at once.
const MOST_RUNS: i64 = 1000;

/// A number of runs; that server makes one where none or fewer are asked for.
fn max_runs(value: &JsonValue<'_>, context: &mut ReadContext) -> Option<u64> {
    let most = within(i64::MIN, MOST_RUNS)(value, context)?;
    Some(most.max(1).unsigned_abs())
}

pub async fn set_schedule_active(
    State(ctx): State<Ctx>,
    who: Requester,
    mut request: RequestReader,
) -> Answer {
    let id = request.id(DeploymentId::from_uuid);
    ctx.app.set_schedule_active(request.done(id)?, true).await?;
    ok(&who, ()).await
}

pub async fn set_schedule_inactive(
    State(ctx): State<Ctx>,
    who: Requester,
    mut request: RequestReader,
) -> Answer {
    let id = request.id(DeploymentId::from_uuid);
    ctx.app
        .set_schedule_active(request.done(id)?, false)
        .await?;
    ok(&who, ()).await
}

pub async fn create_flow_run(
    State(ctx): State<Ctx>,
    who: Requester,
    caller: Caller,
    Aimed { at, asked }: Aimed<DeploymentRunRequest, DeploymentId>,
) -> Answer {
    let mut request = asked;
    request.created_by = caller.actor();
    let run = ctx.app.create_run_of_deployment(at, request).await?;
    created(&who, &run, FlowRunOut::new(run.get(), ctx.app.now())).await
}
