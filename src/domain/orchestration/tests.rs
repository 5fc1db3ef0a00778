//! The rules as full tables: every state a run can be in, times every state proposed.

use proptest::prelude::*;

use super::*;
use crate::domain::time::Span;

const NOW: Timestamp = Timestamp::from_micros(1_000_000_000);

/// The letters of the tables below.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Said {
    Accept,
    Reject,
    Wait,
    Abort,
}

fn said(verdict: &Verdict) -> Said {
    match verdict {
        Verdict::Accept(_) => Said::Accept,
        Verdict::Reject { .. } => Said::Reject,
        Verdict::Wait { .. } => Said::Wait,
        Verdict::Abort { .. } => Said::Abort,
    }
}

/// A state of that kind, entered one second ago; a scheduled one is due at `due`.
fn state(kind: StateType, due: Timestamp) -> State {
    let mut proposed = ProposedState::new(kind);
    if kind == StateType::Scheduled {
        proposed = ProposedState::scheduled(due);
    }
    State::enter(proposed, NOW - Span::from_micros(1_000_000))
}

/// Every origin: no state at all, then each kind.
fn origins() -> impl Iterator<Item = Option<StateType>> {
    std::iter::once(None).chain(StateType::ALL.into_iter().map(Some))
}

/// Asks for each pair and compares with `expected`.
fn check(
    subject: &Subject<'_>,
    run_count: i64,
    due: Timestamp,
    expected: impl Fn(Option<StateType>, StateType) -> Said,
) {
    for origin in origins() {
        let current = origin.map(|kind| state(kind, due));
        for target in StateType::ALL {
            let facts = Facts {
                current: current.as_ref(),
                run_count,
                subject: subject.clone(),
            };
            let verdict = decide(&facts, ProposedState::new(target), NOW);
            assert_eq!(
                said(&verdict),
                expected(origin, target),
                "{origin:?} -> {target:?}: {verdict:?}"
            );
        }
    }
}

fn task(max_retries: i64) -> Subject<'static> {
    Subject::TaskRun {
        policy: RetryPolicy {
            max_retries,
            retry_delay: Span::from_secs_f64(30.0),
        },
        cached: None,
    }
}

#[test]
fn a_flow_run_without_a_deployment_goes_anywhere_once_due() {
    check(&Subject::FlowRun { deployed: false }, 0, NOW, |_, _| {
        Said::Accept
    });
}

#[test]
fn a_flow_run_waits_only_while_scheduled_in_the_future() {
    let due = NOW + Span::from_secs_f64(5.0);
    check(
        &Subject::FlowRun { deployed: false },
        0,
        due,
        |from, _| match from {
            Some(StateType::Scheduled) => Said::Wait,
            _ => Said::Accept,
        },
    );
}

#[test]
fn a_deployed_run_is_submitted_once() {
    use StateType::*;
    check(
        &Subject::FlowRun { deployed: true },
        0,
        NOW,
        |from, to| match (from, to) {
            (Some(Pending | Running | Cancelling), Pending) => Said::Abort,
            _ => Said::Accept,
        },
    );
}

#[test]
fn a_task_run_without_retries_moves_until_it_has_ended() {
    check(&task(0), 1, NOW, |from, _| match from {
        Some(kind) if kind.is_terminal() => Said::Abort,
        _ => Said::Accept,
    });
}

#[test]
fn a_task_run_with_retries_left_rejects_only_running_to_failed() {
    use StateType::*;
    check(&task(2), 2, NOW, |from, to| match (from, to) {
        (Some(kind), _) if kind.is_terminal() => Said::Abort,
        (Some(Running), Failed) => Said::Reject,
        _ => Said::Accept,
    });
}

#[test]
fn a_task_run_waits_for_its_retry_but_its_end_comes_first() {
    let due = NOW + Span::from_secs_f64(5.0);
    check(&task(2), 1, due, |from, to| match (from, to) {
        (Some(kind), _) if kind.is_terminal() => Said::Abort,
        (Some(StateType::Scheduled), _) => Said::Wait,
        (Some(StateType::Running), StateType::Failed) => Said::Reject,
        _ => Said::Accept,
    });
}

#[test]
fn a_cached_result_answers_every_proposal_to_run_even_a_terminal_one() {
    let cached = state(StateType::Completed, NOW);
    let subject = Subject::TaskRun {
        policy: RetryPolicy::default(),
        cached: Some(&cached),
    };
    check(&subject, 1, NOW, |from, to| match (from, to) {
        (_, StateType::Running) => Said::Reject,
        (Some(kind), _) if kind.is_terminal() => Said::Abort,
        _ => Said::Accept,
    });
}

fn verdict(subject: Subject<'_>, current: &State, run_count: i64, to: StateType) -> Verdict {
    let facts = Facts {
        current: Some(current),
        run_count,
        subject,
    };
    decide(&facts, ProposedState::new(to).because("m"), NOW)
}

#[test]
fn a_retry_keeps_the_failure_s_message_and_is_due_after_the_delay() {
    let running = state(StateType::Running, NOW);
    let Verdict::Reject { instead, why } = verdict(task(1), &running, 1, StateType::Failed) else {
        panic!("not rejected");
    };
    assert_eq!(why, "Retrying");
    assert_eq!(instead.name.as_deref(), Some("AwaitingRetry"));
    assert_eq!(instead.message.as_deref(), Some("m"));
    let due = instead.details.scheduled_time;
    assert_eq!(due, Some(NOW + Span::from_secs_f64(30.0)));
}

#[test]
fn a_cached_state_is_named_cached_and_keeps_its_data() {
    let mut cached = state(StateType::Completed, NOW);
    cached.data = Some(serde_json::json!({"encoding": "x", "blob": "y"}));
    let subject = Subject::TaskRun {
        policy: RetryPolicy::default(),
        cached: Some(&cached),
    };
    let pending = state(StateType::Pending, NOW);
    let Verdict::Reject { instead, .. } = verdict(subject, &pending, 0, StateType::Running) else {
        panic!("not rejected");
    };
    assert_eq!(instead.name.as_deref(), Some("Cached"));
    assert_eq!(instead.data, cached.data);
}

#[test]
fn reruns_are_named() {
    let name_of =
        |current: &State, run_count| match verdict(task(5), current, run_count, StateType::Running)
        {
            Verdict::Accept(proposed) => proposed.name,
            other => panic!("{other:?}"),
        };
    let pending = state(StateType::Pending, NOW);
    let mut retry = state(StateType::Scheduled, NOW);
    retry.name = "AwaitingRetry".to_owned();
    assert_eq!(name_of(&pending, 0), None);
    assert_eq!(name_of(&pending, 1).as_deref(), Some("Rerunning"));
    assert_eq!(name_of(&retry, 1).as_deref(), Some("Retrying"));
}

proptest! {
    /// Waiting as long as told is always enough, and one whole second less never is.
    #[test]
    fn the_wait_is_exact_to_the_second(early_micros in 1i64..10_000_000_000) {
        let due = NOW + Span::from_micros(early_micros);
        let current = state(StateType::Scheduled, due);
        let facts = Facts {
            current: Some(&current),
            run_count: 0,
            subject: Subject::FlowRun { deployed: true },
        };
        let ask = |now| decide(&facts, ProposedState::new(StateType::Pending), now);
        if let Verdict::Wait { delay_secs, .. } = ask(NOW) {
            let told = Span::from_micros(delay_secs * 1_000_000);
            prop_assert!(matches!(ask(NOW + told), Verdict::Accept(_)), "the wait was too short");
            let second = Span::from_micros(1_000_000);
            prop_assert!(matches!(ask(NOW + told - second), Verdict::Wait { .. }), "the wait was too long");
        } else {
            prop_assert!(early_micros < 1_000_000);
        }
    }

    /// A task run never gets more attempts than its policy allows.
    #[test]
    fn attempts_are_bounded(max_retries in 0i64..20) {
        let running = state(StateType::Running, NOW);
        let mut attempts = 1;
        while matches!(verdict(task(max_retries), &running, attempts, StateType::Failed), Verdict::Reject { .. }) {
            attempts += 1;
            prop_assert!(attempts <= max_retries + 1);
        }
        prop_assert_eq!(attempts, max_retries + 1);
    }
}
