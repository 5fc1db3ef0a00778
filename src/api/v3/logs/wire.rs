//! Log lines.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::api::redaction::{Reader, Redact};
use crate::api::v3::extract::AimedBody;
use crate::api::v3::wire::Instant;
use crate::domain::error::Error;
use crate::domain::ids::{FlowRunId, TaskRunId};
use crate::domain::log::{self, NewLog, Stream};

/// A log line.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Log {
    /// Its id.
    pub id: Uuid,
    /// When it was kept.
    #[serde(default)]
    pub created: Option<Instant>,
    /// The same: lines do not change.
    #[serde(default)]
    pub updated: Option<Instant>,
    /// The logger's name.
    pub name: String,
    /// Python's level number.
    pub level: i64,
    /// The line.
    pub message: String,
    /// When it was said.
    pub timestamp: Instant,
    /// The flow run that said it.
    pub flow_run_id: Option<Uuid>,
    /// The task run that said it.
    pub task_run_id: Option<Uuid>,
    /// `stdout` or `stderr` for what the run's process printed there; left out otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stream: Option<String>,
}

impl From<log::Log> for Log {
    fn from(log: log::Log) -> Self {
        let log::Log { id, created, line } = log;
        Self {
            id: id.uuid(),
            created: Some(created.into()),
            updated: Some(created.into()),
            name: line.name,
            level: line.level,
            message: line.message,
            timestamp: line.timestamp.into(),
            flow_run_id: line.flow_run_id.map(FlowRunId::uuid),
            task_run_id: line.task_run_id.map(TaskRunId::uuid),
            stream: line.stream.map(|stream| stream.word().to_owned()),
        }
    }
}

impl Redact for Log {
    fn runs(&self, noted: &mut HashSet<FlowRunId>) {
        noted.extend(self.flow_run_id.map(FlowRunId::from_uuid));
    }

    fn redact(&mut self, reader: &Reader<'_>) {
        let Self {
            id: _,
            created: _,
            updated: _,
            name,
            level: _,
            message,
            timestamp: _,
            flow_run_id,
            task_run_id: _,
            stream: _,
        } = self;
        let mask = reader.within_flow_run(flow_run_id.map(FlowRunId::from_uuid));
        mask.over(name);
        mask.over(message);
    }

    fn leave_out_ours(&mut self) {
        self.stream = None;
    }
}

/// A log line to be kept.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct LogCreate {
    name: String,
    level: i64,
    message: String,
    timestamp: Instant,
    /// The flow run that said it. A task that runs outside of a flow has none.
    #[serde(default)]
    flow_run_id: Option<Uuid>,
    #[serde(default)]
    task_run_id: Option<Uuid>,
    /// `stdout` or `stderr`, where a run's process printed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    stream: Option<String>,
}

impl From<LogCreate> for NewLog {
    fn from(line: LogCreate) -> Self {
        Self {
            name: line.name,
            level: line.level,
            message: line.message,
            timestamp: line.timestamp.into(),
            flow_run_id: line.flow_run_id.map(FlowRunId::from_uuid),
            task_run_id: line.task_run_id.map(TaskRunId::from_uuid),
            stream: line.stream.as_deref().and_then(Stream::from_word),
        }
    }
}

impl AimedBody for Vec<LogCreate> {
    type Meaning = Vec<NewLog>;

    fn meaning(self) -> Result<Vec<NewLog>, Error> {
        Ok(self.into_iter().map(NewLog::from).collect())
    }
}

impl From<NewLog> for LogCreate {
    fn from(line: NewLog) -> Self {
        Self {
            name: line.name,
            level: line.level,
            message: line.message,
            timestamp: line.timestamp.into(),
            flow_run_id: line.flow_run_id.map(FlowRunId::uuid),
            task_run_id: line.task_run_id.map(TaskRunId::uuid),
            stream: line.stream.map(|stream| stream.word().to_owned()),
        }
    }
}
