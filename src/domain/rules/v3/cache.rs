//! A task whose result is cached does not run again.
//!
//! Mirrors `CacheRetrieval` and `CacheInsertion`.

use crate::domain::rules::orion::cache;
use crate::domain::rules::{Draft, Facts, Opinion};
use crate::domain::state::StateType;
use crate::domain::task_run::LONGEST_CACHE_KEY;
use crate::domain::time::Timestamp;

/// Answers a proposal to run with the cached state, unless the task is to run all the same.
pub(in crate::domain::rules) fn retrieve(
    facts: &Facts<'_>,
    draft: &mut Draft,
    now: Timestamp,
) -> Opinion {
    match draft.proposed.details.refresh_cache {
        Some(true) => Opinion::GoOn,
        _ => cache::retrieve(facts, draft, now),
    }
}

/// Keeps a completed state under its key; one whose key is too long is entered and not kept.
pub(in crate::domain::rules) fn keep(
    facts: &Facts<'_>,
    draft: &mut Draft,
    now: Timestamp,
) -> Opinion {
    let key = draft
        .proposed
        .details
        .cache_key
        .as_deref()
        .unwrap_or_default();
    let is_long = key.chars().count() > LONGEST_CACHE_KEY;
    match is_long && draft.proposed.kind == StateType::Completed {
        true => Opinion::reject(
            draft.proposed.clone(),
            "Cache key exceeded maximum allowed length of 2000 characters.",
        ),
        false => cache::keep(facts, draft, now),
    }
}
