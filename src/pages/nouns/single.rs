//! Pages of one block, automation, limit or variable: all that there is to know of it.

use askama::Template;
use axum::extract::State;
use serde_json::Value;

use super::table::{link, switch};
use crate::api::redaction::{Reader, Redact};
use crate::api::{Ctx, Need, Operation};
use crate::app::{LimitKey, VariableKey};
use crate::domain::JsonMap;
use crate::domain::concurrency_limit::TAG;
use crate::domain::error::Result;
use crate::domain::ids::{AutomationId, BlockDocumentId, LimitId, VariableId};
use crate::domain::time::Timestamp;
use crate::pages::answer::{Answer, ok};
use crate::pages::path::{Id, Name};
use crate::pages::show::json::{self, Pair, pairs};
use crate::pages::show::{Html, lines, short, text, times};
use crate::pages::visitor::{Frame, Visitor};

/// What there is to ask.
pub fn operations() -> Vec<Operation> {
    vec![
        Operation::get("/blocks/block/{id}", "Shows a block").needs(Need::Inspect, block),
        Operation::get("/automations/automation/{id}", "Shows an automation")
            .needs(Need::Inspect, automation),
        Operation::get(
            "/concurrency-limits/concurrency-limit/{id}",
            "Shows a limit",
        )
        .needs(Need::Inspect, limit),
        Operation::get("/variables/variable/{id}", "Shows a variable")
            .needs(Need::Inspect, variable),
        Operation::get("/variables/name/{name}", "Shows a variable")
            .needs(Need::Inspect, variable_of_name),
    ]
}

/// One thing: what it says in parts, and what it is beside that.
#[derive(Template)]
#[template(path = "single.html")]
struct Single {
    frame: Frame,
    /// The list that it is in: address and name.
    list: (&'static str, &'static str),
    title: Html,
    lead: Html,
    switch: Html,
    parts: Vec<Part>,
    about: Vec<Pair>,
    shell: Html,
}

/// A part of what something says.
struct Part {
    id: &'static str,
    title: &'static str,
    pairs: Vec<Pair>,
    whole: Html,
    empty: &'static str,
}

impl Part {
    fn pairs(id: &'static str, title: &'static str, of: Vec<Pair>, empty: &'static str) -> Self {
        Self {
            id,
            title,
            pairs: of,
            whole: Html::default(),
            empty,
        }
    }

    fn whole(id: &'static str, title: &'static str, value: &Value) -> Self {
        Self {
            id,
            title,
            pairs: Vec::new(),
            whole: laid_out(value),
            empty: "Nothing.",
        }
    }
}

/// A value over as many lines as it takes.
fn laid_out(value: &Value) -> Html {
    let is_nothing = match value {
        Value::Null => true,
        Value::Array(all) => all.is_empty(),
        Value::Object(all) => all.is_empty(),
        _ => false,
    };
    match (is_nothing, value) {
        (true, _) => Html::default(),
        (_, Value::String(plain)) => Html::of(format!("<pre>{}</pre>", lines(plain))),
        (_, value) => {
            let told = serde_json::to_string_pretty(value).unwrap_or_default();
            Html::of(format!("<pre>{}</pre>", lines(&told)))
        }
    }
}

fn pair(name: &'static str, value: Html) -> Pair {
    Pair {
        name: Html::fixed(name),
        value,
    }
}

/// When it was made and changed, and its id.
fn usual(
    created: Timestamp,
    updated: Timestamp,
    id: impl std::fmt::Display,
    now: Timestamp,
) -> Vec<Pair> {
    vec![
        pair("Created", times::when(created, now)),
        pair("Changed", times::when(updated, now)),
        pair("Id", Html::of(format!("<code class=\"sel\">{id}</code>"))),
    ]
}

/// A document that somebody wrote, of nobody's run.
struct Written(Value);

impl Redact for Written {
    fn redact(&mut self, reader: &Reader<'_>) {
        reader.of_nobody().over(&mut self.0);
    }
}

async fn masked(visitor: &Visitor, value: Value) -> Result<Value> {
    Ok(visitor.masked(Written(value)).await?.0)
}

async fn block(State(ctx): State<Ctx>, Id(id): Id<BlockDocumentId>, visitor: Visitor) -> Answer {
    let found = ctx.app.block_document(id).await?;
    // Secrets are shown to nobody here, whoever looks.
    let data = masked(&visitor, found.data(false).into()).await?;
    let data = data.as_object().cloned().unwrap_or_else(JsonMap::new);
    let kind = masked(&visitor, Value::from(found.kind.new.name.as_str())).await?;
    let now = ctx.app.now();
    let stored = &found.stored;
    let mut about = vec![pair("Type", json::shown(&kind))];
    about.extend(usual(stored.created, stored.updated, stored.id, now));
    let name = short(&stored.name);
    ok(&Single {
        frame: visitor.frame(&ctx, "blocks", &stored.name).await?,
        list: ("/blocks", "Blocks"),
        lead: Html::default(),
        switch: Html::default(),
        parts: vec![Part::pairs(
            "values",
            "Values",
            pairs(&data),
            "It has none.",
        )],
        shell: Html::of(format!(
            "prefect block inspect {}/{name}",
            short(&found.kind.new.slug)
        )),
        title: name,
        about,
    })
}

async fn automation(State(ctx): State<Ctx>, Id(id): Id<AutomationId>, visitor: Visitor) -> Answer {
    let found = ctx.app.automation(id).await?;
    let plan = serde_json::to_value(&found.plan).unwrap_or_default();
    let plan = masked(&visitor, plan).await?;
    let part = |name: &str| plan.get(name).unwrap_or(&Value::Null);
    let word = |name: &str| part(name).as_str().unwrap_or_default();
    let now = ctx.app.now();
    let frame = visitor.frame(&ctx, "automations", word("name")).await?;
    let tags = part("tags").as_array().into_iter().flatten();
    let tags: Vec<_> = tags.filter_map(Value::as_str).collect();
    let mut about = vec![pair(
        "Is",
        Html::fixed(if found.plan.enabled { "on" } else { "off" }),
    )];
    if !tags.is_empty() {
        about.push(pair("Tags", text(&tags.join(", "))));
    }
    about.extend(usual(found.created, found.updated, found.id, now));
    let mut parts = vec![
        Part::whole("trigger", "When", part("trigger")),
        Part::whole("actions", "Does", part("actions")),
    ];
    if !found.plan.actions_on_trigger.is_empty() {
        parts.push(Part::whole("then", "And then", part("actions_on_trigger")));
    }
    let action = format!("/automations/automation/{id}/enable");
    ok(&Single {
        switch: switch(&frame, &action, found.plan.enabled, "This automation"),
        frame,
        list: ("/automations", "Automations"),
        title: short(word("name")),
        lead: lines(word("description")),
        parts,
        about,
        shell: Html::of(format!("prefectctl automation inspect {id}")),
    })
}

async fn limit(State(ctx): State<Ctx>, Id(id): Id<LimitId>, visitor: Visitor) -> Answer {
    let found = visitor
        .masked(ctx.app.limit(LimitKey::Id(id)).await?)
        .await?;
    let limit = &found.limit;
    let name = limit.name.as_str();
    let (of, bare) = match name.strip_prefix(TAG) {
        Some(tag) => ("the task runs of a tag", tag),
        None => ("what asks for it by name", name),
    };
    let mut about = vec![
        pair("Limits", Html::fixed(of)),
        pair(
            "In force",
            Html::fixed(if limit.active { "yes" } else { "no" }),
        ),
    ];
    if limit.decay > 0.0 {
        let words = format!("{} per second come back", limit.decay);
        about.push(pair("Slots", Html::of(words)));
    }
    about.extend(usual(limit.created, limit.updated, limit.id, ctx.app.now()));
    let holders = found.task_runs.iter().take(200).map(|id| Pair {
        name: link(&format!("/runs/task-run/{id}"), &Html::fixed("task run")),
        value: Html::of(format!("<code>{id}</code>")),
    });
    let none = "No task run says that it holds one.";
    ok(&Single {
        frame: visitor.frame(&ctx, "limits", bare).await?,
        list: ("/concurrency-limits", "Limits"),
        lead: Html::of(format!("{} of {} slots taken", found.taken, limit.slots)),
        switch: Html::default(),
        parts: vec![Part::pairs(
            "held",
            "Who holds a slot",
            holders.collect(),
            none,
        )],
        shell: Html::of(format!("prefect gcl inspect {}", short(name))),
        title: short(bare),
        about,
    })
}

async fn variable(State(ctx): State<Ctx>, Id(id): Id<VariableId>, visitor: Visitor) -> Answer {
    shown(&ctx, &visitor, VariableKey::Id(id)).await
}

async fn variable_of_name(State(ctx): State<Ctx>, Name(name): Name, visitor: Visitor) -> Answer {
    shown(&ctx, &visitor, VariableKey::Name(name)).await
}

async fn shown(ctx: &Ctx, visitor: &Visitor, key: VariableKey) -> Answer {
    let found = visitor.masked(ctx.app.variable(key).await?).await?;
    let mut about = Vec::new();
    if !found.tags.is_empty() {
        about.push(pair("Tags", text(&found.tags.join(", "))));
    }
    about.extend(usual(found.created, found.updated, found.id, ctx.app.now()));
    ok(&Single {
        frame: visitor.frame(ctx, "variables", &found.name).await?,
        list: ("/variables", "Variables"),
        title: short(&found.name),
        lead: Html::default(),
        switch: Html::default(),
        parts: vec![Part::whole("value", "Value", &found.value)],
        about,
        shell: Html::of(format!("prefect variable inspect {}", short(&found.name))),
    })
}
