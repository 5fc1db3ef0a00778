//! The messages of the channel. Unknown fields are refused on both sides.

use chrono::{DateTime, SubsecRound, Utc};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::api::v3::wire::WorkPool;
use crate::app::{ConnectedWorker, WorkerHello};
use crate::domain::JsonMap;
use crate::domain::work::PoolKind;

/// The one version of the channel.
pub const VERSION: &str = "work_pool_worker_channel.v1";
/// What a worker must ask for, and what is granted of all that it asks for: nothing is left
/// over by runs here that a worker would have to clean up.
pub const CAPABILITIES: [&str; 2] = ["worker_heartbeat.v1", "work_pool_snapshot.v1"];

/// What every message has.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Frame {
    #[serde(rename = "type")]
    kind: String,
    id: Uuid,
    #[expect(dead_code, reason = "it must be there, and be one")]
    sent_at: DateTime<Utc>,
    payload: Value,
}

/// What a worker says of a message's type; `None` for anything else.
pub fn said<T: DeserializeOwned>(text: &str, kind: &str) -> Option<T> {
    let frame: Frame = serde_json::from_str(text).ok()?;
    if frame.kind != kind {
        return None;
    }
    serde_json::from_value(frame.payload).ok()
}

/// `cleanup.ack.v1`, `cleanup.renew.v1`, `cleanup.release.v1`: what a worker did about something
/// to clean up, of which it is given nothing here.
pub struct CleanUp {
    frame: Uuid,
    message: Uuid,
    operation: &'static str,
}

impl CleanUp {
    /// What a worker says; `None` for anything else.
    pub fn of(text: &str) -> Option<Self> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Payload {
            message_id: Uuid,
            reservation_token: String,
            reason: Option<String>,
        }
        let frame: Frame = serde_json::from_str(text).ok()?;
        let operation = match frame.kind.as_str() {
            "cleanup.ack.v1" => "ack",
            "cleanup.renew.v1" => "renew",
            "cleanup.release.v1" => "release",
            _ => return None,
        };
        let payload: Payload = serde_json::from_value(frame.payload).ok()?;
        let has_reason = payload.reason.is_some_and(|reason| !reason.is_empty());
        let is_sound =
            !payload.reservation_token.is_empty() && has_reason == (operation == "release");
        is_sound.then_some(Self {
            frame: frame.id,
            message: payload.message_id,
            operation,
        })
    }

    /// What it is told: that nobody gave it that.
    pub fn refused(&self) -> Told<impl Serialize + use<>> {
        let payload = serde_json::json!({
            "request_frame_id": self.frame,
            "message_id": self.message,
            "operation": self.operation,
            "status": "unauthorized",
            "lease_expires_at": null,
            "reason": "cleanup_delivery_not_accepted",
            "detail": null,
        });
        Told::now("cleanup.operation_result.v1", payload)
    }
}

/// `worker.hello.v1`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hello {
    pub consumer_id: Uuid,
    pub worker_name: String,
    worker_type: String,
    pub heartbeat_interval_seconds: i64,
    pub supported_channel_versions: Vec<String>,
    pub requested_capabilities: Vec<String>,
    #[serde(default)]
    work_queue_names: Vec<String>,
    #[serde(default)]
    handled_cleanup_kinds: Vec<String>,
    #[serde(default)]
    max_cleanup_concurrency: u32,
    #[serde(default)]
    create_pool_if_not_found: bool,
    #[serde(default)]
    default_base_job_template: JsonMap,
    #[serde(default)]
    #[expect(dead_code, reason = "nothing is made of a worker's packages")]
    worker_metadata: Option<JsonMap>,
}

impl Hello {
    /// Whether it asks for what a worker must, and for no clean-up that it did not ask for.
    pub fn is_sound(&self) -> bool {
        let asks = |what: &str| self.requested_capabilities.iter().any(|one| one == what);
        let cleans_up = !self.handled_cleanup_kinds.is_empty() || self.max_cleanup_concurrency > 0;
        CAPABILITIES.into_iter().all(asks)
            && (!cleans_up || asks("cleanup_delivery.v1"))
            && !self.worker_name.is_empty()
            && !self.worker_type.is_empty()
            && self.heartbeat_interval_seconds > 0
    }

    /// What the worker says of itself.
    pub fn meaning(&self) -> WorkerHello {
        WorkerHello {
            name: self.worker_name.clone(),
            kind: PoolKind::from(self.worker_type.clone()),
            heartbeat_secs: self.heartbeat_interval_seconds,
            queues: self.work_queue_names.clone(),
            creates_pool: self.create_pool_if_not_found,
            template: self.default_base_job_template.clone(),
        }
    }
}

/// `worker.heartbeat.v1`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Heartbeat {
    pub consumer_id: Uuid,
    pub worker_name: String,
    pub heartbeat_interval_seconds: i64,
}

/// A message of ours.
#[derive(Serialize)]
pub struct Told<T> {
    #[serde(rename = "type")]
    kind: &'static str,
    id: Uuid,
    sent_at: DateTime<Utc>,
    payload: T,
}

impl<T> Told<T> {
    fn now(kind: &'static str, payload: T) -> Self {
        Self {
            kind,
            id: Uuid::now_v7(),
            // Python reads no smaller parts of a second.
            sent_at: Utc::now().trunc_subsecs(6),
            payload,
        }
    }
}

/// A pool as it is.
#[derive(Serialize)]
pub struct Snapshot {
    snapshot_sequence: u64,
    reason: &'static str,
    work_pool: WorkPool,
}

impl Snapshot {
    /// The first.
    fn initial(work_pool: WorkPool) -> Self {
        Self {
            snapshot_sequence: 1,
            reason: "initial",
            work_pool,
        }
    }
}

/// `work_pool.snapshot.v1`: a pool has changed; the first had number 1.
pub fn changed(number: u64, work_pool: WorkPool) -> Told<Snapshot> {
    let snapshot = Snapshot {
        snapshot_sequence: number,
        reason: "work_pool_updated",
        work_pool,
    };
    Told::now("work_pool.snapshot.v1", snapshot)
}

/// `worker.ready.v1`
#[derive(Serialize)]
pub struct Ready {
    consumer_id: Uuid,
    worker_id: Option<Uuid>,
    selected_channel_version: &'static str,
    effective_heartbeat_interval_seconds: i64,
    accepted_capabilities: [&'static str; 2],
    rejected_capabilities: Vec<String>,
    effective_max_cleanup_concurrency: u32,
    resolved_work_queues: Vec<ResolvedQueue>,
    initial_snapshot: Snapshot,
}

#[derive(Serialize)]
struct ResolvedQueue {
    id: Uuid,
    name: String,
}

/// What a worker is told that said hello.
pub fn ready(hello: &Hello, connected: &ConnectedWorker, pool: WorkPool) -> Told<Ready> {
    let mut rejected = Vec::new();
    for asked in &hello.requested_capabilities {
        if !CAPABILITIES.contains(&asked.as_str()) && !rejected.contains(asked) {
            rejected.push(asked.clone());
        }
    }
    let queues = connected.queues.iter().map(|queue| ResolvedQueue {
        id: queue.id.uuid(),
        name: queue.name.clone(),
    });
    let ready = Ready {
        consumer_id: hello.consumer_id,
        // As on the reference, which does not tell it.
        worker_id: None,
        selected_channel_version: VERSION,
        effective_heartbeat_interval_seconds: hello.heartbeat_interval_seconds,
        accepted_capabilities: CAPABILITIES,
        rejected_capabilities: rejected,
        effective_max_cleanup_concurrency: 0,
        resolved_work_queues: queues.collect(),
        initial_snapshot: Snapshot::initial(pool),
    };
    Told::now("worker.ready.v1", ready)
}
