//! Routes of task runs.

use axum::extract::State;

use super::super::key::Key;
use super::super::{Caller, Ctx};
use super::ask::Ask;
use super::states::{decided, interval_too_short, proposal};
use super::wire::{self, TaskRunOut};
use super::{Answer, created, no_content, ok};
use crate::domain::ids::{StateId, TaskRunId};

pub async fn create(State(ctx): State<Ctx>, mut ask: Ask) -> Answer {
    let new = ask.body(wire::new_task_run);
    let run = ctx.app.create_task_run(ask.done(new)?).await?;
    created(&run, TaskRunOut::new(run.get(), ctx.app.now()))
}

pub async fn read(State(ctx): State<Ctx>, mut ask: Ask) -> Answer {
    let id = ask.id(TaskRunId::from_uuid);
    let run = ctx.app.task_run(ask.done(id)?).await?;
    ok(TaskRunOut::new(&run, ctx.app.now()))
}

pub async fn filter(State(ctx): State<Ctx>, mut ask: Ask) -> Answer {
    let asked = ask.embedded(|fields| {
        let sort = wire::run_sort(fields);
        let page = wire::page(fields);
        let filters = wire::filters(fields);
        Some((filters?, sort?, page?))
    });
    let (filters, sort, page) = ask.done(asked)?;
    let runs = ctx.app.task_runs(filters, sort, page).await?;
    let now = ctx.app.now();
    let runs = runs.iter().map(|run| TaskRunOut::new(run, now));
    ok(runs.collect::<Vec<_>>())
}

pub async fn count(State(ctx): State<Ctx>, mut ask: Ask) -> Answer {
    let filters = ask.embedded(wire::filters);
    ok(ctx.app.count_task_runs(ask.done(filters)?).await?)
}

pub async fn delete(State(ctx): State<Ctx>, mut ask: Ask) -> Answer {
    let id = ask.id(TaskRunId::from_uuid);
    ctx.app.delete_task_run(ask.done(id)?).await?;
    no_content()
}

pub async fn set_state(
    State(ctx): State<Ctx>,
    caller: Caller,
    Key(key): Key,
    mut ask: Ask,
) -> Answer {
    let id = ask.id(TaskRunId::from_uuid);
    let asked = id.zip(ask.embedded(proposal));
    let (id, (proposed, force)) = ask.done(asked)?;
    let proposed = caller
        .signed(proposed)
        .known_as(key.map(StateId::from_uuid));
    let decision = ctx.app.propose_task_run_state(id, proposed, force).await?;
    decided(&decision)
}

pub async fn history(State(ctx): State<Ctx>, mut ask: Ask) -> Answer {
    let asked = ask.embedded(wire::history);
    let (filters, buckets) = ask.done(asked)?;
    let buckets = buckets.ok_or_else(interval_too_short)?;
    let tallies = ctx.app.task_run_history(filters, buckets).await?;
    ok(wire::buckets_out(buckets, &tallies))
}
