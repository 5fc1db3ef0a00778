//! Routes of queues of work pools: by the names of pool and queue, and by id.

mod check;
pub mod runs;
pub mod wire;

use axum::extract::{Path, State};

use super::extract::{Body, Id};
use super::{Answer, made, no_content, ok};
use crate::api::Ctx;
use crate::api::Operation;
use crate::api::access::Requester;
use crate::app::QueueName;
use crate::domain::access::Need;
use crate::domain::ids::WorkQueueId;
use crate::domain::work;
use wire::{WorkQueue, WorkQueueChanges, WorkQueueCreate, WorkQueueQuery};

/// What there is to ask.
pub fn operations() -> Vec<Operation> {
    let all = [
        in_pools(),
        by_ids(),
        runs::operations(),
        check::operations(),
    ];
    all.into_iter().flatten().collect()
}

fn in_pools() -> Vec<Operation> {
    vec![
        Operation::post("/work_pools/{name}/queues", "Creates a queue of a pool")
            .asks::<WorkQueueCreate>()
            .makes::<WorkQueue>()
            .needs(Need::Operate, create_in_pool),
        Operation::post("/work_pools/{name}/queues/filter", "Finds queues of a pool")
            .asks::<WorkQueueQuery>()
            .lists::<WorkQueue>()
            .is_routine()
            .needs(Need::Read, filter_in_pool),
        Operation::get(
            "/work_pools/{name}/queues/{queue}",
            "Reads a queue of a pool",
        )
        .answers::<WorkQueue>()
        .needs(Need::Read, read_in_pool),
        Operation::patch(
            "/work_pools/{name}/queues/{queue}",
            "Changes a queue of a pool",
        )
        .asks::<WorkQueueChanges>()
        .is_silent()
        .needs(Need::Operate, update_in_pool),
        Operation::delete(
            "/work_pools/{name}/queues/{queue}",
            "Deletes a queue of a pool",
        )
        .is_silent()
        .needs(Need::Operate, delete_in_pool),
    ]
}

fn by_ids() -> Vec<Operation> {
    vec![
        Operation::post("/work_queues/", "Creates a queue in the pool of agents")
            .asks::<WorkQueueCreate>()
            .makes::<WorkQueue>()
            .needs(Need::Operate, create),
        Operation::post("/work_queues/filter", "Finds queues of all pools")
            .asks::<WorkQueueQuery>()
            .lists::<WorkQueue>()
            .needs(Need::Read, filter),
        Operation::get(
            "/work_queues/name/{name}",
            "Reads a queue of the pool of agents by its name",
        )
        .answers::<WorkQueue>()
        .needs(Need::Read, read_by_name),
        Operation::get("/work_queues/{id}", "Reads a queue")
            .answers::<WorkQueue>()
            .needs(Need::Read, read),
        Operation::patch("/work_queues/{id}", "Changes a queue")
            .asks::<WorkQueueChanges>()
            .is_silent()
            .needs(Need::Operate, update),
        Operation::delete("/work_queues/{id}", "Deletes a queue")
            .is_silent()
            .needs(Need::Operate, delete),
    ]
}

/// The names of a pool and of a queue in a path.
type InPool = Path<(String, String)>;

fn named(Path((pool, queue)): InPool) -> QueueName {
    QueueName::InPool(pool, queue)
}

fn of_id(Id(id): Id) -> QueueName {
    QueueName::Id(WorkQueueId::from_uuid(id))
}

pub async fn create_in_pool(
    State(ctx): State<Ctx>,
    who: Requester,
    Path(pool): Path<String>,
    Body(create): Body<WorkQueueCreate>,
) -> Answer {
    let queue = ctx.app.create_work_queue(Some(pool), create.try_into()?);
    made(&who, WorkQueue::new(queue.await?, ctx.app.service())).await
}

pub async fn filter_in_pool(
    State(ctx): State<Ctx>,
    who: Requester,
    Path(pool): Path<String>,
    Body(query): Body<WorkQueueQuery>,
) -> Answer {
    let (criteria, page) = query.criteria()?;
    let found = ctx.app.queues_of_pool(&pool, criteria, page).await?;
    ok(&who, all(&ctx, found)).await
}

pub async fn read_in_pool(State(ctx): State<Ctx>, who: Requester, at: InPool) -> Answer {
    one(&ctx, &who, named(at)).await
}

pub async fn update_in_pool(
    State(ctx): State<Ctx>,
    at: InPool,
    Body(changes): Body<WorkQueueChanges>,
) -> Answer {
    let update = changes.try_into()?;
    ctx.app.update_work_queue(named(at), update).await?;
    no_content()
}

pub async fn delete_in_pool(State(ctx): State<Ctx>, at: InPool) -> Answer {
    ctx.app.delete_work_queue(named(at)).await?;
    no_content()
}

pub async fn create(
    State(ctx): State<Ctx>,
    who: Requester,
    Body(create): Body<WorkQueueCreate>,
) -> Answer {
    let queue = ctx.app.create_work_queue(None, create.try_into()?).await?;
    made(&who, WorkQueue::new(queue, ctx.app.service())).await
}

pub async fn filter(
    State(ctx): State<Ctx>,
    who: Requester,
    Body(query): Body<WorkQueueQuery>,
) -> Answer {
    let (filters, page) = query.parts()?;
    let found = ctx.app.work_queues(filters, page).await?;
    ok(&who, all(&ctx, found)).await
}

pub async fn read(State(ctx): State<Ctx>, who: Requester, id: Id) -> Answer {
    one(&ctx, &who, of_id(id)).await
}

pub async fn read_by_name(
    State(ctx): State<Ctx>,
    who: Requester,
    Path(name): Path<String>,
) -> Answer {
    let queue = ctx.app.agent_queue(&name).await?;
    ok(&who, WorkQueue::new(queue, ctx.app.service())).await
}

pub async fn update(
    State(ctx): State<Ctx>,
    id: Id,
    Body(changes): Body<WorkQueueChanges>,
) -> Answer {
    let update = changes.try_into()?;
    ctx.app.update_work_queue(of_id(id), update).await?;
    no_content()
}

pub async fn delete(State(ctx): State<Ctx>, id: Id) -> Answer {
    ctx.app.delete_work_queue(of_id(id)).await?;
    no_content()
}

async fn one(ctx: &Ctx, who: &Requester, name: QueueName) -> Answer {
    let queue = ctx.app.work_queue(name).await?;
    ok(who, WorkQueue::new(queue, ctx.app.service())).await
}

fn all(ctx: &Ctx, found: Vec<work::WorkQueue>) -> Vec<WorkQueue> {
    let service = ctx.app.service();
    let queues = found.into_iter();
    queues.map(|queue| WorkQueue::new(queue, service)).collect()
}
