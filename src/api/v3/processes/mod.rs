//! What runs use of the machine.

pub mod wire;

use axum::extract::State;

use super::{Answer, ok};
use crate::api::Ctx;
use crate::api::Operation;
use crate::api::access::Requester;
use crate::domain::access::Need;
use crate::domain::filter::{Filters, Page, Sort};
use crate::domain::state::StateType;
use wire::Process;

/// What there is to ask.
pub fn operations() -> Vec<Operation> {
    vec![
        Operation::get(
            "/prefectd/processes",
            "Lists the runs that have processes, and what these use",
        )
        .lists::<Process>()
        .needs(Need::Inspect, processes),
    ]
}

pub async fn processes(State(ctx): State<Ctx>, who: Requester) -> Answer {
    let begun = [
        StateType::Pending,
        StateType::Running,
        StateType::Cancelling,
    ];
    let filters = Filters::of_flow_runs_in(&begun);
    let runs = ctx.app.flow_runs(filters, Sort::NEWEST, Page::default());
    let runs = runs.await?;
    let infrastructure = runs.iter().map(|run| {
        let claim = run.claim.as_ref();
        (
            run.id,
            claim.and_then(|claim| claim.infrastructure_id.clone()),
        )
    });
    let used = ctx.host.usage(infrastructure.collect()).await;
    let now = ctx.app.now();
    let processes = runs.into_iter().map(|run| {
        let usage = used.get(&run.id);
        Process::new(run, usage, now)
    });
    ok(&who, processes.collect::<Vec<_>>()).await
}
