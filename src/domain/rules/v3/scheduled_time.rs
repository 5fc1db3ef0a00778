//! Nothing runs before its time.
//!
//! Mirrors `CopyScheduledTime` and `WaitForScheduledTime`: unlike in the 2.0a7 generation a run
//! may be submitted early, and waits when it would run. The remaining time is cut to whole seconds
//! and the rest of it rounded.

use crate::domain::rules::{Draft, Facts, Opinion, Verdict};
use crate::domain::state::StateType;
use crate::domain::time::Timestamp;

/// A run that is submitted keeps the time for which it was scheduled.
pub(in crate::domain::rules) fn copy(
    facts: &Facts<'_>,
    draft: &mut Draft,
    _now: Timestamp,
) -> Opinion {
    let is_submitted =
        facts.from() == Some(StateType::Scheduled) && draft.proposed.kind == StateType::Pending;
    let told = &mut draft.proposed.details.scheduled_time;
    if is_submitted {
        *told = told.or(facts.due());
    }
    Opinion::GoOn
}

/// Makes the caller wait for that time.
pub(in crate::domain::rules) fn wait(
    facts: &Facts<'_>,
    draft: &mut Draft,
    now: Timestamp,
) -> Opinion {
    use StateType::{Pending, Running, Scheduled};
    let begins =
        matches!(facts.from(), Some(Scheduled | Pending)) && draft.proposed.kind == Running;
    let Some(due) = facts.due().filter(|_| begins) else {
        return Opinion::GoOn;
    };
    let left = (due - now).micros();
    let delay_secs = left.div_euclid(1_000_000) + i64::from(left.rem_euclid(1_000_000) > 500_000);
    match delay_secs > 0 {
        true => Opinion::Settled(Verdict::Wait {
            delay_secs,
            why: "Scheduled time is in the future".to_owned(),
        }),
        false => Opinion::GoOn,
    }
}
