//! The rules of the modern generation as full tables: every state a run can be in, times every
//! state proposed, for each fact that they look at.

mod tasks;

use serde_json::json;
use uuid::Uuid;

use crate::domain::flow_run_policy::{FlowRunPolicy, RetryType};
use crate::domain::ids::LeaseId;
use crate::domain::rules::{
    Client, Consequence, Enclosing, Facts, Generation, Limit, Policy, Ruling, RunKind, Slot,
    TagSlots, Verdict, WhenFull, decide,
};
use crate::domain::state::{ProposedState, State, StateType};
use crate::domain::task_run::RetryPolicy;
use crate::domain::time::{Span, Timestamp};

const NOW: Timestamp = Timestamp::from_micros(1_000_000_000);
const NORMAL: Policy = Policy::Normal(Generation::V3);
const FORCED: Policy = Policy::Forced(Generation::V3);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Said {
    Accept,
    Reject(StateType),
    Stay,
    Wait,
    Abort,
}

fn said(verdict: &Verdict) -> Said {
    match verdict {
        Verdict::Accept(_) => Said::Accept,
        Verdict::Reject { instead, .. } => Said::Reject(instead.kind),
        Verdict::Stay { .. } => Said::Stay,
        Verdict::Wait { .. } => Said::Wait,
        Verdict::Abort { .. } => Said::Abort,
    }
}

fn secs(secs: i64) -> Span {
    Span::from_micros(secs * 1_000_000)
}

/// A state of that kind that the run came to a second ago, amended.
fn state(kind: StateType, amend: impl Fn(&mut ProposedState)) -> State {
    let mut proposed = match kind {
        StateType::Scheduled => ProposedState::scheduled(NOW),
        _ => ProposedState::new(kind),
    };
    amend(&mut proposed);
    State::enter(proposed, NOW - secs(1))
}

fn plain(_: &mut ProposedState) {}

/// Asks about every pair and compares with `expected`.
fn check(
    (policy, kind): (Policy, RunKind),
    facts: Facts<'_>,
    amend: (impl Fn(&mut ProposedState), impl Fn(&mut ProposedState)),
    expected: impl Fn(Option<StateType>, StateType) -> Said,
) {
    let origins = std::iter::once(None).chain(StateType::ALL.map(Some));
    for origin in origins {
        let current = origin.map(|kind| state(kind, &amend.0));
        let facts = Facts {
            current: current.as_ref(),
            ..facts
        };
        for to in StateType::ALL {
            let mut proposed = ProposedState::new(to);
            amend.1(&mut proposed);
            let ruling = decide(policy, kind, &facts, proposed, NOW);
            let expected = expected(origin, to);
            assert_eq!(
                said(&ruling.verdict),
                expected,
                "{origin:?} -> {to}: {ruling:?}"
            );
        }
    }
}

const FLOW: (Policy, RunKind) = (NORMAL, RunKind::FlowRun);
const TASK: (Policy, RunKind) = (NORMAL, RunKind::TaskRun);

/// What is said of a flow run of no deployment, with no process that is known, due now.
fn of_a_bare_flow(from: Option<StateType>, to: StateType) -> Said {
    use Said::*;
    use StateType::*;
    match (from, to) {
        (None, Paused) => Abort,
        (None, _) => Accept,
        (Some(Completed | Failed | Cancelled | Crashed), Cancelling | Paused | Crashed) => Abort,
        (Some(Completed | Failed | Cancelled | Crashed), Scheduled) => Abort,
        (Some(Cancelled), Pending) => Abort,
        (Some(Completed | Failed | Cancelled | Crashed), _) => Accept,
        (Some(Cancelling), Cancelled) => Accept,
        (Some(Cancelling), _) => Stay,
        (Some(Scheduled), Cancelling) => Reject(Cancelled),
        (Some(Pending | Running), Pending) => Abort,
        (Some(Running), Paused) => Accept,
        (Some(Paused), Pending) => Stay,
        (Some(_), Paused) => Stay,
        (Some(_), _) => Accept,
    }
}

/// The same of a deployment's run.
fn of_a_deployed_flow(from: Option<StateType>, to: StateType) -> Said {
    match (from, to) {
        (Some(from), StateType::Scheduled) if from.is_terminal() => Said::Accept,
        _ => of_a_bare_flow(from, to),
    }
}

fn deployed() -> Facts<'static> {
    Facts {
        is_deployed: true,
        ..Facts::default()
    }
}

#[test]
fn a_flow_run_goes_where_the_3_9_server_lets_it() {
    check(FLOW, Facts::default(), (plain, plain), of_a_bare_flow);
    check(FLOW, deployed(), (plain, plain), of_a_deployed_flow);
}

#[test]
fn what_an_agent_holds_and_was_cancelled_only_ends_or_is_scheduled() {
    use StateType::{Cancelled, Scheduled};
    let held = Facts {
        is_held: true,
        ..deployed()
    };
    check(FLOW, held, (plain, plain), |from, to| match (from, to) {
        (Some(Cancelled), Cancelled | Scheduled) => Said::Accept,
        (Some(Cancelled), _) => Said::Abort,
        _ => of_a_deployed_flow(from, to),
    });
}

#[test]
fn a_run_with_a_process_is_stopped_by_way_of_cancelling() {
    let made = Facts {
        has_infrastructure: true,
        ..deployed()
    };
    check(FLOW, made, (plain, plain), |from, to| match (from, to) {
        (Some(StateType::Scheduled), StateType::Cancelling) => Said::Accept,
        _ => of_a_deployed_flow(from, to),
    });
    let suspended = |state: &mut ProposedState| state.details.pause_reschedule = true;
    check(FLOW, made, (suspended, plain), |from, to| {
        match (from, to) {
            (Some(StateType::Scheduled), StateType::Cancelling) => Said::Accept,
            (Some(StateType::Paused), StateType::Cancelling) => Said::Reject(StateType::Cancelled),
            _ => of_a_deployed_flow(from, to),
        }
    });
    let resuming = |state: &mut ProposedState| state.name = Some("Resuming".to_owned());
    check(FLOW, made, (resuming, plain), |from, to| match (from, to) {
        (Some(StateType::Paused), StateType::Cancelling) => Said::Reject(StateType::Cancelled),
        _ => of_a_deployed_flow(from, to),
    });
}

#[test]
fn a_step_that_is_told_twice_is_taken_once() {
    let step = |state: &mut ProposedState| state.details.transition_id = Some(Uuid::from_u128(7));
    check(
        FLOW,
        Facts::default(),
        (step, step),
        |from, to| match from {
            Some(_) => Said::Stay,
            None => of_a_bare_flow(from, to),
        },
    );
    check(FLOW, Facts::default(), (step, plain), of_a_bare_flow);
}

#[test]
fn a_result_that_is_kept_is_not_lost() {
    use StateType::{Cancelling, Completed, Crashed, Paused};
    let kept = |state: &mut ProposedState| state.data = Some(json!({ "type": "reference" }));
    let unkept = |state: &mut ProposedState| state.data = Some(json!({ "type": "unpersisted" }));
    check(FLOW, deployed(), (kept, plain), |from, to| {
        match (from, to) {
            (Some(Completed), Cancelling | Paused | Crashed) => Said::Abort,
            (Some(Completed), to) if !to.is_terminal() || to == Completed => Said::Stay,
            _ => of_a_deployed_flow(from, to),
        }
    });
    check(FLOW, deployed(), (kept, kept), |from, to| {
        match (from, to) {
            (Some(Completed), to) if !to.is_terminal() && !matches!(to, Cancelling | Paused) => {
                Said::Stay
            }
            _ => of_a_deployed_flow(from, to),
        }
    });
    check(FLOW, deployed(), (unkept, plain), of_a_deployed_flow);
}

#[test]
fn a_run_waits_only_where_it_would_run() {
    use StateType::{Pending, Running, Scheduled};
    let later = |state: &mut ProposedState| state.details.scheduled_time = Some(NOW + secs(5));
    check(FLOW, deployed(), (later, plain), |from, to| {
        match (from, to) {
            (Some(Scheduled | Pending), Running) => Said::Wait,
            _ => of_a_deployed_flow(from, to),
        }
    });
}

#[test]
fn a_step_of_a_submission_follows_another_and_keeps_its_time() {
    use StateType::{Cancelled, Cancelling, Pending, Running};
    let named = |state: &mut ProposedState| state.name = Some("Submitting".to_owned());
    let due = |state: &mut ProposedState| state.details.scheduled_time = Some(NOW - secs(9));
    check(FLOW, deployed(), (due, named), |from, to| {
        match (from, to) {
            (Some(Pending), Pending) => Said::Accept,
            (Some(Running | Cancelled), Pending) => Said::Abort,
            (Some(Cancelling), Pending) => Said::Stay,
            _ => of_a_deployed_flow(from, to),
        }
    });
    let pending = state(Pending, due);
    let ruling = ruled(
        deployed(),
        &pending,
        ProposedState::new(Pending).named("Submitting"),
    );
    let Verdict::Accept(entered) = ruling.verdict else {
        panic!("{ruling:?}");
    };
    assert_eq!(entered.details.scheduled_time, Some(NOW - secs(9)));
}

fn ruled(facts: Facts<'_>, current: &State, proposed: ProposedState) -> Ruling {
    let facts = Facts {
        current: Some(current),
        ..facts
    };
    decide(NORMAL, RunKind::FlowRun, &facts, proposed, NOW)
}

fn limit(slots: i64, taken: i64, when_full: WhenFull) -> Limit {
    Limit {
        slots,
        taken,
        when_full,
        grace: secs(60),
        next: LeaseId::from_uuid(Uuid::from_u128(9)),
    }
}

#[test]
fn a_slot_is_taken_by_what_is_submitted_and_given_back_by_what_is_over() {
    use StateType::{Cancelled, Pending, Scheduled};
    for (slots, taken, when_full, full) in [
        (0, 0, WhenFull::Enqueue, Said::Abort),
        (1, 1, WhenFull::Enqueue, Said::Reject(Scheduled)),
        (1, 1, WhenFull::CancelNew, Said::Reject(Cancelled)),
        (2, 1, WhenFull::CancelNew, Said::Accept),
    ] {
        let facts = Facts {
            limit: Some(limit(slots, taken, when_full)),
            ..deployed()
        };
        check(FLOW, facts, (plain, plain), |from, to| match (from, to) {
            (_, Pending) if of_a_deployed_flow(from, to) == Said::Accept => full,
            // It is asked for a slot before it is asked whether it is paused.
            (Some(StateType::Paused), Pending) => match full {
                Said::Accept => Said::Stay,
                full => full,
            },
            _ => of_a_deployed_flow(from, to),
        });
    }
    let facts = Facts {
        limit: Some(limit(1, 0, WhenFull::Enqueue)),
        ..deployed()
    };
    let ruling = ruled(facts, &state(Scheduled, plain), ProposedState::new(Pending));
    let Verdict::Accept(entered) = &ruling.verdict else {
        panic!("{ruling:?}");
    };
    let lease = LeaseId::from_uuid(Uuid::from_u128(9));
    assert_eq!(entered.details.lease, Some(lease));
    let grace = secs(60);
    assert_eq!(
        ruling.consequences,
        [Consequence::TakeSlot { lease, grace }]
    );
}

#[test]
fn every_step_out_of_what_holds_a_slot_gives_it_back_but_a_retry_in_process() {
    use StateType::{Cancelling, Failed, Pending, Running};
    let lease = LeaseId::from_uuid(Uuid::from_u128(3));
    let policy = FlowRunPolicy {
        retries: Some(1),
        ..FlowRunPolicy::default()
    };
    for (policy, run_count) in [(None, 5), (Some(&policy), 1)] {
        let facts = Facts {
            slot: Slot::Held(lease),
            policy,
            run_count,
            ..deployed()
        };
        for from in StateType::ALL {
            for to in StateType::ALL {
                let current = state(from, plain);
                let ruling = ruled(facts, &current, ProposedState::new(to));
                let holds = |kind| matches!(kind, Pending | Running | Cancelling);
                let entered = match &ruling.verdict {
                    Verdict::Accept(state) => Some(state.kind),
                    Verdict::Reject { instead, .. } => Some(instead.kind),
                    _ => None,
                };
                let retries = policy.is_some() && from == Running && to == Failed;
                let gives = holds(from) && entered.is_some_and(|kind| !holds(kind)) && !retries;
                let has = ruling.consequences.contains(&Consequence::GiveBackSlot);
                assert_eq!(has, gives, "{from} -> {to}: {ruling:?}");
            }
        }
    }
}

#[test]
fn a_run_that_begins_renews_its_slot_or_takes_another_or_is_cancelled() {
    use StateType::{Cancelled, Pending, Running};
    let lease = LeaseId::from_uuid(Uuid::from_u128(3));
    let begin = |slot, taken, client| {
        let facts = Facts {
            limit: Some(limit(1, taken, WhenFull::Enqueue)),
            slot,
            client,
            ..deployed()
        };
        ruled(facts, &state(Pending, plain), ProposedState::new(Running))
    };
    let newest = Client::default();
    let grace = secs(60);
    let held = begin(Slot::Held(lease), 0, newest);
    assert_eq!(held.consequences, [Consequence::RenewSlot { grace }]);
    let again = begin(Slot::Lost, 0, newest);
    assert!(matches!(
        again.consequences.as_slice(),
        [Consequence::TakeSlot { .. }]
    ));
    assert_eq!(
        said(&begin(Slot::Lost, 1, newest).verdict),
        Said::Reject(Cancelled)
    );
    assert_eq!(begin(Slot::None, 1, newest).consequences, []);
    let older = begin(Slot::Held(lease), 0, Client::OF_2_0A7);
    assert_eq!(older.consequences, [Consequence::KeepSlot]);
}

#[test]
fn only_what_is_scheduled_is_marked_late_and_a_full_deployment_may_cancel_it() {
    use StateType::{Cancelled, Scheduled};
    let late = |state: &mut ProposedState| state.name = Some("Late".to_owned());
    let expected = |from: Option<StateType>, to| match (from, to) {
        (Some(from), Scheduled) if from != Scheduled => Said::Stay,
        _ => Said::Accept,
    };
    let marking = (Policy::Late, RunKind::FlowRun);
    check(marking, deployed(), (plain, late), expected);
    check(marking, deployed(), (late, late), |from, to| {
        match (from, to) {
            (Some(_), Scheduled) => Said::Stay,
            _ => Said::Accept,
        }
    });
    let full = Facts {
        limit: Some(limit(1, 1, WhenFull::CancelNew)),
        ..deployed()
    };
    let current = state(Scheduled, plain);
    let facts = Facts {
        current: Some(&current),
        ..full
    };
    let proposed = ProposedState::scheduled(NOW).named("Late");
    let ruling = decide(Policy::Late, RunKind::FlowRun, &facts, proposed, NOW);
    assert_eq!(said(&ruling.verdict), Said::Reject(Cancelled));
}

fn policy_after(ruling: &Ruling) -> Option<&FlowRunPolicy> {
    ruling.consequences.iter().find_map(|one| match one {
        Consequence::Policy(policy) => Some(policy),
        _ => None,
    })
}

#[test]
fn a_pause_is_come_through_once_and_drops_what_was_handed_in_before() {
    use StateType::{Paused, Running};
    let policy = FlowRunPolicy::default();
    let facts = Facts {
        policy: Some(&policy),
        ..deployed()
    };
    let running = state(Running, plain);
    let pause = || {
        let mut pause = ProposedState::new(Paused);
        pause.details.pause_key = Some("1".to_owned());
        let keys = [("schema".to_owned(), "k".to_owned())];
        pause.details.run_input_keyset = Some(keys.into());
        pause
    };
    let ruling = ruled(facts, &running, pause());
    assert_eq!(said(&ruling.verdict), Said::Accept);
    let after = policy_after(&ruling).unwrap().clone();
    assert!(after.pause_keys.contains("1"));
    let drops = |one: &Consequence| matches!(one, Consequence::DropInputs(_));
    assert!(ruling.consequences.iter().any(drops));
    let again = Facts {
        policy: Some(&after),
        ..facts
    };
    assert_eq!(said(&ruled(again, &running, pause()).verdict), Said::Stay);
    let mut suspend = pause();
    suspend.details.pause_reschedule = true;
    let bare = Facts {
        is_deployed: false,
        ..facts
    };
    assert_eq!(
        said(&ruled(bare, &running, suspend.clone()).verdict),
        Said::Abort
    );
    let sub_flow = Facts {
        has_parent: true,
        ..facts
    };
    assert_eq!(
        said(&ruled(sub_flow, &running, suspend.clone()).verdict),
        Said::Abort
    );
    assert_eq!(said(&ruled(facts, &running, suspend).verdict), Said::Accept);
}

#[test]
fn a_pause_that_is_over_fails_whatever_is_proposed_but_a_cancellation() {
    use StateType::{Cancelling, Failed, Paused, Pending};
    let over = |state: &mut ProposedState| state.details.pause_timeout = Some(NOW - secs(1));
    check(FLOW, deployed(), (over, plain), |from, to| {
        match (from, to) {
            (Some(Paused), Cancelling) => Said::Accept,
            (Some(Paused), Pending | Paused) => Said::Stay,
            (Some(Paused), _) => Said::Reject(Failed),
            _ => of_a_deployed_flow(from, to),
        }
    });
}

#[test]
fn a_run_that_goes_on_is_not_counted_again() {
    use StateType::{Paused, Pending, Running, Scheduled};
    let policy = FlowRunPolicy {
        pause_keys: ["1".to_owned()].into(),
        ..FlowRunPolicy::default()
    };
    let facts = Facts {
        policy: Some(&policy),
        ..deployed()
    };
    // Suspended, so that a new process goes on.
    let suspended = state(Paused, |state| state.details.pause_reschedule = true);
    let ruling = ruled(
        facts,
        &suspended,
        ProposedState::scheduled(NOW).named("Resuming"),
    );
    let resuming = policy_after(&ruling).unwrap().clone();
    assert!(resuming.resuming && resuming.pause_keys.contains("1"));
    let facts = Facts {
        policy: Some(&resuming),
        ..facts
    };
    let ruling = ruled(facts, &state(Pending, plain), ProposedState::new(Running));
    assert!(!ruling.is_counted);
    assert!(!policy_after(&ruling).unwrap().resuming);
    // Of an older client nobody knows whether it goes on.
    let older = Facts {
        client: Client::OF_2_0A7,
        ..facts
    };
    let ruling = ruled(older, &state(Pending, plain), ProposedState::new(Running));
    assert!(ruling.is_counted);
    // A process that waits in its pause and is scheduled anew begins anew.
    let ruling = ruled(facts, &state(Paused, plain), ProposedState::new(Scheduled));
    let anew = policy_after(&ruling).unwrap();
    assert!(anew.pause_keys.is_empty() && !anew.resuming);
    assert_eq!(anew.retry_type, Some(RetryType::Reschedule));
}

#[test]
fn a_failed_flow_is_tried_again_as_often_as_its_policy_says() {
    use StateType::{Failed, Running, Scheduled};
    let policy = FlowRunPolicy {
        retries: Some(2),
        retry_delay: Some(7),
        ..FlowRunPolicy::default()
    };
    let lease = LeaseId::from_uuid(Uuid::from_u128(3));
    let running = state(Running, |state| state.details.lease = Some(lease));
    for (run_count, expected) in [
        (1, Said::Reject(Scheduled)),
        (2, Said::Reject(Scheduled)),
        (3, Said::Accept),
    ] {
        let facts = Facts {
            policy: Some(&policy),
            run_count,
            ..Facts::default()
        };
        let failure = ProposedState::new(Failed).because("m");
        let ruling = ruled(facts, &running, failure);
        assert_eq!(said(&ruling.verdict), expected);
        if let Verdict::Reject { instead, why } = &ruling.verdict {
            assert_eq!(*why, "Retrying");
            assert_eq!(instead.name.as_deref(), Some("AwaitingRetry"));
            assert_eq!(instead.message.as_deref(), Some("m"));
            assert_eq!(instead.details.scheduled_time, Some(NOW + secs(7)));
            assert_eq!(instead.details.lease, Some(lease));
            let after = policy_after(&ruling).unwrap();
            assert_eq!(after.retry_type, Some(RetryType::InProcess));
        }
        // Clients of old leave the failed tasks to the server, and tell no attempts apart.
        let older = Facts {
            client: Client::OF_2_0A7,
            ..facts
        };
        let ruling = ruled(older, &running, ProposedState::new(Failed));
        let retries = ruling.consequences.contains(&Consequence::RetryTasks);
        assert_eq!(retries, expected != Said::Accept);
        let newer = ruled(facts, &running, ProposedState::new(Failed));
        assert!(!newer.consequences.contains(&Consequence::RetryTasks));
    }
}

#[test]
fn leaving_an_end_begins_anew() {
    use StateType::{Failed, Running, Scheduled};
    let policy = FlowRunPolicy {
        pause_keys: ["1".to_owned()].into(),
        ..FlowRunPolicy::default()
    };
    let facts = Facts {
        policy: Some(&policy),
        ..deployed()
    };
    for (to, retry_type) in [(Scheduled, Some(RetryType::Reschedule)), (Running, None)] {
        let ruling = ruled(facts, &state(Failed, plain), ProposedState::new(to));
        let after = policy_after(&ruling).unwrap();
        assert!(after.pause_keys.is_empty());
        assert_eq!(after.retry_type, retry_type);
    }
}

#[test]
fn what_an_agent_kills_by_wish_is_cancelled_though_it_tells_that_it_crashed() {
    use StateType::{Cancelled, Cancelling, Crashed};
    let held = Facts {
        is_held: true,
        has_infrastructure: true,
        ..deployed()
    };
    let forced = (FORCED, RunKind::FlowRun);
    check(forced, held, (plain, plain), |from, to| match (from, to) {
        (Some(Cancelling), Crashed) => Said::Reject(Cancelled),
        _ => Said::Accept,
    });
}

#[test]
fn a_forced_flow_run_keeps_its_result_and_its_process_is_not_looked_for_in_vain() {
    use StateType::{Cancelled, Cancelling, Completed, Scheduled};
    let kept = |state: &mut ProposedState| state.data = Some(json!({ "type": "reference" }));
    let forced = (FORCED, RunKind::FlowRun);
    check(forced, deployed(), (kept, plain), |from, to| {
        match (from, to) {
            (Some(Completed), Completed) => Said::Stay,
            (Some(Scheduled), Cancelling) => Said::Reject(Cancelled),
            _ => Said::Accept,
        }
    });
    check(
        (FORCED, RunKind::TaskRun),
        Facts::default(),
        (kept, plain),
        |_, _| Said::Accept,
    );
}
