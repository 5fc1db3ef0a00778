//! Work pools, their queues, who serves them, and the agents of this daemon.

use askama::Template;
use axum::extract::State;

use super::table::switch;
use crate::api::{Ctx, Need, Operation};
use crate::app::{QueueName, WorkersAsked};
use crate::domain::error::Result;
use crate::domain::filter::{Criteria, Filters, Page, work_pool};
use crate::domain::ids::WorkQueueId;
use crate::domain::work::{
    PoolKind, PoolStatus, WorkPool, WorkPoolUpdate, WorkQueueUpdate, WorkerStatus,
};
use crate::pages::answer::{Answer, ok, to};
use crate::pages::dashboard::Slots;
use crate::pages::form::Form;
use crate::pages::path::{Id, Name};
use crate::pages::show::{Html, in_address, short, text, times};
use crate::pages::visitor::{Frame, Visitor};

/// The most pools of a page.
const MOST: u64 = 50;
/// The most queues and workers of each.
const MOST_OF_EACH: u64 = 50;

/// What there is to ask.
pub fn operations() -> Vec<Operation> {
    vec![
        Operation::get("/work-pools", "Lists work pools").needs(Need::Inspect, list),
        Operation::get("/work-pools/work-pool/{name}", "Shows a work pool")
            .needs(Need::Inspect, one),
        Operation::get("/work-queues", "Leads to the work pools").needs(Need::Inspect, old),
        Operation::get(
            "/work-pools/work-pool/{name}/queue/{queue}",
            "Shows a work pool",
        )
        .needs(Need::Inspect, one),
        Operation::post(
            "/work-pools/work-pool/{name}/pause",
            "Pauses a work pool, or not",
        )
        .needs(Need::Operate, pause),
        Operation::post(
            "/work-queues/work-queue/{id}/pause",
            "Pauses a queue, or not",
        )
        .needs(Need::Operate, pause_queue),
    ]
}

async fn old() -> Answer {
    Ok(crate::pages::answer::moved("/work-pools"))
}

/// A queue as it is shown.
struct Queue {
    name: Html,
    priority: i64,
    active: i64,
    limit: String,
    status: &'static str,
    switch: Html,
}

/// A worker as it is shown.
struct Worker {
    name: Html,
    class: &'static str,
    icon: &'static str,
    heard: Html,
}

/// A pool as it is shown.
struct Pool {
    slots: Slots,
    anchor: String,
    class: &'static str,
    icon: &'static str,
    status: &'static str,
    hint: Option<Html>,
    switch: Html,
    queues: Vec<Queue>,
    workers: Vec<Worker>,
}

/// Pools, and the part that changes.
#[derive(Template)]
#[template(path = "pools.html", blocks = ["pools"])]
pub struct PoolsPage {
    frame: Frame,
    title: Html,
    pools: Vec<Pool>,
}

async fn list(State(ctx): State<Ctx>, visitor: Visitor) -> Answer {
    ok(&show(&ctx, &visitor, None).await?)
}

async fn one(State(ctx): State<Ctx>, Name(name): Name, visitor: Visitor) -> Answer {
    ctx.app.work_pool(&name).await?;
    ok(&show(&ctx, &visitor, Some(&name)).await?)
}

/// The pools that a stream's address asks for.
///
/// # Errors
/// Where the store cannot be read.
pub async fn read(ctx: &Ctx, visitor: &Visitor) -> Result<PoolsPage> {
    let name = visitor.asked("name");
    show(ctx, visitor, name.as_deref()).await
}

async fn pause(State(ctx): State<Ctx>, Name(name): Name, form: Form) -> Answer {
    let update = WorkPoolUpdate {
        is_paused: Some(form.value("on") != "true"),
        ..WorkPoolUpdate::default()
    };
    ctx.app.update_work_pool(&name, update).await?;
    Ok(to("/work-pools"))
}

async fn pause_queue(State(ctx): State<Ctx>, Id(id): Id<WorkQueueId>, form: Form) -> Answer {
    let update = WorkQueueUpdate {
        is_paused: Some(form.value("on") != "true"),
        ..WorkQueueUpdate::default()
    };
    ctx.app.update_work_queue(QueueName::Id(id), update).await?;
    Ok(to("/work-pools"))
}

/// All pools, or the one of that name.
async fn show(ctx: &Ctx, visitor: &Visitor, name: Option<&str>) -> Result<PoolsPage> {
    let page = Page {
        limit: MOST,
        offset: 0,
    };
    let filters = Filters {
        work_pools: name.map(|name| vec![work_pool::NAME.is_one_of([name])].into()),
        ..Filters::default()
    };
    let title = name.unwrap_or("Work pools");
    let frame = visitor.frame(ctx, "pools", title).await?;
    let mut pools = Vec::new();
    for pool in ctx.app.work_pools(filters, page).await? {
        pools.push(shown(ctx, &frame, &pool).await?);
    }
    let stream = match name {
        Some(name) => format!("/live/work-pools?name={}", in_address(name)),
        None => "/live/work-pools".to_owned(),
    };
    Ok(PoolsPage {
        frame: frame.live(stream),
        title: text(title),
        pools,
    })
}

async fn shown(ctx: &Ctx, frame: &Frame, pool: &WorkPool) -> Result<Pool> {
    let service = ctx.app.service();
    let (used, limit) = (pool.active_slots, pool.concurrency_limit);
    let positive = |number: i64| number.max(0).unsigned_abs();
    let mut slots = Slots::new(
        short(&pool.name),
        short(pool.kind.word()),
        positive(used),
        limit.map(positive),
    );
    let address = format!("/work-pools/work-pool/{}", in_address(&pool.name));
    slots.href.clone_from(&address);
    let is_ours = service.is_ours(&pool.kind, pool.online_until);
    let (class, icon, status) = match service.of_pool(pool) {
        _ if pool.is_paused => ("paused", "paused", "Paused"),
        Some(PoolStatus::Ready) if is_ours => ("ok", "completed", "Served by this daemon"),
        Some(PoolStatus::Ready) => ("ok", "completed", "Served by a worker"),
        Some(PoolStatus::Paused) => ("paused", "paused", "Paused"),
        Some(PoolStatus::NotReady) => ("failed", "failed", "No worker"),
        None => ("ok", "completed", "For agents"),
    };
    let hint = (class == "failed").then(|| {
        Html::of(format!(
            "<div class=\"cmd\"><code>prefect worker start --pool {}</code></div>",
            short(&pool.name)
        ))
    });
    Ok(Pool {
        switch: switch(
            frame,
            &format!("{address}/pause"),
            !pool.is_paused,
            &format!("Pool {} hands out runs", pool.name),
        ),
        anchor: format!("pool-{}", pool.id),
        queues: queues(ctx, frame, pool).await?,
        workers: workers(ctx, pool).await?,
        slots,
        class,
        icon,
        status,
        hint,
    })
}

async fn queues(ctx: &Ctx, frame: &Frame, pool: &WorkPool) -> Result<Vec<Queue>> {
    let page = Page {
        limit: MOST_OF_EACH,
        offset: 0,
    };
    let service = ctx.app.service();
    let found = ctx
        .app
        .queues_of_pool(&pool.name, Criteria::NOTHING, page)
        .await?;
    let each = found.iter().map(|queue| Queue {
        name: short(&queue.name),
        priority: queue.priority,
        active: queue.active_slots,
        limit: queue
            .concurrency_limit
            .map_or("–".to_owned(), |limit| limit.to_string()),
        status: match service.of_queue(queue) {
            PoolStatus::Ready => "ready",
            PoolStatus::NotReady => "nobody asks",
            PoolStatus::Paused => "paused",
        },
        switch: switch(
            frame,
            &format!("/work-queues/work-queue/{}/pause", queue.id),
            !queue.is_paused,
            &format!("Queue {} hands out runs", queue.name),
        ),
    });
    Ok(each.collect())
}

async fn workers(ctx: &Ctx, pool: &WorkPool) -> Result<Vec<Worker>> {
    let page = Page {
        limit: MOST_OF_EACH,
        offset: 0,
    };
    if pool.kind == PoolKind::Agent {
        return Ok(Vec::new());
    }
    let asked = WorkersAsked {
        status: None,
        not_status: None,
        before: None,
        after: None,
    };
    let service = ctx.app.service();
    let found = ctx.app.workers(&pool.name, asked, page).await?;
    let each = found.iter().map(|worker| {
        let (class, icon) = match service.of_worker(worker) {
            WorkerStatus::Online => ("ok", "completed"),
            WorkerStatus::Offline => ("failed", "failed"),
        };
        Worker {
            name: short(&worker.name),
            class,
            icon,
            heard: times::apart(worker.last_heartbeat, service.now),
        }
    });
    Ok(each.collect())
}
