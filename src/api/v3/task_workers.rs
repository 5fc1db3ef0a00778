//! Routes of the workers of background tasks.

use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::extract::Body;
use super::wire::Instant;
use super::{Answer, ok};
use crate::api::access::Requester;
use crate::api::redaction::{Reader, Redact};
use crate::api::{Ctx, Operation};
use crate::app::TaskServer;
use crate::domain::access::Need;

/// What there is to ask.
pub fn operations() -> Vec<Operation> {
    vec![
        Operation::post("/task_workers/filter", "Finds workers of background tasks")
            .asks::<TaskWorkerQuery>()
            .lists::<TaskWorker>()
            .needs(Need::Read, filter),
    ]
}

/// Which workers.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct TaskWorkerQuery {
    /// By the tasks that they run.
    task_worker_filter: Option<TaskWorkerFilter>,
}

/// About workers.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
pub struct TaskWorkerFilter {
    /// One of these; none: all.
    task_keys: Vec<String>,
}

/// A worker.
#[derive(Debug, Serialize, ToSchema)]
pub struct TaskWorker {
    identifier: String,
    task_keys: Vec<String>,
    timestamp: Instant,
}

impl Redact for TaskWorker {
    fn redact(&mut self, reader: &Reader<'_>) {
        let Self {
            identifier,
            task_keys,
            timestamp: _,
        } = self;
        let mask = reader.of_nobody();
        mask.over(identifier);
        mask.over(task_keys);
    }
}

impl From<TaskServer> for TaskWorker {
    fn from(server: TaskServer) -> Self {
        Self {
            identifier: server.client,
            task_keys: server.task_keys.into_iter().collect(),
            timestamp: server.seen.into(),
        }
    }
}

pub async fn filter(
    State(ctx): State<Ctx>,
    who: Requester,
    Body(query): Body<TaskWorkerQuery>,
) -> Answer {
    let keys = query.task_worker_filter.unwrap_or_default().task_keys;
    let servers = ctx.app.task_servers(&keys).into_iter();
    let workers: Vec<_> = servers.map(TaskWorker::from).collect();
    ok(&who, workers).await
}
