//! Routes of flow runs.

use axum::extract::State;

use super::super::key::Key;
use super::super::{Caller, Ctx};
use super::ask::Ask;
use super::states::{decided, interval_too_short, proposal};
use super::wire::{self, DependencyOut, FlowRunOut};
use super::{Answer, created, no_content, ok};
use crate::domain::ids::{FlowRunId, StateId};

pub async fn create(State(ctx): State<Ctx>, caller: Caller, Key(key): Key, mut ask: Ask) -> Answer {
    let new = ask.body(wire::new_flow_run);
    let mut new = ask.done(new)?;
    new.idempotency_key = new.idempotency_key.or(key.map(|key| key.to_string()));
    new.created_by = caller.actor();
    let run = ctx.app.create_flow_run(new).await?;
    created(&run, FlowRunOut::new(run.get(), ctx.app.now()))
}

pub async fn read(State(ctx): State<Ctx>, mut ask: Ask) -> Answer {
    let id = ask.id(FlowRunId::from_uuid);
    let run = ctx.app.flow_run(ask.done(id)?).await?;
    ok(FlowRunOut::new(&run, ctx.app.now()))
}

pub async fn filter(State(ctx): State<Ctx>, mut ask: Ask) -> Answer {
    let asked = ask.embedded(|fields| {
        let sort = wire::run_sort(fields);
        let page = wire::page(fields);
        let filters = wire::filters(fields);
        Some((filters?, sort?, page?))
    });
    let (filters, sort, page) = ask.done(asked)?;
    let runs = ctx.app.flow_runs(filters, sort, page).await?;
    let now = ctx.app.now();
    let runs = runs.iter().map(|run| FlowRunOut::new(run, now));
    ok(runs.collect::<Vec<_>>())
}

pub async fn count(State(ctx): State<Ctx>, mut ask: Ask) -> Answer {
    let filters = ask.embedded(wire::filters);
    ok(ctx.app.count_flow_runs(ask.done(filters)?).await?)
}

pub async fn update(State(ctx): State<Ctx>, mut ask: Ask) -> Answer {
    let id = ask.id(FlowRunId::from_uuid);
    let asked = id.zip(ask.body(wire::flow_run_update));
    let (id, update) = ask.done(asked)?;
    ctx.app.update_flow_run(id, update).await?;
    no_content()
}

pub async fn delete(State(ctx): State<Ctx>, mut ask: Ask) -> Answer {
    let id = ask.id(FlowRunId::from_uuid);
    ctx.app.delete_flow_run(ask.done(id)?).await?;
    no_content()
}

pub async fn set_state(
    State(ctx): State<Ctx>,
    caller: Caller,
    Key(key): Key,
    mut ask: Ask,
) -> Answer {
    let id = ask.id(FlowRunId::from_uuid);
    let asked = id.zip(ask.embedded(proposal));
    let (id, (proposed, force)) = ask.done(asked)?;
    let proposed = caller
        .signed(proposed)
        .known_as(key.map(StateId::from_uuid));
    let decision = ctx.app.propose_flow_run_state(id, proposed, force).await?;
    decided(&decision)
}

pub async fn history(State(ctx): State<Ctx>, mut ask: Ask) -> Answer {
    let asked = ask.embedded(wire::history);
    let (filters, buckets) = ask.done(asked)?;
    let buckets = buckets.ok_or_else(interval_too_short)?;
    let tallies = ctx.app.flow_run_history(filters, buckets).await?;
    ok(wire::buckets_out(buckets, &tallies))
}

/// The flow run's task runs, each with the task runs whose results it takes.
pub async fn graph(State(ctx): State<Ctx>, mut ask: Ask) -> Answer {
    let id = ask.id(FlowRunId::from_uuid);
    let id = ask.done(id)?;
    let tasks = ctx.app.task_runs_of(id).await?;
    ok(tasks.iter().map(DependencyOut::from).collect::<Vec<_>>())
}
