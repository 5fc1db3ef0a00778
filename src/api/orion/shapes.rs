//! What the requests of this dialect look like, for its description. The readers of `wire`
//! decide; a test holds both against each other.

use crate::api::describe::Sketch;

/// The four filters that most routes take.
pub const FILTERS: &str = "flows?: FlowFilter, \
    flow_runs?: FlowRunFilter, \
    task_runs?: TaskRunFilter, \
    deployments?: DeploymentFilter";

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
pub fn like(text: &str) -> Sketch {
    Sketch::Fields("orion", text.to_owned())
}

/// An object of these fields and the four filters.
pub fn filtered(text: &str) -> Sketch {
    like(&format!("{text}, {FILTERS}"))
}

/// A list of log lines.
pub fn lines() -> Sketch {
    Sketch::ListOf(|_| utoipa::openapi::Ref::from_schema_name("orion.LogCreate").into())
}
