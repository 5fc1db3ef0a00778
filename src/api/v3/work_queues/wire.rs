//! Queues of work pools.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::api::redaction::{Reader, Redact};
use crate::api::v3::wire::operators::{Operator, Operators, all, asked};
use crate::api::v3::wire::{ById, Instant, check_limit, or_default, page, plain_name, said};
use crate::domain::error::{Error, Result};
use crate::domain::filter::{Criteria, Filters, Joined, Page, Test, Values, work_queue};
use crate::domain::patch::Patch;
use crate::domain::work::{self, NewWorkQueue, Service, WorkQueueUpdate};

/// A queue of a work pool.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct WorkQueue {
    /// Its id.
    pub id: Uuid,
    /// When it was created.
    pub created: Instant,
    /// When it last changed.
    pub updated: Instant,
    /// Its name within the pool.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// Whether none of its runs are handed out.
    pub is_paused: bool,
    /// The most of its runs that are under way at once.
    pub concurrency_limit: Option<i64>,
    /// The smallest goes first.
    pub priority: i64,
    /// Its pool.
    pub work_pool_id: Option<Uuid>,
    /// Which runs belong to it, in the words of the 2.0 generation.
    pub filter: Option<Value>,
    /// When a worker last asked for its runs.
    pub last_polled: Option<Instant>,
    /// Its pool's name.
    pub work_pool_name: Option<String>,
    /// `READY`, `NOT_READY` or `PAUSED`.
    pub status: Option<String>,
    /// How many of its runs are under way; null where there is no limit.
    pub active_slots: Option<i64>,
}

impl WorkQueue {
    /// A queue as it is served at present.
    pub fn new(queue: work::WorkQueue, service: Service) -> Self {
        let status = service.of_queue(&queue);
        let work::WorkQueue {
            id,
            created,
            updated,
            work_pool_id,
            name,
            description,
            is_paused,
            concurrency_limit,
            priority,
            filter,
            last_polled,
            pool_name,
            pool_kind: _,
            online_until: _,
            active_slots,
            told: _,
        } = queue;
        Self {
            id: id.uuid(),
            created: created.into(),
            updated: updated.into(),
            name,
            description,
            is_paused,
            priority,
            work_pool_id: Some(work_pool_id.uuid()),
            filter,
            last_polled: last_polled.map(Into::into),
            work_pool_name: Some(pool_name),
            status: Some(status.word().to_owned()),
            active_slots: concurrency_limit.map(|_| active_slots),
            concurrency_limit,
        }
    }
}

impl Redact for WorkQueue {
    fn redact(&mut self, reader: &Reader<'_>) {
        let Self {
            id: _,
            created: _,
            updated: _,
            name,
            description,
            is_paused: _,
            concurrency_limit: _,
            priority: _,
            work_pool_id: _,
            filter,
            last_polled: _,
            work_pool_name,
            status: _,
            active_slots: _,
        } = self;
        let mask = reader.of_nobody();
        mask.over(name);
        mask.over(description);
        mask.over(filter);
        mask.over(work_pool_name);
    }
}

/// Which runs belonged to a queue of the 2.0 generation.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct QueueFilter {
    /// Those with all of these tags.
    pub tags: Option<Vec<String>>,
    /// Those of these deployments.
    pub deployment_ids: Option<Vec<Uuid>>,
}

impl From<QueueFilter> for Value {
    fn from(filter: QueueFilter) -> Self {
        serde_json::to_value(filter).unwrap_or_default()
    }
}

/// A queue to be created.
#[derive(Debug, Deserialize, ToSchema)]
pub struct WorkQueueCreate {
    #[serde(deserialize_with = "plain_name")]
    name: String,
    #[serde(default)]
    description: Option<String>,
    #[serde(default)]
    is_paused: bool,
    #[serde(default)]
    concurrency_limit: Option<i64>,
    #[serde(default)]
    priority: Option<i64>,
    #[serde(default)]
    filter: Option<QueueFilter>,
}

impl TryFrom<WorkQueueCreate> for NewWorkQueue {
    type Error = Error;

    fn try_from(create: WorkQueueCreate) -> Result<Self> {
        check_limit(create.concurrency_limit)?;
        check_priority(create.priority)?;
        Ok(Self {
            name: create.name,
            // As on the reference, what is not said or null is an empty one.
            description: Some(create.description.unwrap_or_default()),
            is_paused: create.is_paused,
            concurrency_limit: create.concurrency_limit,
            priority: create.priority,
            filter: create.filter.map(Into::into),
        })
    }
}

/// The largest priority; those that give way go on beyond it.
const LARGEST_PRIORITY: i64 = i32::MAX as i64;

fn check_priority(priority: Option<i64>) -> Result<()> {
    match priority.is_some_and(|number| !(1..=LARGEST_PRIORITY).contains(&number)) {
        true => Err(Error::invalid(format!(
            "priority must be 1 to {LARGEST_PRIORITY}."
        ))),
        false => Ok(()),
    }
}

/// Changes to a queue; absent fields stay.
#[derive(Debug, Default, Deserialize, ToSchema)]
pub struct WorkQueueChanges {
    #[serde(default)]
    name: Option<String>,
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = Option<String>)]
    description: Patch<String>,
    #[serde(default)]
    is_paused: Option<bool>,
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = Option<i64>)]
    concurrency_limit: Patch<i64>,
    #[serde(default)]
    priority: Option<i64>,
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = Option<Instant>)]
    last_polled: Patch<Instant>,
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = Option<QueueFilter>)]
    filter: Patch<QueueFilter>,
}

impl TryFrom<WorkQueueChanges> for WorkQueueUpdate {
    type Error = Error;

    fn try_from(changes: WorkQueueChanges) -> Result<Self> {
        check_limit(changes.concurrency_limit.over(None))?;
        check_priority(changes.priority)?;
        Ok(Self {
            name: changes.name,
            description: changes.description,
            is_paused: changes.is_paused,
            concurrency_limit: changes.concurrency_limit,
            priority: changes.priority,
            filter: changes.filter.map(Into::into),
            last_polled: changes.last_polled.map(Into::into),
        })
    }
}

/// By the name of a queue.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct ByQueueName {
    /// One of these.
    pub any_: Option<Vec<String>>,
    /// Beginning with one of these, whatever its case; 100 of 200 characters at most.
    pub startswith_: Option<Vec<String>>,
}

/// The most beginnings that are asked for.
const MOST_STARTS: usize = 100;
/// The most characters of one.
const LONGEST_START: usize = 200;

impl Operators for ByQueueName {
    fn tests(self) -> Result<(Joined, Vec<Option<Test>>)> {
        let is_bounded = |starts: &Vec<String>| {
            let mut lengths = starts.iter().map(|start| start.chars().count());
            starts.len() <= MOST_STARTS && lengths.all(|length| length <= LONGEST_START)
        };
        if !self.startswith_.as_ref().is_none_or(is_bounded) {
            return Err(Error::invalid(format!(
                "startswith_ must have at most {MOST_STARTS} items of {LONGEST_START} characters."
            )));
        }
        let one_of = self.any_.map(|words| Test::In(Values::Words(words)));
        let starts = self.startswith_.map(Test::StartsWith);
        Ok((Joined::And, vec![one_of, starts]))
    }
}

/// About queues.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct WorkQueueFilter {
    /// By id.
    pub id: Option<ById>,
    /// By name.
    pub name: Option<ByQueueName>,
    /// How these go together.
    pub operator: Operator,
}

impl WorkQueueFilter {
    /// What is asked.
    pub fn criteria(self) -> Result<Criteria> {
        let Self { id, name, operator } = self;
        all(
            operator,
            [asked(&work_queue::ID, id), asked(&work_queue::NAME, name)],
        )
    }
}

/// Which queues.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct WorkQueueQuery {
    /// About queues.
    pub work_queues: Option<WorkQueueFilter>,
    /// At most so many.
    pub limit: Option<i64>,
    /// After skipping so many.
    #[serde(deserialize_with = "or_default")]
    pub offset: u64,
}

impl WorkQueueQuery {
    /// What is asked, and which part of it.
    pub fn criteria(self) -> Result<(Criteria, Page)> {
        let page = page(self.limit, self.offset)?;
        let criteria = self.work_queues.map(WorkQueueFilter::criteria);
        Ok((criteria.transpose()?.unwrap_or_default(), page))
    }

    /// The same of queues of all pools.
    pub fn parts(self) -> Result<(Filters, Page)> {
        let (criteria, page) = self.criteria()?;
        let filters = Filters {
            work_queues: Some(criteria),
            ..Filters::default()
        };
        Ok((filters, page))
    }
}
