//! Every question prepares against the real schema, and what is polled uses an index.

use sea_query::SqliteQueryBuilder;
use uuid::Uuid;

use super::condition::FEW;
use super::*;
use crate::domain::deployment::Deployment;
use crate::domain::filter::*;
use crate::domain::flow::Flow;
use crate::domain::flow_run::FlowRun;
use crate::domain::ids::*;
use crate::domain::log::Log;
use crate::domain::state::StateType;
use crate::domain::task_run::TaskRun;
use crate::domain::time::Timestamp;
use crate::storage::{connection, migrate, sql};

mod lists;

pub(in crate::storage::rows) fn schema() -> Connection {
    let mut db = Connection::open_in_memory().unwrap();
    migrate::run(&mut db).unwrap();
    let _ = connection::check_library();
    db
}

fn about_logs(criteria: Criteria) -> Filters {
    Filters {
        logs: Some(criteria),
        ..Filters::default()
    }
}

pub(super) fn plan(db: &Connection, statement: &SelectStatement) -> String {
    let (sql, values) = statement.build(SqliteQueryBuilder);
    let values: Vec<_> = values.0.into_iter().map(|v| bind(v).unwrap()).collect();
    let mut explain = db.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
    let steps = explain
        .query_map(params_from_iter(values), |row| row.get::<_, String>(3))
        .unwrap();
    steps.map(Result::unwrap).collect::<Vec<_>>().join("\n")
}

fn everything() -> Filters {
    let at = Test::AtLeast(0);
    let tags = || Test::HasAll(vec!["a".into(), "b".into()]);
    Filters {
        flows: Some(
            vec![
                flow::ID.is_one_of_ids([Uuid::now_v7()]),
                flow::NAME.is_one_of(["n"]),
                flow::TAGS.asked(tags()),
            ]
            .into(),
        ),
        deployments: Some(
            vec![
                deployment::ID.is_one_of_ids([]),
                deployment::NAME.is_one_of(["n"]),
                deployment::IS_SCHEDULE_ACTIVE.asked(Test::Is(true)),
                deployment::TAGS.asked(Test::IsNull(true)),
            ]
            .into(),
        ),
        flow_runs: Some(
            vec![
                flow_run::ID.is_one_of_ids([Uuid::now_v7()]),
                flow_run::ID.asked(Test::NotIn(Values::Ids(vec![Uuid::now_v7()]))),
                flow_run::NAME.is_one_of([] as [&str; 0]),
                flow_run::NAME.asked(Test::Like("n".into())),
                flow_run::TAGS.asked(tags()),
                flow_run::DEPLOYMENT_ID.is_one_of_ids([Uuid::now_v7()]),
                flow_run::DEPLOYMENT_ID.asked(Test::IsNull(false)),
                flow_run::STATE_TYPE.is_one_of([StateType::Running.word()]),
                flow_run::STATE_NAME.is_one_of(["Late"]),
                flow_run::FLOW_VERSION.is_one_of(["1"]),
                flow_run::START_TIME.asked(at.clone()),
                flow_run::EXPECTED_START_TIME.asked(at.clone()),
                flow_run::NEXT_SCHEDULED_START_TIME.asked(at),
                flow_run::PARENT_TASK_RUN_ID.is_one_of_ids([Uuid::now_v7()]),
                flow_run::PARENT_TASK_RUN_ID.asked(Test::IsNull(true)),
                flow_run::WORK_QUEUE_NAME.is_one_of(["q", "r"]),
                flow_run::CREATOR_TYPE.is_one_of(["SCHEDULE"]),
            ]
            .into(),
        ),
        work_pools: Some(vec![work_pool::NAME.is_one_of(["p"])].into()),
        work_queues: Some(vec![work_queue::ID.is_one_of_ids([Uuid::now_v7()])].into()),
        task_runs: Some(
            vec![
                task_run::ID.is_one_of_ids([Uuid::now_v7()]),
                task_run::NAME.is_one_of(["n"]),
                task_run::TAGS.asked(Test::IsNull(false)),
                task_run::STATE_TYPE.is_one_of([StateType::Failed.word()]),
                task_run::STATE_NAME.is_one_of(["x"]),
                task_run::START_TIME.asked(Test::IsNull(true)),
                task_run::SUBFLOW_RUNS.asked(Test::Is(true)),
                task_run::SUBFLOW_RUNS.asked(Test::Is(false)),
            ]
            .into(),
        ),
        ..Filters::default()
    }
}

#[test]
fn every_question_prepares() {
    let db = schema();
    let filters = everything();
    let page = Page::default();
    for statement in [
        selecting::<Flow>(&filters, Sort::NAME, page, Way::Planned),
        counting::<Flow>(&filters, None),
        selecting::<Deployment>(&filters, Sort::NAME, page, Way::Planned),
        counting::<Deployment>(&filters, None),
        selecting::<FlowRun>(&filters, Sort::down("end_time"), page, Way::Planned),
        counting::<FlowRun>(&filters, None),
        selecting::<TaskRun>(
            &filters,
            Sort::up("expected_start_time"),
            page,
            Way::Planned,
        ),
        counting::<TaskRun>(&filters, None),
    ] {
        plan(&db, &statement);
    }
}

#[test]
fn an_agent_s_poll_walks_the_index_of_due_runs() {
    let db = schema();
    let filters = Filters {
        flow_runs: Some(
            vec![
                flow_run::STATE_TYPE.is_one_of([StateType::Scheduled.word()]),
                flow_run::DEPLOYMENT_ID.asked(Test::IsNull(false)),
                flow_run::NEXT_SCHEDULED_START_TIME.asked(Test::AtMost(1)),
            ]
            .into(),
        ),
        ..Filters::default()
    };
    let sort = Sort::up("next_scheduled_start_time");
    let plan = plan(
        &db,
        &selecting::<FlowRun>(&filters, sort, Page::default(), Way::Planned),
    );
    assert!(plan.contains("flow_runs_by_state"), "{plan}");
    assert!(!plan.contains("TEMP B-TREE"), "{plan}");
}

#[test]
fn the_newest_page_is_read_from_the_key_s_end() {
    let db = schema();
    let statement = selecting::<FlowRun>(
        &Filters::default(),
        Sort::NEWEST,
        Page::default(),
        Way::Planned,
    );
    let plan = plan(&db, &statement);
    assert!(!plan.contains("TEMP B-TREE"), "{plan}");
}

/// Scans of a whole table or index of runs; what is found by key or range is a SEARCH.
fn scans(plan: &str) -> bool {
    ["SCAN flow_runs", "SCAN task_runs"]
        .iter()
        .any(|scan| plan.contains(scan))
}

#[test]
fn what_is_asked_by_key_is_found_by_key() {
    let db = schema();
    let flow_run = || Criteria::from(vec![flow_run::ID.is_one_of_ids([Uuid::now_v7()])]);
    let of_flow_run = Filters {
        flow_runs: Some(flow_run()),
        ..Filters::default()
    };
    let of_flow = Filters {
        flows: Some(vec![flow::ID.is_one_of_ids([Uuid::now_v7()])].into()),
        ..Filters::default()
    };
    let of_deployment = Filters {
        deployments: Some(vec![deployment::ID.is_one_of_ids([Uuid::now_v7()])].into()),
        ..Filters::default()
    };
    let running = Filters {
        flow_runs: Some(vec![flow_run::STATE_TYPE.is_one_of([StateType::Running.word()])].into()),
        ..Filters::default()
    };
    let (newest, all) = (Sort::NEWEST, Page::default());
    for statement in [
        selecting::<TaskRun>(&of_flow_run, newest, all, Way::Planned),
        counting::<TaskRun>(&of_flow_run, None),
        selecting::<FlowRun>(&of_flow_run, newest, all, Way::Planned),
        selecting::<FlowRun>(&of_flow, newest, all, Way::Planned),
        counting::<FlowRun>(&of_flow, None),
        selecting::<FlowRun>(&of_deployment, newest, all, Way::Planned),
        counting::<FlowRun>(&of_deployment, None),
        counting::<FlowRun>(&running, None),
        select::counting_by_state::<FlowRun>(&running).unwrap(),
    ] {
        let plan = plan(&db, &statement);
        assert!(!scans(&plan), "{statement:?}\n{plan}");
    }
}

#[test]
fn a_history_looks_only_at_its_own_time() {
    let db = schema();
    let hour = Timestamp::from_micros(3_600_000_000);
    let minute = crate::domain::time::Span::from_micros(60_000_000);
    let buckets = crate::domain::history::Buckets::new(Timestamp::from_micros(0), hour, minute);
    let statement = history::statement::<FlowRun>(&Filters::default(), buckets, hour, None);
    let plan = plan(&db, &statement);
    assert!(plan.contains("flow_runs_by_expected"), "{plan}");
    assert!(!scans(&plan), "{plan}");
}

#[test]
fn a_run_s_log_is_read_from_its_index_in_order() {
    let db = schema();
    let filters = about_logs(vec![log::FLOW_RUN_ID.is_one_of_ids([Uuid::now_v7()])].into());
    let statement = selecting::<Log>(&filters, log::OLDEST, Page::default(), Way::Planned);
    let plan = plan(&db, &statement);
    assert!(plan.contains("logs_by_flow_run"), "{plan}");
    assert!(!plan.contains("TEMP B-TREE"), "{plan}");
}

/// For a list of more than two words SQLite makes a table at each write of a row.
#[test]
fn whether_a_row_belongs_into_an_index_is_told_by_comparing() {
    let db = schema();
    for sql in [
        include_str!("../../../sql/queries/flow_runs/enter_state.sql"),
        include_str!("../../../sql/queries/flow_runs/insert.sql"),
        include_str!("../../../sql/queries/task_runs/enter_state.sql"),
        include_str!("../../../sql/queries/task_runs/insert.sql"),
        include_str!("../../../sql/queries/events/insert.sql"),
    ] {
        let mut steps = db.prepare(&format!("EXPLAIN {sql}")).unwrap();
        let wanted = vec![0i64; steps.parameter_count()];
        let steps = steps.query_map(params_from_iter(wanted), |row| {
            row.get::<_, String>("opcode")
        });
        assert!(
            !steps.unwrap().any(|step| step.unwrap() == "OpenEphemeral"),
            "{sql}"
        );
    }
}

#[test]
fn what_agents_ask_all_day_uses_the_partial_indexes() {
    let db = schema();
    let explain = |sql: &str| {
        let mut explain = db.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let wanted = vec![0i64; explain.parameter_count()];
        let steps = explain
            .query_map(params_from_iter(wanted), |row| row.get::<_, String>(3))
            .unwrap();
        steps.map(Result::unwrap).collect::<Vec<_>>().join("\n")
    };
    for (sql, index) in [
        (
            &sql::expanded(include_str!("../../../sql/queries/claims/due.sql")),
            "flow_runs_due",
        ),
        (
            &sql::expanded(include_str!("../../../sql/queries/claims/next_due.sql")),
            "flow_runs_due",
        ),
        (
            &sql::expanded(include_str!("../../../sql/queries/claims/in_hand.sql")),
            "flow_runs_claimed",
        ),
        (
            &sql::expanded(include_str!("../../../sql/queries/claims/open_outputs.sql")),
            "flow_runs_with_open_output",
        ),
        (
            &sql::expanded(include_str!("../../../sql/queries/claims/count.sql")),
            "flow_runs_claimed",
        ),
    ] {
        let plan = explain(sql);
        assert!(plan.contains(index), "{sql}\n{plan}");
    }
}
