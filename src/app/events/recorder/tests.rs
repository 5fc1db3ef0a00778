//! Whatever the order in which a task run's events come, and however often, the end and the
//! history are the same.

use std::time::Duration;

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::app::App;
use crate::app::testing::{Ahead, app, flow_run};
use crate::domain::event::filter::Filter;
use crate::domain::event::{Event, ID, Resource};
use crate::domain::filter::{Filters, Page, Sort};
use crate::domain::ids::{EventId, FlowRunId};
use crate::domain::state::State;
use crate::domain::time::Timestamp;

fn told(run: TaskRunId, within: Option<FlowRunId>, step: usize, at: i64) -> Event {
    let kinds = [
        ("PENDING", "Pending"),
        ("RUNNING", "Running"),
        ("SCHEDULED", "AwaitingRetry"),
    ];
    let (kind, name) = kinds[step % kinds.len()];
    let related = within.map(|id| Resource::in_role("flow-run", format!("prefect.flow-run.{id}")));
    let payload = json!({
        "validated_state": { "type": kind, "name": name, "message": step.to_string(),
                             "state_details": {}, "data": null },
        "task_run": { "name": format!("t-{step}"), "task_key": "t", "dynamic_key": "0",
                      "run_count": step, "total_run_time": 0.5, "tags": ["t"] },
    });
    Event {
        id: EventId::new(),
        occurred: Timestamp::from_micros(at),
        name: format!("prefect.task-run.{name}"),
        resource: Resource::of([
            (ID, format!("prefect.task-run.{run}")),
            ("prefect.orchestration", "client".to_owned()),
        ]),
        related: related.into_iter().collect(),
        payload: payload.as_object().unwrap().clone(),
        follows: None,
    }
}

/// What there is in the end, without when it was made here.
async fn end(app: &App, id: TaskRunId) -> (TaskRun, Vec<State>) {
    let run = app.task_run(id).await.unwrap();
    let nowhen = Timestamp::from_micros(0);
    let run = TaskRun {
        created: nowhen,
        updated: nowhen,
        ..run
    };
    (run, app.task_run_states(id).await.unwrap())
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Runtime::new().unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn order_and_repetition_change_nothing(
        // Some at the same moment.
        moments in prop::collection::vec(1..6_i64, 1..8),
        order in prop::collection::vec(any::<prop::sample::Index>(), 0..24),
    ) {
        runtime().block_on(async {
            let dir = tempfile::tempdir().unwrap();
            let app = app(dir.path(), Ahead::default());
            let within = Some(flow_run(&app).await);
            let events = |run| {
                let steps = moments.iter().enumerate();
                steps.map(|(step, at)| told(run, within, step, *at)).collect::<Vec<_>>()
            };
            let run = TaskRunId::new();
            let events = events(run);
            app.store_events(events.clone()).await.unwrap();
            let straight = end(&app, run).await;
            assert_eq!(straight.1.len(), events.len());
            app.delete_task_run(run).await.unwrap();
            // So that they can come anew.
            let places = (0..=1000).collect();
            app.delete_events(places, Duration::from_secs(60)).await.unwrap();

            let mixed = order.iter().map(|index| index.get(&events).clone());
            let mixed = mixed.chain(events.iter().rev().cloned());
            for event in mixed {
                app.store_events(vec![event]).await.unwrap();
            }
            assert_eq!(end(&app, run).await, straight);
        });
    }
}

#[tokio::test]
async fn an_event_about_what_is_not_there_is_only_an_event() {
    let dir = tempfile::tempdir().unwrap();
    let app = app(dir.path(), Ahead::default());
    let (own, other) = (flow_run(&app).await, FlowRunId::new());
    let run = TaskRunId::new();
    app.store_events(vec![told(run, Some(other), 0, 1)])
        .await
        .unwrap();
    assert!(app.task_run(run).await.is_err());
    app.store_events(vec![told(run, Some(own), 0, 2)])
        .await
        .unwrap();
    let before = end(&app, run).await;
    // Of another flow run, and of none: it is not theirs.
    let elsewhere = flow_run(&app).await;
    let mut forged = told(run, Some(elsewhere), 1, 3);
    forged.payload["task_run"]["dynamic_key"] = json!("1");
    app.store_events(vec![forged, told(run, None, 1, 4)])
        .await
        .unwrap();
    assert_eq!(end(&app, run).await, before);
    let all = Filter::within(Timestamp::from_micros(0), Timestamp::from_micros(9));
    assert_eq!(app.count_events(all).await.unwrap(), 4);
}

#[tokio::test]
async fn a_run_that_is_there_under_another_id_is_the_same_one() {
    let dir = tempfile::tempdir().unwrap();
    let app = app(dir.path(), Ahead::default());
    let within = Some(flow_run(&app).await);
    let (first, second) = (TaskRunId::new(), TaskRunId::new());
    let events = vec![told(first, within, 0, 1), told(second, within, 1, 2)];
    app.store_events(events).await.unwrap();
    let (run, states) = end(&app, first).await;
    assert_eq!(run.spec.name, "t-1");
    assert_eq!(run.statistics.run_count, 1);
    assert_eq!(states.len(), 2);
    assert!(
        states
            .iter()
            .all(|state| state.details.task_run_id == Some(first))
    );
    assert!(app.task_run(second).await.is_err());
}

#[tokio::test]
async fn a_task_may_run_outside_of_any_flow() {
    let dir = tempfile::tempdir().unwrap();
    let app = app(dir.path(), Ahead::default());
    let (first, second) = (TaskRunId::new(), TaskRunId::new());
    let events = vec![
        told(first, None, 0, 1),
        told(second, None, 0, 1),
        told(first, None, 1, 2),
    ];
    app.store_events(events).await.unwrap();
    let runs = app
        .task_runs(Filters::default(), Sort::NEWEST, Page::default())
        .await
        .unwrap();
    assert_eq!(runs.len(), 2);
    assert_eq!(end(&app, first).await.0.spec.flow_run_id, None);
    assert_eq!(end(&app, first).await.1.len(), 2);
}
