//! The rules of the modern generation.

use super::Rule;
use super::common::{cancelling, double_submission, scheduled_time};
use super::orion::{cache, rename_reruns, retry, terminal};

/// For flow runs.
pub(super) const FLOW_RUN: &[Rule] = &[
    cancelling::sticks,
    cancelling::cancelled_stays,
    double_submission::prevent,
    scheduled_time::wait,
];

/// For task runs.
pub(super) const TASK_RUN: &[Rule] = &[
    cancelling::sticks,
    cache::retrieve,
    terminal::protect,
    scheduled_time::wait,
    retry::failed_attempt,
    rename_reruns::rename,
    cache::keep,
];

/// For flow runs whose state is forced.
pub(super) const FORCED_FLOW_RUN: &[Rule] = &[];

/// For task runs whose state is forced.
pub(super) const FORCED_TASK_RUN: &[Rule] = &[];
