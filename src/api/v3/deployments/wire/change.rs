//! What clients say of a deployment that they create or change.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use super::FlowRunner;
use super::schedule::{ScheduleCreate, ScheduleUpdate, positive};
use crate::api::v3::wire::{Labels, said, unreserved_name};
use crate::domain::JsonMap;
use crate::domain::actor::Actor;
use crate::domain::deployment::{
    self, CollisionStrategy, DeploymentChanges, Infrastructure, NewDeployment, QueueNames,
};
use crate::domain::error::{Error, Result};
use crate::domain::ids::{FlowId, LimitId};
use crate::domain::patch::Patch;
use crate::domain::time::Timestamp;

/// The most bytes of parameters, as on the reference.
const MOST_PARAMETERS: usize = 512 * 1024;
/// The most bytes of a schema of parameters.
const MOST_SCHEMA: usize = 1024 * 1024;

/// What becomes of runs for which there is no slot.
#[derive(Clone, Debug, Deserialize, ToSchema)]
pub struct ConcurrencyOptions {
    /// `ENQUEUE` or `CANCEL_NEW`.
    collision_strategy: String,
    /// How many seconds a run may hold its slot before it has begun.
    #[serde(default)]
    grace_period_seconds: Option<i64>,
}

/// What is said of a deployment both when it is created and when it is changed.
#[derive(Debug, Default)]
struct Said {
    version: Patch<String>,
    description: Patch<String>,
    path: Patch<String>,
    entrypoint: Patch<String>,
    pull_steps: Patch<Vec<JsonMap>>,
    paused: Option<bool>,
    parameters: Option<JsonMap>,
    parameter_openapi_schema: Patch<JsonMap>,
    enforce_parameter_schema: Option<bool>,
    tags: Option<Vec<String>>,
    job_variables: Option<JsonMap>,
    work_pool_name: Patch<String>,
    work_queue_name: Patch<String>,
    concurrency_limit: Patch<i64>,
    concurrency_options: Patch<ConcurrencyOptions>,
    global_concurrency_limit_id: Patch<Uuid>,
    storage_document_id: Patch<Uuid>,
    infrastructure_document_id: Patch<Uuid>,
}

/// What is said of a version besides: at least of what type it is, and which.
fn version_info<'de, D: Deserializer<'de>>(
    given: D,
) -> std::result::Result<Option<JsonMap>, D::Error> {
    let info = Option::<JsonMap>::deserialize(given)?;
    let is_text = |name: &str| {
        info.as_ref()
            .is_none_or(|info| info.get(name).is_some_and(Value::is_string))
    };
    match is_text("type") && is_text("version") {
        true => Ok(info),
        false => Err(D::Error::custom("a version has a type and a version")),
    }
}

/// A deployment to be created, or laid over the one that is there.
#[derive(Debug, Deserialize, ToSchema)]
pub struct DeploymentCreate {
    #[serde(deserialize_with = "unreserved_name")]
    name: String,
    flow_id: Uuid,
    #[serde(default)]
    paused: Option<bool>,
    #[serde(default)]
    schedules: Vec<ScheduleCreate>,
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = Option<i64>)]
    concurrency_limit: Patch<i64>,
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = Option<ConcurrencyOptions>)]
    concurrency_options: Patch<ConcurrencyOptions>,
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = Option<Uuid>)]
    global_concurrency_limit_id: Patch<Uuid>,
    #[serde(default)]
    enforce_parameter_schema: Option<bool>,
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = Option<Object>)]
    parameter_openapi_schema: Patch<JsonMap>,
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    parameters: Option<JsonMap>,
    #[serde(default)]
    tags: Option<Vec<String>>,
    #[serde(default)]
    labels: Option<Labels>,
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = Option<Vec<Object>>)]
    pull_steps: Patch<Vec<JsonMap>>,
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = Option<String>)]
    work_queue_name: Patch<String>,
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = Option<String>)]
    work_pool_name: Patch<String>,
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = Option<Uuid>)]
    storage_document_id: Patch<Uuid>,
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = Option<Uuid>)]
    infrastructure_document_id: Patch<Uuid>,
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = Option<String>)]
    description: Patch<String>,
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = Option<String>)]
    path: Patch<String>,
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = Option<String>)]
    version: Patch<String>,
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = Option<String>)]
    entrypoint: Patch<String>,
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    job_variables: Option<JsonMap>,
    /// Known; what counts of it is `version`.
    #[serde(default, deserialize_with = "version_info")]
    #[schema(value_type = Option<Object>)]
    #[expect(
        dead_code,
        reason = "named so that it is known; `version` is what counts of it"
    )]
    version_info: Option<JsonMap>,
    #[serde(default)]
    flow_data: Option<Value>,
    #[serde(default)]
    flow_runner: Option<FlowRunner>,
}

/// Changes to a deployment; absent fields stay.
#[derive(Debug, Default, Deserialize, ToSchema)]
pub struct DeploymentUpdate {
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = Option<String>)]
    version: Patch<String>,
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = Option<String>)]
    description: Patch<String>,
    #[serde(default)]
    paused: Option<bool>,
    #[serde(default)]
    schedules: Option<Vec<ScheduleUpdate>>,
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = Option<i64>)]
    concurrency_limit: Patch<i64>,
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = Option<ConcurrencyOptions>)]
    concurrency_options: Patch<ConcurrencyOptions>,
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = Option<Uuid>)]
    global_concurrency_limit_id: Patch<Uuid>,
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    parameters: Option<JsonMap>,
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = Option<Object>)]
    parameter_openapi_schema: Patch<JsonMap>,
    #[serde(default)]
    tags: Option<Vec<String>>,
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = Option<String>)]
    work_queue_name: Patch<String>,
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = Option<String>)]
    work_pool_name: Patch<String>,
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = Option<String>)]
    path: Patch<String>,
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    job_variables: Option<JsonMap>,
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = Option<Vec<Object>>)]
    pull_steps: Patch<Vec<JsonMap>>,
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = Option<String>)]
    entrypoint: Patch<String>,
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = Option<Uuid>)]
    storage_document_id: Patch<Uuid>,
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = Option<Uuid>)]
    infrastructure_document_id: Patch<Uuid>,
    #[serde(default)]
    enforce_parameter_schema: Option<bool>,
    /// Known; what counts of it is `version`.
    #[serde(default, deserialize_with = "version_info")]
    #[schema(value_type = Option<Object>)]
    #[expect(
        dead_code,
        reason = "named so that it is known; `version` is what counts of it"
    )]
    version_info: Option<JsonMap>,
}

impl DeploymentCreate {
    /// What it says, at `now`, by whom.
    pub fn meaning(self, now: Timestamp, by: Option<Actor>) -> Result<NewDeployment> {
        let schedules = self.schedules.into_iter();
        let schedules: Result<Vec<_>> = schedules.map(|it| it.meaning(now)).collect();
        let said = Said {
            version: self.version,
            description: self.description,
            path: self.path,
            entrypoint: self.entrypoint,
            pull_steps: self.pull_steps,
            paused: self.paused,
            // As on the reference, those that are not said are none, also of one that is there.
            parameters: Some(self.parameters.unwrap_or_default()),
            parameter_openapi_schema: self.parameter_openapi_schema,
            enforce_parameter_schema: self.enforce_parameter_schema,
            tags: self.tags,
            job_variables: self.job_variables,
            work_pool_name: self.work_pool_name,
            work_queue_name: self.work_queue_name,
            concurrency_limit: self.concurrency_limit,
            concurrency_options: self.concurrency_options,
            global_concurrency_limit_id: self.global_concurrency_limit_id,
            storage_document_id: self.storage_document_id,
            infrastructure_document_id: self.infrastructure_document_id,
        };
        let changes = DeploymentChanges {
            labels: self.labels.map(JsonMap::from),
            flow_data: self.flow_data.map_or(Patch::Keep, Patch::Set),
            infrastructure: self.flow_runner.map(Infrastructure::from),
            ..said.meaning()?
        };
        Ok(NewDeployment {
            schedules: schedules?,
            enforces_schema: true,
            changes,
            by,
            ..NewDeployment::named(FlowId::from_uuid(self.flow_id), self.name)
        })
    }
}

impl DeploymentUpdate {
    /// What it says, at `now`, by whom.
    pub fn meaning(
        self,
        now: Timestamp,
        by: Option<Actor>,
    ) -> Result<deployment::DeploymentUpdate> {
        let schedules = self.schedules.map(|all| {
            let all = all.into_iter().map(|it| it.meaning(now));
            all.collect::<Result<Vec<_>>>()
        });
        let said = Said {
            version: self.version,
            description: self.description,
            path: self.path,
            entrypoint: self.entrypoint,
            pull_steps: self.pull_steps,
            paused: self.paused,
            parameters: self.parameters,
            parameter_openapi_schema: self.parameter_openapi_schema,
            enforce_parameter_schema: self.enforce_parameter_schema,
            tags: self.tags,
            job_variables: self.job_variables,
            work_pool_name: self.work_pool_name,
            work_queue_name: self.work_queue_name,
            concurrency_limit: self.concurrency_limit,
            concurrency_options: self.concurrency_options,
            global_concurrency_limit_id: self.global_concurrency_limit_id,
            storage_document_id: self.storage_document_id,
            infrastructure_document_id: self.infrastructure_document_id,
        };
        Ok(deployment::DeploymentUpdate {
            schedules: schedules.transpose()?,
            changes: said.meaning()?,
            by,
        })
    }
}

impl Said {
    fn meaning(self) -> Result<DeploymentChanges> {
        let limit = self.concurrency_limit.over(None);
        let shared = self.global_concurrency_limit_id.over(None);
        if shared.is_some() && limit.is_some_and(|limit| limit != 0) {
            return Err(Error::invalid(
                "A deployment has a concurrency limit of its own, or one of several.",
            ));
        }
        let queue = queue(self.work_pool_name, self.work_queue_name);
        if let Some(parameters) = &self.parameters {
            check_size("parameters", parameters, MOST_PARAMETERS)?;
        }
        if let Patch::Set(schema) = &self.parameter_openapi_schema {
            check_size("parameter_openapi_schema", schema, MOST_SCHEMA)?;
        }
        Ok(DeploymentChanges {
            version: self.version,
            description: self.description,
            flow_data: Patch::Keep,
            path: self.path,
            entrypoint: self.entrypoint,
            pull_steps: self.pull_steps.map(|steps| {
                let steps = steps.into_iter().map(Value::Object);
                steps.collect()
            }),
            is_schedule_active: self.paused.map(|paused| !paused),
            parameters: self.parameters,
            // As on the reference, null is a schema that anything fits.
            parameter_schema: match self.parameter_openapi_schema {
                Patch::Clear => Patch::Set(JsonMap::new()),
                said => said,
            },
            enforces_schema: self.enforce_parameter_schema,
            tags: self.tags,
            labels: None,
            infrastructure: None,
            job_variables: self.job_variables,
            queue,
            concurrency_limit: self
                .concurrency_limit
                .try_map(|limit| positive("concurrency_limit", Some(limit)).map(|_| limit))?,
            shared_limit: self.global_concurrency_limit_id.map(LimitId::from_uuid),
            concurrency_options: self.concurrency_options.try_map(options)?,
            storage_document_id: self.storage_document_id,
            infrastructure_document_id: self.infrastructure_document_id,
        })
    }
}

/// The queue that is named. A pool that is null is none; a queue that is null is the pool's own.
fn queue(pool: Patch<String>, queue: Patch<String>) -> Patch<QueueNames> {
    let queue = queue.over(None);
    match (pool, queue) {
        (Patch::Keep, None) => Patch::Keep,
        (Patch::Clear, None) => Patch::Clear,
        (pool, queue) => Patch::Set(QueueNames {
            pool: pool.over(None),
            queue,
        }),
    }
}

/// Refuses what is larger than `most` bytes as text.
pub fn check_size(name: &str, map: &JsonMap, most: usize) -> Result<()> {
    let size = serde_json::to_string(map).map_or(usize::MAX, |text| text.len());
    match size > most {
        true => Err(Error::invalid(format!(
            "{name} must have at most {most} bytes, and have {size}."
        ))),
        false => Ok(()),
    }
}

fn options(given: ConcurrencyOptions) -> Result<deployment::ConcurrencyOptions> {
    let ConcurrencyOptions {
        collision_strategy,
        grace_period_seconds,
    } = given;
    let strategy = CollisionStrategy::from_word(&collision_strategy);
    let strategy =
        strategy.ok_or_else(|| Error::invalid("collision_strategy is ENQUEUE or CANCEL_NEW."))?;
    match grace_period_seconds {
        Some(seconds) if !(60..=86_400).contains(&seconds) => {
            Err(Error::invalid("grace_period_seconds is from 60 to 86400."))
        }
        seconds => Ok(deployment::ConcurrencyOptions {
            collision_strategy: strategy,
            grace_period_seconds: seconds,
        }),
    }
}
