//! Nothing leaves a scheduled state before its time.
//!
//! Mirrors `WaitForScheduledTime` of the 2.0a7 server: the remaining time is cut to whole
//! seconds, so less than one second early is early enough.

use crate::domain::rules::{Draft, Facts, Opinion, Verdict};
use crate::domain::state::StateType;
use crate::domain::time::Timestamp;

/// Makes the caller wait for the scheduled time.
pub(in crate::domain::rules) fn wait(
    facts: &Facts<'_>,
    _draft: &mut Draft,
    now: Timestamp,
) -> Opinion {
    let due = facts
        .current
        .filter(|state| state.kind == StateType::Scheduled)
        .and_then(|state| state.details.scheduled_time);
    let delay_secs = due.map_or(0, |due| (due - now).whole_secs());
    if delay_secs > 0 {
        return Opinion::settled(Verdict::Wait {
            delay_secs,
            why: "Scheduled time is in the future".to_owned(),
        });
    }
    Opinion::GoOn
}
