//! Routes of work pools.

pub mod wire;

use axum::extract::{Path, State};

use super::client::TakesResultStorage;
use super::extract::Body;
use super::{Answer, made, no_content, ok};
use crate::api::Ctx;
use crate::api::Operation;
use crate::api::access::Requester;
use crate::domain::access::Need;
use wire::{WorkPool, WorkPoolChanges, WorkPoolCreate, WorkPoolQuery};

/// What there is to ask.
pub fn operations() -> Vec<Operation> {
    vec![
        Operation::post("/work_pools/", "Creates a work pool")
            .asks::<WorkPoolCreate>()
            .makes::<WorkPool>()
            .needs(Need::Operate, create),
        Operation::post("/work_pools/filter", "Finds work pools")
            .asks::<WorkPoolQuery>()
            .lists::<WorkPool>()
            .needs(Need::Read, filter),
        Operation::post("/work_pools/count", "Counts work pools")
            .asks::<WorkPoolQuery>()
            .tells("integer")
            .needs(Need::Read, count),
        Operation::get("/work_pools/{name}", "Reads a work pool by its name")
            .answers::<WorkPool>()
            .is_routine()
            .needs(Need::Read, read),
        Operation::patch("/work_pools/{name}", "Changes a work pool")
            .asks::<WorkPoolChanges>()
            .is_silent()
            .needs(Need::Operate, update),
        Operation::delete(
            "/work_pools/{name}",
            "Deletes a work pool with its queues and workers",
        )
        .is_silent()
        .needs(Need::Operate, delete),
    ]
}

pub async fn create(
    State(ctx): State<Ctx>,
    who: Requester,
    client: TakesResultStorage,
    Body(create): Body<WorkPoolCreate>,
) -> Answer {
    let pool = ctx.app.create_work_pool(create.try_into()?).await?;
    let pool = WorkPool::new(pool, ctx.app.service());
    made(&who, pool.told_to(client)).await
}

pub async fn read(
    State(ctx): State<Ctx>,
    who: Requester,
    client: TakesResultStorage,
    Path(name): Path<String>,
) -> Answer {
    let pool = ctx.app.work_pool(&name).await?;
    let pool = WorkPool::new(pool, ctx.app.service());
    ok(&who, pool.told_to(client)).await
}

pub async fn filter(
    State(ctx): State<Ctx>,
    who: Requester,
    client: TakesResultStorage,
    Body(query): Body<WorkPoolQuery>,
) -> Answer {
    let (filters, page) = query.parts()?;
    let found = ctx.app.work_pools(filters, page).await?.into_iter();
    let service = ctx.app.service();
    let pools = found.map(|pool| WorkPool::new(pool, service).told_to(client));
    ok(&who, pools.collect::<Vec<_>>()).await
}

pub async fn count(
    State(ctx): State<Ctx>,
    who: Requester,
    Body(query): Body<WorkPoolQuery>,
) -> Answer {
    ok(&who, ctx.app.count_work_pools(query.parts()?.0).await?).await
}

pub async fn update(
    State(ctx): State<Ctx>,
    Path(name): Path<String>,
    Body(changes): Body<WorkPoolChanges>,
) -> Answer {
    ctx.app.update_work_pool(&name, changes.try_into()?).await?;
    no_content()
}

pub async fn delete(State(ctx): State<Ctx>, Path(name): Path<String>) -> Answer {
    ctx.app.delete_work_pool(&name).await?;
    no_content()
}
