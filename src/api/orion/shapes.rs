//! What the requests of this dialect look like, for its description. The readers of `wire`
//! decide; a test holds both against each other.

use crate::api::openapi::Shape;

/// The four filters that most routes take.
pub const FILTERS: &str = "flows?: FlowFilter, \
    flow_runs?: FlowRunFilter, \
    task_runs?: TaskRunFilter, \
    deployments?: DeploymentFilter";

/// A task run to be created.
pub const NEW_TASK_RUN: &str = "name?: string, flow_run_id: uuid, task_key: string, dynamic_key: string, \
    cache_key?: string, cache_expiration?: datetime, task_version?: string, \
    empirical_policy?: object, tags?: [string], task_inputs?: object, state?: StateCreate";

/// What a history asks for.
pub const HISTORY: &str =
    "history_start: datetime, history_end: datetime, history_interval_seconds: number";

/// A flow run to be created.
pub const NEW_FLOW_RUN: &str = "name?: string, flow_id: uuid, deployment_id?: uuid, flow_version?: string, \
    parameters?: object, idempotency_key?: string, context?: object, tags?: [string], \
    parent_task_run_id?: uuid, flow_runner?: FlowRunner, state?: StateCreate";

/// Changes to a flow run.
pub const FLOW_RUN_UPDATE: &str =
    "name?: string, flow_version?: string, parameters?: object, flow_runner?: FlowRunner";

/// A deployment to be created.
pub const NEW_DEPLOYMENT: &str = "name: string, flow_id: uuid, flow_data: Document, schedule?: object, \
    is_schedule_active?: boolean, parameters?: object, tags?: [string], \
    flow_runner?: FlowRunner";

/// The part of a schedule of which runs are made.
pub const SCHEDULE_RANGE: &str = "start_time?: datetime, end_time?: datetime, max_runs?: integer";

/// A run wanted of a deployment.
pub const RUN_REQUEST: &str = "name?: string, parameters?: object, context?: object, tags?: [string], \
    idempotency_key?: string, flow_runner?: FlowRunner, state?: StateCreate";

/// Which log lines.
pub const LOG_QUERY: &str = "sort?: string, limit?: integer, offset?: integer, logs?: LogFilter";

/// Shapes that others refer to.
pub const SHAPES: &[(&str, &str)] = &[
    ("Document", "encoding: string, blob: string"),
    ("FlowRunner", "type?: string, config?: object"),
    (
        "StateCreate",
        "type: string, name?: string, message?: string, data?: Document, state_details?: StateDetails",
    ),
    (
        "StateDetails",
        "flow_run_id?: uuid, task_run_id?: uuid, child_flow_run_id?: uuid, scheduled_time?: datetime, cache_key?: string, cache_expiration?: datetime",
    ),
    (
        "LogCreate",
        "name: string, level: integer, message: string, timestamp: datetime, flow_run_id: uuid, task_run_id?: uuid",
    ),
    ("ById", "any_?: [uuid]"),
    ("ByIdOrNull", "any_?: [uuid], is_null_?: boolean"),
    ("ByRunId", "any_?: [uuid], not_any_?: [uuid]"),
    ("ByText", "any_?: [string]"),
    ("ByTags", "all_?: [string], is_null_?: boolean"),
    ("ByTime", "before_?: datetime, after_?: datetime"),
    (
        "ByTimeOrNull",
        "before_?: datetime, after_?: datetime, is_null_?: boolean",
    ),
    ("ByState", "type?: ByText, name?: ByText"),
    ("ByFlag", "eq_?: boolean"),
    ("ByExistence", "exists_?: boolean"),
    ("ByLevel", "ge_?: integer, le_?: integer"),
    ("FlowFilter", "id?: ById, name?: ByText, tags?: ByTags"),
    (
        "DeploymentFilter",
        "id?: ById, name?: ByText, is_schedule_active?: ByFlag, tags?: ByTags",
    ),
    (
        "FlowRunFilter",
        "id?: ByRunId, name?: ByText, tags?: ByTags, deployment_id?: ByIdOrNull, state?: ByState, flow_version?: ByText, start_time?: ByTimeOrNull, expected_start_time?: ByTime, next_scheduled_start_time?: ByTime, parent_task_run_id?: ByIdOrNull",
    ),
    (
        "TaskRunFilter",
        "id?: ById, name?: ByText, tags?: ByTags, state?: ByState, start_time?: ByTimeOrNull, subflow_runs?: ByExistence",
    ),
    (
        "LogFilter",
        "level?: ByLevel, timestamp?: ByTime, flow_run_id?: ById, task_run_id?: ById",
    ),
];

/// An object of these fields.
pub fn like(text: &str) -> Shape {
    Shape::Fields("orion", text.to_owned())
}

/// An object of these fields and the four filters.
pub fn filtered(text: &str) -> Shape {
    like(&format!("{text}, {FILTERS}"))
}

/// A list of log lines.
pub fn lines() -> Shape {
    Shape::ListOf(|_| utoipa::openapi::Ref::from_schema_name("orion.LogCreate").into())
}
