//! What is done to several runs at once: those that are ticked.

use askama::Template;
use axum::extract::State;
use axum::response::IntoResponse;

use super::row::Row;
use crate::api::{Ctx, Need, Operation};
use crate::domain::error::{Error, Kind, Result};
use crate::domain::filter::{Filters, Page, Sort, flow_run};
use crate::domain::flow_run::FlowRun;
use crate::domain::ids::FlowRunId;
use crate::pages::answer::{Answer, ok, to};
use crate::pages::form::Form;
use crate::pages::names::Names;
use crate::pages::run::actions::{cancel_one, retry_one};
use crate::pages::visitor::{Frame, Visitor};

/// The most runs of one form.
const MOST: usize = 200;

/// What there is to ask.
pub fn operations() -> Vec<Operation> {
    vec![
        Operation::post("/runs/bulk", "Does something to several flow runs")
            .needs(Need::Operate, bulk),
    ]
}

#[derive(Template)]
#[template(path = "delete.html")]
struct DeletePage {
    frame: Frame,
    rows: Vec<Row>,
    kept: Vec<Row>,
}

async fn bulk(State(ctx): State<Ctx>, form: Form) -> Answer {
    let ids = form.values("id").map(str::parse::<FlowRunId>);
    let ids = ids.collect::<Result<Vec<_>, _>>();
    let ids = ids.map_err(|_| Error::invalid("One of these is no id of a run."))?;
    if ids.len() > MOST {
        let words = format!("At most {MOST} runs at once.");
        return Err(Error::new(Kind::TooLarge, words).into());
    }
    let runs = found(&ctx, &ids).await?;
    match form.value("do") {
        "cancel" => {
            for run in runs.iter().filter(|run| !has_ended(run)) {
                cancel_one(&ctx, &form.visitor, run.id).await?;
            }
        }
        "retry" => {
            for run in runs.iter().filter(|run| has_ended(run)) {
                retry_one(&ctx, &form.visitor, run).await?;
            }
        }
        "delete" => return confirm(&ctx, &form.visitor, runs).await,
        "delete-now" => {
            for run in runs.iter().filter(|run| has_ended(run)) {
                let removed = ctx.app.delete_flow_run(run.id).await;
                // Somebody else may have removed it meanwhile.
                removed.or_else(|error| match error.kind() {
                    Kind::NotFound => Ok(()),
                    _ => Err(error),
                })?;
            }
        }
        _ => return Err(Error::invalid("Nothing that can be done was asked for.").into()),
    }
    Ok(to("/runs").into_response())
}

async fn found(ctx: &Ctx, ids: &[FlowRunId]) -> Result<Vec<FlowRun>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let asked = flow_run::ID.is_one_of_ids(ids.iter().map(|id| id.uuid()));
    let filters = Filters {
        flow_runs: Some(vec![asked].into()),
        ..Filters::default()
    };
    let page = Page {
        limit: ids.len() as u64,
        offset: 0,
    };
    ctx.app.flow_runs(filters, Sort::NEWEST, page).await
}

fn has_ended(run: &FlowRun) -> bool {
    run.state
        .as_ref()
        .is_some_and(|state| state.kind.is_terminal())
}

/// The page that says what goes, before it does.
///
/// # Errors
/// Where the store cannot be read.
pub async fn confirm(ctx: &Ctx, visitor: &Visitor, runs: Vec<FlowRun>) -> Answer {
    let names = visitor.masked(Names::of(&ctx.app, &runs).await?).await?;
    let rows = Row::all(&runs, &names, ctx.app.now()).into_iter();
    let (rows, kept) = rows.partition(|row| row.has_ended);
    let frame = visitor.frame(ctx, "runs", "Delete runs").await?;
    ok(&DeletePage { frame, rows, kept })
}
