//! Slots, and what becomes of them as time goes on.

use std::sync::atomic::Ordering;

use uuid::Uuid;

use super::*;
use crate::app::testing::{Ahead, app};
use crate::app::{Decision, Outcome};
use crate::domain::deployment::{DeploymentChanges, DeploymentUpdate, NewDeployment};
use crate::domain::flow::NewFlow;
use crate::domain::flow_run::{DeploymentRunRequest, FlowRun};
use crate::domain::ids::{DeploymentId, FlowRunId};
use crate::domain::patch::Patch;
use crate::domain::rules::{Client, Generation, Policy};
use crate::domain::state::{ProposedState, StateType};
use crate::domain::time::Span;

fn secs(secs: i64) -> Span {
    Span::from_micros(secs * 1_000_000)
}

fn asked(names: &[&str], slots: i64) -> Asked {
    Asked {
        names: names.iter().map(|name| (*name).to_owned()).collect(),
        slots,
        mode: Mode::Concurrency,
    }
}

async fn taken(app: &App, name: &str) -> i64 {
    let key = LimitKey::Name(name.to_owned());
    app.limit(key).await.unwrap().taken
}

async fn create(app: &App, name: &str, slots: i64) {
    let new = NewLimit::named(name.to_owned(), slots);
    app.create_limit(new).await.unwrap();
}

/// A deployment of one slot.
async fn deployment(app: &App) -> DeploymentId {
    let one = DeploymentChanges {
        concurrency_limit: Patch::Set(1),
        ..DeploymentChanges::default()
    };
    deployed(app, "d", one).await
}

async fn deployed(app: &App, name: &str, changes: DeploymentChanges) -> DeploymentId {
    let flow = app.create_flow(NewFlow::named("f")).await.unwrap();
    let new = NewDeployment {
        changes,
        ..NewDeployment::named(flow.get().id, name)
    };
    app.create_deployment(new).await.unwrap().get().id
}

/// Deployments that share a limit.
async fn sharing<const N: usize>(app: &App, limit: &str) -> [DeploymentId; N] {
    let limit = app.limit(LimitKey::Name(limit.to_owned())).await.unwrap();
    let mut all = [DeploymentId::default(); N];
    for (n, id) in all.iter_mut().enumerate() {
        let changes = DeploymentChanges {
            shared_limit: Patch::Set(limit.limit.id),
            ..DeploymentChanges::default()
        };
        *id = deployed(app, &format!("d{n}"), changes).await;
    }
    all
}

async fn run(app: &App, deployment: DeploymentId) -> FlowRunId {
    let request = DeploymentRunRequest {
        state: Some(ProposedState::scheduled(app.now())),
        ..DeploymentRunRequest::default()
    };
    let run = app.create_run_of_deployment(deployment, request).await;
    run.unwrap().get().id
}

async fn propose(app: &App, id: FlowRunId, kind: StateType) -> Decision {
    let state = ProposedState::new(kind);
    let (policy, client) = (Policy::Normal(Generation::V3), Client::default());
    let decision = app.propose_flow_run_state(id, state, policy, client).await;
    decision.unwrap()
}

async fn read_run(app: &App, id: FlowRunId) -> FlowRun {
    *app.flow_run(id).await.unwrap()
}

#[tokio::test]
async fn a_lease_that_nobody_renews_gives_its_slots_back() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Ahead::default();
    let app = app(dir.path(), clock.clone());
    create(&app, "a", 2).await;
    create(&app, "b", 9).await;
    let rings = app.deadline_bell().rings();
    let lease = Some((Some(secs(60)), None));
    let names = asked(&["a", "b", "unknown"], 2);
    let got = app.take_slots(names.clone(), lease.clone()).await.unwrap();
    let Taken::Granted(granted) = got else {
        panic!("{got:?}");
    };
    assert_eq!(granted.limits.len(), 2);
    assert!(app.deadline_bell().rings() > rings);
    assert_eq!((taken(&app, "a").await, taken(&app, "b").await), (2, 2));
    let full = app.take_slots(names.clone(), lease.clone()).await.unwrap();
    let Taken::Full { of, retry_after } = full else {
        panic!("{full:?}");
    };
    assert_eq!(of, "a");
    assert!((0.5..30.0).contains(&retry_after), "{retry_after}");
    // None of the other was taken.
    assert_eq!(taken(&app, "b").await, 2);

    let id = granted.lease.unwrap();
    clock.0.store(50_000_000, Ordering::SeqCst);
    assert!(app.renew_lease(id, secs(60)).await.unwrap());
    clock.0.store(100_000_000, Ordering::SeqCst);
    assert_eq!(app.end_leases().await.unwrap(), 0);
    assert_eq!(taken(&app, "a").await, 2);
    clock.0.store(111_000_000, Ordering::SeqCst);
    assert_eq!(taken(&app, "a").await, 0, "even before it is taken back");
    assert!(!app.renew_lease(id, secs(60)).await.unwrap());
    assert_eq!(app.end_leases().await.unwrap(), 1);
    assert_eq!(app.next_end_of_lease().await.unwrap(), None);
    let got = app.take_slots(names, lease).await.unwrap();
    assert!(matches!(got, Taken::Granted(_)), "{got:?}");
}

#[tokio::test]
async fn what_is_asked_must_be_there() {
    let dir = tempfile::tempdir().unwrap();
    let app = app(dir.path(), Ahead::default());
    create(&app, "a", 2).await;
    let more = app.take_slots(asked(&["a"], 3), None).await.unwrap_err();
    assert_eq!(more.message(), "Slots requested is greater than the limit");
    let rate = Asked {
        mode: Mode::RateLimit,
        ..asked(&["a"], 1)
    };
    let rate = app.take_slots(rate, None).await.unwrap_err();
    assert!(rate.message().contains("decay configured: 'a'"), "{rate}");
    let again = NewLimit::named("a".to_owned(), 1);
    let again = app.create_limit(again).await.unwrap_err();
    assert_eq!(again.kind(), Kind::Conflict);
    // One that limits nothing is passed over.
    let off = LimitUpdate {
        active: Some(false),
        ..LimitUpdate::default()
    };
    app.update_limit(LimitKey::Name("a".to_owned()), off)
        .await
        .unwrap();
    let got = app.take_slots(asked(&["a"], 3), None).await.unwrap();
    assert!(matches!(got, Taken::Granted(_)), "{got:?}");
    assert_eq!(taken(&app, "a").await, 0);
}

#[tokio::test]
async fn the_slots_of_tags_are_told_by_their_task_runs() {
    let dir = tempfile::tempdir().unwrap();
    let app = app(dir.path(), Ahead::default());
    let of_tag = || vec!["t".to_owned()];
    assert!(app.limit_tag("t".to_owned(), 1).await.unwrap().is_new());
    assert!(!app.limit_tag("t".to_owned(), 1).await.unwrap().is_new());
    let (one, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
    let got = app.take_tag_slots(of_tag(), one).await.unwrap();
    assert!(matches!(got, Taken::Granted(_)), "{got:?}");
    let got = app.take_tag_slots(of_tag(), other).await.unwrap();
    assert!(matches!(got, Taken::Full { .. }), "{got:?}");
    // Told of is the tag that was named first, whichever of them is full.
    app.limit_tag("a".to_owned(), 1).await.unwrap();
    for names in [["none", "a", "t"], ["none", "t", "a"]] {
        let tags = names.map(str::to_owned).to_vec();
        let got = app.take_tag_slots(tags, other).await.unwrap();
        let Taken::Full { of, .. } = got else {
            panic!("{got:?}");
        };
        assert_eq!(of, format!("tag:{}", names[1]));
    }
    let now = app.limit(LimitKey::of_tag("t")).await.unwrap();
    assert_eq!(now.task_runs, [one]);
    app.release_tags(of_tag(), other).await.unwrap();
    assert_eq!(taken(&app, "tag:t").await, 1);
    app.release_tags(of_tag(), one).await.unwrap();
    assert_eq!(taken(&app, "tag:t").await, 0);
    app.reset_limit(LimitKey::of_tag("t"), vec![other])
        .await
        .unwrap();
    let now = app.limit(LimitKey::of_tag("t")).await.unwrap();
    assert_eq!(now.task_runs, [other]);
    app.reset_limit(LimitKey::of_tag("t"), Vec::new())
        .await
        .unwrap();
    assert_eq!(taken(&app, "tag:t").await, 0);
    app.limit_tag("t".to_owned(), 0).await.unwrap();
    let never = app.take_tag_slots(of_tag(), one).await.unwrap();
    assert_eq!(never, Taken::Never("tag:t".to_owned()));
    create(&app, "tag", 1).await;
    create(&app, "tagging", 1).await;
    let page = Page::default();
    let of_tags = app.limits(true, page).await.unwrap();
    assert_eq!(of_tags.len(), 2);
    assert_eq!(app.limits(false, page).await.unwrap().len(), 4);
}

#[tokio::test]
async fn a_run_that_is_deleted_leaves_its_slot_to_the_next() {
    let dir = tempfile::tempdir().unwrap();
    let app = app(dir.path(), Ahead::default());
    let deployment = deployment(&app).await;
    let (one, other) = (run(&app, deployment).await, run(&app, deployment).await);
    let first = propose(&app, one, StateType::Pending).await;
    assert_eq!(first.outcome, Outcome::Accepted);
    let second = propose(&app, other, StateType::Pending).await;
    let state = second.state.unwrap();
    assert_eq!(state.name, "AwaitingConcurrencySlot");
    assert!(state.details.scheduled_time > Some(app.now()));
    app.delete_flow_run(one).await.unwrap();
    assert_eq!(app.end_leases().await.unwrap(), 1);
    let waiting = read_run(&app, other).await.state.unwrap();
    assert!(waiting.details.scheduled_time <= Some(app.now()));
    let now = propose(&app, other, StateType::Pending).await;
    assert_eq!(now.outcome, Outcome::Accepted);
}

#[tokio::test]
async fn a_run_that_does_not_begin_in_time_loses_its_slot() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Ahead::default();
    let app = app(dir.path(), clock.clone());
    let deployment = deployment(&app).await;
    let (one, other) = (run(&app, deployment).await, run(&app, deployment).await);
    propose(&app, one, StateType::Pending).await;
    propose(&app, other, StateType::Pending).await;
    clock.0.store(301_000_000, Ordering::SeqCst);
    assert_eq!(app.end_leases().await.unwrap(), 1);
    let second = propose(&app, other, StateType::Pending).await;
    assert_eq!(second.outcome, Outcome::Accepted);
    let late = propose(&app, one, StateType::Running).await;
    assert_eq!(late.state.unwrap().kind, StateType::Cancelled);
}

#[tokio::test]
async fn what_a_run_held_goes_with_it_when_it_is_old() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Ahead::default();
    let app = app(dir.path(), clock.clone());
    create(&app, "a", 1).await;
    let deployment = deployment(&app).await;
    let id = run(&app, deployment).await;
    for kind in [StateType::Pending, StateType::Running, StateType::Completed] {
        propose(&app, id, kind).await;
    }
    let holder = Holder {
        kind: "flow_run".to_owned(),
        id: id.uuid(),
    };
    let lease = Some((None, Some(holder)));
    app.take_slots(asked(&["a"], 1), lease).await.unwrap();
    clock.0.store(3_600_000_000, Ordering::SeqCst);
    let rings = app.deadline_bell().rings();
    let time = std::time::Duration::from_secs(9);
    let gone = app.delete_runs(vec![id], app.now(), time).await.unwrap();
    assert_eq!(gone.done, 1);
    assert!(app.deadline_bell().rings() > rings);
    assert_eq!(taken(&app, "a").await, 0);
    assert_eq!(app.end_leases().await.unwrap(), 1);
    assert_eq!(app.next_end_of_lease().await.unwrap(), None);
}

#[tokio::test]
async fn runs_of_deployments_that_share_a_limit_go_one_after_another() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Ahead::default();
    let app = app(dir.path(), clock.clone());
    create(&app, "x", 1).await;
    let deployments: [DeploymentId; 3] = sharing(&app, "x").await;
    let mut runs = Vec::new();
    for deployment in deployments {
        runs.push(run(&app, deployment).await);
    }
    propose(&app, runs[0], StateType::Pending).await;
    assert_eq!(taken(&app, "x").await, 1);
    for waiting in [runs[2], runs[1]] {
        propose(&app, waiting, StateType::Pending).await;
        let state = read_run(&app, waiting).await.state.unwrap();
        assert_eq!(state.name, "AwaitingConcurrencySlot");
    }
    let why = app.why(runs[1]).await.unwrap();
    assert!(
        why.reason
            .contains("The limit x, which its deployment shares"),
        "{why:?}"
    );
    assert_eq!(why.holders.len(), 1);
    let shown = app.deployment(deployments[2]).await.unwrap();
    assert_eq!(
        (
            shown.concurrency.taken,
            shown.shared_limit.unwrap().name.as_str()
        ),
        (1, "x")
    );
    // Whichever was to begin first is let in.
    let due = async |id: FlowRunId| {
        let state = read_run(&app, id).await.state.unwrap();
        state.details.scheduled_time.unwrap() <= app.now()
    };
    propose(&app, runs[0], StateType::Running).await;
    propose(&app, runs[0], StateType::Completed).await;
    assert_eq!(taken(&app, "x").await, 0);
    assert!(due(runs[1]).await && !due(runs[2]).await);
    // A slot that is lost is the next one's too.
    propose(&app, runs[1], StateType::Pending).await;
    clock.0.store(290_000_000, Ordering::SeqCst);
    propose(&app, runs[2], StateType::Pending).await;
    assert!(!due(runs[2]).await);
    clock.0.store(301_000_000, Ordering::SeqCst);
    assert_eq!(app.end_leases().await.unwrap(), 1);
    assert_eq!(taken(&app, "x").await, 0);
    assert!(due(runs[2]).await);
}

#[tokio::test]
async fn one_limit_of_a_deployment_goes_by_another() {
    let dir = tempfile::tempdir().unwrap();
    let app = app(dir.path(), Ahead::default());
    create(&app, "x", 1).await;
    let limit = app.limit(LimitKey::Name("x".to_owned())).await.unwrap();
    let [deployment] = sharing(&app, "x").await;
    let shared = |id: LimitId| DeploymentChanges {
        shared_limit: Patch::Set(id),
        ..DeploymentChanges::default()
    };
    let own = |limit: Patch<i64>| DeploymentChanges {
        concurrency_limit: limit,
        ..DeploymentChanges::default()
    };
    let none = DeploymentChanges {
        shared_limit: Patch::Clear,
        ..DeploymentChanges::default()
    };
    let own_id = LimitId::from_uuid(deployment.uuid());
    for (changes, expected) in [
        (own(Patch::Set(3)), (Some(3), None)),
        (shared(own_id), (Some(3), None)),
        (shared(limit.limit.id), (None, Some(limit.limit.id))),
        (own(Patch::Clear), (None, Some(limit.limit.id))),
        (none, (None, None)),
        (shared(limit.limit.id), (None, Some(limit.limit.id))),
    ] {
        let update = DeploymentUpdate {
            schedules: None,
            changes,
            by: None,
        };
        app.update_deployment(deployment, update).await.unwrap();
        let it = app.deployment(deployment).await.unwrap().concurrency;
        assert_eq!((it.limit, it.shared), expected);
    }
    let absent = DeploymentUpdate {
        schedules: None,
        changes: shared(LimitId::new()),
        by: None,
    };
    let absent = app.update_deployment(deployment, absent).await.unwrap_err();
    assert_eq!(absent.kind(), Kind::NotFound);
    // Where it does not limit, or is gone, nothing does.
    let run = run(&app, deployment).await;
    let other = self::run(&app, deployment).await;
    let off = LimitUpdate {
        active: Some(false),
        ..LimitUpdate::default()
    };
    let key = || LimitKey::Name("x".to_owned());
    app.update_limit(key(), off).await.unwrap();
    for id in [run, other] {
        propose(&app, id, StateType::Pending).await;
        assert_eq!(
            read_run(&app, id).await.state.unwrap().kind,
            StateType::Pending
        );
    }
    app.delete_limit(key()).await.unwrap();
    assert_eq!(
        app.deployment(deployment).await.unwrap().concurrency.shared,
        None
    );
}

#[tokio::test]
async fn slots_of_a_shared_limit_outlive_neither_their_deployment_nor_a_change_of_it() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Ahead::default();
    let app = app(dir.path(), clock.clone());
    create(&app, "x", 1).await;
    let key = || LimitKey::Name("x".to_owned());
    let [one, other] = sharing(&app, "x").await;
    let state = async |id: FlowRunId| read_run(&app, id).await.state.unwrap();
    let due = async |id: FlowRunId| state(id).await.details.scheduled_time.unwrap() <= app.now();
    // As by a client that holds on to nothing.
    let gone = run(&app, one).await;
    propose(&app, gone, StateType::Pending).await;
    propose(&app, gone, StateType::Running).await;
    let waits = run(&app, other).await;
    propose(&app, waits, StateType::Pending).await;
    assert!(!due(waits).await);
    app.delete_deployment(one).await.unwrap();
    app.end_leases().await.unwrap();
    assert_eq!(taken(&app, "x").await, 0);
    assert!(due(waits).await);
    // One that is raised lets in who waits.
    propose(&app, waits, StateType::Pending).await;
    let next = run(&app, other).await;
    propose(&app, next, StateType::Pending).await;
    assert!(!due(next).await);
    let two = LimitUpdate {
        slots: Some(2),
        ..LimitUpdate::default()
    };
    app.update_limit(key(), two).await.unwrap();
    assert!(due(next).await);
    // What begins while it is off holds no slot.
    for active in [Some(false), Some(true)] {
        let switch = LimitUpdate {
            active,
            ..LimitUpdate::default()
        };
        app.update_limit(key(), switch).await.unwrap();
        if active == Some(false) {
            propose(&app, next, StateType::Pending).await;
        }
    }
    assert_eq!(taken(&app, "x").await, 1);
    let named = app.deployment_by_name("f", "d1").await.unwrap();
    assert_eq!(named.shared_limit.unwrap().name, "x");
}
