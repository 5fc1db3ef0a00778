//! Concurrency limits: how many slots are taken.

use axum::extract::State;

use super::table::{Part, Table, columns, link};
use crate::api::{Ctx, Need, Operation};
use crate::app::LimitNow;
use crate::domain::concurrency_limit::{ConcurrencyLimit, TAG};
use crate::pages::answer::{Answer, ok};
use crate::pages::show::{Html, short, times};
use crate::pages::visitor::Visitor;

/// What there is to ask.
pub fn operations() -> Vec<Operation> {
    vec![
        Operation::get("/concurrency-limits", "Lists concurrency limits")
            .needs(Need::Inspect, list),
    ]
}

fn page(limit: &ConcurrencyLimit) -> String {
    format!("/concurrency-limits/concurrency-limit/{}", limit.id)
}

async fn list(State(ctx): State<Ctx>, visitor: Visitor) -> Answer {
    let part = Part::of(&visitor);
    let found = ctx.app.limits(false, part.range()).await?;
    let mut found = visitor.masked(found).await?;
    let is_more = part.cut(&mut found);
    let now = ctx.app.now();
    let rows = found.iter().map(|it| {
        let LimitNow { limit, taken, .. } = it;
        let (word, name) = match limit.name.strip_prefix(TAG) {
            Some(tag) => ("task runs of a tag", tag),
            None => ("by name", &*limit.name),
        };
        let class = match *taken >= limit.slots && limit.active {
            true => "s-late",
            false => "s-running",
        };
        let (used, slots) = (taken.clamp(&0, &limit.slots), limit.slots);
        vec![
            link(&page(limit), &short(name)),
            Html::fixed(word),
            Html::of(format!(
                "<progress class=\"{class}\" value=\"{used}\" max=\"{slots}\" \
                 aria-label=\"{taken} of {slots} slots\"></progress>"
            )),
            Html::of(format!("{taken} of {slots}")),
            Html::fixed(match limit.active {
                true => "yes",
                false => "no",
            }),
            times::when(limit.updated, now),
        ]
    });
    let (newer, older) = part.around("/concurrency-limits", is_more);
    ok(&Table {
        rows: rows.collect(),
        frame: visitor.frame(&ctx, "limits", "Limits").await?,
        title: "Limits",
        lead: String::new(),
        columns: columns(&[
            ("Limit", ""),
            ("Of", "k2 muted"),
            ("Slots", "k2"),
            ("Taken", "num"),
            ("In force", "w"),
            ("Changed", "num w"),
        ]),
        empty: (
            "No limit yet",
            "A limit says how much may go on at once: prefect gcl create NAME --limit 4",
        ),
        shell: "prefect gcl ls",
        search: None,
        newer,
        older,
    })
}
