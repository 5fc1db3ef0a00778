//! Which queues would take a deployment's runs, as old pages ask it.

use axum::extract::State;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::api::access::Requester;
use crate::api::redaction::{Reader, Redact};
use crate::api::v3::extract::Id;
use crate::api::v3::wire::Instant;
use crate::api::v3::{Answer, ok};
use crate::api::{Ctx, Operation};
use crate::domain::access::Need;
use crate::domain::ids::DeploymentId;
use crate::domain::work;

/// What there is to ask.
pub fn operations() -> Vec<Operation> {
    vec![
        Operation::get(
            "/deployments/{id}/work_queue_check",
            "Finds the queues that would take a deployment's runs",
        )
        .lists::<BareQueue>()
        .needs(Need::Read, check),
    ]
}

/// A queue, without how it is served.
#[derive(Debug, Serialize, ToSchema)]
pub struct BareQueue {
    id: Uuid,
    created: Instant,
    updated: Instant,
    name: String,
    description: Option<String>,
    is_paused: bool,
    concurrency_limit: Option<i64>,
    priority: i64,
    work_pool_id: Option<Uuid>,
    filter: Option<Value>,
    last_polled: Option<Instant>,
}

impl From<work::WorkQueue> for BareQueue {
    fn from(queue: work::WorkQueue) -> Self {
        Self {
            id: queue.id.uuid(),
            created: queue.created.into(),
            updated: queue.updated.into(),
            name: queue.name,
            description: queue.description,
            is_paused: queue.is_paused,
            concurrency_limit: queue.concurrency_limit,
            priority: queue.priority,
            work_pool_id: Some(queue.work_pool_id.uuid()),
            filter: queue.filter,
            last_polled: queue.last_polled.map(Into::into),
        }
    }
}

impl Redact for BareQueue {
    fn redact(&mut self, reader: &Reader<'_>) {
        let Self {
            id: _,
            created: _,
            updated: _,
            name,
            description,
            is_paused: _,
            concurrency_limit: _,
            priority: _,
            work_pool_id: _,
            filter,
            last_polled: _,
        } = self;
        let mask = reader.of_nobody();
        mask.over(name);
        mask.over(description);
        mask.over(filter);
    }
}

pub async fn check(State(ctx): State<Ctx>, who: Requester, Id(id): Id) -> Answer {
    let found = ctx.app.queues_for(DeploymentId::from_uuid(id)).await?;
    let told = found.into_iter().map(BareQueue::from);
    ok(&who, told.collect::<Vec<_>>()).await
}
