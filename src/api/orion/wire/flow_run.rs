//! Flow runs on the wire.

use std::borrow::Cow;
use std::collections::HashSet;

use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::super::read::{
    Fields, JsonValue, Presence, ReadContext, id, list, map, string, string_or_random,
};
use super::run::{FlowRunnerOut, StatisticsOut, flow_runner};
use super::state::{StateOut, proposal};
use super::time::Iso;
use crate::api::redaction::{Reader, Redact};
use crate::domain::JsonMap;
use crate::domain::deployment::Infrastructure;
use crate::domain::flow_run::{DeploymentRunRequest, FlowRun, FlowRunUpdate, NewFlowRun};
use crate::domain::flow_run_policy::FlowRunPolicy;
use crate::domain::ids::{DeploymentId, FlowId, FlowRunId, TaskRunId};
use crate::domain::names;
use crate::domain::patch::Patch;
use crate::domain::time::Timestamp;

/// A flow run.
#[derive(Serialize, ToSchema)]
#[schema(as = orion::FlowRun)]
pub struct FlowRunOut<'a> {
    id: Uuid,
    created: Iso,
    updated: Iso,
    name: Cow<'a, str>,
    flow_id: Uuid,
    state_id: Option<Uuid>,
    deployment_id: Option<Uuid>,
    flow_version: Option<Cow<'a, str>>,
    #[schema(value_type = Object)]
    parameters: Cow<'a, JsonMap>,
    idempotency_key: Option<Cow<'a, str>>,
    #[schema(value_type = Object)]
    context: Cow<'a, JsonMap>,
    #[schema(value_type = Object)]
    empirical_policy: JsonMap,
    #[schema(value_type = Object)]
    empirical_config: Cow<'a, JsonMap>,
    tags: Cow<'a, [String]>,
    parent_task_run_id: Option<Uuid>,
    #[serde(flatten)]
    statistics: StatisticsOut,
    auto_scheduled: bool,
    flow_runner: FlowRunnerOut<'a>,
    state: Option<StateOut<'a>>,
}

impl<'a> FlowRunOut<'a> {
    /// A run as it is at `now`.
    pub fn new(run: &'a FlowRun, now: Timestamp) -> Self {
        let FlowRun {
            id,
            created,
            updated,
            name,
            flow_id,
            deployment_id,
            flow_version,
            parameters,
            idempotency_key,
            context,
            policy: _,
            empirical_config,
            tags,
            labels: _,
            parent_task_run_id,
            auto_scheduled,
            infrastructure,
            // These clients know none of these.
            job_variables: _,
            work_queue_id: _,
            queue: _,
            deployment_version: _,
            infrastructure_pid: _,
            created_by: _,
            claim: _,
            statistics,
            state,
        } = run;
        Self {
            id: id.uuid(),
            created: Iso(*created),
            updated: Iso(*updated),
            name: name.into(),
            flow_id: flow_id.uuid(),
            state_id: state.as_ref().map(|state| state.id.uuid()),
            deployment_id: deployment_id.map(DeploymentId::uuid),
            flow_version: flow_version.as_deref().map(Cow::Borrowed),
            parameters: Cow::Borrowed(parameters),
            idempotency_key: idempotency_key.as_deref().map(key),
            context: Cow::Borrowed(context),
            // Runs of this generation have none.
            empirical_policy: JsonMap::new(),
            empirical_config: Cow::Borrowed(empirical_config),
            tags: tags.into(),
            parent_task_run_id: parent_task_run_id.map(TaskRunId::uuid),
            statistics: StatisticsOut::new(statistics, state.as_ref(), now),
            auto_scheduled: *auto_scheduled,
            flow_runner: infrastructure.into(),
            state: state.as_ref().map(StateOut::from),
        }
    }
}

impl Redact for FlowRunOut<'_> {
    fn runs(&self, noted: &mut HashSet<FlowRunId>) {
        noted.insert(FlowRunId::from_uuid(self.id));
    }

    fn redact(&mut self, reader: &Reader<'_>) {
        let Self {
            id,
            created: _,
            updated: _,
            name,
            flow_id: _,
            state_id: _,
            deployment_id,
            flow_version,
            parameters,
            idempotency_key,
            context,
            empirical_policy: _,
            empirical_config,
            tags,
            parent_task_run_id: _,
            statistics: _,
            auto_scheduled: _,
            flow_runner,
            state,
        } = self;
        let mask = reader.of_flow_run(FlowRunId::from_uuid(*id), deployment_id.is_some());
        mask.over(name);
        mask.over(flow_version);
        mask.over(idempotency_key);
        for map in [parameters, context, empirical_config] {
            mask.over(map);
        }
        mask.over(tags);
        flow_runner.redact_by(&mask);
        if let Some(state) = state {
            state.redact_by(&mask);
        }
    }
}

/// A name; null and what else is false to Python ask for a random name.
fn name(fields: &mut Fields<'_, '_>) -> Option<Option<String>> {
    fields
        .optional("name", string_or_random)
        .map(Option::flatten)
}

/// A flow run to be created.
pub fn new_flow_run(value: &JsonValue<'_>, context: &mut ReadContext) -> Option<NewFlowRun> {
    let mut fields = Fields::of_row(value, context);
    let name = name(&mut fields);
    let flow_id = fields.required("flow_id", id(FlowId::from_uuid));
    let deployment_id = fields.optional("deployment_id", id(DeploymentId::from_uuid));
    let flow_version = fields.optional("flow_version", string);
    let parameters = fields.default("parameters", map, JsonMap::new);
    let idempotency_key = fields.optional("idempotency_key", string);
    let context = fields.default("context", map, JsonMap::new);
    let tags = fields.default("tags", list(string), Vec::new);
    let parent_task_run_id = fields.optional("parent_task_run_id", id(TaskRunId::from_uuid));
    let infrastructure = fields.optional("flow_runner", flow_runner);
    let state = fields.optional("state", proposal);
    fields.finish();
    Some(NewFlowRun {
        name: name?,
        flow_id: flow_id?,
        deployment_id: deployment_id?,
        flow_version: flow_version?,
        parameters: parameters?,
        idempotency_key: idempotency_key?,
        context: context?,
        policy: FlowRunPolicy::default(),
        tags: tags?,
        labels: JsonMap::new(),
        parent_task_run_id: parent_task_run_id?,
        infrastructure: infrastructure?.unwrap_or_default(),
        job_variables: None,
        work_queue_id: None,
        queue_names: None,
        deployment_version: None,
        auto_scheduled: false,
        created_by: None,
        state: state?,
        is_told: false,
    })
}

/// The key of a run as these clients know it: that of a date, which names deployment and schedule,
/// names one of them here, which are the same where there is one schedule.
fn key(stored: &str) -> Cow<'_, str> {
    let parts: Vec<_> = stored.split(' ').collect();
    match parts.as_slice() {
        ["scheduled", _, schedule, day, time] if Uuid::parse_str(schedule).is_ok() => {
            Cow::Owned(format!("scheduled {schedule} {day}T{time}"))
        }
        _ => Cow::Borrowed(stored),
    }
}

/// A run wanted of a deployment.
pub fn run_request(
    value: &JsonValue<'_>,
    context: &mut ReadContext,
) -> Option<DeploymentRunRequest> {
    let mut fields = Fields::of_row(value, context);
    let name = name(&mut fields);
    let parameters = fields.default("parameters", map, JsonMap::new);
    let idempotency_key = fields.optional("idempotency_key", string);
    let context = fields.default("context", map, JsonMap::new);
    let tags = fields.default("tags", list(string), Vec::new);
    let infrastructure = fields.optional("flow_runner", flow_runner);
    let state = fields.optional("state", proposal);
    fields.finish();
    Some(DeploymentRunRequest {
        name: name?,
        parameters: parameters?,
        context: context?,
        tags: tags?,
        idempotency_key: idempotency_key?,
        parent_task_run_id: None,
        infrastructure: infrastructure?,
        job_variables: None,
        policy: FlowRunPolicy::default(),
        labels: JsonMap::new(),
        enforces_schema: None,
        work_queue_name: None,
        state: state?,
        created_by: None,
        is_modern: false,
    })
}

/// Changes to a flow run; absent fields stay.
pub fn flow_run_update(value: &JsonValue<'_>, context: &mut ReadContext) -> Option<FlowRunUpdate> {
    let mut fields = Fields::of_row(value, context);
    let renames = fields.has("name");
    let name = name(&mut fields);
    let has_version = fields.has("flow_version");
    let flow_version = fields.optional("flow_version", string);
    let parameters = fields
        .field("parameters", Presence::Default, map)
        .optional();
    let clears_runner = fields.has("flow_runner");
    let infrastructure = fields.optional("flow_runner", flow_runner);
    fields.finish();
    Some(FlowRunUpdate {
        flow_version: match has_version {
            true => Patch::from(flow_version?),
            false => Patch::Keep,
        },
        parameters: parameters?,
        name: name?
            .filter(|name| !name.is_empty())
            .or_else(|| renames.then(names::random)),
        tags: None,
        infrastructure: infrastructure?.or_else(|| clears_runner.then(Infrastructure::default)),
        ..FlowRunUpdate::default()
    })
}
