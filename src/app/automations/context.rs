//! What the templates of an action see.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::app::App;
use crate::domain::JsonMap;
use crate::domain::automation::jinja::{Context, is_template, written};
use crate::domain::automation::parameters::{self, Surroundings};
use crate::domain::automation::told::{self, Outcome};
use crate::domain::automation::{Automation, Firing};
use crate::domain::error::Result;
use crate::domain::event::{Resource, Stored};
use crate::domain::filter::{Filters, Page, Sort};
use crate::domain::ids::{
    DeploymentId, FlowId, FlowRunId, LimitId, TaskRunId, WorkPoolId, WorkQueueId,
};
use crate::domain::state::State;
use crate::domain::time::Timestamp;
use crate::domain::variable::Variable;
use crate::storage::automations::work::Work;
use crate::storage::{Connection, events, rows, variables};

/// The most events and firings that templates see.
const MOST: usize = 50;
/// The most variables that templates see.
const MOST_VARIABLES: u64 = 1000;

/// An event as an automation's own event tells it.
pub(super) fn event(stored: &Stored) -> Value {
    let event = &stored.event;
    let related: Vec<_> = event.related.iter().map(Resource::labels).collect();
    json!({
        "occurred": event.occurred.iso(),
        "event": event.name,
        "resource": event.resource.labels(),
        "related": related,
        "payload": event.payload,
        "id": event.id.to_string(),
        "follows": event.follows.map(|id| id.to_string()),
        "received": stored.received.iso(),
    })
}

/// The parameters of a run, made by what an action was begun for.
pub(super) async fn parameters(
    app: &App,
    work: &Work,
    because: Option<&Stored>,
    given: &JsonMap,
) -> Result<Result<JsonMap, String>> {
    let templates: Vec<_> = parameters::templates(given)
        .into_iter()
        .map(str::to_owned)
        .collect();
    let named = parameters::variables_named(given);
    let context = of(app, work, because, templates).await?;
    let variables = app.read(move |db| named_variables(db, named)).await?;
    let given = given.clone();
    // Templates may take their time.
    let making = tokio::task::spawn_blocking(move || {
        let surroundings = Surroundings {
            context: &context,
            variables: &variables,
        };
        parameters::made(&given, &surroundings)
    });
    making.await.map_err(crate::domain::error::Error::internal)
}

/// Templates as texts, made by what an action was begun for.
pub(super) async fn rendered(
    app: &App,
    work: &Work,
    because: Option<&Stored>,
    templates: Vec<String>,
) -> Result<std::result::Result<Vec<String>, Unmade>> {
    if !templates.iter().any(|one| is_template(one)) {
        return Ok(Ok(templates));
    }
    let context = of(app, work, because, templates.clone()).await?;
    let making = tokio::task::spawn_blocking(move || {
        let made = templates.into_iter().map(|template| {
            let made = context.render(&template);
            made.map_err(|why| Unmade { why, template })
        });
        made.collect()
    });
    making.await.map_err(crate::domain::error::Error::internal)
}

/// A template of which nothing could be made.
pub(super) struct Unmade {
    /// Why.
    why: String,
    template: String,
}

impl Unmade {
    /// What is told of an action because of it.
    pub fn told(&self, about: Outcome) -> Outcome {
        let mut outcome = about;
        outcome.failure = Some(format!("Template rendering failed: {}", self.why));
        outcome.details.extend([
            ("template_error".to_owned(), self.why.as_str().into()),
            ("template_source".to_owned(), self.template.as_str().into()),
        ]);
        outcome
    }
}

fn named_variables(db: &Connection, names: Vec<String>) -> Result<BTreeMap<String, Value>> {
    let mut found = BTreeMap::new();
    for name in names {
        if let Some(variable) = variables::by_name(db, &name)? {
            found.insert(name, variable.value);
        }
    }
    Ok(found)
}

/// What some templates see.
async fn of(
    app: &App,
    work: &Work,
    because: Option<&Stored>,
    templates: Vec<String>,
) -> Result<Context> {
    let mut context = Context::default();
    if templates.is_empty() {
        return Ok(context);
    }
    let fired = &work.fired;
    let triggered = fired.firing.triggered();
    let automation = Automation {
        id: fired.automation,
        created: triggered,
        updated: triggered,
        plan: fired.plan.clone(),
    };
    context.put("automation", &Value::Object(told::document(&automation)));
    context.put_labels("labels", &fired.firing.labels);
    context.put_event("event", because);
    let firings: Vec<_> = fired
        .firing
        .all()
        .into_iter()
        .take(MOST)
        .map(firing)
        .collect();
    context.put("firing", &firing(&fired.firing));
    context.put("firings", &Value::Array(firings));
    let places: Vec<_> = { fired.firing.all().into_iter() }
        .filter_map(|firing| firing.event)
        .take(MOST)
        .collect();
    let event = because.map(|stored| stored.event.clone());
    let (all, objects) = app
        .read(move |db| {
            let places = places.into_iter();
            let all = places.map(|place| events::by_place(db, place));
            let all: Result<Vec<_>> = all.filter_map(Result::transpose).collect();
            let mut objects = Vec::new();
            if let Some(event) = &event {
                let resources: Vec<_> = std::iter::once(&event.resource)
                    .chain(&event.related)
                    .collect();
                for (name, find) in OBJECTS {
                    if templates.iter().any(|template| template.contains(name)) {
                        objects.push((*name, find(db, &resources)?));
                    }
                }
            }
            if templates
                .iter()
                .any(|template| template.contains("variables"))
            {
                objects.push(("variables", all_variables(db)?));
            }
            Ok((all?, objects))
        })
        .await?;
    context.put_events("events", &all);
    for (name, object) in objects {
        context.put(name, &object);
    }
    Ok(context)
}

fn firing(firing: &Firing) -> Value {
    json!({
        "id": firing.id.to_string(),
        "trigger": { "id": firing.trigger.to_string() },
        "trigger_states": ["Triggered"],
        "triggered": firing.triggered().iso(),
        "triggering_labels": firing.labels,
    })
}

fn all_variables(db: &Connection) -> Result<Value> {
    let page = Page {
        limit: MOST_VARIABLES,
        offset: 0,
    };
    let all: Vec<Variable> = rows::page(db, &Filters::default(), Sort::NAME, page)?;
    let named = all
        .into_iter()
        .map(|variable| (variable.name, variable.value));
    Ok(Value::Object(named.collect()))
}

type Find = fn(&Connection, &[&Resource]) -> Result<Value>;

/// What templates find by the first resource of its kind that the event names.
const OBJECTS: &[(&str, Find)] = &[
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
