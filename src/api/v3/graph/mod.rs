//! Routes of the graphs of flow runs.

pub mod wire;

use axum::extract::{Request, State};
use chrono::{DateTime, Utc};

use super::extract::{Id, in_query};
use super::wire::Instant;
use super::{Answer, ok};
use crate::api::access::Requester;
use crate::api::{Ctx, Operation};
use crate::domain::access::Need;
use crate::domain::error::{Error, Result};
use crate::domain::ids::FlowRunId;
use crate::domain::time::Timestamp;
use wire::{Dependency, Graph};

/// What there is to ask.
pub fn operations() -> Vec<Operation> {
    vec![
        Operation::get(
            "/flow_runs/{id}/graph",
            "Tells which task runs of a flow run took whose results",
        )
        .lists::<Dependency>()
        .needs(Need::Read, dependencies),
        Operation::get(
            "/flow_runs/{id}/graph-v2",
            "Tells what a flow run did, as a graph",
        )
        .answers::<Graph>()
        .needs(Need::Read, graph),
    ]
}

pub async fn dependencies(State(ctx): State<Ctx>, who: Requester, Id(id): Id) -> Answer {
    let runs = ctx.app.task_runs_of(FlowRunId::from_uuid(id)).await?;
    let now = ctx.app.now();
    let runs = runs.into_iter().map(|run| Dependency::new(run, now));
    ok(&who, runs.collect::<Vec<_>>()).await
}

pub async fn graph(State(ctx): State<Ctx>, who: Requester, Id(id): Id, request: Request) -> Answer {
    let since = since(&request)?;
    let id = FlowRunId::from_uuid(id);
    let graph = ctx.app.flow_run_graph(id, since).await?;
    ok(&who, Graph::new(id, graph)).await
}

fn since(request: &Request) -> Result<Option<Timestamp>> {
    let Some(text) = in_query(request.uri(), "since") else {
        return Ok(None);
    };
    // A plus in a query is a space.
    let text = text.replace(' ', "+");
    let at = DateTime::parse_from_rfc3339(&text);
    let at =
        at.map_err(|_| Error::invalid("since must be an instant, such as 2024-01-01T00:00:00Z."))?;
    Ok(Some(Instant::from(at.with_timezone(&Utc)).into()))
}
