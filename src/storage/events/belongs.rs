//! What a flow run or a deployment belongs to, as the events of it tell.

use rusqlite::{Connection, Row, named_params};

use crate::domain::deployment::Deployment;
use crate::domain::error::Result;
use crate::domain::event::flow_run::Named;
use crate::domain::flow_run::FlowRun;
use crate::domain::ids::{DeploymentId, FlowId, TaskRunId, WorkPoolId, WorkQueueId};
use crate::storage::column::Json;
use crate::storage::query::{self, Columns};

const BELONGS_TO: &str = include_str!("../../../sql/queries/events/belongs_to.sql");

/// The flow, deployment, queue, pool and parent's task run of a flow run, in this order, as far
/// as they are there.
pub fn belongs_to(db: &Connection, run: &FlowRun) -> Result<Vec<Named>> {
    let params = named_params! {
        ":flow_id": run.flow_id,
        ":deployment_id": run.deployment_id,
        ":work_queue_id": run.work_queue_id,
        ":task_run_id": run.parent_task_run_id,
    };
    Ok(query::one(db, BELONGS_TO, params, read)?.unwrap_or_default())
}

/// The flow, queue and pool of a deployment, likewise.
pub fn deployment_belongs_to(db: &Connection, deployment: &Deployment) -> Result<Vec<Named>> {
    let params = named_params! {
        ":flow_id": deployment.flow_id,
        ":deployment_id": None::<DeploymentId>,
        ":work_queue_id": deployment.work_queue_id,
        ":task_run_id": None::<TaskRunId>,
    };
    Ok(query::one(db, BELONGS_TO, params, read)?.unwrap_or_default())
}

fn read(row: &Row<'_>) -> rusqlite::Result<Vec<Named>> {
    let columns = &mut Columns::of(row);
    let flow = named("flow", columns.next::<Option<FlowId>>()?, columns)?;
    let flow = tagged(flow, columns)?;
    let deployment = named(
        "deployment",
        columns.next::<Option<DeploymentId>>()?,
        columns,
    )?;
    let deployment = tagged(deployment, columns)?;
    let queue = named(
        "work-queue",
        columns.next::<Option<WorkQueueId>>()?,
        columns,
    )?;
    let mut pool = named("work-pool", columns.next::<Option<WorkPoolId>>()?, columns)?;
    let pool_type: Option<String> = columns.next()?;
    if let Some(pool) = &mut pool {
        pool.pool_type = pool_type;
    }
    let task_run = named("task-run", columns.next::<Option<TaskRunId>>()?, columns)?;
    let task_run = tagged(task_run, columns)?;
    let all = [flow, deployment, queue, pool, task_run];
    Ok(all.into_iter().flatten().collect())
}

/// A thing of that id, with the name that comes next.
fn named(
    kind: &'static str,
    id: Option<impl ToString>,
    columns: &mut Columns<'_, '_>,
) -> rusqlite::Result<Option<Named>> {
    let name: Option<String> = columns.next()?;
    Ok(id.map(|id| Named {
        kind,
        id: id.to_string(),
        name: name.unwrap_or_default(),
        ..Named::default()
    }))
}

/// The same with the tags that come next.
fn tagged(
    mut named: Option<Named>,
    columns: &mut Columns<'_, '_>,
) -> rusqlite::Result<Option<Named>> {
    let tags: Option<Json<Vec<String>>> = columns.next()?;
    if let (Some(named), Some(tags)) = (&mut named, tags) {
        named.tags = tags.0;
    }
    Ok(named)
}
