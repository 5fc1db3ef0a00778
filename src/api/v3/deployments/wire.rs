//! Deployments.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::api::redaction::{Mask, Reader, Redact};
use crate::api::v3::extract::AimedBody;
use crate::api::v3::wire::{Instant, StateCreate};
use crate::app::Outlook;
use crate::domain::JsonMap;
use crate::domain::deployment::{self, Infrastructure, NewDeployment};
use crate::domain::error::Error;
use crate::domain::flow_run::DeploymentRunRequest;
use crate::domain::flow_run_policy::FlowRunPolicy;
use crate::domain::ids::{DeploymentId, FlowId, TaskRunId};
use crate::domain::runner::RunnerKind;
use crate::domain::schedule::Schedule;

/// What runs run on.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
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
    /// Its flow.
    pub flow_id: Uuid,
    /// When to run it by itself.
    pub schedule: Option<Value>,
    /// When that schedule is due next; told of one deployment, not in lists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_date: Option<Instant>,
    /// Why that schedule is never due again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule_note: Option<String>,
    /// Whether that schedule is not followed.
    pub paused: bool,
    /// Default parameters.
    #[schema(value_type = Object)]
    pub parameters: JsonMap,
    /// Tags.
    pub tags: Vec<String>,
    /// What its runs run on.
    pub flow_runner: FlowRunner,
    /// The document that leads to the flow's code.
    pub flow_data: Option<Value>,
}

impl From<deployment::Deployment> for Deployment {
    fn from(deployment: deployment::Deployment) -> Self {
        let deployment::Deployment {
            id,
            created,
            updated,
            name,
            flow_id,
            flow_data,
            schedules,
            is_schedule_active,
            parameters,
            tags,
            infrastructure,
        } = deployment;
        Self {
            id: id.uuid(),
            created: created.into(),
            updated: updated.into(),
            name,
            flow_id: flow_id.uuid(),
            schedule: schedules.first().map(|first| schedule_out(&first.rule)),
            next_date: None,
            schedule_note: None,
            paused: !is_schedule_active,
            parameters,
            tags,
            flow_runner: infrastructure.into(),
            flow_data,
        }
    }
}

impl Deployment {
    /// The same with what there is to say about its schedule.
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

fn schedule_out(schedule: &Schedule) -> Value {
    match schedule {
        Schedule::Interval(it) => json!({
            "interval": it.every.as_secs_f64(),
            "timezone": it.timezone,
            "anchor_date": Instant::from(it.anchor).to_string(),
        }),
        Schedule::Cron(it) => json!({
            "cron": it.expression,
            "timezone": it.timezone,
            "day_or": it.day_or,
        }),
        Schedule::Rrule(it) => json!({ "rrule": it.rule, "timezone": it.timezone }),
    }
}

impl Redact for Deployment {
    fn redact(&mut self, reader: &Reader<'_>) {
        let Self {
            id,
            created: _,
            updated: _,
            name,
            flow_id: _,
            schedule,
            next_date: _,
            schedule_note,
            paused: _,
            parameters,
            tags,
            flow_runner,
            flow_data,
        } = self;
        let mask = reader.of_deployment(DeploymentId::from_uuid(*id));
        mask.over(name);
        mask.over(schedule);
        mask.over(schedule_note);
        mask.over(parameters);
        mask.over(tags);
        flow_runner.redact(&mask);
        mask.over_flow(flow_data);
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

/// A deployment to be created.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DeploymentCreate {
    name: String,
    flow_id: Uuid,
    #[serde(default)]
    flow_data: Option<Value>,
    #[serde(default)]
    paused: bool,
    #[serde(default)]
    #[schema(value_type = Object)]
    parameters: JsonMap,
    #[serde(default)]
    tags: Vec<String>,
    #[serde(default)]
    flow_runner: Option<FlowRunner>,
}

impl From<DeploymentCreate> for NewDeployment {
    fn from(create: DeploymentCreate) -> Self {
        Self {
            name: create.name,
            flow_id: FlowId::from_uuid(create.flow_id),
            flow_data: create.flow_data,
            schedules: Vec::new(),
            is_schedule_active: !create.paused,
            parameters: create.parameters,
            tags: create.tags,
            infrastructure: create.flow_runner.map(Into::into),
        }
    }
}

/// A run wanted of a deployment.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RunRequest {
    /// The run's name.
    pub name: Option<String>,
    /// Laid over the deployment's parameters.
    #[schema(value_type = Object)]
    pub parameters: JsonMap,
    /// Free context.
    #[schema(value_type = Object)]
    pub context: JsonMap,
    /// Added to the deployment's tags.
    pub tags: Vec<String>,
    /// The same key answers the same run.
    pub idempotency_key: Option<String>,
    /// The task run that stands for it in a parent.
    pub parent_task_run_id: Option<Uuid>,
    /// Its first state; absent: Scheduled for now.
    pub state: Option<StateCreate>,
    /// What it would run on. Known so that a run is told that it may not choose; nobody can yet.
    #[serde(skip_serializing)]
    #[schema(ignore)]
    pub flow_runner: Option<FlowRunner>,
    /// The same in the modern server's words.
    #[serde(skip_serializing)]
    #[schema(ignore)]
    pub job_variables: Option<JsonMap>,
}

/// Lets a request pass that chooses nothing.
///
/// # Errors
/// [`Kind::Invalid`](crate::domain::error::Kind::Invalid) otherwise.
pub fn refuse_choice(chosen: Option<&Infrastructure>) -> Result<(), Error> {
    match chosen {
        Some(_) => Err(Error::invalid("flow_runner cannot be chosen here.")),
        None => Ok(()),
    }
}

impl AimedBody for RunRequest {
    type Meaning = DeploymentRunRequest;

    fn meaning(self) -> Result<DeploymentRunRequest, Error> {
        // The modern server schedules such a run for now; the 2.0a7 one leaves it Pending.
        let state = self.state.unwrap_or_else(|| StateCreate {
            kind: "SCHEDULED".to_owned(),
            ..StateCreate::default()
        });
        Ok(DeploymentRunRequest {
            name: self.name,
            parameters: self.parameters,
            context: self.context,
            tags: self.tags,
            idempotency_key: self.idempotency_key,
            parent_task_run_id: self.parent_task_run_id.map(TaskRunId::from_uuid),
            infrastructure: self.flow_runner.map(Infrastructure::from),
            job_variables: self.job_variables,
            policy: FlowRunPolicy::default(),
            labels: JsonMap::new(),
            state: Some(state.try_into()?),
            created_by: None,
        })
    }
}
