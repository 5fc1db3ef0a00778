use std::sync::atomic::Ordering;
use std::time::Duration;

use serde_json::json;

use super::*;
use crate::app::testing::{Ahead, app};
use crate::domain::JsonMap;
use crate::domain::event::{Event, ID, Resource};
use crate::domain::ids::EventId;
use crate::domain::rules::{Client, Generation, Policy};
use crate::domain::state::{ProposedState, StateType};
use crate::domain::task_run::{NewTaskRun, RetryPolicy, TaskRunSpec};

fn handed_in(key: &str, number: usize) -> NewTaskRun {
    let mut state = ProposedState::new(StateType::Scheduled);
    state
        .details
        .extra
        .insert("deferred".to_owned(), json!(true));
    NewTaskRun {
        id: None,
        spec: TaskRunSpec {
            name: format!("{key} {number}"),
            flow_run_id: None,
            task_key: key.to_owned(),
            dynamic_key: format!("{key}-{number}"),
            cache_key: None,
            cache_expiration: None,
            task_version: None,
            policy: RetryPolicy::default(),
            empirical_policy: JsonMap::new(),
            tags: Vec::new(),
            labels: JsonMap::new(),
            task_inputs: JsonMap::new(),
        },
        state: Some(state),
    }
}

/// A client that serves `t`.
async fn served(app: &App, client: &str) -> TaskService {
    let keys = vec!["t".to_owned()];
    app.serve_tasks(client.to_owned(), keys).await.unwrap()
}

async fn told(service: &mut TaskService) -> String {
    let next = tokio::time::timeout(Duration::from_secs(20), service.next());
    next.await.unwrap().unwrap().spec.dynamic_key
}

/// Whether there is nothing to be told of now.
async fn hears_nothing(service: &mut TaskService) -> bool {
    !service.is_something_waiting().await.unwrap()
}

async fn hand_in(app: &App, key: &str, number: usize) -> TaskRunId {
    let run = app.create_task_run(handed_in(key, number)).await.unwrap();
    run.get().id
}

fn wait(clock: &Ahead, secs: i64) {
    clock.0.fetch_add(secs * 1_000_000, Ordering::SeqCst);
}

#[tokio::test]
async fn each_task_is_told_once_in_order_by_its_key() {
    let dir = tempfile::tempdir().unwrap();
    let app = app(dir.path(), Ahead::default());
    for number in 0..3 {
        hand_in(&app, "t", number).await;
        hand_in(&app, "other", number).await;
    }
    // Handed in twice, it is one.
    hand_in(&app, "t", 0).await;
    let (mut one, mut two) = (served(&app, "a").await, served(&app, "b").await);
    assert_eq!(told(&mut one).await, "t-0");
    assert_eq!(told(&mut two).await, "t-1");
    assert_eq!(told(&mut one).await, "t-2");
    assert!(hears_nothing(&mut two).await);
    let servers = app.task_servers(&["t".to_owned()]);
    let names: Vec<_> = servers.iter().map(|it| it.client.as_str()).collect();
    assert_eq!(names, ["a", "b"]);
    drop(one);
    assert_eq!(app.task_servers(&[]).len(), 1);
    assert!(app.task_servers(&["other".to_owned()]).is_empty());
}

#[tokio::test]
async fn what_a_client_leaves_behind_is_told_to_others() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Ahead::default();
    let app = app(dir.path(), clock.clone());
    let first = hand_in(&app, "t", 0).await;
    hand_in(&app, "t", 1).await;
    let mut gone = served(&app, "a").await;
    assert_eq!(told(&mut gone).await, "t-0");
    gone.acknowledge(first).await.unwrap();
    assert_eq!(told(&mut gone).await, "t-1");
    gone.end().await;
    let mut other = served(&app, "b").await;
    // It was not acknowledged.
    assert_eq!(told(&mut other).await, "t-1");
    // That one was; its run may go on yet.
    assert!(hears_nothing(&mut other).await);
    wait(&clock, 16);
    assert_eq!(told(&mut other).await, "t-0");
}

#[tokio::test]
async fn a_run_that_goes_on_waits_no_more() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Ahead::default();
    let app = app(dir.path(), clock.clone());
    let begun = hand_in(&app, "t", 0).await;
    let told_of = hand_in(&app, "t", 1).await;
    let deleted = hand_in(&app, "t", 2).await;
    let policy = Policy::of(Generation::V3, false);
    let pending = ProposedState::new(StateType::Pending);
    app.propose_task_run_state(begun, pending, policy, Client::default())
        .await
        .unwrap();
    app.store_events(vec![pending_event(&app, told_of)])
        .await
        .unwrap();
    app.delete_task_run(deleted).await.unwrap();
    let mut service = served(&app, "a").await;
    assert!(hears_nothing(&mut service).await);
    // One that is to be tried again comes before the new ones.
    hand_in(&app, "t", 3).await;
    let again = handed_in("t", 0).state.unwrap().named("AwaitingRetry");
    app.propose_task_run_state(begun, again, policy, Client::default())
        .await
        .unwrap();
    assert_eq!(told(&mut service).await, "t-0");
    assert_eq!(told(&mut service).await, "t-3");
}

fn pending_event(app: &App, id: TaskRunId) -> Event {
    let payload = json!({
        "validated_state": { "type": "PENDING", "name": "Pending", "state_details": {} },
        "task_run": { "name": "t 1", "task_key": "t", "dynamic_key": "t-1" },
    });
    Event {
        id: EventId::new(),
        occurred: app.now(),
        name: "prefect.task-run.Pending".to_owned(),
        resource: Resource::of([
            (ID, format!("prefect.task-run.{id}")),
            ("prefect.orchestration", "client".to_owned()),
        ]),
        related: Vec::new(),
        payload: payload.as_object().unwrap().clone(),
        follows: None,
    }
}

#[tokio::test]
async fn after_a_restart_a_client_keeps_what_it_had_heard() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Ahead::default();
    let app = app(dir.path(), clock.clone());
    let heard = hand_in(&app, "t", 0).await;
    for number in 1..4 {
        hand_in(&app, "t", number).await;
    }
    let (mut stays, mut dies) = (served(&app, "a").await, served(&app, "b").await);
    assert_eq!(told(&mut stays).await, "t-0");
    stays.acknowledge(heard).await.unwrap();
    assert_eq!(told(&mut stays).await, "t-1");
    assert_eq!(told(&mut dies).await, "t-2");
    // The daemon dies.
    drop((stays, dies));
    app.resume_tasks().await.unwrap();
    let mut again = served(&app, "a").await;
    assert_eq!(told(&mut again).await, "t-3");
    assert!(hears_nothing(&mut again).await);
    wait(&clock, 16);
    assert_eq!(told(&mut again).await, "t-1");
    assert!(hears_nothing(&mut again).await);
    wait(&clock, 300);
    assert_eq!(told(&mut again).await, "t-2");
    assert!(hears_nothing(&mut again).await);
}
