//! What a step makes of a flow run's policy.
//!
//! Mirrors `RemoveResumingIndicator` and the hooks after the pausing and resuming rules of the
//! 3.9 server, which follow in this order.

use crate::domain::flow_run_policy::{FlowRunPolicy, RetryType};
use crate::domain::rules::{Client, Passage};
use crate::domain::state::StateType;

/// The policy after a step into a state of that type.
pub(in crate::domain::rules) fn after(
    mut policy: FlowRunPolicy,
    passage: Option<Passage>,
    entered: Option<StateType>,
    client: Client,
) -> FlowRunPolicy {
    let goes_on = entered.is_some_and(|kind| kind == StateType::Running || kind.is_terminal());
    if client.knows_pauses && goes_on {
        policy.resuming = false;
    }
    match passage {
        None => {}
        Some(Passage::Into(key)) => {
            policy.pause_keys.insert(key);
        }
        Some(Passage::OutOf) => policy.resuming = true,
        Some(Passage::Anew) => policy = policy.begun_anew(Some(RetryType::Reschedule)),
    }
    policy
}
