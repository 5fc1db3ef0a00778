//! What can be asked of the nouns.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::operators::{
    ByAbsence, ByAnyTags, ByExistence, ById, ByIdOrNot, ByIdOrNull, ByLevel, ByName,
    ByOppositeFlag, ByPart, BySearch, ByStateType, ByTags, ByText, ByTextOrNot, ByTextOrNull,
    ByTime, ByTimeOrNull, Operator, all, asked, searched,
};
use super::run_of_task::ByRunOrNone;
use crate::domain::error::Result;
use crate::domain::filter::{Criteria, Test, deployment, flow, flow_run, task_run};
use crate::domain::ids::{FlowRunId, TaskRunId};
use crate::domain::log_filter;

/// By state.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct ByState {
    /// How these are put together.
    pub operator: Operator,
    /// By its type.
    #[serde(rename = "type")]
    pub kind: Option<ByStateType>,
    /// By its name.
    pub name: Option<ByTextOrNot>,
}

/// About flows.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct FlowFilter {
    /// How these are put together.
    pub operator: Operator,
    /// By id.
    pub id: Option<ByIdOrNot>,
    /// By having deployments.
    pub deployment: Option<ByAbsence>,
    /// By name.
    pub name: Option<ByName>,
    /// By tags.
    pub tags: Option<ByTags>,
}

/// About deployments.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct DeploymentFilter {
    /// How these are put together.
    pub operator: Operator,
    /// By id.
    pub id: Option<ByIdOrNot>,
    /// By name.
    pub name: Option<ByName>,
    /// By its name, or its flow's.
    pub flow_or_deployment_name: Option<ByPart>,
    /// By being paused.
    pub paused: Option<ByOppositeFlag>,
    /// By tags.
    pub tags: Option<ByAnyTags>,
    /// By the name of the queue.
    pub work_queue_name: Option<ByText>,
    /// Known, and as on the reference without a meaning.
    #[serde(skip_serializing)]
    #[schema(ignore)]
    pub concurrency_limit: Option<ConcurrencyLimit>,
}

/// What may be asked of a limit.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct ConcurrencyLimit {
    /// That or more.
    pub ge_: Option<i64>,
    /// That or less.
    pub le_: Option<i64>,
    /// None, or one.
    pub is_null_: Option<bool>,
}

/// About flow runs.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct FlowRunFilter {
    /// How these are put together.
    pub operator: Operator,
    /// By id.
    pub id: Option<ByIdOrNot>,
    /// By name.
    pub name: Option<ByName>,
    /// By tags.
    pub tags: Option<ByAnyTags>,
    /// By deployment.
    pub deployment_id: Option<ByIdOrNull>,
    /// By the name of the queue.
    pub work_queue_name: Option<ByTextOrNull>,
    /// By state.
    pub state: Option<ByState>,
    /// By flow version.
    pub flow_version: Option<ByText>,
    /// By start, or expected start.
    pub start_time: Option<ByTimeOrNull>,
    /// By end.
    pub end_time: Option<ByTimeOrNull>,
    /// By expected start.
    pub expected_start_time: Option<ByTime>,
    /// By when they are due next.
    pub next_scheduled_start_time: Option<ByTime>,
    /// By the flow run that they are part of.
    pub parent_flow_run_id: Option<ById>,
    /// By the task run that stands for them.
    pub parent_task_run_id: Option<ByIdOrNull>,
    /// By idempotency key.
    pub idempotency_key: Option<ByTextOrNot>,
    /// By who created them.
    pub created_by: Option<ByCreator>,
}

/// By who created something.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct ByCreator {
    /// How these are put together.
    pub operator: Operator,
    /// One of these.
    pub id_: Option<Vec<Uuid>>,
    /// Of one of these types.
    pub type_: Option<Vec<String>>,
    /// Nobody who is known, or somebody.
    pub is_null_: Option<bool>,
}

/// About task runs.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct TaskRunFilter {
    /// How these are put together.
    pub operator: Operator,
    /// By id.
    pub id: Option<ById>,
    /// By name.
    pub name: Option<ByName>,
    /// By tags.
    pub tags: Option<ByTags>,
    /// By state.
    pub state: Option<ByState>,
    /// By start.
    pub start_time: Option<ByTimeOrNull>,
    /// By end.
    pub end_time: Option<ByTimeOrNull>,
    /// By expected start.
    pub expected_start_time: Option<ByTime>,
    /// By standing for sub-flows.
    pub subflow_runs: Option<ByExistence>,
    /// By flow run.
    pub flow_run_id: Option<ByRunOrNone>,
}

impl ByState {
    fn asked(
        self,
        kind: &'static crate::domain::filter::Field,
        name: &'static crate::domain::filter::Field,
    ) -> Result<Option<Criteria>> {
        let parts = [asked(kind, self.kind), asked(name, self.name)];
        // Parts that ask nothing do not count here, even where one has to hold.
        let parts = parts.map(|part| part.map(|it| it.filter(|it| !it.is_nothing())));
        all(self.operator, parts).map(Some)
    }
}

impl FlowFilter {
    /// What is asked.
    pub fn criteria(self) -> Result<Criteria> {
        let Self {
            operator,
            id,
            deployment,
            name,
            tags,
        } = self;
        all(
            operator,
            [
                asked(&flow::ID, id),
                asked(&flow::DEPLOYMENTS, deployment),
                asked(&flow::NAME, name),
                asked(&flow::TAGS, tags),
            ],
        )
    }
}

impl DeploymentFilter {
    /// What is asked.
    pub fn criteria(self) -> Result<Criteria> {
        use deployment as field;
        let Self {
            operator,
            id,
            name,
            flow_or_deployment_name,
            paused,
            tags,
            work_queue_name,
            concurrency_limit: _,
        } = self;
        all(
            operator,
            [
                asked(&field::ID, id),
                asked(&field::NAME, name),
                asked(&field::NAME_OR_FLOW, flow_or_deployment_name),
                asked(&field::IS_SCHEDULE_ACTIVE, paused),
                asked(&field::TAGS, tags),
                asked(&field::WORK_QUEUE_NAME, work_queue_name),
            ],
        )
    }
}

impl ByCreator {
    fn asked(self) -> Option<Criteria> {
        let ids = self
            .id_
            .map(|ids| flow_run::CREATOR_ID.is_one_of(ids.iter().map(Uuid::to_string)));
        let types = self
            .type_
            .map(|words| flow_run::CREATOR_TYPE.is_one_of(words));
        let is_null = self.is_null_.map(Test::IsNull);
        let is_null = is_null.map(|test| flow_run::CREATED_BY.asked(test));
        let parts = [ids, types, is_null].into_iter().flatten();
        let parts = parts.map(Criteria::One).collect();
        Some(Criteria::joined(self.operator.into(), parts))
    }
}

impl FlowRunFilter {
    /// What is asked.
    pub fn criteria(self) -> Result<Criteria> {
        use flow_run as field;
        let state = self.state.map_or(Ok(None), |it| {
            it.asked(&field::STATE_TYPE, &field::STATE_NAME)
        });
        all(
            self.operator,
            [
                asked(&field::ID, self.id),
                asked(&field::NAME, self.name),
                asked(&field::TAGS, self.tags),
                asked(&field::DEPLOYMENT_ID, self.deployment_id),
                asked(&field::WORK_QUEUE_NAME, self.work_queue_name),
                state,
                asked(&field::FLOW_VERSION, self.flow_version),
                asked(&field::BEGINNING, self.start_time),
                asked(&field::END_TIME, self.end_time),
                asked(&field::EXPECTED_START_TIME, self.expected_start_time),
                asked(
                    &field::NEXT_SCHEDULED_START_TIME,
                    self.next_scheduled_start_time,
                ),
                asked(&field::PARENT_FLOW_RUN_ID, self.parent_flow_run_id),
                asked(&field::PARENT_TASK_RUN_ID, self.parent_task_run_id),
                asked(&field::IDEMPOTENCY_KEY, self.idempotency_key),
                Ok(self.created_by.and_then(ByCreator::asked)),
            ],
        )
    }
}

impl TaskRunFilter {
    /// What is asked.
    pub fn criteria(self) -> Result<Criteria> {
        use task_run as field;
        let state = self.state.map_or(Ok(None), |it| {
            it.asked(&field::STATE_TYPE, &field::STATE_NAME)
        });
        all(
            self.operator,
            [
                asked(&field::ID, self.id),
                asked(&field::NAME, self.name),
                asked(&field::TAGS, self.tags),
                state,
                asked(&field::START_TIME, self.start_time),
                asked(&field::END_TIME, self.end_time),
                asked(&field::EXPECTED_START_TIME, self.expected_start_time),
                asked(&field::SUBFLOW_RUNS, self.subflow_runs),
                asked(&field::FLOW_RUN_ID, self.flow_run_id),
            ],
        )
    }
}

/// About lines.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct LogFilter {
    /// How these are put together.
    pub operator: Operator,
    /// By level.
    pub level: Option<ByLevel>,
    /// By time.
    pub timestamp: Option<ByTime>,
    /// By the flow run that said them.
    pub flow_run_id: Option<ById>,
    /// By the task run that said them.
    pub task_run_id: Option<ByIdOrNull>,
    /// By what they say.
    #[serde(deserialize_with = "search")]
    pub text: Option<BySearch>,
}

/// A search, which is for something.
fn search<'de, D: Deserializer<'de>>(given: D) -> std::result::Result<Option<BySearch>, D::Error> {
    let by = Option::<BySearch>::deserialize(given)?;
    match by.as_ref().is_some_and(|by| by.query.is_none()) {
        true => Err(D::Error::missing_field("query")),
        false => Ok(by),
    }
}

impl LogFilter {
    /// What it asks of lines as they come: all of it must hold, as in the reference.
    ///
    /// # Errors
    /// For a search that is too long.
    pub fn heard(self) -> Result<log_filter::LogFilter> {
        let Self {
            operator: _,
            level,
            timestamp,
            flow_run_id,
            task_run_id,
            text,
        } = self;
        let level = level.unwrap_or_default();
        let timestamp = timestamp.unwrap_or_default();
        let task = task_run_id.unwrap_or_default();
        let runs = flow_run_id.and_then(|runs| runs.any_);
        let text = text.and_then(|text| text.query);
        Ok(log_filter::LogFilter {
            least_level: level.ge_,
            most_level: level.le_,
            since: timestamp.after_.map(Into::into),
            until: timestamp.before_.map(Into::into),
            flow_runs: runs.map(|ids| ids.into_iter().map(FlowRunId::from_uuid).collect()),
            task_runs: task
                .any_
                .map(|ids| ids.into_iter().map(TaskRunId::from_uuid).collect()),
            is_of_task: task.is_null_.map(|is_null| !is_null),
            text: text.map(searched).transpose()?,
        })
    }
}
