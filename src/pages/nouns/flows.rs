//! Flows: how many deployments they have, and when they run next.

use std::collections::HashMap;

use axum::extract::State;

use super::table::{Part, Table, columns, link};
use crate::api::{Ctx, Need, Operation};
use crate::domain::filter::{Filters, Sort, Test, flow};
use crate::domain::ids::FlowId;
use crate::pages::answer::{Answer, moved, ok};
use crate::pages::path::Id;
use crate::pages::show::{Html, count, short, times};
use crate::pages::visitor::Visitor;

/// What there is to ask.
pub fn operations() -> Vec<Operation> {
    vec![
        Operation::get("/flows", "Lists flows").needs(Need::Inspect, list),
        Operation::get("/flows/flow/{id}", "Leads to a flow's runs").needs(Need::Inspect, one),
        Operation::get("/flow/{id}", "Leads to a flow's runs").needs(Need::Inspect, one),
    ]
}

async fn one(State(ctx): State<Ctx>, Id(id): Id<FlowId>) -> Answer {
    ctx.app.flow(id).await?;
    Ok(moved(&format!("/runs?flow={id}")))
}

async fn list(State(ctx): State<Ctx>, visitor: Visitor) -> Answer {
    let part = Part::of(&visitor);
    let asked = (!part.q.is_empty()).then(|| flow::NAME.asked(Test::Like(part.q.clone())));
    let filters = Filters {
        flows: asked.map(|asked| vec![asked].into()),
        ..Filters::default()
    };
    let flows = ctx.app.flows(filters, Sort::NAME, part.range()).await?;
    let mut flows = visitor.masked(flows).await?;
    let is_more = part.cut(&mut flows);
    let ids: Vec<_> = flows.iter().map(|flow| flow.id).collect();
    let deployments = ctx.app.count_deployments_of(ids.clone()).await?;
    let deployments: HashMap<_, _> = deployments.into_iter().collect();
    let next: HashMap<_, _> = ctx.app.next_runs_of(ids).await?.into_iter().collect();
    let now = ctx.app.now();
    let rows = flows.iter().map(|flow| {
        let number = deployments.get(&flow.id).copied().unwrap_or(0);
        let next = next.get(&flow.id).and_then(Option::as_ref);
        let due = next.and_then(|run| run.next_scheduled_start_time);
        let words = Html::of(count(number, "deployment"));
        vec![
            link(&format!("/runs?flow={}", flow.id), &short(&flow.name)),
            match number {
                0 => Html::fixed("–"),
                _ => link(&format!("/deployments?flow={}", flow.id), &words),
            },
            due.map(|due| times::apart(due, now))
                .unwrap_or(Html::fixed("–")),
            times::when(flow.created, now),
        ]
    });
    let (newer, older) = part.around("/flows", is_more);
    ok(&Table {
        rows: rows.collect(),
        frame: visitor.frame(&ctx, "flows", "Flows").await?,
        title: "Flows",
        lead: String::new(),
        columns: columns(&[
            ("Flow", ""),
            ("Deployments", "k2"),
            ("Next run", "k2"),
            ("First seen", "num w"),
        ]),
        empty: (
            "No flow yet",
            "A flow is here once it has run, or was deployed.",
        ),
        shell: "prefectctl flow ls",
        search: Some(("/flows", part.shown())),
        newer,
        older,
    })
}
