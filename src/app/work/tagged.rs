//! The runs of queues that say which are theirs by tags and deployments, as those of the first
//! agents do.
//!
//! Mirrors what the 3.9 server keeps for them.

use serde_json::Value;
use uuid::Uuid;

use crate::domain::error::Result;
use crate::domain::filter::flow_run::{DEPLOYMENT_ID, NEXT_SCHEDULED_START_TIME, STATE_TYPE, TAGS};
use crate::domain::filter::{Criterion, Filters, Page, Sort, Test};
use crate::domain::flow_run::FlowRun;
use crate::domain::state::StateType;
use crate::domain::time::Timestamp;
use crate::domain::work::WorkQueue;
use crate::storage::{Connection, rows};

/// The scheduled runs that such a queue takes, the most urgent first.
pub(super) fn runs(
    db: &Connection,
    (queue, filter): (&WorkQueue, &Value),
    before: Option<Timestamp>,
    limit: u64,
) -> Result<Vec<FlowRun>> {
    if queue.is_paused {
        return Ok(Vec::new());
    }
    let mut limit = limit;
    if let Some(slots) = queue.concurrency_limit {
        let live = [StateType::Pending, StateType::Running];
        let taken = rows::count::<FlowRun>(db, &filters(asked(filter, &live)))?;
        limit = limit.min(slots.unsigned_abs().saturating_sub(taken));
    }
    let mut due = asked(filter, &[StateType::Scheduled]);
    if let Some(before) = before {
        due.push(NEXT_SCHEDULED_START_TIME.asked(Test::AtMost(before.micros())));
    }
    let page = Page { limit, offset: 0 };
    let sort = Sort::up("next_scheduled_start_time");
    rows::page(db, &filters(due), sort, page)
}

/// What is asked of a run for it to be the queue's, in one of these states.
fn asked(filter: &Value, kinds: &[StateType]) -> Vec<Criterion> {
    let words = |name: &str| {
        let listed = filter.get(name).and_then(Value::as_array);
        let words = listed.into_iter().flatten().filter_map(Value::as_str);
        words.map(str::to_owned).collect::<Vec<_>>()
    };
    let mut all = vec![
        STATE_TYPE.is_one_of(kinds.iter().map(|kind| kind.word())),
        DEPLOYMENT_ID.asked(Test::IsNull(false)),
    ];
    let tags = words("tags");
    if !tags.is_empty() {
        all.push(TAGS.asked(Test::HasAll(tags)));
    }
    let deployments = words("deployment_ids");
    if !deployments.is_empty() {
        let ids = deployments.iter().filter_map(|id| Uuid::parse_str(id).ok());
        all.push(DEPLOYMENT_ID.is_one_of_ids(ids));
    }
    all
}

fn filters(asked: Vec<Criterion>) -> Filters {
    Filters {
        flow_runs: Some(asked.into()),
        ..Filters::default()
    }
}
