//! A task whose result is cached does not run again.
//!
//! Mirrors `CacheRetrieval` of the 2.0a7 server.

use super::{Facts, Opinion, Subject, Verdict};
use crate::domain::state::{ProposedState, StateType};
use crate::domain::time::Timestamp;

/// Answers a proposal to run with the cached completed state, named "Cached".
pub(super) fn retrieve(facts: &Facts<'_>, proposed: &ProposedState, _now: Timestamp) -> Opinion {
    let Subject::TaskRun { cached, .. } = &facts.subject else {
        return Opinion::GoOn;
    };
    match cached {
        Some(state) if proposed.kind == StateType::Running => Opinion::settled(Verdict::Reject {
            instead: state.as_proposal().named("Cached"),
            why: "Retrieved state from cache",
        }),
        _ => Opinion::GoOn,
    }
}
