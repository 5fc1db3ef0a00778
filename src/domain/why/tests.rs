//! The whole table: every cause has its own answer, and the answer changes with the cause.

use super::*;
use crate::domain::agent::AgentReport;
use crate::domain::deployment::Infrastructure;
use crate::domain::ids::{DeploymentId, FlowId, WorkQueueId};
use crate::domain::run::RunStatistics;
use crate::domain::runner::RunnerKind;
use crate::domain::state::ProposedState;

const NOW: Timestamp = Timestamp::from_micros(100_000_000);

fn run(state: ProposedState) -> FlowRun {
    FlowRun {
        id: FlowRunId::new(),
        created: NOW,
        updated: NOW,
        name: "brave-owl".to_owned(),
        flow_id: FlowId::new(),
        deployment_id: Some(DeploymentId::new()),
        flow_version: None,
        parameters: Default::default(),
        idempotency_key: None,
        context: Default::default(),
        policy: Default::default(),
        empirical_config: Default::default(),
        tags: Vec::new(),
        parent_task_run_id: None,
        auto_scheduled: false,
        infrastructure: Infrastructure {
            kind: Some(RunnerKind::Docker),
            config: None,
        },
        labels: Default::default(),
        job_variables: None,
        work_queue_id: None,
        queue: None,
        deployment_version: None,
        infrastructure_pid: None,
        created_by: None,
        claim: None,
        statistics: RunStatistics::default(),
        state: Some(State::enter(state, NOW)),
    }
}

fn held_by(agent: &str) -> FlowRun {
    let mut run = run(ProposedState::new(StateType::Pending));
    run.claim = Some(Claim {
        agent: agent.to_owned(),
        at: NOW,
        infrastructure_id: None,
    });
    run
}

fn agent(name: &str, change: impl FnOnce(&mut AgentReport)) -> KnownAgent {
    let mut report = AgentReport {
        slots: 2,
        ..AgentReport::default()
    };
    change(&mut report);
    KnownAgent {
        name: name.to_owned(),
        since: NOW,
        last_seen: NOW,
        report,
    }
}

fn asked(run: &FlowRun, agents: &[(KnownAgent, u64)], ahead: u64) -> Why {
    let holders = ["first", "second"].map(|name| Holder {
        id: FlowRunId::new(),
        name: name.to_owned(),
        agent: Some(EMBEDDED.to_owned()),
    });
    why(&WhyFacts {
        run,
        now: NOW,
        agents,
        holders: &holders,
        ahead,
        waiting: None,
        deployment: None,
    })
}

#[test]
fn a_run_that_is_not_due_says_when() {
    let due = NOW + crate::domain::time::Span::from_secs_f64(30.0);
    let got = asked(&run(ProposedState::scheduled(due)), &[], 0);
    assert_eq!((got.code, got.may_start), (Code::NotDue, Some(due)));
    assert_eq!(got.reason, "The run is due in 30 seconds.");
    let retry = ProposedState::scheduled(due).named("AwaitingRetry");
    let got = asked(&run(retry), &[], 0);
    assert_eq!((got.code, got.may_start), (Code::RetryDelay, Some(due)));
}

#[test]
fn a_due_run_waits_for_what_is_missing() {
    let due = run(ProposedState::scheduled(NOW));
    let well = || agent(EMBEDDED, |_| ());
    let ill = || {
        agent(EMBEDDED, |it| {
            it.engine_trouble = Some("no engine".to_owned());
        })
    };
    assert_eq!(asked(&due, &[], 0).code, Code::NoAgent);
    let away = asked(&due, &[(ill(), 0)], 0);
    assert_eq!(away.code, Code::EngineAway);
    assert!(away.reason.contains("no engine"), "{}", away.reason);
    assert_eq!(asked(&due, &[(well(), 1)], 0).code, Code::Starting);
    let full = asked(&due, &[(well(), 2)], 3);
    assert_eq!((full.code, full.ahead), (Code::SlotsTaken, 3));
    let told = "All 2 slots are taken: 2 of 'embedded' by first, second; 3 other runs";
    assert!(full.reason.starts_with(told), "{}", full.reason);
    assert_eq!(full.holders.len(), 2);
    let mut plain = due;
    plain.infrastructure.kind = None;
    assert_eq!(asked(&plain, &[(ill(), 0)], 0).code, Code::Starting);
    plain.deployment_id = None;
    assert_eq!(asked(&plain, &[(well(), 0)], 0).code, Code::NotDeployed);
}

#[test]
fn a_taken_run_waits_for_its_agent() {
    let taken = held_by("far");
    assert_eq!(asked(&taken, &[], 0).code, Code::AgentGone);
    assert_eq!(asked(&held_by(EMBEDDED), &[], 0).code, Code::NoAgent);
    let pulling = agent("far", |it| {
        it.pulling.insert(taken.id, "big:1".to_owned());
    });
    let got = asked(&taken, &[(pulling, 1)], 0);
    assert_eq!(got.code, Code::PullingImage);
    assert!(got.reason.contains("big:1"), "{}", got.reason);
    let ill = agent("far", |it| it.engine_trouble = Some("gone".to_owned()));
    assert_eq!(asked(&taken, &[(ill, 1)], 0).code, Code::EngineAway);
    let well = agent("far", |_| ());
    assert_eq!(asked(&taken, &[(well, 1)], 0).code, Code::Starting);
    let foreign = run(ProposedState::new(StateType::Pending));
    assert_eq!(asked(&foreign, &[], 0).code, Code::Starting);
}

#[test]
fn every_other_state_speaks_for_itself() {
    for (kind, code) in [
        (StateType::Running, Code::Running),
        (StateType::Paused, Code::Paused),
        (StateType::Cancelling, Code::Stopping),
        (StateType::Completed, Code::Ended),
        (StateType::Failed, Code::Ended),
        (StateType::Cancelled, Code::Ended),
        (StateType::Crashed, Code::Ended),
    ] {
        assert_eq!(asked(&run(ProposedState::new(kind)), &[], 0).code, code);
    }
}

#[test]
fn a_far_moment_is_told_in_days() {
    let after = |secs: i64| NOW + Span::from_micros(secs * 1_000_000);
    for (secs, told) in [
        (97_774_024, "in 1131 days 15 hours"),
        (3 * 3600 + 60, "in 3 hours 1 minute"),
        (86_400, "in 1 day"),
    ] {
        let got = asked(&run(ProposedState::scheduled(after(secs))), &[], 0);
        assert_eq!(got.reason, format!("The run is due {told}."));
        assert_eq!(got.may_start, Some(after(secs)));
    }
}

#[test]
fn a_crash_speaks_for_itself() {
    let crash = ProposedState::new(StateType::Crashed).because("x exited with exit code 3.");
    let got = asked(&run(crash), &[], 0);
    assert!(
        got.reason.ends_with("x exited with exit code 3."),
        "{}",
        got.reason
    );
}

#[test]
fn of_many_holders_some_are_named() {
    let names: Vec<_> = (0..12).map(|number| format!("run-{number}")).collect();
    let holders = names.iter().map(|name| Holder {
        id: FlowRunId::new(),
        name: name.clone(),
        agent: Some("far".to_owned()),
    });
    let holders: Vec<_> = holders.collect();
    let agents = [(agent("far", |it| it.slots = 12), 12)];
    let due = run(ProposedState::scheduled(NOW));
    let got = why(&WhyFacts {
        run: &due,
        now: NOW,
        agents: &agents,
        holders: &holders,
        ahead: 0,
        waiting: None,
        deployment: None,
    });
    let told = "12 of 'far' by run-0, run-1";
    assert!(
        got.reason.contains(told) && got.reason.contains("and 2 more"),
        "{}",
        got.reason
    );
    assert_eq!(got.holders.len(), 12);
}

fn waiting(kind: &str, change: impl FnOnce(&mut Waiting)) -> Waiting {
    use crate::domain::ids::WorkPoolId;
    use crate::domain::work::{WorkPool, WorkQueue};
    let pool = WorkPool {
        id: WorkPoolId::new(),
        created: NOW,
        updated: NOW,
        name: "p".to_owned(),
        description: None,
        kind: kind.to_owned().into(),
        base_job_template: Default::default(),
        is_paused: false,
        concurrency_limit: None,
        storage: Default::default(),
        default_queue_id: WorkQueueId::new(),
        online_until: None,
        active_slots: 1,
        told: None,
    };
    let queue = WorkQueue {
        id: pool.default_queue_id,
        created: NOW,
        updated: NOW,
        work_pool_id: pool.id,
        name: "default".to_owned(),
        description: None,
        is_paused: false,
        concurrency_limit: None,
        priority: 1,
        filter: None,
        last_polled: None,
        pool_name: pool.name.clone(),
        pool_kind: pool.kind.clone(),
        online_until: None,
        active_slots: 1,
        told: None,
    };
    let mut waiting = Waiting {
        pool,
        queue,
        workers: Vec::new(),
        has_agent: false,
        foreign: None,
        holders: Vec::new(),
    };
    change(&mut waiting);
    waiting
}

#[test]
fn a_run_in_a_queue_is_told_who_serves_it() {
    for (waiting, code, words) in [
        (waiting("docker", |_| ()), None, ""),
        (waiting("process", |_| ()), None, ""),
        (
            waiting("docker", |it| it.pool.is_paused = true),
            Some(Code::QueuePaused),
            "work pool 'p' is paused",
        ),
        (
            waiting("docker", |it| it.queue.is_paused = true),
            Some(Code::QueuePaused),
            "queue 'default'",
        ),
        (
            waiting("docker", |it| it.pool.concurrency_limit = Some(1)),
            Some(Code::LimitReached),
            "work pool 'p' has as many",
        ),
        (
            waiting("docker", |it| it.queue.concurrency_limit = Some(1)),
            Some(Code::LimitReached),
            "queue 'default'",
        ),
        (
            waiting("docker", |it| it.queue.concurrency_limit = Some(2)),
            None,
            "",
        ),
        (
            waiting("docker", |it| {
                it.workers = vec!["w".to_owned(), "x".to_owned()];
            }),
            Some(Code::ServedByWorker),
            "'w' and 1 more",
        ),
        (waiting("prefect-agent", |_| ()), None, ""),
        (
            waiting("prefect-agent", |it| it.has_agent = true),
            Some(Code::ServedByWorker),
            "agent of Prefect 2",
        ),
        (
            waiting("prefect-agent", |it| {
                it.foreign = Some("kubernetes-job".to_owned());
            }),
            Some(Code::NoWorker),
            "prefect agent start -q 'default'",
        ),
        (
            waiting("kubernetes", |_| ()),
            Some(Code::NoWorker),
            "prefect worker start",
        ),
    ] {
        let reason = waiting.reason();
        assert_eq!(reason.as_ref().map(|why| why.code), code);
        assert!(
            reason.is_none_or(|why| why.reason.contains(words)),
            "{words}"
        );
    }
}

fn runs(count: usize) -> Vec<Holder> {
    let named = (1..=count).map(|number| Holder {
        id: FlowRunId::new(),
        name: format!("r{number}"),
        agent: None,
    });
    named.collect()
}

#[test]
fn a_limit_that_is_reached_names_who_holds_its_slots() {
    let of_queue = waiting("docker", |it| {
        it.queue.concurrency_limit = Some(3);
        it.queue.active_slots = 5;
        it.holders = runs(2);
    });
    let got = of_queue.reason().unwrap();
    let told = "The queue 'default' of the work pool 'p' has as many runs under way as it may, \
                3: r1, r2 and 3 more.";
    assert_eq!((got.code, &*got.reason), (Code::LimitReached, told));
    assert_eq!((got.holders.len(), got.more_holders), (2, 3));
    let of_pool = waiting("docker", |it| {
        it.pool.concurrency_limit = Some(1);
        it.holders = runs(1);
    });
    let got = of_pool.reason().unwrap();
    assert!(got.reason.ends_with("as it may, 1: r1."), "{}", got.reason);
    let none_known = waiting("docker", |it| it.pool.concurrency_limit = Some(0));
    let got = none_known.reason().unwrap();
    let told = "as it may, 0: 1 that are not known here.";
    assert!(got.reason.ends_with(told), "{}", got.reason);
}

#[test]
fn a_deployment_that_has_no_slot_free_is_told_before_and_after_the_run_has_asked() {
    let full = Full {
        shared: None,
        slots: 1,
        taken: 1,
        holders: runs(1),
    };
    let asked = |run: &FlowRun, deployment| {
        why(&WhyFacts {
            run,
            now: NOW,
            agents: &[(agent(EMBEDDED, |_| ()), 0)],
            holders: &[],
            ahead: 0,
            waiting: None,
            deployment,
        })
    };
    let told = "The run's deployment has as many runs under way as it may, 1: r1.";
    let due = run(ProposedState::scheduled(NOW));
    let got = asked(&due, Some(full.clone()));
    assert_eq!((got.code, &*got.reason), (Code::LimitReached, told));
    assert_eq!(asked(&due, None).code, Code::Starting);
    let again = NOW + crate::domain::time::Span::from_secs_f64(30.0);
    let waits = ProposedState::scheduled(again).named("AwaitingConcurrencySlot");
    let waits = run(waits);
    let got = asked(&waits, Some(full));
    assert_eq!((got.code, &*got.reason), (Code::LimitReached, told));
    assert_eq!((got.may_start, got.holders.len()), (Some(again), 1));
    assert_eq!(asked(&waits, None).code, Code::NotDue);
}

/// A docker pool with a worker `w` that is there.
fn served() -> Waiting {
    waiting("docker", |it| it.workers = vec!["w".to_owned()])
}

fn of_pool(run: &FlowRun, agents: &[(KnownAgent, u64)], waiting: Waiting) -> Why {
    why(&WhyFacts {
        run,
        now: NOW,
        agents,
        holders: &[],
        ahead: 0,
        waiting: Some(waiting),
        deployment: None,
    })
}

#[test]
fn a_run_that_was_taken_from_a_queue_is_told_by_whom() {
    let labelled = |kind, worker: &str| {
        let mut run = run(ProposedState::new(kind));
        run.work_queue_id = Some(WorkQueueId::new());
        let label = ("prefect.worker.name".to_owned(), worker.into());
        run.labels.extend([label]);
        run
    };
    let (pending, running) = (StateType::Pending, StateType::Running);
    let mut ours = held_by(EMBEDDED);
    let agents = [(agent(EMBEDDED, |_| ()), 1)];
    let starting = of_pool(&ours, &agents, waiting("docker", |_| ()));
    let told = "The agent 'embedded', which serves the work pool 'p', is starting it.";
    assert_eq!((starting.code, &*starting.reason), (Code::Starting, told));
    ours.state = Some(State::enter(ProposedState::new(running), NOW));
    for (run, told) in [
        (
            labelled(pending, "w"),
            "yet; the worker 'w' of the work pool 'p' took it.",
        ),
        (
            labelled(running, "w"),
            "running; the worker 'w' of the work pool 'p' took it.",
        ),
        (
            labelled(running, "x"),
            "the worker 'x' of the work pool 'p', which is not heard of any more, took it.",
        ),
        (
            run(ProposedState::new(pending)),
            "a worker of the work pool 'p' took it.",
        ),
        (
            ours,
            "the agent 'embedded', which serves the work pool 'p', took it.",
        ),
    ] {
        let got = of_pool(&run, &agents, served());
        assert!(got.reason.ends_with(told), "{}", got.reason);
    }
}

#[test]
fn a_pool_without_workers_is_for_the_daemon_s_own_agent() {
    let due = run(ProposedState::scheduled(NOW));
    let asked = |agents: &[_]| of_pool(&due, agents, waiting("docker", |_| ()));
    let (own, far) = (agent(EMBEDDED, |_| ()), agent("far", |_| ()));
    let got = asked(&[(own, 0)]);
    assert_eq!(got.code, Code::Starting);
    let told = "the daemon's own agent, which serves the work pool 'p'.";
    assert!(got.reason.ends_with(told), "{}", got.reason);
    let got = asked(&[(far, 0)]);
    assert_eq!(got.code, Code::NoWorker);
}
