//! The rules of the 2.0a7 generation, which mirror that server's core policies.

pub(super) mod cache;
pub(super) mod rename_reruns;
mod retry;
mod terminal;

use super::Rule;
use super::common::{cancelling, double_submission, scheduled_time, slots};

/// For flow runs.
pub(super) const FLOW_RUN: &[Rule] = &[
    cancelling::sticks,
    cancelling::cancelled_stays,
    double_submission::prevent,
    scheduled_time::wait,
    slots::keep_for_older_clients,
];

/// For task runs. The cache is asked before terminal states are protected, as on the 2.0a7
/// server.
pub(super) const TASK_RUN: &[Rule] = &[
    cancelling::sticks,
    cache::retrieve,
    terminal::protect,
    scheduled_time::wait,
    retry::failed_attempt,
    rename_reruns::rename,
    cache::keep,
];

/// A forced state is entered whatever the run is doing.
pub(super) const FORCED: &[Rule] = &[];
