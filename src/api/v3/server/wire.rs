//! What the daemon says of itself; ours, not Prefect's.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::api::compat::{Sightings, UnknownField};
use crate::api::redaction::{Reader, Redact};
use crate::api::v3::wire::{Agent, Instant};

/// Whether the daemon can work. When it cannot, the status is 503.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Readiness {
    /// Whether a transaction went through the database's writer.
    pub writer: bool,
    /// Whether the container engine answers; the daemon works without.
    pub engine: bool,
    /// Why something does not.
    pub trouble: Vec<String>,
}

/// The daemon.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Status {
    /// Its version.
    pub version: String,
    /// Names its state directory among all others.
    pub instance: String,
    /// Its process id.
    pub pid: u32,
    /// When it started.
    pub started: Instant,
    /// Where its database is.
    pub state_dir: String,
    /// Its Unix socket.
    pub socket: String,
    /// The URLs on which it listens by TCP.
    pub listeners: Vec<String>,
    /// The database's size in bytes.
    pub database_bytes: u64,
    /// Why nothing can be written, or something not be read; null when all is well.
    #[serde(default)]
    pub storage_trouble: Option<String>,
    /// The embedded agent; null when there is none.
    pub agent: Option<Agent>,
    /// Every agent that is there, the embedded one among them.
    pub agents: Vec<Agent>,
    /// Runs waiting for their time or an agent.
    pub runs_scheduled: u64,
    /// Runs taken and not yet running.
    pub runs_pending: u64,
    /// Runs running.
    pub runs_running: u64,
}

impl Redact for Readiness {
    fn redact(&mut self, reader: &Reader<'_>) {
        let Self {
            writer: _,
            engine: _,
            trouble,
        } = self;
        let mask = reader.of_nobody();
        mask.over(trouble);
    }
}

impl Redact for Status {
    fn redact(&mut self, reader: &Reader<'_>) {
        let Self {
            version: _,
            instance: _,
            pid: _,
            started: _,
            state_dir,
            socket,
            listeners,
            database_bytes: _,
            storage_trouble,
            agent,
            agents,
            runs_scheduled: _,
            runs_pending: _,
            runs_running: _,
        } = self;
        let mask = reader.of_nobody();
        mask.over(state_dir);
        mask.over(socket);
        mask.over(listeners);
        mask.over(storage_trouble);
        agent.redact(reader);
        agents.redact(reader);
    }
}

/// A field that Prefect clients sent and that was ignored.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct IgnoredField {
    /// The clients' version; `?` where they do not say.
    pub client: String,
    /// What they asked, such as `POST /deployments/`.
    pub operation: String,
    /// The field's place in the body, such as `schedules.catchup`.
    pub field: String,
    /// How often it came since the daemon started.
    pub count: u64,
    /// For the first time.
    pub first: Instant,
    /// For the last time.
    pub last: Instant,
}

impl From<(UnknownField, Sightings)> for IgnoredField {
    fn from((field, sightings): (UnknownField, Sightings)) -> Self {
        Self {
            client: field.client,
            operation: field.operation,
            field: field.field,
            count: sightings.count,
            first: sightings.first.into(),
            last: sightings.last.into(),
        }
    }
}

impl Redact for IgnoredField {
    fn redact(&mut self, reader: &Reader<'_>) {
        let Self {
            client: _,
            operation: _,
            field,
            count: _,
            first: _,
            last: _,
        } = self;
        reader.of_nobody().over(field);
    }
}
