//! Automations: what they wait for, and what they do.

use axum::extract::State;
use serde_json::Value;

use super::table::{Part, Table, columns, link, switch};
use crate::api::redaction::{Reader, Redact};
use crate::api::{Ctx, Need, Operation};
use crate::domain::automation::Automation;
use crate::domain::filter::{Filters, Sort};
use crate::domain::ids::AutomationId;
use crate::pages::answer::{Answer, ok, to};
use crate::pages::form::Form;
use crate::pages::path::Id;
use crate::pages::show::{Html, short, times};
use crate::pages::visitor::Visitor;

/// What there is to ask.
pub fn operations() -> Vec<Operation> {
    vec![
        Operation::get("/automations", "Lists automations").needs(Need::Inspect, list),
        Operation::post(
            "/automations/automation/{id}/enable",
            "Turns an automation on or off",
        )
        .needs(Need::Operate, enable),
    ]
}

/// What is shown of one.
struct Seen(Automation);

impl Redact for Seen {
    fn redact(&mut self, reader: &Reader<'_>) {
        let mask = reader.of_nobody();
        mask.over(&mut self.0.plan.name);
        mask.over(&mut self.0.plan.description);
        // What it waits for is told by names of events, and what it does by names of kinds.
    }
}

async fn enable(State(ctx): State<Ctx>, Id(id): Id<AutomationId>, form: Form) -> Answer {
    ctx.app
        .enable_automation(id, form.value("on") == "true")
        .await?;
    Ok(to("/automations"))
}

async fn list(State(ctx): State<Ctx>, visitor: Visitor) -> Answer {
    let part = Part::of(&visitor);
    let found = ctx
        .app
        .automations(Filters::default(), Sort::NAME, part.range());
    let found = found.await?.into_iter().map(Seen).collect::<Vec<_>>();
    let mut found = visitor.masked(found).await?;
    let is_more = part.cut(&mut found);
    let frame = visitor.frame(&ctx, "automations", "Automations").await?;
    let now = ctx.app.now();
    let rows = found.iter().map(|Seen(automation)| {
        let plan = &automation.plan;
        let action = format!("/automations/automation/{}/enable", automation.id);
        let told = serde_json::to_value(plan).unwrap_or_default();
        vec![
            Html::of(format!(
                "<b>{}</b><br><span class=\"small muted\">{}</span>",
                link(
                    &format!("/automations/automation/{}", automation.id),
                    &short(&plan.name)
                ),
                short(&plan.description)
            )),
            short(&expected(&told)),
            short(&kinds(told.get("actions").unwrap_or(&Value::Null))),
            times::when(automation.updated, now),
            switch(
                &frame,
                &action,
                plan.enabled,
                &format!("Automation {}", plan.name),
            ),
        ]
    });
    let (newer, older) = part.around("/automations", is_more);
    ok(&Table {
        rows: rows.collect(),
        frame,
        title: "Automations",
        lead: String::new(),
        columns: columns(&[
            ("Automation", ""),
            ("When", "k2 why"),
            ("Does", "k2 why"),
            ("Changed", "w"),
            ("On", "num"),
        ]),
        empty: (
            "No automation yet",
            "An automation does something when something happens: prefect automation create --from-file FILE",
        ),
        shell: "prefectctl automation ls",
        search: None,
        newer,
        older,
    })
}

/// What an automation's trigger waits for.
fn expected(plan: &Value) -> String {
    let trigger = &plan["trigger"];
    let words = |list: &Value| {
        let list = list.as_array().into_iter().flatten();
        let words: Vec<_> = list.filter_map(Value::as_str).collect();
        words.join(", ")
    };
    let posture = trigger["posture"].as_str().unwrap_or_default();
    let expect = words(&trigger["expect"]);
    match (trigger["type"].as_str().unwrap_or_default(), posture) {
        ("event", "Proactive") => format!("nothing like {expect} comes"),
        ("event", _) if expect.is_empty() => "any event".to_owned(),
        ("event", _) => expect,
        (kind, _) => format!("{kind} trigger"),
    }
}

fn kinds(actions: &Value) -> String {
    let actions = actions.as_array().into_iter().flatten();
    let kinds: Vec<_> = actions
        .filter_map(|action| action["type"].as_str())
        .collect();
    kinds.join(", ")
}
