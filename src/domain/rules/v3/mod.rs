//! The rules of the modern generation, which mirror the policies of the 3.9 server in their
//! order.

mod cache;
mod cancelling;
mod enclosing;
mod late;
mod names;
mod parameters;
mod pausing;
mod pending;
mod repeated;
mod resuming;
pub(super) mod retry;
mod scheduled_time;
mod slots;
mod tags;
mod taken;
mod terminal;

use super::Rule;
use super::common::{cancelling as cancelled, slots as held};

/// For flow runs.
pub(super) const FLOW_RUN: &[Rule] = &[
    slots::keep_lease,
    repeated::refuse,
    taken::by_another,
    terminal::flow_run,
    cancelling::sticks,
    cancelled::cancelled_stays,
    cancelling::nothing_to_stop,
    pending::submit_once,
    slots::renew,
    slots::take,
    held::keep_for_older_clients,
    late::only_scheduled,
    pausing::pause,
    resuming::leave,
    scheduled_time::copy,
    scheduled_time::wait,
    retry::flow_run,
];

/// For flow runs whose state is forced.
pub(super) const FORCED_FLOW_RUN: &[Rule] = &[
    slots::keep_lease,
    terminal::keep_result,
    cancelling::killed_by_wish,
    cancelling::nothing_to_stop,
];

/// For flow runs that should have begun.
pub(super) const LATE: &[Rule] = &[late::only_scheduled, slots::cancel_late];

/// For task runs.
pub(super) const TASK_RUN: &[Rule] = &[
    cache::retrieve,
    terminal::task_run,
    enclosing::runs,
    tags::take,
    scheduled_time::copy,
    scheduled_time::wait,
    retry::task_run,
    names::rerun,
    enclosing::count,
    cache::keep,
];

/// For task runs that others run, in the background: which of these it is, is settled at Pending.
pub(super) const BACKGROUND_TASK: &[Rule] = &[
    pending::submit_once,
    cache::retrieve,
    terminal::task_run,
    scheduled_time::copy,
    parameters::copy,
    scheduled_time::wait,
    retry::task_run,
    names::rerun,
    enclosing::count,
    cache::keep,
];

/// For task runs whose state is forced: it is entered whatever the run is doing.
pub(super) const FORCED_TASK_RUN: &[Rule] = &[];

#[cfg(test)]
mod tests;
