//! Artifacts: what runs leave for people to look at; of each key the latest.

use axum::extract::State;
use serde_json::Value;

use super::artifact::redact;
use super::table::{Part, Table, columns, link};
use crate::api::redaction::{Reader, Redact};
use crate::api::{Ctx, Need, Operation};
use crate::domain::artifact::Collection;
use crate::domain::filter::{Filters, Sort};
use crate::domain::ids::FlowRunId;
use crate::pages::answer::{Answer, ok};
use crate::pages::show::{Html, short, text, times};
use crate::pages::visitor::Visitor;

/// What there is to ask.
pub fn operations() -> Vec<Operation> {
    vec![Operation::get("/artifacts", "Lists artifacts").needs(Need::Inspect, list)]
}

/// How much of the content is shown, in characters.
const LONGEST: usize = 160;

/// What is shown of one.
struct Seen(Collection);

impl Redact for Seen {
    fn redact(&mut self, reader: &Reader<'_>) {
        reader.of_nobody().over(&mut self.0.key);
        redact(&mut self.0.content, reader);
    }
}

/// The beginning of what it says.
fn beginning(data: &Value) -> Html {
    let told = match data {
        Value::String(written) => written.clone(),
        other => other.to_string(),
    };
    let mut chars = told.chars();
    let begin: String = chars.by_ref().take(LONGEST).collect();
    let more = match chars.next() {
        Some(_) => "…",
        None => "",
    };
    text(&format!("{begin}{more}"))
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
            link(
                &format!("/artifacts/artifact/{}", it.latest_id),
                &short(&it.key),
            ),
            short(it.content.kind.as_deref().unwrap_or("–")),
            it.content.data.as_ref().map(beginning).unwrap_or_default(),
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
