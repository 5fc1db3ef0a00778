//! Workers of work pools.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::api::redaction::{Reader, Redact};
use crate::api::v3::wire::operators::Operator;
use crate::api::v3::wire::{Instant, page};
use crate::app::WorkersAsked;
use crate::domain::error::{Error, Result};
use crate::domain::filter::Page;
use crate::domain::work::{self, Service, WorkerStatus};

/// A worker of a pool.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Worker {
    /// Its id.
    pub id: Uuid,
    /// When it was first heard of.
    pub created: Instant,
    /// When it was last heard of.
    pub updated: Instant,
    /// Its name within the pool.
    pub name: String,
    /// Its pool.
    pub work_pool_id: Uuid,
    /// When its heart last beat.
    pub last_heartbeat_time: Option<Instant>,
    /// How often its heart beats, in seconds.
    pub heartbeat_interval_seconds: Option<i64>,
    /// `ONLINE` or `OFFLINE`.
    pub status: String,
}

impl Worker {
    /// A worker as it is at present.
    pub fn new(worker: work::Worker, service: Service) -> Self {
        let status = service.of_worker(&worker).word().to_owned();
        let work::Worker {
            id,
            created,
            updated,
            work_pool_id,
            name,
            last_heartbeat,
            heartbeat_secs,
            online_until: _,
        } = worker;
        Self {
            id: id.uuid(),
            created: created.into(),
            updated: updated.into(),
            name,
            work_pool_id: work_pool_id.uuid(),
            last_heartbeat_time: Some(last_heartbeat.into()),
            heartbeat_interval_seconds: heartbeat_secs,
            status,
        }
    }
}

impl Redact for Worker {
    fn redact(&mut self, reader: &Reader<'_>) {
        let Self {
            id: _,
            created: _,
            updated: _,
            name,
            work_pool_id: _,
            last_heartbeat_time: _,
            heartbeat_interval_seconds: _,
            status: _,
        } = self;
        reader.of_nobody().over(name);
    }
}

/// A beat of a worker's heart.
#[derive(Debug, Deserialize, ToSchema)]
pub struct Heartbeat {
    /// The worker's name.
    pub name: String,
    /// How often it beats, in seconds; absent: as before.
    #[serde(default)]
    pub heartbeat_interval_seconds: Option<i64>,
}

/// By status.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct ByWorkerStatus {
    /// One of these.
    pub any_: Option<Vec<String>>,
    /// None of these.
    pub not_any_: Option<Vec<String>>,
}

/// By the last heartbeat.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct ByHeartbeat {
    /// Then or earlier.
    pub before_: Option<Instant>,
    /// Then or later.
    pub after_: Option<Instant>,
}

/// About workers.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct WorkerFilter {
    /// By the last heartbeat.
    pub last_heartbeat_time: Option<ByHeartbeat>,
    /// By status.
    pub status: Option<ByWorkerStatus>,
    /// How these go together.
    pub operator: Operator,
}

/// Which workers.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct WorkerQuery {
    /// About workers.
    pub workers: Option<WorkerFilter>,
    /// At most so many.
    pub limit: Option<i64>,
    /// After skipping so many.
    pub offset: Option<u64>,
}

impl WorkerQuery {
    /// What is asked, and which part of it.
    pub fn parts(self) -> Result<(WorkersAsked, Page)> {
        let page = page(self.limit, self.offset.unwrap_or_default())?;
        let filter = self.workers.unwrap_or_default();
        let status = filter.status.unwrap_or_default();
        let heartbeat = filter.last_heartbeat_time.unwrap_or_default();
        let asked = WorkersAsked {
            status: status.any_.map(statuses).transpose()?,
            not_status: status.not_any_.map(statuses).transpose()?,
            before: heartbeat.before_.map(Into::into),
            after: heartbeat.after_.map(Into::into),
        };
        Ok((asked, page))
    }
}

fn statuses(words: Vec<String>) -> Result<Vec<WorkerStatus>> {
    let status = |word: String| {
        WorkerStatus::from_word(&word)
            .ok_or_else(|| Error::invalid(format!("There is no worker status {word:?}.")))
    };
    words.into_iter().map(status).collect()
}
