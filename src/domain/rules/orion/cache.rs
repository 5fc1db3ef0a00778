//! A task whose result is cached does not run again.
//!
//! Mirrors `CacheRetrieval` and `CacheInsertion` of the 2.0a7 server.

use crate::domain::rules::{Consequence, Draft, Facts, Opinion, Verdict};
use crate::domain::state::StateType;
use crate::domain::time::Timestamp;

/// Answers a proposal to run with the cached completed state, named "Cached".
pub(in crate::domain::rules) fn retrieve(
    facts: &Facts<'_>,
    draft: &mut Draft,
    _now: Timestamp,
) -> Opinion {
    match facts.cached {
        Some(state) if draft.proposed.kind == StateType::Running => {
            Opinion::settled(Verdict::Reject {
                instead: state.as_proposal().named("Cached"),
                why: "Retrieved state from cache",
            })
        }
        _ => Opinion::GoOn,
    }
}

/// Keeps a completed state that has a cache key. An empty key is none.
pub(in crate::domain::rules) fn keep(
    _facts: &Facts<'_>,
    draft: &mut Draft,
    _now: Timestamp,
) -> Opinion {
    if draft.proposed.kind == StateType::Completed
        && let Some(key) = &draft.proposed.details.cache_key
        && !key.is_empty()
    {
        draft
            .consequences
            .push(Consequence::Cache { key: key.clone() });
    }
    Opinion::GoOn
}
