//! Routes of workers of work pools.

pub mod wire;

use axum::extract::{Path, State};

use super::extract::Body;
use super::{Answer, no_content, ok};
use crate::api::Ctx;
use crate::api::Operation;
use crate::api::access::Requester;
use crate::domain::access::Need;
use wire::{Heartbeat, Worker, WorkerQuery};

/// What there is to ask.
pub fn operations() -> Vec<Operation> {
    vec![
        Operation::post(
            "/work_pools/{name}/workers/heartbeat",
            "Tells that a worker of a pool is there",
        )
        .asks::<Heartbeat>()
        .is_silent()
        .is_routine()
        .needs(Need::Operate, heartbeat),
        Operation::post(
            "/work_pools/{name}/workers/filter",
            "Finds workers of a pool",
        )
        .asks::<WorkerQuery>()
        .lists::<Worker>()
        .needs(Need::Read, filter),
        Operation::delete(
            "/work_pools/{name}/workers/{worker}",
            "Forgets a worker of a pool",
        )
        .is_silent()
        .needs(Need::Operate, delete),
    ]
}

pub async fn heartbeat(
    State(ctx): State<Ctx>,
    Path(pool): Path<String>,
    Body(beat): Body<Heartbeat>,
) -> Answer {
    let secs = beat.heartbeat_interval_seconds;
    ctx.app.worker_heartbeat(&pool, &beat.name, secs).await?;
    no_content()
}

pub async fn filter(
    State(ctx): State<Ctx>,
    who: Requester,
    Path(pool): Path<String>,
    Body(query): Body<WorkerQuery>,
) -> Answer {
    let (asked, page) = query.parts()?;
    let found = ctx.app.workers(&pool, asked, page).await?.into_iter();
    let service = ctx.app.service();
    let workers = found.map(|worker| Worker::new(worker, service));
    ok(&who, workers.collect::<Vec<_>>()).await
}

pub async fn delete(
    State(ctx): State<Ctx>,
    Path((pool, worker)): Path<(String, String)>,
) -> Answer {
    ctx.app.delete_worker(&pool, &worker).await?;
    no_content()
}
