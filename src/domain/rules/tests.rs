//! The rules of the 2.0a7 generation as full tables: every state a run can be in, times every
//! state proposed.

use proptest::prelude::*;

use super::*;
use crate::domain::state::State;
use crate::domain::task_run::RetryPolicy;

const NOW: Timestamp = Timestamp::from_micros(1_000_000_000);

/// The letters of the tables below.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Said {
    Accept,
    Reject,
    Wait,
    Abort,
    Stay,
}

fn said(verdict: &Verdict) -> Said {
    match verdict {
        Verdict::Accept(_) => Said::Accept,
        Verdict::Reject { .. } => Said::Reject,
        Verdict::Wait { .. } => Said::Wait,
        Verdict::Abort { .. } => Said::Abort,
        Verdict::Stay { .. } => Said::Stay,
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

/// Asks for each pair in each generation and compares with `expected`.
fn check(
    kind: RunKind,
    facts: Facts<'_>,
    due: Timestamp,
    expected: impl Fn(Option<StateType>, StateType) -> Said,
) {
    for origin in origins() {
        let current = origin.map(|kind| state(kind, due));
        let facts = Facts {
            current: current.as_ref(),
            ..facts
        };
        for (generation, target) in each([Generation::Orion], StateType::ALL) {
            let policy = Policy::Normal(generation);
            let ruling = decide(policy, kind, &facts, ProposedState::new(target), NOW);
            assert_eq!(
                said(&ruling.verdict),
                expected(origin, target),
                "{generation:?}: {origin:?} -> {target:?}: {ruling:?}"
            );
        }
    }
}

/// Each of those with each of these.
fn each<A: Copy, B: Copy>(
    those: impl IntoIterator<Item = A>,
    these: impl IntoIterator<Item = B> + Clone,
) -> impl Iterator<Item = (A, B)> {
    let with_each = move |one| these.clone().into_iter().map(move |other| (one, other));
    those.into_iter().flat_map(with_each)
}

fn task(run_count: i64, max_retries: i64) -> Facts<'static> {
    Facts {
        run_count,
        retries: RetryPolicy {
            max_retries,
            retry_delay: Span::from_secs_f64(30.0),
        },
        ..Facts::default()
    }
}

fn deployed_and_held() -> Facts<'static> {
    Facts {
        run_count: 1,
        is_deployed: true,
        is_held: true,
        ..Facts::default()
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
        let facts = Facts {
            is_deployed: deployed,
            is_held: held,
            ..Facts::default()
        };
        check(RunKind::FlowRun, facts, due, |from, to| {
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
        for (generation, kind) in each([Generation::Orion], [RunKind::FlowRun, RunKind::TaskRun]) {
            let facts = Facts {
                current: Some(&cancelling),
                ..deployed_and_held()
            };
            let proposed = ProposedState::new(told);
            let ruling = decide(Policy::Normal(generation), kind, &facts, proposed, NOW);
            let Verdict::Reject { instead, .. } = ruling.verdict else {
                panic!("{generation:?}, {kind:?}: {told:?} is not rejected");
            };
            assert_eq!(instead.kind, StateType::Cancelled);
            assert!(instead.message.unwrap().contains("Cancelled"));
        }
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

/// What is said to a task run: what is `expected`, unless it was asked to stop.
fn check_task_runs(
    facts: Facts<'_>,
    due: Timestamp,
    expected: impl Fn(Option<StateType>, StateType) -> Said,
) {
    use StateType::{Cancelled, Cancelling};
    check(RunKind::TaskRun, facts, due, |from, to| match (from, to) {
        (Some(Cancelling), to) if !matches!(to, Cancelling | Cancelled) => Said::Reject,
        _ => expected(from, to),
    });
}

#[test]
fn a_task_run_without_retries_moves_until_it_has_ended() {
    check_task_runs(task(1, 0), NOW, |from, _| match from {
        Some(kind) if kind.is_terminal() => Said::Abort,
        _ => Said::Accept,
    });
}

#[test]
fn a_task_run_with_retries_left_rejects_only_running_to_failed() {
    use StateType::*;
    check_task_runs(task(2, 2), NOW, |from, to| match (from, to) {
        (Some(kind), _) if kind.is_terminal() => Said::Abort,
        (Some(Running), Failed) => Said::Reject,
        _ => Said::Accept,
    });
}

#[test]
fn a_task_run_waits_for_its_retry_but_its_end_comes_first() {
    let due = NOW + Span::from_secs_f64(5.0);
    check_task_runs(task(1, 2), due, |from, to| match (from, to) {
        (Some(kind), _) if kind.is_terminal() => Said::Abort,
        (Some(StateType::Scheduled), _) => Said::Wait,
        (Some(StateType::Running), StateType::Failed) => Said::Reject,
        _ => Said::Accept,
    });
}

#[test]
fn a_cached_result_answers_every_proposal_to_run_even_a_terminal_one() {
    let cached = state(StateType::Completed, NOW);
    let facts = Facts {
        run_count: 1,
        cached: Some(&cached),
        ..Facts::default()
    };
    check_task_runs(facts, NOW, |from, to| match (from, to) {
        (_, StateType::Running) => Said::Reject,
        (Some(kind), _) if kind.is_terminal() => Said::Abort,
        _ => Said::Accept,
    });
}

fn verdict_on_task(facts: Facts<'_>, current: &State, to: StateType) -> Verdict {
    let facts = Facts {
        current: Some(current),
        ..facts
    };
    let policy = Policy::Normal(Generation::Orion);
    let proposed = ProposedState::new(to).because("m");
    decide(policy, RunKind::TaskRun, &facts, proposed, NOW).verdict
}

#[test]
fn a_forced_state_is_entered_from_anywhere() {
    let facts = deployed_and_held();
    for (from, to) in each(StateType::ALL, StateType::ALL) {
        let current = state(from, NOW + Span::from_secs_f64(5.0));
        for (generation, kind) in each([Generation::Orion], [RunKind::FlowRun, RunKind::TaskRun]) {
            let facts = Facts {
                current: Some(&current),
                ..facts
            };
            let mut proposed = ProposedState::new(to);
            proposed.details.cache_key = Some("k".to_owned());
            let ruling = decide(
                Policy::Forced(generation),
                kind,
                &facts,
                proposed.clone(),
                NOW,
            );
            assert_eq!(ruling.verdict, Verdict::Accept(proposed));
            assert_eq!(ruling.consequences, []);
        }
    }
}

#[test]
fn only_an_accepted_completed_state_with_a_key_is_kept_in_the_cache() {
    for ((origin, to), key) in each(each(origins(), StateType::ALL), [None, Some(""), Some("k")]) {
        let current = origin.map(|kind| state(kind, NOW));
        let facts = Facts {
            current: current.as_ref(),
            ..task(1, 2)
        };
        let mut proposed = ProposedState::new(to);
        proposed.details.cache_key = key.map(str::to_owned);
        {
            let policy = Policy::Normal(Generation::Orion);
            let ruling = decide(policy, RunKind::TaskRun, &facts, proposed.clone(), NOW);
            let is_kept = to == StateType::Completed
                && key == Some("k")
                && matches!(ruling.verdict, Verdict::Accept(_));
            let key = "k".to_owned();
            let expected = is_kept.then_some(Consequence::Cache { key });
            assert_eq!(
                ruling.consequences,
                Vec::from_iter(expected),
                "{origin:?} -> {to:?}"
            );
        }
    }
}

#[test]
fn a_retry_keeps_the_failure_s_message_and_is_due_after_the_delay() {
    let running = state(StateType::Running, NOW);
    let Verdict::Reject { instead, why } = verdict_on_task(task(1, 1), &running, StateType::Failed)
    else {
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
    let facts = Facts {
        cached: Some(&cached),
        ..Facts::default()
    };
    let pending = state(StateType::Pending, NOW);
    let Verdict::Reject { instead, .. } = verdict_on_task(facts, &pending, StateType::Running)
    else {
        panic!("not rejected");
    };
    assert_eq!(instead.name.as_deref(), Some("Cached"));
    assert_eq!(instead.data, cached.data);
}

#[test]
fn reruns_are_named() {
    let name_of = |current: &State, run_count| match verdict_on_task(
        task(run_count, 5),
        current,
        StateType::Running,
    ) {
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
            is_deployed: true,
            ..Facts::default()
        };
        let ask = |now| {
            let policy = Policy::Normal(Generation::Orion);
            let pending = ProposedState::new(StateType::Pending);
            decide(policy, RunKind::FlowRun, &facts, pending, now).verdict
        };
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
        while matches!(verdict_on_task(task(attempts, max_retries), &running, StateType::Failed), Verdict::Reject { .. }) {
            attempts += 1;
            prop_assert!(attempts <= max_retries + 1);
        }
        prop_assert_eq!(attempts, max_retries + 1);
    }
}
