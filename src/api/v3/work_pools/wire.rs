//! Work pools.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::api::redaction::{Reader, Redact};
use crate::api::v3::client::TakesResultStorage;
use crate::api::v3::wire::operators::{Operator, all, asked};
use crate::api::v3::wire::{
    ById, ByText, Instant, check_limit, or_default, page, said, telling_name,
};
use crate::domain::JsonMap;
use crate::domain::error::{Error, Result};
use crate::domain::filter::{Criteria, Filters, Page, work_pool};
use crate::domain::patch::Patch;
use crate::domain::work::{self, NewWorkPool, PoolStatus, Service, WorkPoolUpdate};

/// A work pool.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct WorkPool {
    /// Its id.
    pub id: Uuid,
    /// When it was created.
    pub created: Instant,
    /// When it last changed.
    pub updated: Instant,
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// The type of its workers.
    #[serde(rename = "type")]
    pub kind: String,
    /// What its jobs are made of.
    #[schema(value_type = Object)]
    pub base_job_template: JsonMap,
    /// Whether none of its runs are handed out.
    pub is_paused: bool,
    /// The most of its runs that are under way at once.
    pub concurrency_limit: Option<i64>,
    /// `READY`, `NOT_READY` or `PAUSED`; null of a pool for agents.
    pub status: Option<String>,
    /// The queue of runs that name none.
    pub default_queue_id: Option<Uuid>,
    /// Where results and bundles are kept.
    #[schema(value_type = Object)]
    pub storage_configuration: JsonMap,
    /// How many of its runs are under way; null where there is no limit.
    pub active_slots: Option<i64>,
}

impl WorkPool {
    /// A pool as it is served at present.
    pub fn new(pool: work::WorkPool, service: Service) -> Self {
        let status = service.of_pool(&pool);
        let work::WorkPool {
            id,
            created,
            updated,
            name,
            description,
            kind,
            base_job_template,
            is_paused,
            concurrency_limit,
            storage,
            default_queue_id,
            online_until: _,
            active_slots,
            told: _,
        } = pool;
        Self {
            id: id.uuid(),
            created: created.into(),
            updated: updated.into(),
            name,
            description,
            kind: kind.word().to_owned(),
            base_job_template,
            is_paused,
            status: status.map(|status: PoolStatus| status.word().to_owned()),
            default_queue_id: Some(default_queue_id.uuid()),
            storage_configuration: with_all_members(storage),
            active_slots: concurrency_limit.map(|_| active_slots),
            concurrency_limit,
        }
    }

    /// The pool for a client that may not take the member about the storage of results.
    pub fn told_to(mut self, TakesResultStorage(takes): TakesResultStorage) -> Self {
        if !takes {
            self.storage_configuration.remove(RESULT_STORAGE);
        }
        self
    }
}

/// Which block results are kept by, unless something else is said.
const RESULT_STORAGE: &str = "default_result_storage_block_id";
/// What a storage configuration may say.
const STORAGE: [&str; 3] = [
    "bundle_upload_step",
    "bundle_execution_step",
    RESULT_STORAGE,
];

/// A storage configuration that says of each of its members that it is not there.
fn with_all_members(mut storage: JsonMap) -> JsonMap {
    let members = STORAGE.map(|name| {
        let said = storage.remove(name).unwrap_or_default();
        (name.to_owned(), said)
    });
    members.into_iter().collect()
}

impl Redact for WorkPool {
    fn redact(&mut self, reader: &Reader<'_>) {
        let Self {
            id: _,
            created: _,
            updated: _,
            name,
            description,
            kind,
            base_job_template,
            is_paused: _,
            concurrency_limit: _,
            status: _,
            default_queue_id: _,
            storage_configuration,
            active_slots: _,
        } = self;
        let mask = reader.of_nobody();
        mask.over(name);
        mask.over(description);
        mask.over(kind);
        mask.over(base_job_template);
        mask.over(storage_configuration);
    }
}

/// Where results and bundles are kept.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
pub struct StorageConfiguration {
    /// How a bundle is left there.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    bundle_upload_step: Option<JsonMap>,
    /// How a bundle is executed.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    bundle_execution_step: Option<JsonMap>,
    /// The block of the storage of results.
    #[serde(default)]
    default_result_storage_block_id: Option<Uuid>,
}

impl From<StorageConfiguration> for JsonMap {
    fn from(said: StorageConfiguration) -> Self {
        let StorageConfiguration {
            bundle_upload_step,
            bundle_execution_step,
            default_result_storage_block_id,
        } = said;
        let members = json!({
            "bundle_upload_step": bundle_upload_step,
            "bundle_execution_step": bundle_execution_step,
            "default_result_storage_block_id": default_result_storage_block_id,
        });
        let members = match members {
            Value::Object(members) => members,
            _ => JsonMap::new(),
        };
        let is_there = |(_, value): &(String, Value)| !value.is_null();
        members.into_iter().filter(is_there).collect()
    }
}

/// A pool to be created.
#[derive(Debug, Deserialize, ToSchema)]
pub struct WorkPoolCreate {
    #[serde(deserialize_with = "telling_name")]
    name: String,
    #[serde(default)]
    description: Option<String>,
    #[serde(default = "agents", rename = "type")]
    kind: String,
    #[serde(default)]
    #[schema(value_type = Object)]
    base_job_template: JsonMap,
    #[serde(default)]
    is_paused: bool,
    #[serde(default)]
    concurrency_limit: Option<i64>,
    #[serde(default)]
    storage_configuration: StorageConfiguration,
}

fn agents() -> String {
    work::PoolKind::Agent.word().to_owned()
}

impl TryFrom<WorkPoolCreate> for NewWorkPool {
    type Error = Error;

    fn try_from(create: WorkPoolCreate) -> Result<Self> {
        check_kind(&create.kind)?;
        check_limit(create.concurrency_limit)?;
        Ok(Self {
            name: create.name,
            description: create.description,
            kind: create.kind.into(),
            base_job_template: create.base_job_template,
            is_paused: create.is_paused,
            concurrency_limit: create.concurrency_limit,
            storage: create.storage_configuration.into(),
        })
    }
}

fn check_kind(kind: &str) -> Result<()> {
    match kind.chars().count() > work::LONGEST_NAME {
        true => Err(Error::invalid(format!(
            "type must have at most {} characters.",
            work::LONGEST_NAME
        ))),
        false => Ok(()),
    }
}

/// Changes to a pool; absent fields stay.
#[derive(Debug, Default, Deserialize, ToSchema)]
pub struct WorkPoolChanges {
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = Option<String>)]
    description: Patch<String>,
    #[serde(default)]
    is_paused: Option<bool>,
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    base_job_template: Option<JsonMap>,
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = Option<i64>)]
    concurrency_limit: Patch<i64>,
    #[serde(default)]
    storage_configuration: Option<StorageConfiguration>,
}

impl TryFrom<WorkPoolChanges> for WorkPoolUpdate {
    type Error = Error;

    fn try_from(changes: WorkPoolChanges) -> Result<Self> {
        check_limit(changes.concurrency_limit.over(None))?;
        Ok(Self {
            description: changes.description,
            base_job_template: changes.base_job_template,
            is_paused: changes.is_paused,
            concurrency_limit: changes.concurrency_limit,
            storage: changes.storage_configuration.map(Into::into),
        })
    }
}

/// About pools.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct WorkPoolFilter {
    /// By id.
    pub id: Option<ById>,
    /// By name.
    pub name: Option<ByText>,
    /// By type.
    #[serde(rename = "type")]
    pub kind: Option<ByText>,
    /// How these go together.
    pub operator: Operator,
}

impl WorkPoolFilter {
    /// What is asked.
    pub fn criteria(self) -> Result<Criteria> {
        let Self {
            id,
            name,
            kind,
            operator,
        } = self;
        all(
            operator,
            [
                asked(&work_pool::ID, id),
                asked(&work_pool::NAME, name),
                asked(&work_pool::TYPE, kind),
            ],
        )
    }
}

/// Which pools.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct WorkPoolQuery {
    /// About pools.
    pub work_pools: Option<WorkPoolFilter>,
    /// At most so many.
    pub limit: Option<i64>,
    /// After skipping so many.
    #[serde(deserialize_with = "or_default")]
    pub offset: u64,
}

impl WorkPoolQuery {
    /// What is asked, and which part of it.
    pub fn parts(self) -> Result<(Filters, Page)> {
        let page = page(self.limit, self.offset)?;
        let filters = Filters {
            work_pools: self.work_pools.map(WorkPoolFilter::criteria).transpose()?,
            ..Filters::default()
        };
        Ok((filters, page))
    }
}
