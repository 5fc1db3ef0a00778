//! What the templates of an action see.

mod objects;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::app::App;
use crate::domain::JsonMap;
use crate::domain::automation::jinja::{Context, is_template};
use crate::domain::automation::parameters::{self, Surroundings};
use crate::domain::automation::told::{self, Outcome};
use crate::domain::automation::{Automation, Firing};
use crate::domain::error::Result;
use crate::domain::event::{Resource, Stored};
use crate::domain::filter::{Filters, Page, Sort};
use crate::domain::variable::Variable;
use crate::storage::automations::work::Work;
use crate::storage::{Connection, events, rows, variables};
use objects::OBJECTS;

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
