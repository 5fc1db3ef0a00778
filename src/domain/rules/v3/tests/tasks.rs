//! Tables of task runs: those of the background, which others run, and when the next attempt is due.

use super::*;

const BACKGROUND: (Policy, RunKind) = (NORMAL, RunKind::BackgroundTask);
const FORCED_BACKGROUND: (Policy, RunKind) = (FORCED, RunKind::BackgroundTask);

/// What is said of a background task: as of any other, but that it is submitted once.
fn of_a_background_task(from: Option<StateType>, to: StateType) -> Said {
    use StateType::{Cancelled, Cancelling, Pending, Running};
    match (from, to) {
        (Some(Pending | Cancelling | Running | Cancelled), Pending) => Said::Abort,
        _ => of_a_task(from, to),
    }
}

fn once() -> Facts<'static> {
    Facts {
        run_count: 1,
        ..Facts::default()
    }
}

#[test]
fn a_background_task_is_submitted_once_whether_that_is_forced_or_not() {
    check(BACKGROUND, once(), (plain, plain), of_a_background_task);
    check(
        FORCED_BACKGROUND,
        once(),
        (plain, plain),
        of_a_background_task,
    );
}

#[test]
fn neither_its_flow_nor_the_slots_of_its_tags_hold_a_background_task_back() {
    for flow in StateType::ALL {
        let flow = state(flow, plain);
        for tags in [TagSlots::Free, TagSlots::Never("a")] {
            let facts = Facts {
                tags,
                enclosing: Some(Enclosing {
                    state: Some(&flow),
                    run_count: 1,
                }),
                ..once()
            };
            check(BACKGROUND, facts, (plain, plain), of_a_background_task);
        }
    }
}

#[test]
fn a_background_task_waits_for_its_time_and_has_its_cached_result() {
    use StateType::{Completed, Pending, Running, Scheduled};
    let later = |state: &mut ProposedState| state.details.scheduled_time = Some(NOW + secs(5));
    check(BACKGROUND, once(), (later, plain), |from, to| {
        match (from, to) {
            (Some(Scheduled | Pending), Running) => Said::Wait,
            _ => of_a_background_task(from, to),
        }
    });
    let cached = state(Completed, plain);
    let facts = Facts {
        cached: Some(&cached),
        ..once()
    };
    check(BACKGROUND, facts, (plain, plain), |from, to| {
        match (from, to) {
            (_, Running) => Said::Reject(Completed),
            _ => of_a_background_task(from, to),
        }
    });
}

/// The id of the parameters that a state carries which is entered out of another that carries one.
fn parameters_after(from: StateType, to: StateType, own: Option<&str>) -> Option<String> {
    const ID: &str = "task_parameters_id";
    let current = state(from, |state| {
        state
            .details
            .extra
            .insert(ID.to_owned(), json!("handed in"));
    });
    let mut proposed = ProposedState::new(to);
    proposed
        .details
        .extra
        .extend(own.map(|id| (ID.to_owned(), json!(id))));
    let facts = Facts {
        current: Some(&current),
        ..once()
    };
    let ruling = decide(NORMAL, RunKind::BackgroundTask, &facts, proposed, NOW);
    let Verdict::Accept(entered) = ruling.verdict else {
        return None;
    };
    let id = entered.details.extra.get(ID)?;
    Some(id.as_str().unwrap().to_owned())
}

#[test]
fn where_its_parameters_lie_is_known_until_it_runs() {
    use StateType::{Pending, Running, Scheduled};
    for from in StateType::ALL {
        for to in StateType::ALL {
            let kept = match (from, to) {
                (Scheduled, Pending | Running) | (Pending, Running) => Some("handed in"),
                _ => None,
            };
            let after = parameters_after(from, to, None);
            assert_eq!(after.as_deref(), kept, "{from:?} -> {to:?}");
        }
    }
    let after = parameters_after(Scheduled, Pending, Some("its own"));
    assert_eq!(after.as_deref(), Some("its own"));
}

#[test]
fn an_attempt_is_due_after_its_own_delay_or_that_of_all() {
    use StateType::{Failed, Running, Scheduled};
    let running = state(Running, plain);
    for kind in [RunKind::TaskRun, RunKind::BackgroundTask] {
        for (of_this, expected) in [(Some(secs(11)), secs(11)), (None, secs(3))] {
            let facts = Facts {
                current: Some(&running),
                next_delay: of_this,
                retries: RetryPolicy {
                    max_retries: 1,
                    retry_delay: secs(3),
                },
                ..once()
            };
            let ruling = decide(NORMAL, kind, &facts, ProposedState::new(Failed), NOW);
            let Verdict::Reject { instead, .. } = ruling.verdict else {
                panic!("{ruling:?}");
            };
            assert_eq!(instead.kind, Scheduled);
            assert_eq!(instead.name.as_deref(), Some("AwaitingRetry"));
            assert_eq!(instead.details.scheduled_time, Some(NOW + expected));
        }
    }
}
