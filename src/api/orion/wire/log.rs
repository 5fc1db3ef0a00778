//! Log lines on the wire.

use std::borrow::Cow;
use std::collections::HashSet;

use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::super::read::{Fields, JsonValue, ReadContext, id, integer, string, timestamp};
use super::time::Iso;
use crate::api::redaction::{Reader, Redact};
use crate::domain::ids::{FlowRunId, TaskRunId};
use crate::domain::log::{Log, NewLog};

/// A log line.
#[derive(Serialize, ToSchema)]
#[schema(as = orion::Log)]
pub struct LogOut<'a> {
    id: Uuid,
    created: Iso,
    updated: Iso,
    name: Cow<'a, str>,
    level: i64,
    message: Cow<'a, str>,
    timestamp: Iso,
    flow_run_id: Uuid,
    task_run_id: Option<Uuid>,
}

impl<'a> LogOut<'a> {
    /// A line of a flow run; that generation knows no others.
    pub fn of(log: &'a Log) -> Option<Self> {
        let Log { id, created, line } = log;
        let NewLog {
            name,
            level,
            message,
            timestamp,
            flow_run_id,
            task_run_id,
            stream: _, // that generation's clients refuse what they do not know
        } = line;
        Some(Self {
            id: id.uuid(),
            created: Iso(*created),
            // A line never changes.
            updated: Iso(*created),
            name: name.into(),
            level: *level,
            message: message.into(),
            timestamp: Iso(*timestamp),
            flow_run_id: (*flow_run_id)?.uuid(),
            task_run_id: task_run_id.map(TaskRunId::uuid),
        })
    }
}

impl Redact for LogOut<'_> {
    fn runs(&self, noted: &mut HashSet<FlowRunId>) {
        noted.insert(FlowRunId::from_uuid(self.flow_run_id));
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
        } = self;
        let mask = reader.within_flow_run(Some(FlowRunId::from_uuid(*flow_run_id)));
        mask.over(name);
        mask.over(message);
    }
}

/// A log line to be kept.
pub fn new_log(value: &JsonValue<'_>, context: &mut ReadContext) -> Option<NewLog> {
    let mut fields = Fields::of_row(value, context);
    let name = fields.required("name", string);
    let level = fields.required("level", integer);
    let message = fields.required("message", string);
    let said = fields.required("timestamp", timestamp);
    let flow_run_id = fields.required("flow_run_id", id(FlowRunId::from_uuid));
    let task_run_id = fields.optional("task_run_id", id(TaskRunId::from_uuid));
    fields.finish();
    Some(NewLog {
        name: name?,
        level: level?,
        message: message?,
        timestamp: said?,
        flow_run_id: Some(flow_run_id?),
        task_run_id: task_run_id?,
        stream: None,
    })
}
