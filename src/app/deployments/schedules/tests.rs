//! A deployment with several schedules.

use std::sync::atomic::Ordering::SeqCst;

use serde_json::json;

use crate::app::testing::{Ahead, app};
use crate::app::{App, Range};
use crate::domain::JsonMap;
use crate::domain::deployment::{
    DeploymentChanges, DeploymentUpdate, NewDeployment, NewSchedule, ScheduleUpdate,
};
use crate::domain::filter::{Filters, Page, Sort};
use crate::domain::flow::NewFlow;
use crate::domain::flow_run::{DeploymentRunRequest, FlowRun};
use crate::domain::ids::FlowId;
use crate::domain::patch::Patch;
use crate::domain::schedule::{Cron, Schedule};
use crate::domain::state::ProposedState;

fn cron(expression: &str) -> NewSchedule {
    NewSchedule::from(Schedule::Cron(Cron {
        expression: expression.to_owned(),
        timezone: None,
        day_or: true,
    }))
}

fn deployment(flow_id: FlowId, schedules: Vec<NewSchedule>) -> NewDeployment {
    let parameters = JsonMap::from_iter([("n".to_owned(), json!(1)), ("m".to_owned(), json!(1))]);
    NewDeployment {
        schedules,
        changes: DeploymentChanges {
            flow_data: Patch::Set(json!({ "encoding": "x", "blob": "y" })),
            parameters: Some(parameters),
            ..DeploymentChanges::default()
        },
        ..NewDeployment::named(flow_id, "d")
    }
}

async fn runs(app: &App) -> Vec<FlowRun> {
    let page = Page {
        limit: 1000,
        offset: 0,
    };
    let runs = app.flow_runs(Filters::default(), Sort::NEWEST, page);
    runs.await.unwrap()
}

#[tokio::test]
async fn each_schedule_makes_its_own_runs_and_all_go_with_a_pause() {
    let dir = tempfile::tempdir().unwrap();
    let app = app(dir.path(), Ahead::default());
    let flow = NewFlow::named("f");
    let flow = app.create_flow(flow).await.unwrap().get().id;
    let noon = NewSchedule {
        slug: Some("noon".to_owned()),
        parameters: JsonMap::from_iter([("n".to_owned(), json!(2))]),
        ..cron("0 12 * * *")
    };
    let idle = NewSchedule {
        active: false,
        ..cron("0 18 * * *")
    };
    let new = deployment(flow, vec![cron("0 0 * * *"), noon, idle]);
    let made = app.create_deployment(new).await.unwrap().into_inner();
    let [first, second, third] = made.schedules.as_slice() else {
        panic!("{:?}", made.schedules);
    };
    assert_eq!(second.slug.as_deref(), Some("noon"));
    assert!(first.active && second.active && !third.active);
    let of = |runs: &[FlowRun], id: uuid::Uuid| {
        let key = format!("scheduled {} {id} ", made.id);
        let of_it = runs.iter().filter(|run| {
            run.idempotency_key
                .as_ref()
                .is_some_and(|it| it.starts_with(&key))
        });
        of_it.cloned().collect::<Vec<_>>()
    };
    let all = runs(&app).await;
    // As when a deployment had one, its runs are known by its own id.
    assert_eq!(of(&all, made.id.uuid()).len(), 100);
    let at_noon = of(&all, second.id.uuid());
    assert_eq!((at_noon.len(), all.len()), (100, 200));
    let parameters = JsonMap::from_iter([("n".to_owned(), json!(2)), ("m".to_owned(), json!(1))]);
    assert!(at_noon.iter().all(|run| run.parameters == parameters));
    assert_eq!(app.fill_schedules().await.unwrap(), 0);

    app.set_schedule_active(made.id, false).await.unwrap();
    assert_eq!(runs(&app).await, []);
    assert_eq!(app.fill_schedules().await.unwrap(), 0);
    app.set_schedule_active(made.id, true).await.unwrap();
    assert_eq!(runs(&app).await.len(), 200);

    // As a client says it that knows of one schedule.
    let new = deployment(flow, vec![cron("0 6 * * *")]);
    let again = app.create_deployment(new).await.unwrap().into_inner();
    assert_eq!((again.id, again.schedules.len()), (made.id, 1));
    assert_eq!(again.schedules[0].created, first.created);
    let all = runs(&app).await;
    assert_eq!(of(&all, made.id.uuid()).len(), all.len());
    assert_eq!(all.len(), 100);
    app.delete_deployment(made.id).await.unwrap();
    assert_eq!(app.fill_schedules().await.unwrap(), 0);
}

#[tokio::test]
async fn a_modern_deployment_has_three_runs_and_an_hour_ahead() {
    // How many at first, and how many more a month later, give or take one that is just due.
    for (expression, first, later) in [
        ("0 0 * * *", 3, 0),
        ("0 * * * *", 3, 3),
        ("* * * * *", 61, 61),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let clock = Ahead::default();
        let app = app(dir.path(), clock.clone());
        let flow = app.create_flow(NewFlow::named("f")).await.unwrap().get().id;
        let new = NewDeployment {
            schedules: vec![cron(expression)],
            ..NewDeployment::named(flow, "d")
        };
        let made = app.create_deployment(new).await.unwrap().into_inner();
        let ahead = runs(&app).await.len() as u64;
        assert!(ahead.abs_diff(first) <= 1, "{expression}: {ahead}");
        assert!(app.fill_schedules().await.unwrap() <= 1);
        let range = Range {
            least: Some(80),
            ..Range::default()
        };
        let more = app.schedule_runs(made.id, range).await.unwrap();
        assert!((ahead + more).abs_diff(80) <= 1, "{expression}: {more}");
        clock.0.store(30 * 86_400_000_000, SeqCst);
        let filled = app.fill_schedules().await.unwrap();
        assert!(filled.abs_diff(later) <= 1, "{expression}: {filled}");
    }
}

#[tokio::test]
async fn what_is_due_stays_when_its_deployment_changes_and_goes_with_its_schedule() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Ahead::default();
    let app = app(dir.path(), clock.clone());
    let flow = app.create_flow(NewFlow::named("f")).await.unwrap().get().id;
    let new = deployment(flow, vec![cron("0 * * * *"), cron("30 * * * *")]);
    let made = app.create_deployment(new).await.unwrap().into_inner();
    let keys = async || {
        let mut keys: Vec<_> = { runs(&app).await.into_iter() }
            .filter_map(|run| run.idempotency_key)
            .collect();
        keys.sort();
        keys
    };
    // Two hours later two of each are due, and nobody has taken them.
    clock.0.store(7_200_000_000, SeqCst);
    let all = keys().await;
    let now = app.now();
    let due = async || {
        let is_due = |run: &FlowRun| run.statistics.next_scheduled_start_time <= Some(now);
        runs(&app).await.iter().filter(|run| is_due(run)).count()
    };
    assert_eq!(due().await, 4);
    let update = DeploymentUpdate {
        changes: DeploymentChanges {
            description: Patch::Set("new".to_owned()),
            ..DeploymentChanges::default()
        },
        ..DeploymentUpdate::default()
    };
    app.update_deployment(made.id, update).await.unwrap();
    assert_eq!(due().await, 4);
    assert!(keys().await.starts_with(&all[..1]));
    let gone = made.schedules[1].id;
    app.delete_schedule(made.id, gone).await.unwrap();
    assert_eq!(due().await, 2);
    assert!(
        keys()
            .await
            .iter()
            .all(|key| !key.contains(&gone.to_string()))
    );
    let off = ScheduleUpdate {
        active: Some(false),
        ..ScheduleUpdate::default()
    };
    app.update_schedule(made.id, made.schedules[0].id, off)
        .await
        .unwrap();
    assert_eq!(keys().await, [] as [&str; 0]);
}

#[tokio::test]
async fn runs_of_the_modern_generation_are_late_later() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Ahead::default();
    let app = app(dir.path(), clock.clone());
    let flow = app.create_flow(NewFlow::named("f")).await.unwrap().get().id;
    let served = NewDeployment {
        changes: DeploymentChanges {
            entrypoint: Patch::Set("f.py:f".to_owned()),
            ..DeploymentChanges::default()
        },
        ..NewDeployment::named(flow, "served")
    };
    for new in [served, NewDeployment::named(flow, "other")] {
        let id = app.create_deployment(new).await.unwrap().get().id;
        let request = DeploymentRunRequest {
            state: Some(ProposedState::scheduled(app.now())),
            ..DeploymentRunRequest::default()
        };
        app.create_run_of_deployment(id, request).await.unwrap();
    }
    for (secs, marked) in [(4, 0), (6, 1), (14, 0), (16, 1), (60, 0)] {
        clock.0.store(secs * 1_000_000, SeqCst);
        assert_eq!(app.mark_late_runs().await.unwrap(), marked, "{secs} s");
    }
}
