//! What is asked of artifacts.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::api::v3::wire::operators::{ByNameOrNot, ByTextOrNot, Operator, all, asked};
use crate::api::v3::wire::{
    ById, DeploymentFilter, FlowFilter, FlowRunFilter, Query, TaskRunFilter, or_default, page, sort,
};
use crate::domain::error::Result;
use crate::domain::filter::{Criteria, Filters, Page, Sort, artifact};

/// About artifacts.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct ArtifactFilter {
    /// How these go together.
    operator: Operator,
    /// By id.
    id: Option<ById>,
    /// By key.
    key: Option<ByNameOrNot>,
    /// By the flow run that left them.
    flow_run_id: Option<ById>,
    /// By the task run that left them.
    task_run_id: Option<ById>,
    /// By type.
    #[serde(rename = "type")]
    kind: Option<ByTextOrNot>,
}

/// About the latest artifacts of keys.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct LatestFilter {
    /// How these go together.
    operator: Operator,
    /// By the latest artifact's id.
    latest_id: Option<ById>,
    /// By key.
    key: Option<ByNameOrNot>,
    /// By the flow run that left them.
    flow_run_id: Option<ById>,
    /// By the task run that left them.
    task_run_id: Option<ById>,
    /// By type.
    #[serde(rename = "type")]
    kind: Option<ByTextOrNot>,
}

impl ArtifactFilter {
    fn criteria(self) -> Result<Criteria> {
        let Self {
            operator,
            id,
            key,
            flow_run_id,
            task_run_id,
            kind,
        } = self;
        all(
            operator,
            [
                asked(&artifact::ID, id),
                asked(&artifact::KEY, key),
                asked(&artifact::FLOW_RUN_ID, flow_run_id),
                asked(&artifact::TASK_RUN_ID, task_run_id),
                asked(&artifact::TYPE, kind),
            ],
        )
    }
}

impl LatestFilter {
    fn criteria(self) -> Result<Criteria> {
        let Self {
            operator,
            latest_id,
            key,
            flow_run_id,
            task_run_id,
            kind,
        } = self;
        all(
            operator,
            [
                asked(&artifact::LATEST_ID, latest_id),
                asked(&artifact::KEY, key),
                asked(&artifact::FLOW_RUN_ID, flow_run_id),
                asked(&artifact::TASK_RUN_ID, task_run_id),
                asked(&artifact::TYPE, kind),
            ],
        )
    }
}

/// Declares a body that asks for artifacts.
macro_rules! queries {
    ($($(#[$doc:meta])* $name:ident of $filter:ident,)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
        #[serde(default)]
        pub struct $name {
            /// About artifacts.
            artifacts: Option<$filter>,
            /// About the flow runs that left them.
            flow_runs: Option<FlowRunFilter>,
            /// About the task runs that left them.
            task_runs: Option<TaskRunFilter>,
            /// About the flows of those flow runs.
            flows: Option<FlowFilter>,
            /// About the deployments of those flow runs.
            deployments: Option<DeploymentFilter>,
            /// `ID_DESC`, `CREATED_DESC`, `UPDATED_DESC`, `KEY_DESC` or `KEY_ASC`.
            sort: Option<String>,
            /// At most so many.
            limit: Option<i64>,
            /// After skipping so many.
            #[serde(deserialize_with = "or_default")]
            offset: u64,
        }

        impl $name {
            /// What is asked, in what order, and which part of it.
            pub fn parts(self) -> Result<(Filters, Sort, Page)> {
                let sort = sort(self.sort.as_deref(), artifact::SORTS)?;
                let page = page(self.limit, self.offset)?;
                let around = Query {
                    flow_runs: self.flow_runs,
                    task_runs: self.task_runs,
                    flows: self.flows,
                    deployments: self.deployments,
                    ..Query::default()
                };
                let filters = Filters {
                    artifacts: self.artifacts.map($filter::criteria).transpose()?,
                    ..around.filters()?
                };
                Ok((filters, sort, page))
            }
        }
    )*};
}

queries! {
    /// Which artifacts.
    ArtifactQuery of ArtifactFilter,
    /// The latest artifacts of which keys.
    LatestQuery of LatestFilter,
}
