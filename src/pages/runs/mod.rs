//! The list of flow runs, with its filters in its address, and what is done to several at once.

mod bulk;
pub use bulk::confirm;
mod filter;
pub mod row;

use askama::Template;
use axum::extract::State;

use super::answer::{Answer, ok};
use super::names::Names;
use super::show::{Html, number, short, text};
use super::visitor::{Frame, Visitor};
use crate::api::{Ctx, Need, Operation};
use crate::domain::error::Result;
use crate::domain::filter::Page;
use crate::domain::ids::{DeploymentId, FlowId};
use filter::{Asked, LAST, STATES};
use row::Row;

/// How many rows a page has.
const ROWS: u64 = 50;

/// What there is to ask.
pub fn operations() -> Vec<Operation> {
    let mut all = vec![
        Operation::get("/runs", "Lists flow runs").needs(Need::Inspect, list),
        Operation::get("/flow-runs", "Leads to the flow runs").needs(Need::Inspect, old),
    ];
    all.extend(bulk::operations());
    all
}

async fn old() -> Answer {
    Ok(super::answer::moved("/runs"))
}

/// A state to choose.
struct Choice {
    value: &'static str,
    label: &'static str,
    checked: Html,
    count: String,
}

/// A column by which the list can be ordered.
struct Column {
    href: String,
    arrow: &'static str,
    order: &'static str,
}

/// A part of the filter that is named by an id.
struct Narrowed {
    name: &'static str,
    id: String,
    label: Html,
    without: String,
}

/// The list, as it is put together for the page and for what changes on it.
#[derive(Template)]
#[template(path = "runs.html", blocks = ["rows"])]
pub struct RunsPage {
    frame: Frame,
    rows: Vec<Row>,
    asked: Shown,
    choices: Vec<Choice>,
    lasts: Vec<(&'static str, &'static str, Html)>,
    narrowed: Vec<Narrowed>,
    by_name: Column,
    by_start: Column,
    found: String,
    range: String,
    newer: Option<String>,
    older: Option<String>,
    is_narrow: bool,
}

/// What was asked, as it stands in the form.
struct Shown {
    q: Html,
    tag: Html,
    pool: Html,
    sort: Html,
}

async fn list(State(ctx): State<Ctx>, visitor: Visitor) -> Answer {
    ok(&read(&ctx, &visitor).await?)
}

/// The list that an address asks for.
///
/// # Errors
/// Where the store cannot be read.
pub async fn read(ctx: &Ctx, visitor: &Visitor) -> Result<RunsPage> {
    let asked = Asked::of(visitor);
    let now = ctx.app.now();
    let page = Page {
        limit: ROWS + 1,
        offset: asked.page * ROWS,
    };
    let found = ctx.app.flow_runs(asked.filters(now), asked.order(), page);
    let mut runs = visitor.masked(found.await?).await?;
    let is_more = runs.len() as u64 > ROWS;
    runs.truncate(ROWS as usize);
    let names = visitor.masked(Names::of(&ctx.app, &runs).await?).await?;
    let stream = format!("/live/runs?{}", asked.query(&[]));
    let frame = visitor.frame(ctx, "runs", "Runs").await?.live(stream);
    let counts = ctx.app.vitals().await?.runs;
    let (first, last) = (page.offset + 1, page.offset + runs.len() as u64);
    let range = match runs.is_empty() {
        true => String::new(),
        false => format!("{}–{}", number(first), number(last)),
    };
    let to_page = |page: u64| format!("/runs?{}", asked.query(&[("page", &page.to_string())]));
    let chosen = |is_chosen: bool, word: &'static str| match is_chosen {
        true => Html::fixed(word),
        false => Html::default(),
    };
    let choices = STATES.iter().map(|(value, label)| Choice {
        value,
        label,
        checked: chosen(asked.states.iter().any(|state| state == value), " checked"),
        count: counts
            .iter()
            .find(|(kind, count)| kind.word().eq_ignore_ascii_case(value) && *count > 0)
            .map(|(_, count)| number(*count))
            .unwrap_or_default(),
    });
    Ok(RunsPage {
        rows: Row::all(&runs, &names, now),
        choices: choices.collect(),
        lasts: LAST
            .iter()
            .map(|(word, label, _)| (*word, *label, chosen(*word == asked.last, " selected")))
            .collect(),
        narrowed: narrowed(ctx, visitor, &asked).await?,
        by_name: column(&asked, "name", "-name"),
        by_start: column(&asked, "-start", "start"),
        found: match is_more || page.offset > 0 {
            true => String::new(),
            false => super::show::count(runs.len() as u64, "run"),
        },
        range,
        newer: (asked.page > 0).then(|| to_page(asked.page - 1)),
        older: is_more.then(|| to_page(asked.page + 1)),
        is_narrow: asked.is_narrow(),
        asked: Shown {
            q: text(&asked.q),
            tag: text(&asked.tag),
            pool: text(&asked.pool),
            sort: text(&asked.sort),
        },
        frame,
    })
}

fn column(asked: &Asked, first: &str, second: &str) -> Column {
    let is_usual = asked.sort.is_empty() && first == "-start";
    let (next, current) = match &*asked.sort {
        sort if sort == first || is_usual => (second, first),
        sort if sort == second => (first, second),
        _ => (first, ""),
    };
    let (arrow, order) = match current {
        "" => ("", "none"),
        word if word.starts_with('-') => (" ↓", "descending"),
        _ => (" ↑", "ascending"),
    };
    Column {
        href: format!("/runs?{}", asked.query(&[("sort", next)])),
        arrow,
        order,
    }
}

/// The deployment and the flow that the list is narrowed to.
async fn narrowed(ctx: &Ctx, visitor: &Visitor, asked: &Asked) -> Result<Vec<Narrowed>> {
    let flows = asked.flow.map(FlowId::from_uuid).into_iter().collect();
    let deployments = asked.deployment.map(DeploymentId::from_uuid);
    let names = Names::known(&ctx.app, flows, deployments.into_iter().collect());
    let names = visitor.masked(names.await?).await?;
    let of_flow = asked.flow.map(|id| Narrowed {
        name: "flow",
        id: id.to_string(),
        label: names.flow(FlowId::from_uuid(id)),
        without: format!("/runs?{}", asked.query(&[("flow", "")])),
    });
    let of_deployment = asked.deployment.map(|id| Narrowed {
        name: "deployment",
        id: id.to_string(),
        label: names
            .deployment(DeploymentId::from_uuid(id))
            .unwrap_or_else(|| short("gone")),
        without: format!("/runs?{}", asked.query(&[("deployment", "")])),
    });
    Ok(of_flow.into_iter().chain(of_deployment).collect())
}
