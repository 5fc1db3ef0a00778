//! What is taken away piece by piece: what is left of it, and its pieces.

use rusqlite::{Connection, named_params};
use uuid::Uuid;

use super::query;
use crate::domain::error::Result;
use crate::domain::ids::{
    AutomationId, BlockDocumentId, BlockSchemaId, BlockTypeId, DeploymentId, FlowId, FlowRunId,
    TaskRunId, WorkPoolId, WorkQueueId,
};

const NOTE: &str = include_str!("../../sql/queries/removal/note.sql");
const DONE: &str = include_str!("../../sql/queries/removal/done.sql");
const UNFINISHED: &str = include_str!("../../sql/queries/removal/unfinished.sql");
const RUNS_OF_FLOW: &str = include_str!("../../sql/queries/removal/some_runs_of_flow.sql");
const DEPLOYMENTS: &str = include_str!("../../sql/queries/removal/some_deployments_of_flow.sql");
const FLOWS: &str = include_str!("../../sql/queries/removal/some_flows.sql");
const RUNS: &str = include_str!("../../sql/queries/removal/some_runs_of_deployment.sql");
const LEAVE: &str = include_str!("../../sql/queries/removal/leave_deployment.sql");
const LEAVE_SUB_FLOWS: &str = include_str!("../../sql/queries/removal/leave_some_sub_flows.sql");
const FLOW_RUN_STATES: &str =
    include_str!("../../sql/queries/removal/delete_some_flow_run_states.sql");
const INPUTS: &str = include_str!("../../sql/queries/removal/delete_some_flow_run_inputs.sql");
const TASK_RUN_STATES: &str =
    include_str!("../../sql/queries/removal/delete_some_task_run_states.sql");
const LOGS: &str = include_str!("../../sql/queries/removal/delete_some_logs.sql");
const CACHE: &str = include_str!("../../sql/queries/removal/delete_some_cache_entries.sql");
const EVENTS: &str = include_str!("../../sql/queries/removal/delete_some_events.sql");
const EVENT_RELATED: &str = include_str!("../../sql/queries/removal/delete_some_event_related.sql");
const SEARCHES: &str = include_str!("../../sql/queries/removal/delete_some_searches.sql");
const SCHEMAS: &str = include_str!("../../sql/queries/removal/some_schemas_of_type.sql");
const DOCUMENTS: &str = include_str!("../../sql/queries/removal/some_documents_of_type.sql");
const DOCUMENTS_OF_SCHEMA: &str =
    include_str!("../../sql/queries/removal/some_documents_of_schema.sql");
const REFERENCES: &str = include_str!("../../sql/queries/removal/delete_some_references_to.sql");
const WINDOWS: &str = include_str!("../../sql/queries/removal/delete_some_windows.sql");
const HELD: &str = include_str!("../../sql/queries/removal/delete_some_held.sql");
const QUEUES: &str = include_str!("../../sql/queries/removal/some_queues_of_pool.sql");
const WORKERS: &str = include_str!("../../sql/queries/removal/delete_some_workers.sql");

/// What is to go, with all that belongs to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Removal {
    /// A flow, its deployments and its runs.
    Flow(FlowId),
    /// A deployment and its runs that have not begun.
    Deployment(DeploymentId),
    /// A flow run with its states and task runs.
    FlowRun(FlowRunId),
    /// A task run with its states.
    TaskRun(TaskRunId),
    /// A type of blocks, its schemas and its documents.
    BlockType(BlockTypeId),
    /// A schema of blocks and its documents.
    BlockSchema(BlockSchemaId),
    /// An automation with what its triggers have counted.
    Automation(AutomationId),
    /// A work pool with its queues and workers.
    WorkPool(WorkPoolId),
    /// All there is.
    Everything,
}

impl Removal {
    fn key(self) -> (&'static str, Uuid) {
        match self {
            Self::Flow(id) => ("flow", id.uuid()),
            Self::Deployment(id) => ("deployment", id.uuid()),
            Self::FlowRun(id) => ("flow-run", id.uuid()),
            Self::TaskRun(id) => ("task-run", id.uuid()),
            Self::BlockType(id) => ("block-type", id.uuid()),
            Self::BlockSchema(id) => ("block-schema", id.uuid()),
            Self::Automation(id) => ("automation", id.uuid()),
            Self::WorkPool(id) => ("work-pool", id.uuid()),
            Self::Everything => ("everything", Uuid::nil()),
        }
    }

    fn of_key(kind: &str, id: Uuid) -> Option<Self> {
        Some(match kind {
            "flow" => Self::Flow(FlowId::from_uuid(id)),
            "deployment" => Self::Deployment(DeploymentId::from_uuid(id)),
            "flow-run" => Self::FlowRun(FlowRunId::from_uuid(id)),
            "task-run" => Self::TaskRun(TaskRunId::from_uuid(id)),
            "block-type" => Self::BlockType(BlockTypeId::from_uuid(id)),
            "block-schema" => Self::BlockSchema(BlockSchemaId::from_uuid(id)),
            "automation" => Self::Automation(AutomationId::from_uuid(id)),
            "work-pool" => Self::WorkPool(WorkPoolId::from_uuid(id)),
            "everything" => Self::Everything,
            _ => return None,
        })
    }
}

/// Notes that something is to go and has not gone whole.
pub fn note(db: &Connection, what: Removal) -> Result<()> {
    let (kind, id) = what.key();
    query::change(
        db,
        NOTE,
        named_params! {":kind": kind, ":id": id.as_bytes()},
    )?;
    Ok(())
}

/// Notes that it has gone.
pub fn done(db: &Connection, what: Removal) -> Result<()> {
    let (kind, id) = what.key();
    query::change(
        db,
        DONE,
        named_params! {":kind": kind, ":id": id.as_bytes()},
    )?;
    Ok(())
}

/// What has not gone whole.
pub fn unfinished(db: &Connection) -> Result<Vec<Removal>> {
    let found: Vec<(String, [u8; 16])> =
        query::all(db, UNFINISHED, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let known = found
        .into_iter()
        .filter_map(|(kind, id)| Removal::of_key(&kind, Uuid::from_bytes(id)));
    Ok(known.collect())
}

/// Up to `limit` runs of a flow.
pub fn some_runs_of_flow(db: &Connection, id: FlowId, limit: i64) -> Result<Vec<FlowRunId>> {
    let params = named_params! {":id": id, ":limit": limit};
    query::all(db, RUNS_OF_FLOW, params, |row| row.get(0))
}

/// Up to `limit` deployments of a flow.
pub fn some_deployments(db: &Connection, id: FlowId, limit: i64) -> Result<Vec<DeploymentId>> {
    let params = named_params! {":id": id, ":limit": limit};
    query::all(db, DEPLOYMENTS, params, |row| row.get(0))
}

/// Up to `limit` flows.
pub fn some_flows(db: &Connection, limit: i64) -> Result<Vec<FlowId>> {
    query::all(db, FLOWS, named_params! {":limit": limit}, |row| row.get(0))
}

/// Up to `limit` runs of a deployment, each with whether it has yet to begin.
pub fn some_runs_of_deployment(
    db: &Connection,
    id: DeploymentId,
    limit: i64,
) -> Result<Vec<(FlowRunId, bool)>> {
    let params = named_params! {":id": id, ":limit": limit};
    query::all(db, RUNS, params, |row| Ok((row.get(0)?, row.get(1)?)))
}

/// Makes a run one of no deployment.
pub fn leave_deployment(db: &Connection, id: FlowRunId) -> Result<()> {
    query::change(db, LEAVE, named_params! {":id": id})?;
    Ok(())
}

/// Makes up to `limit` runs of sub-flows that a task run stands for runs of their own, and
/// answers how many.
pub fn leave_some_sub_flows(db: &Connection, id: TaskRunId, limit: i64) -> Result<usize> {
    let params = named_params! {":id": id, ":limit": limit};
    query::change(db, LEAVE_SUB_FLOWS, params)
}

/// Removes up to `limit` states of a flow run and answers how many.
pub fn some_flow_run_states(db: &Connection, id: FlowRunId, limit: i64) -> Result<usize> {
    let params = named_params! {":id": id, ":limit": limit};
    query::change(db, FLOW_RUN_STATES, params)
}

/// Removes up to `limit` inputs of a flow run and answers how many.
pub fn some_flow_run_inputs(db: &Connection, id: FlowRunId, limit: i64) -> Result<usize> {
    let params = named_params! {":id": id, ":limit": limit};
    query::change(db, INPUTS, params)
}

/// Removes up to `limit` states of a task run and answers how many.
pub fn some_task_run_states(db: &Connection, id: TaskRunId, limit: i64) -> Result<usize> {
    let params = named_params! {":id": id, ":limit": limit};
    query::change(db, TASK_RUN_STATES, params)
}

/// Removes up to `limit` rows each of what belongs to no flow, and answers how many: log
/// lines, cache entries, events, saved searches.
pub fn some_of_the_rest(db: &Connection, limit: i64) -> Result<usize> {
    let mut gone = 0;
    for sql in [LOGS, CACHE, EVENTS, EVENT_RELATED, SEARCHES] {
        gone += query::change(db, sql, named_params! {":limit": limit})?;
    }
    Ok(gone)
}

/// Up to `limit` schemas of a type of blocks.
pub fn some_schemas(db: &Connection, id: BlockTypeId, limit: i64) -> Result<Vec<BlockSchemaId>> {
    let params = named_params! {":id": id, ":limit": limit};
    query::all(db, SCHEMAS, params, |row| row.get(0))
}

/// Up to `limit` documents of a type of blocks.
pub fn some_documents(
    db: &Connection,
    id: BlockTypeId,
    limit: i64,
) -> Result<Vec<BlockDocumentId>> {
    let params = named_params! {":id": id, ":limit": limit};
    query::all(db, DOCUMENTS, params, |row| row.get(0))
}

/// Up to `limit` documents of a schema of blocks.
pub fn some_documents_of_schema(
    db: &Connection,
    id: BlockSchemaId,
    limit: i64,
) -> Result<Vec<BlockDocumentId>> {
    let params = named_params! {":id": id, ":limit": limit};
    query::all(db, DOCUMENTS_OF_SCHEMA, params, |row| row.get(0))
}

/// Has up to `limit` fields of others no longer hold a document, and answers how many.
pub fn some_references_to(db: &Connection, id: BlockDocumentId, limit: i64) -> Result<usize> {
    let params = named_params! {":id": id, ":limit": limit};
    query::change(db, REFERENCES, params)
}

/// Removes up to `limit` rows each of what the triggers of an automation have counted and hold,
/// and answers how many.
pub fn some_of_triggers(db: &Connection, id: AutomationId, limit: i64) -> Result<usize> {
    let mut gone = 0;
    for sql in [WINDOWS, HELD] {
        gone += query::change(db, sql, named_params! {":id": id, ":limit": limit})?;
    }
    Ok(gone)
}

/// Up to `limit` queues of a pool, but for its default one.
pub fn some_queues(db: &Connection, id: WorkPoolId, limit: i64) -> Result<Vec<WorkQueueId>> {
    let params = named_params! {":id": id, ":limit": limit};
    query::all(db, QUEUES, params, |row| row.get(0))
}

/// Removes up to `limit` workers of a pool and answers how many.
pub fn some_workers(db: &Connection, id: WorkPoolId, limit: i64) -> Result<usize> {
    let params = named_params! {":id": id, ":limit": limit};
    query::change(db, WORKERS, params)
}
