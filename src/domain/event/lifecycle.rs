//! The events of things that are made, changed and removed, as the 3.9 server tells them.

use serde_json::{Value, json};

use super::flow_run::Named;
use super::{Event, Happened, ID, MOST_RELATED, NAME, ROLE, Resource};
use crate::domain::JsonMap;
use crate::domain::block::{BlockDocument, BlockType};
use crate::domain::concurrency_limit::ConcurrencyLimit;
use crate::domain::deployment::Deployment;
use crate::domain::flow::Flow;
use crate::domain::ids::EventId;
use crate::domain::time::Timestamp;
use crate::domain::variable::Variable;
use crate::domain::work::{WorkPool, WorkQueue};

/// The most bytes of a value before and after a change that an event repeats.
const MOST_OF_A_VALUE: usize = 100_000;

/// That something happened to a thing of a kind.
fn event(kind: &str, word: &str, resource: Resource, now: Timestamp) -> Event {
    Event {
        id: EventId::new(),
        occurred: now,
        name: format!("prefect.{kind}.{word}"),
        resource,
        related: Vec::new(),
        payload: JsonMap::new(),
        follows: None,
    }
}

fn resource(kind: &str, id: impl std::fmt::Display, name: &str) -> Resource {
    Resource::of([
        (ID, format!("prefect.{kind}.{id}")),
        (NAME, name.to_owned()),
    ])
}

fn object(value: Value) -> JsonMap {
    match value {
        Value::Object(map) => map,
        _ => JsonMap::new(),
    }
}

/// Of a flow.
pub fn flow(happened: Happened, flow: &Flow, now: Timestamp) -> Event {
    let of = resource("flow", flow.id, &flow.name);
    let payload = json!({ "name": flow.name, "tags": flow.tags, "labels": flow.labels });
    Event {
        payload: object(payload),
        ..event("flow", happened.word(), of, now)
    }
}

/// Of a variable.
pub fn variable(happened: Happened, variable: &Variable, now: Timestamp) -> Event {
    let of = resource("variable", variable.id, &variable.name);
    let payload = json!({ "name": variable.name, "value": variable.value, "tags": variable.tags });
    Event {
        payload: object(payload),
        ..event("variable", happened.word(), of, now)
    }
}

/// Of a limit.
pub fn limit(happened: Happened, limit: &ConcurrencyLimit, now: Timestamp) -> Event {
    let of = resource("concurrency-limit", limit.id, &limit.name);
    let payload = json!({
        "name": limit.name, "limit": limit.slots, "active": limit.active,
        "slot_decay_per_second": limit.decay,
    });
    Event {
        payload: object(payload),
        ..event("concurrency-limit", happened.word(), of, now)
    }
}

/// Of a type of blocks.
pub fn block_type(happened: Happened, kind: &BlockType, now: Timestamp) -> Event {
    let new = &kind.new;
    let of = resource("block-type", kind.id, &new.name);
    let payload = json!({
        "name": new.name, "slug": new.slug, "logo_url": new.logo_url,
        "documentation_url": new.documentation_url, "description": new.description,
        "code_example": new.code_example, "is_protected": new.is_protected,
    });
    Event {
        payload: object(payload),
        ..event("block-type", happened.word(), of, now)
    }
}

/// Of a document of a block: with those of its values that are texts and no secrets.
pub fn block_document(happened: Happened, document: &BlockDocument, now: Timestamp) -> Event {
    let BlockDocument {
        stored,
        own,
        schema,
        kind,
        within: _,
    } = document;
    let secrets = schema.new.secret_fields();
    // Whoever has a secret within it names its path.
    let is_secret = |name: &str| {
        secrets.iter().any(|secret| {
            let rest = secret.strip_prefix(name);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        })
    };
    let open = own
        .iter()
        .filter(|(name, value)| value.is_string() && !is_secret(name));
    let data: JsonMap = open
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    let payload = json!({
        "name": stored.name,
        "data": data,
        "block_schema": {
            "capabilities": schema.new.capabilities,
            "block_type": { "id": kind.id.to_string(), "name": kind.new.name },
        },
    });
    let of_type = format!("prefect.block-type.{}", kind.id);
    let of_schema = format!("prefect.block-schema.{}", schema.id);
    Event {
        payload: object(payload),
        related: vec![
            Resource::in_role("block-type", of_type).with(NAME, kind.new.name.clone()),
            Resource::in_role("block-schema", of_schema),
        ],
        ..event(
            "block-document",
            happened.word(),
            resource("block-document", stored.id, &stored.name),
            now,
        )
    }
}

/// Of a deployment, or that it is in a status: with what it belongs to.
pub fn deployment(
    word: &str,
    deployment: &Deployment,
    belongs_to: Vec<Named>,
    now: Timestamp,
) -> Event {
    let mut related: Vec<_> = belongs_to.into_iter().map(Named::resource).collect();
    let documents = [
        (deployment.storage_document_id, "storage"),
        (deployment.infrastructure_document_id, "infrastructure"),
    ];
    for (id, role) in documents {
        let id = id.map(|id| format!("prefect.block-document.{id}"));
        related.extend(id.map(|id| Resource::in_role(role, id)));
    }
    // Its limit is known by the same id.
    let limit = deployment.concurrency.limit;
    let limit = limit.map(|_| format!("prefect.concurrency-limit.{}", deployment.id));
    related.extend(limit.map(|id| Resource::in_role("concurrency-limit", id)));
    related.truncate(MOST_RELATED);
    Event {
        related,
        ..event(
            "deployment",
            word,
            resource("deployment", deployment.id, &deployment.name),
            now,
        )
    }
}

/// What of a deployment has changed, as far as its event tells.
pub fn deployment_changes(before: &Deployment, after: &Deployment) -> JsonMap {
    let told = |it: &Deployment| {
        let options = it.concurrency.options.map(|options| {
            json!({
                "collision_strategy": options.collision_strategy.word(),
                "grace_period_seconds": options.grace_period_seconds,
            })
        });
        // Its own limit has its id.
        let own = it.concurrency.limit.map(|_| it.id.to_string());
        let shared = it.concurrency.shared.map(|id| id.to_string());
        let limit = own.or(shared);
        object(json!({
            "description": it.description,
            "tags": it.tags,
            "parameters": it.parameters,
            "parameter_openapi_schema": it.parameter_schema,
            "enforce_parameter_schema": it.enforces_schema,
            "entrypoint": it.entrypoint,
            "path": it.path,
            "pull_steps": it.pull_steps,
            "work_queue_id": it.work_queue_id.map(|id| id.to_string()),
            "infra_overrides": it.job_variables,
            "paused": !it.is_schedule_active,
            "labels": it.labels,
            "version": it.version,
            "concurrency_limit_id": limit,
            "concurrency_options": options,
        }))
    };
    changes(&told(before), &told(after))
}

/// Of a work pool.
pub fn work_pool(happened: Happened, pool: &WorkPool, now: Timestamp) -> Event {
    let of = pool_resource(pool).with(ROLE, "work-pool");
    let queue = format!("prefect.work-queue.{}", pool.default_queue_id);
    let storage = pool.storage.get("default_result_storage_block_id");
    let storage = storage
        .and_then(Value::as_str)
        .map(|id| format!("prefect.block-document.{id}"));
    let mut related = vec![Resource::in_role("default-queue", queue)];
    related.extend(storage.map(|id| Resource::in_role("result-storage", id)));
    Event {
        related,
        ..event("work-pool", happened.word(), of, now)
    }
}

/// That these of a work pool have changed.
pub fn work_pool_updated(pool: &WorkPool, changes: JsonMap, now: Timestamp) -> Event {
    let of = pool_resource(pool).with(ROLE, "work-pool");
    updated(event("work-pool", "updated", of, now), changes)
}

/// What of a work pool has changed, as far as its event tells.
pub fn work_pool_changes(before: &WorkPool, after: &WorkPool) -> JsonMap {
    let told = |it: &WorkPool| {
        object(json!({
            "description": it.description,
            "base_job_template": it.base_job_template,
            "concurrency_limit": it.concurrency_limit,
            "storage_configuration": it.storage,
        }))
    };
    changes(&told(before), &told(after))
}

/// That a work pool is in a status, told after another such event where that is not long ago.
pub fn work_pool_status(
    pool: &WorkPool,
    word: &str,
    follows: Option<EventId>,
    now: Timestamp,
) -> Event {
    Event {
        follows,
        ..event("work-pool", word, pool_resource(pool), now)
    }
}

/// Of a work queue, or that it is in a status.
pub fn work_queue(word: &str, queue: &WorkQueue, now: Timestamp) -> Event {
    let of = resource("work-queue", queue.id, &queue.name).with(ROLE, "work-queue");
    let pool = format!("prefect.work-pool.{}", queue.work_pool_id);
    let pool = Resource::in_role("work-pool", pool)
        .with(NAME, queue.pool_name.clone())
        .with(POOL_TYPE, queue.pool_kind.word());
    Event {
        related: vec![pool],
        ..event("work-queue", word, of, now)
    }
}

/// What of a work queue has changed, as far as its event tells.
pub fn work_queue_changes(before: &WorkQueue, after: &WorkQueue) -> JsonMap {
    let told = |it: &WorkQueue| {
        object(json!({
            "name": it.name,
            "description": it.description,
            "concurrency_limit": it.concurrency_limit,
            "priority": it.priority,
        }))
    };
    changes(&told(before), &told(after))
}

/// The same event with what has changed.
#[must_use]
pub fn updated(event: Event, changes: JsonMap) -> Event {
    let fields: Vec<_> = changes.keys().cloned().collect();
    let payload = json!({ "updated_fields": fields, "updates": changes });
    Event {
        payload: object(payload),
        ..event
    }
}

/// The label that says of what type a work pool is.
pub const POOL_TYPE: &str = "prefect.work-pool.type";

fn pool_resource(pool: &WorkPool) -> Resource {
    resource("work-pool", pool.id, &pool.name).with(POOL_TYPE, pool.kind.word())
}

/// The fields in which two differ, each as it was and as it is.
fn changes(before: &JsonMap, after: &JsonMap) -> JsonMap {
    let differ = after
        .iter()
        .filter(|(name, now)| before.get(*name) != Some(now));
    let told = differ.map(|(name, now)| {
        let was = before.get(name).unwrap_or(&Value::Null);
        (
            name.clone(),
            json!({ "from": fitting(was), "to": fitting(now) }),
        )
    });
    told.collect()
}

/// A value, unless it is so large that no event should carry it.
fn fitting(value: &Value) -> Value {
    let is_large = |value: &Value| match value {
        Value::String(text) => text.len() > MOST_OF_A_VALUE,
        Value::Array(_) | Value::Object(_) => value.to_string().len() > MOST_OF_A_VALUE,
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    };
    match is_large(value) {
        true => Value::Null,
        false => value.clone(),
    }
}
