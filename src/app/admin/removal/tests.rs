//! What goes, what stays, and that others are not kept waiting.

use std::time::Instant;

use super::*;
use crate::app::Force;
use crate::app::testing::{Ahead, app};
use crate::domain::deployment::NewDeployment;
use crate::domain::error::Kind;
use crate::domain::filter::Filters;
use crate::domain::flow::NewFlow;
use crate::domain::ids::{AutomationId, BlockTypeId, WorkPoolId};

/// Rows of a run: more than a slice takes away.
const MANY: usize = 40_000;

async fn flow_of(app: &App, name: &str) -> FlowId {
    let new = NewFlow::named(name);
    app.create_flow(new).await.unwrap().get().id
}

/// Fills a flow with runs, each with task runs, without going through verbs.
async fn fill(app: &App, flow: FlowId, runs: usize, tasks: usize) {
    let sql = "
        INSERT INTO flow_runs (id, created, updated, name, flow_id, state_type, run_count)
        VALUES (?1, 0, 0, 'r', ?2, 'COMPLETED', 1)";
    let task = "
        INSERT INTO task_runs (id, created, updated, name, flow_run_id, task_key, dynamic_key)
        VALUES (?1, 0, 0, 't', ?2, 'k', ?3)";
    let state = "
        INSERT INTO task_run_states (id, run_id, type, name, timestamp)
        VALUES (?1, ?2, 'RUNNING', 'Running', 0)";
    app.write(move |tx| {
        let db = tx.db;
        for _ in 0..runs {
            let run = FlowRunId::new();
            db.prepare_cached(sql)?.execute((run, flow))?;
            for n in 0..tasks {
                let id = TaskRunId::new();
                db.prepare_cached(task)?.execute((id, run, n.to_string()))?;
                let of = (crate::domain::ids::StateId::new(), id);
                db.prepare_cached(state)?.execute(of)?;
            }
        }
        Ok(())
    })
    .await
    .unwrap();
}

async fn count(app: &App, table: &'static str) -> i64 {
    let sql = format!("SELECT count(*) FROM {table}");
    app.read(move |db| Ok(db.query_row(&sql, [], |row| row.get(0))?))
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn others_write_while_much_is_taken_away() {
    let dir = tempfile::tempdir().unwrap();
    let app = app(dir.path(), Ahead::default());
    let flow = flow_of(&app, "large").await;
    fill(&app, flow, 10, MANY / 10).await;
    let began = Instant::now();
    let removing = tokio::spawn({
        let app = app.clone();
        async move { app.delete_flow(flow, Force::Yes).await }
    });
    let mut longest = Duration::ZERO;
    let mut between = 0;
    while !removing.is_finished() {
        let began = Instant::now();
        flow_of(&app, "another").await;
        longest = longest.max(began.elapsed());
        between += 1;
    }
    removing.await.unwrap().unwrap();
    let whole = began.elapsed();
    assert!(between > 5, "{between} writes in between");
    assert!(longest < whole / 4, "{longest:?} of {whole:?}");
    for table in ["flow_runs", "task_runs", "task_run_states", "removals"] {
        assert_eq!(count(&app, table).await, 0, "{table}");
    }
    assert_eq!(count(&app, "flows").await, 1);
    let again = app.delete_flow(flow, Force::Yes).await.unwrap_err();
    assert_eq!(again.kind(), Kind::NotFound);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_half_gone_goes_on_going() {
    let dir = tempfile::tempdir().unwrap();
    let first = app(dir.path(), Ahead::default());
    let flow = flow_of(&first, "large").await;
    fill(&first, flow, 10, MANY / 10).await;
    let slice = first
        .remove_first_slice(Removal::Flow(flow), |_| Ok(()))
        .await;
    assert!(!slice.unwrap().0);
    assert_eq!(count(&first, "removals").await, 1);
    first.close();
    let next = app(dir.path(), Ahead::default());
    next.finish_removals().await.unwrap();
    for table in ["flows", "flow_runs", "task_run_states", "removals"] {
        assert_eq!(count(&next, table).await, 0, "{table}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_goes_and_a_caller_who_leaves_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let app = app(dir.path(), Ahead::default());
    for name in ["a", "b"] {
        let flow = flow_of(&app, name).await;
        fill(&app, flow, 4, MANY / 20).await;
    }
    let left = tokio::time::timeout(Duration::ZERO, app.clear_database()).await;
    assert!(left.is_err());
    let began = Instant::now();
    while count(&app, "flows").await + count(&app, "removals").await > 0 {
        assert!(began.elapsed() < Duration::from_secs(60));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(count(&app, "task_runs").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deployment_takes_its_runs_that_have_not_begun_along() {
    let dir = tempfile::tempdir().unwrap();
    let app = app(dir.path(), Ahead::default());
    let flow = flow_of(&app, "f").await;
    let new = NewDeployment::named(flow, "d");
    let deployment = app.create_deployment(new).await.unwrap().get().id;
    let states = [
        ("SCHEDULED", 0, 1),
        ("SCHEDULED", 0, 0),
        // It waits to be tried again.
        ("SCHEDULED", 1, 1),
        ("RUNNING", 1, 1),
        ("COMPLETED", 1, 0),
    ];
    app.write(move |tx| {
        let db = tx.db;
        for (kind, count, auto) in states {
            db.execute(
                "INSERT INTO flow_runs (id, created, updated, name, flow_id, deployment_id,
                 state_type, run_count, auto_scheduled) VALUES (?1, 0, 0, 'r', ?2, ?3, ?4, ?5, ?6)",
                (FlowRunId::new(), flow, deployment, kind, count, auto),
            )?;
        }
        Ok(())
    })
    .await
    .unwrap();
    app.delete_deployment(deployment).await.unwrap();
    let left = app.count_flow_runs(Filters::default()).await.unwrap();
    assert_eq!(left, 3);
    let of_it = app.read(move |db| removal::some_runs_of_deployment(db, deployment, 9));
    assert_eq!(of_it.await.unwrap(), []);
}

/// What is a type of blocks, an automation and a work pool, each with very much of its own.
const LARGE: &[(&str, &str)] = &[
    (
        "block_documents",
        "INSERT INTO block_types (id, created, updated, name, slug) VALUES (:id, 0, 0, 't', 't');
        INSERT INTO block_schemas (id, created, updated, checksum, fields, block_type_id, version)
        VALUES (:id, 0, 0, 'c', '{}', :id, 'v');
        WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :many)
        INSERT INTO block_documents (id, created, updated, name, data, block_schema_id,
            block_type_id, block_type_name)
        SELECT randomblob(16), 0, 0, 'd' || i, x'', :id, :id, 't' FROM n",
    ),
    (
        "automation_windows",
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :many)
        INSERT INTO automation_windows (automation_id, trigger_id, labels, starts, ends,
            is_proactive, count)
        SELECT :id, randomblob(16), '[]', 0, 0, 0, 1 FROM n",
    ),
    (
        "workers",
        "INSERT INTO work_pools (id, created, updated, name, type, default_queue_id)
        VALUES (:id, 0, 0, 'p', 'process', :id);
        INSERT INTO work_queues (id, created, updated, work_pool_id, name, priority)
        VALUES (:id, 0, 0, :id, 'default', 1);
        WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :many)
        INSERT INTO workers (id, created, updated, work_pool_id, name, last_heartbeat, online_until)
        SELECT randomblob(16), 0, 0, :id, 'w' || i, 0, 0 FROM n",
    ),
];

/// Stores it, and answers the id that it has.
async fn large(app: &App) -> Uuid {
    let plan = serde_json::json!({ "name": "n", "actions": [{ "type": "do-nothing" }],
        "trigger": { "type": "event", "posture": "Reactive", "expect": ["x"] } });
    let plan = serde_json::from_value(plan).unwrap();
    let new = crate::domain::automation::NewAutomation { plan, owner: None };
    let id = app.create_automation(new).await.unwrap().id.uuid();
    app.write(move |tx| {
        for (_, sql) in LARGE {
            let hex = format!("x'{}'", id.simple());
            let sql = sql.replace(":id", &hex).replace(":many", &MANY.to_string());
            tx.db.execute_batch(&sql)?;
        }
        Ok(())
    })
    .await
    .unwrap();
    id
}

#[tokio::test(flavor = "multi_thread")]
async fn types_automations_and_pools_go_in_slices() {
    let dir = tempfile::tempdir().unwrap();
    let first = app(dir.path(), Ahead::default());
    let id = large(&first).await;
    let all = [
        Removal::BlockType(BlockTypeId::from_uuid(id)),
        Removal::Automation(AutomationId::from_uuid(id)),
        Removal::WorkPool(WorkPoolId::from_uuid(id)),
    ];
    for (what, (table, _)) in all.into_iter().zip(LARGE) {
        let slice = first.remove_first_slice(what, |_| Ok(())).await;
        assert!(!slice.unwrap().0, "{what:?}");
        let left = count(&first, table).await;
        assert!((1..MANY as i64).contains(&left), "{what:?}: {left}");
    }
    let known = first.automation(AutomationId::from_uuid(id)).await.unwrap();
    assert!(!known.plan.enabled);
    first.close();
    let next = app(dir.path(), Ahead::default());
    next.finish_removals().await.unwrap();
    let gone = ["block_types", "block_schemas", "automations", "work_pools"];
    let more = ["work_queues", "removals"];
    let tables = LARGE.iter().map(|(table, _)| *table);
    for table in tables.chain(gone).chain(more) {
        assert_eq!(count(&next, table).await, 0, "{table}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn others_write_while_types_automations_and_pools_go() {
    let dir = tempfile::tempdir().unwrap();
    let app = app(dir.path(), Ahead::default());
    let id = large(&app).await;
    let removing = tokio::spawn({
        let app = app.clone();
        async move {
            let kind = BlockTypeId::from_uuid(id);
            app.delete_block_type(kind).await.unwrap();
            let automation = AutomationId::from_uuid(id);
            app.delete_automation(automation).await.unwrap();
            app.delete_work_pool("p").await.unwrap();
        }
    });
    let mut between = 0;
    while !removing.is_finished() {
        flow_of(&app, "another").await;
        between += 1;
    }
    removing.await.unwrap();
    assert!(between > 15, "{between} writes in between");
    for (table, _) in LARGE {
        assert_eq!(count(&app, table).await, 0, "{table}");
    }
    let again = app.delete_work_pool("p").await.unwrap_err();
    assert_eq!(again.kind(), Kind::NotFound);
}
