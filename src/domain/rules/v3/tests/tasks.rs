//! Tables of task runs: of flows and of the background, which others run, and when the next attempt is
//! due.

use super::*;

const BACKGROUND: (Policy, RunKind) = (NORMAL, RunKind::BackgroundTask);
const FORCED_BACKGROUND: (Policy, RunKind) = (FORCED, RunKind::BackgroundTask);

/// What is said of a task run outside of any flow that is not to be tried again.
fn of_a_task(from: Option<StateType>, to: StateType) -> Said {
    use StateType::{Cancelling, Crashed, Paused};
    match (from, to) {
        (Some(from), Cancelling | Paused | Crashed) if from.is_terminal() => Said::Abort,
        _ => Said::Accept,
    }
}

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

#[test]
fn a_task_run_takes_a_slot_of_its_tags_or_waits_for_one() {
    let once = Facts {
        run_count: 1,
        ..Facts::default()
    };
    for (tags, running) in [
        (TagSlots::Free, None),
        (
            TagSlots::Full {
                tags: "a",
                delay_secs: 2,
            },
            Some(Said::Wait),
        ),
        (TagSlots::Never("a"), Some(Said::Abort)),
    ] {
        let facts = Facts { tags, ..once };
        check(TASK, facts, (plain, plain), |from, to| {
            let usual = of_a_task(from, to);
            match (to, running) {
                (StateType::Running, Some(other)) if usual == Said::Accept => other,
                _ => usual,
            }
        });
    }
    let facts = Facts {
        tags: TagSlots::Free,
        ..once
    };
    let running = ProposedState::new(StateType::Running);
    let ruling = decide(NORMAL, RunKind::TaskRun, &facts, running, NOW);
    assert!(ruling.consequences.contains(&Consequence::TakeTagSlots));
}

#[test]
fn a_task_run_goes_where_the_3_9_server_lets_it() {
    use StateType::{Completed, Failed, Pending, Running, Scheduled};
    let once = Facts {
        run_count: 1,
        ..Facts::default()
    };
    check(TASK, once, (plain, plain), of_a_task);
    let kept = |state: &mut ProposedState| state.data = Some(json!({ "type": "reference" }));
    check(TASK, once, (kept, plain), |from, to| match (from, to) {
        (Some(Completed), to) if of_a_task(from, to) == Said::Accept => Said::Stay,
        _ => of_a_task(from, to),
    });
    let later = |state: &mut ProposedState| state.details.scheduled_time = Some(NOW + secs(5));
    check(TASK, once, (later, plain), |from, to| match (from, to) {
        (Some(Scheduled | Pending), Running) => Said::Wait,
        _ => of_a_task(from, to),
    });
    let retries = Facts {
        retries: RetryPolicy {
            max_retries: 1,
            retry_delay: secs(3),
        },
        ..once
    };
    check(TASK, retries, (plain, plain), |from, to| match (from, to) {
        (Some(Running), Failed) => Said::Reject(Scheduled),
        _ => of_a_task(from, to),
    });
    let not_again = |state: &mut ProposedState| state.details.retriable = Some(false);
    check(TASK, retries, (plain, not_again), of_a_task);
}

#[test]
fn a_task_runs_only_while_its_flow_does() {
    use StateType::{Paused, Running};
    for flow in StateType::ALL {
        let flow = state(flow, plain);
        let facts = Facts {
            run_count: 1,
            enclosing: Some(Enclosing {
                state: Some(&flow),
                run_count: 1,
            }),
            ..Facts::default()
        };
        check(TASK, facts, (plain, plain), |from, to| {
            match (to, flow.kind) {
                (Running, Running) => of_a_task(from, to),
                (Running, Paused) => Said::Reject(Paused),
                (Running, _) => Said::Abort,
                _ => of_a_task(from, to),
            }
        });
    }
}

#[test]
fn a_cached_result_answers_unless_it_is_to_be_made_anew() {
    use StateType::{Completed, Running};
    let cached = state(Completed, plain);
    let once = Facts {
        run_count: 1,
        ..Facts::default()
    };
    let facts = Facts {
        cached: Some(&cached),
        ..once
    };
    check(TASK, facts, (plain, plain), |from, to| match to {
        Running => Said::Reject(Completed),
        _ => of_a_task(from, to),
    });
    let anew = |state: &mut ProposedState| state.details.refresh_cache = Some(true);
    check(TASK, facts, (plain, anew), of_a_task);
    let long = |state: &mut ProposedState| state.details.cache_key = Some("k".repeat(2001));
    check(TASK, once, (plain, long), |from, to| match to {
        Completed => Said::Reject(Completed),
        _ => of_a_task(from, to),
    });
}

#[test]
fn a_task_that_is_begun_anew_has_not_run_yet() {
    use StateType::{Failed, Pending, Running};
    let flow = state(Running, plain);
    let ended = state(Failed, plain);
    let facts = Facts {
        current: Some(&ended),
        run_count: 3,
        enclosing: Some(Enclosing {
            state: Some(&flow),
            run_count: 2,
        }),
        flow_run_run_count: 1,
        ..Facts::default()
    };
    let ask = |to| {
        decide(
            NORMAL,
            RunKind::TaskRun,
            &facts,
            ProposedState::new(to),
            NOW,
        )
    };
    assert_eq!(ask(Pending).consequences, [Consequence::ResetRunCount]);
    let ruling = ask(Running);
    assert!(ruling.consequences.contains(&Consequence::OfAttempt(2)));
    let Verdict::Accept(entered) = ruling.verdict else {
        panic!("{ruling:?}");
    };
    assert_eq!(entered.name.as_deref(), Some("Rerunning"));
}
