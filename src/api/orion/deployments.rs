//! Routes of deployments.

use axum::extract::State;

use super::super::{Caller, Ctx};
use super::ask::Ask;
use super::read::{Cursor, Given, timestamp, within};
use super::wire::{self, DeploymentOut, FlowRunOut};
use super::{Answer, created, no_content, ok};
use crate::app::Range;
use crate::domain::error::Kind;
use crate::domain::ids::DeploymentId;

pub async fn create(State(ctx): State<Ctx>, mut ask: Ask) -> Answer {
    let new = ask.body(wire::new_deployment);
    let schedule = new.as_ref().and_then(|new| new.schedule.clone());
    if let Some(schedule) = schedule
        && let Err(error) = ctx.app.check_schedule(schedule).await
    {
        match error.kind() {
            Kind::Invalid => ask.fault("schedule", error.message()),
            _ => return Err(error.into()),
        }
    }
    let deployment = ctx.app.create_deployment(ask.done(new)?).await?;
    created(&deployment, DeploymentOut::from(deployment.get()))
}

pub async fn read(State(ctx): State<Ctx>, mut ask: Ask) -> Answer {
    let id = ask.id(DeploymentId::from_uuid);
    let deployment = ctx.app.deployment(ask.done(id)?).await?;
    ok(DeploymentOut::from(&deployment))
}

pub async fn read_by_name(State(ctx): State<Ctx>, ask: Ask) -> Answer {
    let (flow, name) = (ask.param("flow_name"), ask.param("deployment_name"));
    let deployment = ctx.app.deployment_by_name(&flow, &name).await?;
    ok(DeploymentOut::from(&deployment))
}

pub async fn filter(State(ctx): State<Ctx>, mut ask: Ask) -> Answer {
    let asked = ask.embedded(|fields| {
        let page = wire::page(fields);
        let filters = wire::filters(fields);
        page.zip(filters)
    });
    let (page, filters) = ask.done(asked)?;
    let found = ctx.app.deployments(filters, page).await?;
    ok(found.iter().map(DeploymentOut::from).collect::<Vec<_>>())
}

pub async fn count(State(ctx): State<Ctx>, mut ask: Ask) -> Answer {
    let filters = ask.embedded(wire::filters);
    ok(ctx.app.count_deployments(ask.done(filters)?).await?)
}

pub async fn delete(State(ctx): State<Ctx>, mut ask: Ask) -> Answer {
    let id = ask.id(DeploymentId::from_uuid);
    ctx.app.delete_deployment(ask.done(id)?).await?;
    no_content()
}

pub async fn schedule(State(ctx): State<Ctx>, mut ask: Ask) -> Answer {
    let id = ask.id(DeploymentId::from_uuid);
    let range = ask.embedded(|fields| {
        let from = fields.optional("start_time", timestamp);
        let until = fields.optional("end_time", timestamp);
        let most = fields.optional("max_runs", max_runs);
        Some(Range {
            from: from?,
            until: until?,
            most: most?,
        })
    });
    let (id, range) = ask.done(id.zip(range))?;
    ctx.app.schedule_runs(id, range).await?;
    ok(())
}

/// How many runs a schedule may be asked for at once.
const MOST_RUNS: i64 = 1000;

/// A number of runs; that server makes one where none or fewer are asked for.
fn max_runs(value: &Given<'_>, cursor: &mut Cursor) -> Option<u64> {
    let most = within(i64::MIN, MOST_RUNS)(value, cursor)?;
    Some(most.max(1).unsigned_abs())
}

pub async fn set_schedule_active(State(ctx): State<Ctx>, mut ask: Ask) -> Answer {
    let id = ask.id(DeploymentId::from_uuid);
    ctx.app.set_schedule_active(ask.done(id)?, true).await?;
    ok(())
}

pub async fn set_schedule_inactive(State(ctx): State<Ctx>, mut ask: Ask) -> Answer {
    let id = ask.id(DeploymentId::from_uuid);
    ctx.app.set_schedule_active(ask.done(id)?, false).await?;
    ok(())
}

pub async fn create_flow_run(State(ctx): State<Ctx>, caller: Caller, mut ask: Ask) -> Answer {
    let id = ask.id(DeploymentId::from_uuid);
    let asked = id.zip(ask.body(wire::run_request));
    let (id, mut request) = ask.done(asked)?;
    request.created_by = caller.actor();
    let run = ctx.app.create_run_of_deployment(id, request).await?;
    created(&run, FlowRunOut::new(run.get(), ctx.app.now()))
}
