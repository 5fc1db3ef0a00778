//! The flow runs that a command line selects.

use uuid::Uuid;

use super::args::Selection;
use super::client::Client;
use super::failure::{Failure, Result};
use super::pattern::Pattern;
use super::{pages, several};
use crate::api::v3::wire::{
    ByAnyTags, ByIdOrNot, ByIdOrNull, ByName, ByState, ByStateType, ByTime, FlowRun, FlowRunFilter,
    Query, StateWord,
};
use crate::domain::state::StateType;

/// The most runs that a filter selects for a change.
const MOST: u64 = 10_000;

/// The order of runs that are to come.
pub const SOONEST_FIRST: &str = "NEXT_SCHEDULED_START_TIME_ASC";

/// State types by the words that users write.
pub fn kinds(words: &[String]) -> Result<Vec<String>> {
    let kinds: Vec<_> = words.iter().map(|word| word.to_uppercase()).collect();
    let is_unknown = |kind: &&String| StateType::from_word(kind).is_none();
    let Some(unknown) = kinds.iter().find(is_unknown) else {
        return Ok(kinds);
    };
    let known: Vec<_> = StateType::ALL.iter().map(|kind| kind.word()).collect();
    let line = format!(
        "there is no state type {unknown}; there are {}",
        known.join(", ")
    );
    Err(Failure::usage(line))
}

/// A question about runs of these state types.
pub fn in_states(kinds: Vec<String>) -> ByState {
    let known = kinds.iter().filter_map(|word| StateType::from_word(word));
    ByState {
        kind: Some(ByStateType {
            any_: Some(known.map(StateWord).collect()),
            ..ByStateType::default()
        }),
        ..ByState::default()
    }
}

/// What is asked of the daemon for a selection, but for its patterns of names.
pub async fn query(client: &Client, like: &Selection) -> Result<Query> {
    let kinds = kinds(&like.state)?;
    let deployments = several::deployments(client, &like.deployment).await?;
    let some = |list: &[String]| (!list.is_empty()).then(|| list.to_vec());
    let filter = FlowRunFilter {
        state: (!kinds.is_empty()).then(|| in_states(kinds)),
        tags: some(&like.tag).map(|tags| ByAnyTags {
            all_: Some(tags),
            ..ByAnyTags::default()
        }),
        deployment_id: (!deployments.is_empty()).then(|| ByIdOrNull {
            any_: Some(deployments),
            ..ByIdOrNull::default()
        }),
        expected_start_time: like.since.map(|since| ByTime {
            after_: Some(since.into()),
            ..ByTime::default()
        }),
        ..FlowRunFilter::default()
    };
    Ok(Query {
        flow_runs: Some(filter),
        flows: several::flows(client, &like.flow).await?,
        sort: Some("EXPECTED_START_TIME_DESC".to_owned()),
        ..Query::default()
    })
}

/// All runs of a selection that `fits`.
pub async fn all(
    client: &Client,
    like: &Selection,
    fits: impl Fn(&FlowRun) -> bool,
) -> Result<Vec<FlowRun>> {
    let query = query(client, like).await?;
    let mut found = runs(client, &query, &like.name, MOST).await?;
    found.retain(fits);
    Ok(found)
}

/// Up to `most` of the runs that a query finds and whose name fits a pattern, where there are
/// any; in the query's order.
pub async fn runs(
    client: &Client,
    query: &Query,
    names: &[Pattern],
    most: u64,
) -> Result<Vec<FlowRun>> {
    const PATH: &str = "/flow_runs/filter";
    if names.is_empty() {
        return pages::all(client, PATH, query, most).await;
    }
    let mut found: Vec<FlowRun> = Vec::new();
    for pattern in names {
        let mut query = query.clone();
        query.flow_runs.get_or_insert_default().name = Some(ByName {
            like_: Some(pattern.like()),
            ..ByName::default()
        });
        let fits = |run: &FlowRun| pattern.fits(&run.name);
        found.extend(pages::fitting(client, PATH, &query, most, fits).await?);
    }
    if names.len() > 1 {
        in_order(&mut found, query.sort.as_deref());
        found.truncate(usize::try_from(most).unwrap_or(usize::MAX));
    }
    Ok(found)
}

/// Puts what several queries found into the order of one, each once.
fn in_order(found: &mut Vec<FlowRun>, sort: Option<&str>) {
    found.sort_by_key(|run| run.id);
    found.dedup_by_key(|run| run.id);
    match sort {
        Some(SOONEST_FIRST) => found.sort_by_key(|run| run.next_scheduled_start_time),
        _ => found.sort_by_key(|run| std::cmp::Reverse((run.expected_start_time, run.id))),
    }
}

/// A question about one of these ids.
pub fn any_of(ids: Vec<Uuid>) -> ByIdOrNot {
    ByIdOrNot {
        any_: Some(ids),
        ..ByIdOrNot::default()
    }
}
