//! Deployments.

mod change;
mod run;
mod schedule;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::api::redaction::{Mask, Reader, Redact};
use crate::api::v3::concurrency::wire::GlobalLimit;
use crate::api::v3::flow_runs::settings::CreatedBy;
use crate::api::v3::wire::Instant;
use crate::app::Outlook;
use crate::domain::JsonMap;
use crate::domain::deployment::{self, Infrastructure};
use crate::domain::ids::{DeploymentId, WorkQueueId};
use crate::domain::runner::RunnerKind;
use crate::domain::work::Service;

pub use change::{DeploymentCreate, DeploymentUpdate};
pub use run::{RunRequest, refuse_choice};
use schedule::rule_out;
pub use schedule::{DueQuery, Schedule, ScheduleCreate, ScheduleRange, ScheduleUpdate};

/// What runs run on.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct FlowRunner {
    /// `docker`, `subprocess`, …
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// Its settings.
    #[schema(value_type = Option<Object>)]
    pub config: Option<JsonMap>,
}

impl FlowRunner {
    /// Whether neither a type nor settings are told.
    pub fn is_unset(&self) -> bool {
        self.kind.is_none() && self.config.is_none()
    }
}

impl From<Infrastructure> for FlowRunner {
    fn from(Infrastructure { kind, config }: Infrastructure) -> Self {
        let kind = kind.map(String::from);
        Self { kind, config }
    }
}

impl From<FlowRunner> for Infrastructure {
    fn from(FlowRunner { kind, config }: FlowRunner) -> Self {
        let kind = kind.map(RunnerKind::from);
        Self { kind, config }
    }
}

/// A deployment.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Deployment {
    /// Its id.
    pub id: Uuid,
    /// When it was first created.
    pub created: Instant,
    /// When it last changed.
    pub updated: Instant,
    /// Its name within its flow.
    pub name: String,
    /// Its version.
    pub version: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// Its flow.
    pub flow_id: Uuid,
    /// Whether its schedules are not followed.
    pub paused: bool,
    /// When to run it by itself.
    pub schedules: Vec<Schedule>,
    /// Always null, as on the reference; see `global_concurrency_limit`.
    pub concurrency_limit: Option<i64>,
    /// The limit on how many of its runs are executed at once.
    pub global_concurrency_limit: Option<GlobalLimit>,
    /// What becomes of the others.
    pub concurrency_options: Option<Options>,
    /// The variables of its pool's template.
    #[schema(value_type = Object)]
    pub job_variables: JsonMap,
    /// Default parameters.
    #[schema(value_type = Object)]
    pub parameters: JsonMap,
    /// Tags.
    pub tags: Vec<String>,
    /// Labels.
    #[schema(value_type = Object)]
    pub labels: JsonMap,
    /// The queue whose workers take its runs.
    pub work_queue_name: Option<String>,
    /// Its id.
    pub work_queue_id: Option<Uuid>,
    /// When somebody last asked for its runs.
    pub last_polled: Option<Instant>,
    /// The JSON Schema of its parameters.
    #[schema(value_type = Option<Object>)]
    pub parameter_openapi_schema: Option<JsonMap>,
    /// Where the flow's code is.
    pub path: Option<String>,
    /// What a run does to get it.
    pub pull_steps: Option<Value>,
    /// The file and the function that are the flow.
    pub entrypoint: Option<String>,
    /// The block document of its storage.
    pub storage_document_id: Option<Uuid>,
    /// The block document of its infrastructure.
    pub infrastructure_document_id: Option<Uuid>,
    /// Who created it.
    pub created_by: Option<CreatedBy>,
    /// Who changed it last.
    pub updated_by: Option<CreatedBy>,
    /// The pool that its queue belongs to.
    pub work_pool_name: Option<String>,
    /// `READY` where somebody has asked for its runs of late, else `NOT_READY`.
    pub status: String,
    /// Whether parameters have to conform to the schema.
    pub enforce_parameter_schema: bool,
    /// The first of its schedules.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule: Option<Value>,
    /// When that schedule is due next; told of one deployment, not in lists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_date: Option<Instant>,
    /// Why that schedule is never due again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule_note: Option<String>,
    /// What its runs run on, in the 2.0a7 generation.
    #[serde(default, skip_serializing_if = "FlowRunner::is_unset")]
    pub flow_runner: FlowRunner,
    /// The document that leads to the flow's code, in the 2.0a7 generation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flow_data: Option<Value>,
}

/// What becomes of runs for which there is no slot.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Options {
    /// `ENQUEUE` or `CANCEL_NEW`.
    pub collision_strategy: String,
    /// How many seconds a run may hold its slot before it has begun.
    pub grace_period_seconds: Option<i64>,
}

impl From<deployment::ConcurrencyOptions> for Options {
    fn from(options: deployment::ConcurrencyOptions) -> Self {
        Self {
            collision_strategy: options.collision_strategy.word().to_owned(),
            grace_period_seconds: options.grace_period_seconds,
        }
    }
}

impl Deployment {
    /// A deployment, by what is known of who serves pools.
    pub fn new(deployment: deployment::Deployment, service: Service) -> Self {
        let is_ready = service.is_ready(&deployment);
        let deployment::Deployment {
            id,
            created,
            updated,
            name,
            flow_id,
            version,
            description,
            flow_data,
            path,
            entrypoint,
            pull_steps,
            schedules,
            is_schedule_active,
            parameters,
            parameter_schema,
            enforces_schema,
            tags,
            labels,
            infrastructure,
            job_variables,
            work_queue_id,
            work_queue_name,
            work_pool_name,
            concurrency,
            shared_limit,
            storage_document_id,
            infrastructure_document_id,
            created_by,
            updated_by,
            last_polled,
            served,
        } = deployment;
        // A poll of its queue that came before it was not for it.
        let of_queue = served.and_then(|served| served.queue_polled);
        let last_polled = last_polled.max(of_queue.filter(|at| *at >= created));
        let shared = shared_limit.map(|limit| {
            let taken = limit.all_taken(concurrency.taken, limit.counted_at);
            GlobalLimit::of(limit, taken)
        });
        let own = concurrency.limit.map(|limit| GlobalLimit {
            id: id.uuid(),
            created: created.into(),
            updated: updated.into(),
            active: true,
            name: format!("deployment:{id}"),
            limit,
            active_slots: concurrency.taken,
            slot_decay_per_second: 0.0,
        });
        Self {
            id: id.uuid(),
            created: created.into(),
            updated: updated.into(),
            name,
            version,
            description,
            flow_id: flow_id.uuid(),
            paused: !is_schedule_active,
            schedule: schedules.first().map(|first| rule_out(&first.rule)),
            schedules: Schedule::all_of(id, schedules),
            concurrency_limit: None,
            global_concurrency_limit: own.or(shared),
            concurrency_options: concurrency.options.map(Options::from),
            job_variables,
            parameters,
            tags,
            labels,
            work_queue_name,
            work_queue_id: work_queue_id.map(WorkQueueId::uuid),
            last_polled: last_polled.map(Into::into),
            parameter_openapi_schema: parameter_schema,
            path,
            // The reference has no steps where none were given, and null in no case.
            pull_steps: Some(pull_steps.unwrap_or_else(|| Value::Array(Vec::new()))),
            entrypoint,
            storage_document_id,
            infrastructure_document_id,
            created_by: created_by.map(CreatedBy::from),
            updated_by: updated_by.map(CreatedBy::from),
            work_pool_name,
            status: if is_ready { "READY" } else { "NOT_READY" }.to_owned(),
            enforce_parameter_schema: enforces_schema,
            next_date: None,
            schedule_note: None,
            flow_runner: infrastructure.into(),
            flow_data,
        }
    }

    /// The same with what there is to say about its first schedule.
    #[must_use]
    pub fn with_outlook(self, outlook: Option<Outlook>) -> Self {
        let (next_date, schedule_note) = match outlook {
            None => (None, None),
            Some(Outlook::Next(next)) => (Some(next.into()), None),
            Some(Outlook::NoneLeft) => (None, Some("no date is left".to_owned())),
            Some(Outlook::TooCostly(costly)) => (None, Some(format!("not followed: {costly}"))),
        };
        Self {
            next_date,
            schedule_note,
            ..self
        }
    }
}

impl Redact for Deployment {
    fn redact(&mut self, reader: &Reader<'_>) {
        let Self {
            id,
            created: _,
            updated: _,
            name,
            version,
            description,
            flow_id: _,
            paused: _,
            schedules,
            concurrency_limit: _,
            global_concurrency_limit: _,
            concurrency_options: _,
            job_variables,
            parameters,
            tags,
            labels,
            work_queue_name,
            work_queue_id: _,
            last_polled: _,
            parameter_openapi_schema,
            path,
            pull_steps,
            entrypoint,
            storage_document_id: _,
            infrastructure_document_id: _,
            created_by: _,
            updated_by: _,
            work_pool_name,
            status: _,
            enforce_parameter_schema: _,
            schedule,
            next_date: _,
            schedule_note,
            flow_runner,
            flow_data,
        } = self;
        let mask = reader.of_deployment(DeploymentId::from_uuid(*id));
        mask.over(name);
        for text in [version, description, work_queue_name, work_pool_name] {
            mask.over(text);
        }
        for schedule in schedules {
            schedule.redact_by(&mask);
        }
        mask.over_infrastructure(job_variables);
        mask.over(schedule);
        mask.over(schedule_note);
        mask.over(parameters);
        mask.over(parameter_openapi_schema);
        mask.over(tags);
        mask.over(labels);
        mask.over_flow(path);
        mask.over_flow(pull_steps);
        mask.over_flow(entrypoint);
        flow_runner.redact(&mask);
        mask.over_flow(flow_data);
    }

    fn leave_out_ours(&mut self) {
        self.schedule = None;
        (self.next_date, self.schedule_note) = (None, None);
        (self.flow_runner, self.flow_data) = (FlowRunner::default(), None);
    }
}

impl FlowRunner {
    /// Masks the secrets in it.
    pub fn redact(&mut self, mask: &Mask<'_>) {
        let Self { kind, config } = self;
        mask.over_infrastructure(kind);
        mask.over_infrastructure(config);
    }
}
