//! Artifacts: what runs leave for people to look at; of each key the latest.

use axum::extract::State;

use super::table::{Part, Table, columns, link};
use crate::api::redaction::{Reader, Redact};
use crate::api::{Ctx, Need, Operation};
use crate::domain::artifact::Collection;
use crate::domain::filter::{Filters, Sort};
use crate::domain::ids::FlowRunId;
use crate::pages::answer::{Answer, ok};
use crate::pages::show::{Html, json, short, times};
use crate::pages::visitor::Visitor;

/// What there is to ask.
pub fn operations() -> Vec<Operation> {
    let list = || list;
    vec![
        Operation::get("/artifacts", "Lists artifacts").needs(Need::Inspect, list()),
        Operation::get("/artifacts/artifact/{id}", "Lists artifacts").needs(Need::Inspect, list()),
        Operation::get("/artifacts/key/{name}", "Lists artifacts").needs(Need::Inspect, list()),
    ]
}

/// What is shown of one.
struct Seen(Collection);

impl Redact for Seen {
    fn redact(&mut self, reader: &Reader<'_>) {
        let mask = reader.of_nobody();
        mask.over(&mut self.0.key);
        mask.over(&mut self.0.content.description);
        mask.over(&mut self.0.content.data);
    }
}

async fn list(State(ctx): State<Ctx>, visitor: Visitor) -> Answer {
    let part = Part::of(&visitor);
    let found = ctx
        .app
        .latest_artifacts(Filters::default(), Sort::down("updated"), part.range());
    let found = found.await?.into_iter().map(Seen).collect::<Vec<_>>();
    let mut found = visitor.masked(found).await?;
    let is_more = part.cut(&mut found);
    let now = ctx.app.now();
    let rows = found.iter().map(|Seen(it)| {
        let run = |id: FlowRunId| link(&format!("/runs/flow-run/{id}"), &Html::fixed("its run"));
        vec![
            Html::of(format!("<bdi>{}</bdi>", short(&it.key))),
            short(it.content.kind.as_deref().unwrap_or("–")),
            it.content
                .data
                .as_ref()
                .map(json::shown)
                .unwrap_or_default(),
            it.content.flow_run_id.map(run).unwrap_or_default(),
            times::when(it.updated, now),
        ]
    });
    let (newer, older) = part.around("/artifacts", is_more);
    ok(&Table {
        rows: rows.collect(),
        frame: visitor.frame(&ctx, "artifacts", "Artifacts").await?,
        title: "Artifacts",
        lead: String::new(),
        columns: columns(&[
            ("Key", ""),
            ("Type", "k2 muted"),
            ("Content", "k2 why"),
            ("Left by", "w"),
            ("When", "num"),
        ]),
        empty: (
            "No artifact yet",
            "Flows leave tables, markdown, links and progress here, each under a key.",
        ),
        shell: "prefect artifact ls",
        search: None,
        newer,
        older,
    })
}
