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

/// A flow run of whatever origin: with and without a deployment, taken by an agent or not.
const FLOW_RUNS: [(bool, bool); 4] = [(false, false), (false, true), (true, false), (true, true)];

/// What is said to a flow run that is cancelled; `None` where that decides nothing.
fn said_to_cancelled(
    (deployed, held): (bool, bool),
    from: Option<StateType>,
    to: StateType,
) -> Option<Said> {
    use StateType::*;
    match (from?, to) {
        (Cancelling, Cancelling | Cancelled) => None,
        (Cancelling, Scheduled | Pending | Running | Paused | Completed | Failed | Crashed) => {
            Some(Said::Reject)
        }
        (Cancelled, Scheduled | Cancelled) => None,
        (Cancelled, Pending) => (deployed || held).then_some(Said::Abort),
        (Cancelled, Running | Paused | Cancelling | Completed | Failed | Crashed) => {
            held.then_some(Said::Abort)
        }
        (Scheduled | Pending | Running | Paused | Completed | Failed | Crashed, _) => None,
    }
}

fn check_flow_runs(due: Timestamp, otherwise: impl Fn(bool, Option<StateType>, StateType) -> Said) {
    for run in FLOW_RUNS {
        let (deployed, held) = run;
        check(&Subject::FlowRun { deployed, held }, 0, due, |from, to| {
            said_to_cancelled(run, from, to).unwrap_or_else(|| otherwise(deployed, from, to))
        });
    }
}

#[test]
fn a_flow_run_that_is_due_goes_anywhere_but_is_cancelled_and_submitted_once() {
    use StateType::*;
    check_flow_runs(NOW, |deployed, from, to| match (from, to) {
        (Some(Pending | Running), Pending) if deployed => Said::Abort,
        _ => Said::Accept,
    });
}

#[test]
fn a_flow_run_waits_only_while_scheduled_in_the_future() {
    use StateType::*;
    let due = NOW + Span::from_secs_f64(5.0);
    check_flow_runs(due, |deployed, from, to| match (from, to) {
        (Some(Scheduled), _) => Said::Wait,
        (Some(Pending | Running), Pending) if deployed => Said::Abort,
        _ => Said::Accept,
    });
}

#[test]
fn whatever_a_run_tells_after_it_was_asked_to_stop_it_is_cancelled() {
    let cancelling = state(StateType::Cancelling, NOW);
    for told in StateType::ALL {
        if matches!(told, StateType::Cancelling | StateType::Cancelled) {
            continue;
        }
        let subject = Subject::FlowRun {
            deployed: true,
            held: true,
        };
        let Verdict::Reject { instead, .. } = verdict(subject, &cancelling, 1, told) else {
            panic!("{told:?} is not rejected");
        };
        assert_eq!(instead.kind, StateType::Cancelled);
        assert!(instead.message.unwrap().contains("Cancelled"));
    }
}

#[test]
fn an_agent_s_end_of_a_run_that_was_asked_to_stop_is_cancelled() {
    for current in std::iter::once(None).chain(StateType::ALL.into_iter().map(Some)) {
        let current = current.map(|kind| state(kind, NOW));
        let mut crash = ProposedState::new(StateType::Crashed).because("exit code 137");
        let told = serde_json::json!(137);
        crash
            .details
            .extra
            .insert("exit_code".to_owned(), told.clone());
        let end = agent_s_end(current.as_ref(), crash.clone());
        if current.is_none_or(|state| state.kind != StateType::Cancelling) {
            assert_eq!(end, crash);
            continue;
        }
        assert_eq!(end.kind, StateType::Cancelled);
        assert!(end.message.unwrap().contains("exit code 137"));
        assert_eq!(end.details.extra["exit_code"], told);
    }
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
            subject: Subject::FlowRun {
                deployed: true,
                held: false,
            },
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
