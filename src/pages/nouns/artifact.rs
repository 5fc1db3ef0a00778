//! One artifact, and those of a run.

use std::collections::HashSet;

use askama::Template;
use axum::extract::State;
use serde_json::Value;

use crate::api::redaction::{Reader, Redact};
use crate::api::{Ctx, Need, Operation};
use crate::domain::artifact::{Artifact, Content};
use crate::domain::error::Result;
use crate::domain::filter::{Filters, Page, Sort, artifact};
use crate::domain::ids::{ArtifactId, FlowRunId};
use crate::domain::time::Timestamp;
use crate::pages::answer::{Answer, ok, to};
use crate::pages::markdown;
use crate::pages::path::{Id, Name};
use crate::pages::show::content::{opened, rendered};
use crate::pages::show::json::Pair;
use crate::pages::show::{Html, short, text, times};
use crate::pages::visitor::{Frame, Visitor};

/// The most artifacts that a run's page shows.
const MOST_OF_RUN: u64 = 20;

/// What there is to ask.
pub fn operations() -> Vec<Operation> {
    let shows = "Shows an artifact";
    vec![
        Operation::get("/artifacts/artifact/{id}", shows).needs(Need::Inspect, show),
        Operation::get(
            "/artifacts/key/{name}",
            "Leads to the latest artifact of a key",
        )
        .needs(Need::Inspect, latest),
    ]
}

impl Redact for Artifact {
    fn runs(&self, noted: &mut HashSet<FlowRunId>) {
        noted.extend(self.content.flow_run_id);
    }

    fn redact(&mut self, reader: &Reader<'_>) {
        redact(&mut self.content, reader);
    }
}

/// Masks what an artifact says.
pub fn redact(content: &mut Content, reader: &Reader<'_>) {
    let mask = reader.within_flow_run(content.flow_run_id);
    mask.over(&mut content.kind);
    mask.over(&mut content.description);
    // A table comes as a text, whose secrets are under the names of its columns.
    content.data = content.data.take().map(opened);
    mask.over(&mut content.data);
    for (name, told) in content.metadata.iter_mut().flatten() {
        let mut value = Value::from(std::mem::take(told));
        mask.over_member(name, &mut value);
        *told = value.as_str().unwrap_or_default().to_owned();
    }
}

/// An artifact as it is shown on a page.
pub struct Shown {
    /// Its page.
    pub href: String,
    /// What it is called.
    pub name: Html,
    /// Its type.
    pub kind: Html,
    /// When it was left.
    pub at: Html,
    /// What it is for.
    pub description: Html,
    /// What it is.
    pub content: Html,
}

impl Shown {
    fn new(it: &Artifact, now: Timestamp) -> Self {
        let content = &it.content;
        let description = content
            .description
            .as_deref()
            .filter(|said| !said.is_empty());
        Self {
            href: format!("/artifacts/artifact/{}", it.id),
            name: short(it.key.as_deref().unwrap_or("without a key")),
            kind: short(content.kind.as_deref().unwrap_or("of no type")),
            at: times::when(it.created, now),
            description: description.map(markdown::rendered).unwrap_or_default(),
            content: rendered(content),
        }
    }
}

/// What a run has left, the latest first.
///
/// # Errors
/// Where the store cannot be read.
pub async fn of_run(ctx: &Ctx, visitor: &Visitor, run: FlowRunId) -> Result<Vec<Shown>> {
    let filters = Filters {
        artifacts: Some(vec![artifact::FLOW_RUN_ID.is_one_of_ids([run.uuid()])].into()),
        ..Filters::default()
    };
    let page = Page {
        limit: MOST_OF_RUN,
        offset: 0,
    };
    let found = ctx.app.artifacts(filters, Sort::NEWEST, page).await?;
    let now = ctx.app.now();
    // What keeps the results of tasks is for programs.
    let found = visitor.masked(found).await?;
    let for_people = found
        .iter()
        .filter(|it| it.content.kind.as_deref() != Some("result"));
    Ok(for_people.map(|it| Shown::new(it, now)).collect())
}

#[derive(Template)]
#[template(path = "artifact.html")]
struct ArtifactPage {
    frame: Frame,
    it: Shown,
    about: Vec<Pair>,
}

async fn show(State(ctx): State<Ctx>, Id(id): Id<ArtifactId>, visitor: Visitor) -> Answer {
    let it = visitor.masked(ctx.app.artifact(id).await?).await?;
    let title = it.key.as_deref().unwrap_or("Artifact").to_owned();
    let now = ctx.app.now();
    ok(&ArtifactPage {
        frame: visitor.frame(&ctx, "artifacts", &title).await?,
        about: about(&it, now),
        it: Shown::new(&it, now),
    })
}

async fn latest(State(ctx): State<Ctx>, Name(key): Name) -> Answer {
    let found = ctx.app.latest_artifact(key).await?;
    Ok(to(&format!("/artifacts/artifact/{}", found.latest_id)))
}

fn about(it: &Artifact, now: Timestamp) -> Vec<Pair> {
    let pair = |name: Html, value: Html| Pair { name, value };
    let link = |href: String, words: &str| {
        Html::of(format!("<a class=\"link\" href=\"{href}\">{words}</a>"))
    };
    let mut all = vec![
        pair(Html::fixed("Left"), times::when(it.created, now)),
        pair(Html::fixed("Changed"), times::when(it.updated, now)),
    ];
    if let Some(id) = it.content.flow_run_id {
        all.push(pair(
            Html::fixed("By"),
            link(format!("/runs/flow-run/{id}"), "a flow run"),
        ));
    }
    if let Some(id) = it.content.task_run_id {
        all.push(pair(
            Html::fixed("In"),
            link(format!("/runs/task-run/{id}"), "a task run"),
        ));
    }
    let said = it.content.metadata.iter().flatten();
    all.extend(said.map(|(name, value)| pair(short(name), text(value))));
    all.push(pair(
        Html::fixed("Id"),
        Html::of(format!("<code class=\"sel\">{}</code>", it.id)),
    ));
    all
}
