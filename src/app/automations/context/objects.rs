//! What templates find by the resources that an event names.

use serde_json::{Value, json};

use crate::domain::automation::jinja::written;
use crate::domain::error::Result;
use crate::domain::event::Resource;
use crate::domain::ids::{
    DeploymentId, FlowId, FlowRunId, LimitId, TaskRunId, WorkPoolId, WorkQueueId,
};
use crate::domain::state::State;
use crate::domain::time::Timestamp;
use crate::storage::{Connection, rows};

pub(super) type Find = fn(&Connection, &[&Resource]) -> Result<Value>;

/// What templates find by the first resource of its kind that the event names.
pub(super) const OBJECTS: &[(&str, Find)] = &[
    ("flow_run", flow_run),
    ("task_run", task_run),
    ("deployment", deployment),
    ("flow", flow),
    ("work_pool", work_pool),
    ("work_queue", work_queue),
    ("concurrency_limit", concurrency_limit),
];

/// The first resource of a kind, and its id.
fn first<'a, I: std::str::FromStr>(
    resources: &[&'a Resource],
    kind: &str,
) -> Option<(&'a Resource, I)> {
    let mut ids = resources
        .iter()
        .filter_map(|one| Some((*one, one.object(kind)?)));
    ids.next()
}

fn time(at: Option<Timestamp>) -> Value {
    at.map_or(Value::Null, |at| written(at).into())
}

/// A run's state: that which the event tells of, where it does. The run may have gone on.
fn state(resource: &Resource, stored: Option<&State>) -> Value {
    let label = |name: &str| resource.label(&format!("prefect.state-{name}"));
    match (label("type"), label("name"), stored) {
        (Some(kind), Some(name), _) => json!({
            "type": kind,
            "name": name,
            "message": label("message"),
            "timestamp": label("timestamp"),
        }),
        (_, _, Some(state)) => json!({
            "type": state.kind.word(),
            "name": state.name,
            "message": state.message,
            "timestamp": written(state.timestamp),
        }),
        (_, _, None) => Value::Null,
    }
}

fn flow_run(db: &Connection, resources: &[&Resource]) -> Result<Value> {
    let Some((resource, id)) = first::<FlowRunId>(resources, "flow-run") else {
        return Ok(Value::Null);
    };
    let Some(run) = rows::by_id(db, id)? else {
        return Ok(Value::Null);
    };
    Ok(json!({
        "id": id.to_string(),
        "created": written(run.created),
        "updated": written(run.updated),
        "name": run.name,
        "flow_id": run.flow_id.to_string(),
        "deployment_id": run.deployment_id.map(|id| id.to_string()),
        "deployment_version": run.deployment_version,
        "parameters": run.parameters,
        "tags": run.tags,
        "labels": run.labels,
        "run_count": run.statistics.run_count,
        "expected_start_time": time(run.statistics.expected_start_time),
        "start_time": time(run.statistics.start_time),
        "end_time": time(run.statistics.end_time),
        "total_run_time": run.statistics.total_run_time.as_secs_f64(),
        "state": state(resource, run.state.as_ref()),
        "__page": format!("/runs/flow-run/{id}"),
        "__resource": resource.id(),
    }))
}

fn task_run(db: &Connection, resources: &[&Resource]) -> Result<Value> {
    let Some((resource, id)) = first::<TaskRunId>(resources, "task-run") else {
        return Ok(Value::Null);
    };
    let Some(run) = rows::by_id(db, id)? else {
        return Ok(Value::Null);
    };
    Ok(json!({
        "id": id.to_string(),
        "name": run.spec.name,
        "flow_run_id": run.spec.flow_run_id.map(|id| id.to_string()),
        "task_key": run.spec.task_key,
        "tags": run.spec.tags,
        "run_count": run.statistics.run_count,
        "start_time": time(run.statistics.start_time),
        "end_time": time(run.statistics.end_time),
        "state": state(resource, run.state.as_ref()),
        "__page": format!("/runs/task-run/{id}"),
        "__resource": resource.id(),
    }))
}

fn deployment(db: &Connection, resources: &[&Resource]) -> Result<Value> {
    let Some((resource, id)) = first::<DeploymentId>(resources, "deployment") else {
        return Ok(Value::Null);
    };
    let found = rows::by_id(db, id)?;
    Ok(found.map_or(Value::Null, |deployment| {
        json!({
            "id": id.to_string(),
            "name": deployment.name,
            "flow_id": deployment.flow_id.to_string(),
            "version": deployment.version,
            "description": deployment.description,
            "entrypoint": deployment.entrypoint,
            "path": deployment.path,
            "parameters": deployment.parameters,
            "tags": deployment.tags,
            "labels": deployment.labels,
            "paused": !deployment.is_schedule_active,
            "work_pool_name": deployment.work_pool_name,
            "work_queue_name": deployment.work_queue_name,
            "__page": format!("/deployments/deployment/{id}"),
            "__resource": resource.id(),
        })
    }))
}

fn flow(db: &Connection, resources: &[&Resource]) -> Result<Value> {
    let Some((resource, id)) = first::<FlowId>(resources, "flow") else {
        return Ok(Value::Null);
    };
    let found = rows::by_id(db, id)?;
    Ok(found.map_or(Value::Null, |flow| {
        json!({
            "id": id.to_string(),
            "name": flow.name,
            "tags": flow.tags,
            "labels": flow.labels,
            "__page": format!("/flows/flow/{id}"),
            "__resource": resource.id(),
        })
    }))
}

fn work_pool(db: &Connection, resources: &[&Resource]) -> Result<Value> {
    let Some((resource, id)) = first::<WorkPoolId>(resources, "work-pool") else {
        return Ok(Value::Null);
    };
    let found = rows::by_id(db, id)?;
    Ok(found.map_or(Value::Null, |pool| {
        json!({
            "id": id.to_string(),
            "name": pool.name,
            "description": pool.description,
            "is_paused": pool.is_paused,
            "concurrency_limit": pool.concurrency_limit,
            "__page": format!("/work-pools/work-pool/{}", pool.name),
            "__resource": resource.id(),
        })
    }))
}

fn work_queue(db: &Connection, resources: &[&Resource]) -> Result<Value> {
    let Some((resource, id)) = first::<WorkQueueId>(resources, "work-queue") else {
        return Ok(Value::Null);
    };
    let found = rows::by_id(db, id)?;
    Ok(found.map_or(Value::Null, |queue| {
        json!({
            "id": id.to_string(),
            "name": queue.name,
            "description": queue.description,
            "is_paused": queue.is_paused,
            "priority": queue.priority,
            "concurrency_limit": queue.concurrency_limit,
            "work_pool_name": queue.pool_name,
            "__page": format!("/work-pools/work-pool/{}/queue/{}", queue.pool_name, queue.name),
            "__resource": resource.id(),
        })
    }))
}

fn concurrency_limit(db: &Connection, resources: &[&Resource]) -> Result<Value> {
    let Some((resource, id)) = first::<LimitId>(resources, "concurrency-limit") else {
        return Ok(Value::Null);
    };
    let found = rows::by_id(db, id)?;
    Ok(found.map_or(Value::Null, |limit| {
        json!({
            "id": id.to_string(),
            "name": limit.name,
            "limit": limit.slots,
            "active": limit.active,
            "__resource": resource.id(),
        })
    }))
}
