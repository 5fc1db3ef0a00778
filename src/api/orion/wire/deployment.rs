//! Deployments on the wire.

use std::borrow::Cow;

use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use super::super::read::{Fields, JsonValue, ReadContext, boolean, id, list, map, string};
use super::run::{FlowRunnerOut, flow_runner};
use super::schedule::{schedule, schedule_out};
use super::state::document;
use super::time::Iso;
use crate::api::redaction::{Reader, Redact};
use crate::domain::JsonMap;
use crate::domain::deployment::{Deployment, DeploymentChanges, NewDeployment};
use crate::domain::ids::{DeploymentId, FlowId};
use crate::domain::patch::Patch;

/// A deployment.
#[derive(Serialize, ToSchema)]
#[schema(as = orion::Deployment)]
pub struct DeploymentOut<'a> {
    id: Uuid,
    created: Iso,
    updated: Iso,
    name: Cow<'a, str>,
    flow_id: Uuid,
    flow_data: Option<Cow<'a, Value>>,
    schedule: Option<Value>,
    is_schedule_active: bool,
    #[schema(value_type = Object)]
    parameters: Cow<'a, JsonMap>,
    tags: Cow<'a, [String]>,
    flow_runner: FlowRunnerOut<'a>,
}

impl<'a> From<&'a Deployment> for DeploymentOut<'a> {
    fn from(deployment: &'a Deployment) -> Self {
        let Deployment {
            id,
            created,
            updated,
            name,
            flow_id,
            version: _,
            description: _,
            flow_data,
            path: _,
            entrypoint,
            pull_steps: _,
            schedules,
            is_schedule_active,
            parameters,
            parameter_schema: _,
            enforces_schema: _,
            tags,
            labels: _,
            infrastructure,
            job_variables: _,
            work_queue_id: _,
            work_queue_name: _,
            work_pool_name: _,
            concurrency: _,
            shared_limit: _,
            storage_document_id: _,
            infrastructure_document_id: _,
            created_by: _,
            updated_by: _,
            last_polled: _,
            served: _,
        } = deployment;
        Self {
            id: id.uuid(),
            created: Iso(*created),
            updated: Iso(*updated),
            name: name.into(),
            flow_id: flow_id.uuid(),
            flow_data: Some(match flow_data {
                Some(document) => Cow::Borrowed(document),
                None => Cow::Owned(flow_at(entrypoint.as_deref())),
            }),
            schedule: schedules.first().map(|first| schedule_out(&first.rule)),
            is_schedule_active: *is_schedule_active,
            parameters: Cow::Borrowed(parameters),
            tags: tags.into(),
            flow_runner: infrastructure.into(),
        }
    }
}

/// Where the flow of a later client lies: a client of 2.0a7 reads no deployment without `flow_data`.
fn flow_at(entrypoint: Option<&str>) -> Value {
    json!({ "encoding": "file", "blob": entrypoint.unwrap_or_default() })
}

impl Redact for DeploymentOut<'_> {
    fn redact(&mut self, reader: &Reader<'_>) {
        let Self {
            id,
            created: _,
            updated: _,
            name,
            flow_id: _,
            flow_data,
            schedule,
            is_schedule_active: _,
            parameters,
            tags,
            flow_runner,
        } = self;
        let mask = reader.of_deployment(DeploymentId::from_uuid(*id));
        mask.over(name);
        mask.over_flow(flow_data);
        mask.over(schedule);
        mask.over(parameters);
        mask.over(tags);
        flow_runner.redact_by(&mask);
    }
}

/// A deployment to be created.
pub fn new_deployment(value: &JsonValue<'_>, context: &mut ReadContext) -> Option<NewDeployment> {
    let mut fields = Fields::of_row(value, context);
    let name = fields.required("name", string);
    let flow_id = fields.required("flow_id", id(FlowId::from_uuid));
    let flow_data = fields.required("flow_data", document);
    let when = fields.optional("schedule", schedule);
    let is_schedule_active = fields.default("is_schedule_active", boolean, || true);
    let parameters = fields.default("parameters", map, JsonMap::new);
    let tags = fields.default("tags", list(string), Vec::new);
    let infrastructure = fields.optional("flow_runner", flow_runner);
    fields.finish();
    Some(NewDeployment {
        schedules: when?.map(Into::into).into_iter().collect(),
        changes: DeploymentChanges {
            flow_data: Patch::Set(flow_data?),
            is_schedule_active: Some(is_schedule_active?),
            parameters: Some(parameters?),
            tags: Some(tags?),
            infrastructure: infrastructure?,
            ..DeploymentChanges::default()
        },
        ..NewDeployment::named(flow_id?, name?)
    })
}
