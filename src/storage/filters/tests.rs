//! Every question prepares against the real schema, and what is polled uses an index.

use super::*;
use crate::domain::filter::*;
use crate::domain::ids::*;
use crate::domain::state::StateType;
use crate::domain::time::Timestamp;
use crate::storage::{connection, migrate};

fn schema() -> Connection {
    let mut db = Connection::open_in_memory().unwrap();
    migrate::run(&mut db).unwrap();
    let _ = connection::check_library();
    db
}

fn plan(db: &Connection, statement: &SelectStatement) -> String {
    let (sql, values) = statement.build(SqliteQueryBuilder);
    let values: Vec<_> = values.0.into_iter().map(|v| bind(v).unwrap()).collect();
    let mut explain = db.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
    let steps = explain
        .query_map(params_from_iter(values), |row| row.get::<_, String>(3))
        .unwrap();
    steps.map(Result::unwrap).collect::<Vec<_>>().join("\n")
}

fn everything() -> Filters {
    let at = TimeCriterion::AtOrAfter(Timestamp::from_micros(0));
    let tags = || TagCriterion::HasAll(vec!["a".into(), "b".into()]);
    Filters {
        flows: Some(vec![
            FlowCriterion::IdIn(vec![FlowId::new()]),
            FlowCriterion::NameIn(vec!["n".into()]),
            FlowCriterion::Tags(tags()),
        ]),
        deployments: Some(vec![
            DeploymentCriterion::IdIn(vec![]),
            DeploymentCriterion::NameIn(vec!["n".into()]),
            DeploymentCriterion::ScheduleActive(true),
            DeploymentCriterion::Tags(TagCriterion::IsEmpty(true)),
        ]),
        flow_runs: Some(vec![
            FlowRunCriterion::IdIn(vec![FlowRunId::new()]),
            FlowRunCriterion::IdNotIn(vec![FlowRunId::new()]),
            FlowRunCriterion::NameIn(vec![]),
            FlowRunCriterion::NameLike("n".into()),
            FlowRunCriterion::Tags(tags()),
            FlowRunCriterion::DeploymentIn(vec![DeploymentId::new()]),
            FlowRunCriterion::DeploymentIsNull(false),
            FlowRunCriterion::StateTypeIn(vec![StateType::Running]),
            FlowRunCriterion::StateNameIn(vec!["Late".into()]),
            FlowRunCriterion::FlowVersionIn(vec!["1".into()]),
            FlowRunCriterion::StartTime(at),
            FlowRunCriterion::ExpectedStartTime(at),
            FlowRunCriterion::NextScheduledStartTime(at),
            FlowRunCriterion::ParentTaskRunIn(vec![TaskRunId::new()]),
            FlowRunCriterion::ParentTaskRunIsNull(true),
        ]),
        task_runs: Some(vec![
            TaskRunCriterion::IdIn(vec![TaskRunId::new()]),
            TaskRunCriterion::NameIn(vec!["n".into()]),
            TaskRunCriterion::Tags(TagCriterion::IsEmpty(false)),
            TaskRunCriterion::StateTypeIn(vec![StateType::Failed]),
            TaskRunCriterion::StateNameIn(vec!["x".into()]),
            TaskRunCriterion::StartTime(TimeCriterion::IsNull(true)),
            TaskRunCriterion::IsSubflow(true),
            TaskRunCriterion::IsSubflow(false),
        ]),
    }
}

#[test]
fn every_question_prepares() {
    let db = schema();
    let filters = everything();
    let page = Page::default();
    for statement in [
        flows::select(&filters, page),
        flows::count(&filters),
        deployments::select(&filters, page),
        deployments::count(&filters),
        flow_runs::select(&filters, RunSort::EndTimeDesc, page),
        flow_runs::count(&filters),
        task_runs::select(&filters, RunSort::ExpectedStartTimeAsc, page),
        task_runs::count(&filters),
    ] {
        plan(&db, &statement);
    }
}

#[test]
fn an_agent_s_poll_walks_the_index_of_due_runs() {
    let db = schema();
    let filters = Filters {
        flow_runs: Some(vec![
            FlowRunCriterion::StateTypeIn(vec![StateType::Scheduled]),
            FlowRunCriterion::DeploymentIsNull(false),
            FlowRunCriterion::NextScheduledStartTime(TimeCriterion::AtOrBefore(
                Timestamp::from_micros(1),
            )),
        ]),
        ..Filters::default()
    };
    let sort = RunSort::NextScheduledStartTimeAsc;
    let plan = plan(&db, &flow_runs::select(&filters, sort, Page::default()));
    assert!(plan.contains("flow_runs_by_state"), "{plan}");
    assert!(!plan.contains("TEMP B-TREE"), "{plan}");
}

#[test]
fn the_newest_page_is_read_from_the_key_s_end() {
    let db = schema();
    let statement = flow_runs::select(&Filters::default(), RunSort::IdDesc, Page::default());
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
    let flow_run = || vec![FlowRunCriterion::IdIn(vec![FlowRunId::new()])];
    let of_flow_run = Filters {
        flow_runs: Some(flow_run()),
        ..Filters::default()
    };
    let of_flow = Filters {
        flows: Some(vec![FlowCriterion::IdIn(vec![FlowId::new()])]),
        ..Filters::default()
    };
    let of_deployment = Filters {
        deployments: Some(vec![DeploymentCriterion::IdIn(vec![DeploymentId::new()])]),
        ..Filters::default()
    };
    let running = Filters {
        flow_runs: Some(vec![FlowRunCriterion::StateTypeIn(vec![
            StateType::Running,
        ])]),
        ..Filters::default()
    };
    let (newest, all) = (RunSort::IdDesc, Page::default());
    for statement in [
        task_runs::select(&of_flow_run, newest, all),
        task_runs::count(&of_flow_run),
        flow_runs::select(&of_flow_run, newest, all),
        flow_runs::select(&of_flow, newest, all),
        flow_runs::count(&of_flow),
        flow_runs::select(&of_deployment, newest, all),
        flow_runs::count(&of_deployment),
        flow_runs::count(&running),
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
    let statement = history::statement_of_flow_runs(&Filters::default(), buckets, hour);
    let plan = plan(&db, &statement);
    assert!(plan.contains("flow_runs_by_expected"), "{plan}");
    assert!(!scans(&plan), "{plan}");
}

#[test]
fn a_run_s_log_is_read_from_its_index_in_order() {
    let db = schema();
    let sort = LogSort {
        key: LogKey::Timestamp,
        descending: false,
    };
    let criteria = [LogCriterion::FlowRunIn(vec![FlowRunId::new()])];
    let plan = plan(&db, &logs::select(&criteria, sort, Page::default()));
    assert!(plan.contains("logs_by_flow_run"), "{plan}");
    assert!(!plan.contains("TEMP B-TREE"), "{plan}");
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
            include_str!("../../../sql/queries/claims/due.sql"),
            "flow_runs_due",
        ),
        (
            include_str!("../../../sql/queries/claims/next_due.sql"),
            "flow_runs_due",
        ),
        (
            include_str!("../../../sql/queries/claims/in_hand.sql"),
            "flow_runs_claimed",
        ),
        (
            include_str!("../../../sql/queries/claims/open_outputs.sql"),
            "flow_runs_with_open_output",
        ),
        (
            include_str!("../../../sql/queries/claims/count.sql"),
            "flow_runs_claimed",
        ),
    ] {
        let plan = explain(sql);
        assert!(plan.contains(index), "{sql}\n{plan}");
    }
}

/// Lists of that many values in every place where there can be one.
fn lists(many: usize) -> Filters {
    let words = || (0..many).map(|n| format!("w{n}")).collect::<Vec<_>>();
    fn ids<T>(many: usize, one: impl Fn() -> T) -> Vec<T> {
        (0..many).map(|_| one()).collect()
    }
    let tags = || TagCriterion::HasAll(words());
    Filters {
        flows: Some(vec![
            FlowCriterion::IdIn(ids(many, FlowId::new)),
            FlowCriterion::NameIn(words()),
            FlowCriterion::Tags(tags()),
        ]),
        deployments: Some(vec![
            DeploymentCriterion::IdIn(ids(many, DeploymentId::new)),
            DeploymentCriterion::NameIn(words()),
            DeploymentCriterion::Tags(tags()),
        ]),
        flow_runs: Some(vec![
            FlowRunCriterion::IdIn(ids(many, FlowRunId::new)),
            FlowRunCriterion::IdNotIn(ids(many, FlowRunId::new)),
            FlowRunCriterion::NameIn(words()),
            FlowRunCriterion::Tags(tags()),
            FlowRunCriterion::DeploymentIn(ids(many, DeploymentId::new)),
            FlowRunCriterion::StateTypeIn(vec![StateType::Running; many]),
            FlowRunCriterion::StateNameIn(words()),
            FlowRunCriterion::FlowVersionIn(words()),
            FlowRunCriterion::ParentTaskRunIn(ids(many, TaskRunId::new)),
        ]),
        task_runs: Some(vec![
            TaskRunCriterion::IdIn(ids(many, TaskRunId::new)),
            TaskRunCriterion::NameIn(words()),
            TaskRunCriterion::Tags(tags()),
            TaskRunCriterion::StateTypeIn(vec![StateType::Failed; many]),
            TaskRunCriterion::StateNameIn(words()),
        ]),
    }
}

#[test]
fn a_list_is_one_parameter_however_long_it_is() {
    let db = schema();
    let page = Page::default();
    let texts = |filters: &Filters| {
        let log = [
            LogCriterion::FlowRunIn(vec![FlowRunId::new(); 2]),
            LogCriterion::TaskRunIn(vec![TaskRunId::new(); 2]),
        ];
        let sort = LogSort {
            key: LogKey::Level,
            descending: true,
        };
        let statements = [
            flows::select(filters, page),
            deployments::count(filters),
            flow_runs::select(filters, RunSort::EndTimeDesc, page),
            task_runs::count(filters),
            logs::select(&log, sort, page),
        ];
        statements.map(|statement| {
            plan(&db, &statement);
            statement.build(SqliteQueryBuilder).0
        })
    };
    assert_eq!(texts(&lists(2)), texts(&lists(40_000)));
}

#[test]
fn lists_find_what_they_name() {
    let db = schema();
    let put = |id: FlowId, name: &str, tags: &str| {
        db.execute(
            "INSERT INTO flows (id, created, updated, name, tags) VALUES (?1, 0, 0, ?2, ?3)",
            rusqlite::params![id, name, tags],
        )
        .unwrap();
    };
    let (one, two, three) = (FlowId::new(), FlowId::new(), FlowId::new());
    put(one, "one", r#"["a"]"#);
    put(two, "tw\"ö\u{0}", r#"["a","a","b"]"#);
    put(three, "three", r#"["c","b","a"]"#);
    let found = |criterion: FlowCriterion| {
        let filters = Filters {
            flows: Some(vec![criterion]),
            ..Filters::default()
        };
        count(&db, &flows::count(&filters)).unwrap()
    };
    let tags = |tags: &[&str]| {
        let tags = tags.iter().map(|tag| (*tag).to_owned()).collect();
        found(FlowCriterion::Tags(TagCriterion::HasAll(tags)))
    };
    assert_eq!(tags(&[]), 3);
    assert_eq!(tags(&["a"]), 3);
    assert_eq!(tags(&["b", "a", "b"]), 2);
    assert_eq!(tags(&["a", "b", "c"]), 1);
    assert_eq!(tags(&["a", "d"]), 0);
    assert_eq!(found(FlowCriterion::IdIn(vec![])), 0);
    assert_eq!(found(FlowCriterion::IdIn(vec![two])), 1);
    assert_eq!(found(FlowCriterion::IdIn(vec![one, three, one])), 2);
    let names = |names: &[&str]| {
        let names = names.iter().map(|name| (*name).to_owned()).collect();
        found(FlowCriterion::NameIn(names))
    };
    assert_eq!(names(&[]), 0);
    assert_eq!(names(&["tw\"ö\u{0}"]), 1);
    assert_eq!(names(&["tw\"ö\u{0}", "one", "four"]), 2);
}

#[test]
fn tags_by_tags_are_not_quadratic() {
    let db = schema();
    let tags: Vec<_> = (0..20_000).map(|n| format!("t{n}")).collect();
    let row = serde_json::to_string(&tags).unwrap();
    for n in 0..4 {
        db.execute(
            "INSERT INTO flows (id, created, updated, name, tags) VALUES (?1, 0, 0, ?2, ?3)",
            rusqlite::params![FlowId::new(), n.to_string(), row],
        )
        .unwrap();
    }
    let filters = Filters {
        flows: Some(vec![FlowCriterion::Tags(TagCriterion::HasAll(tags))]),
        ..Filters::default()
    };
    let began = std::time::Instant::now();
    assert_eq!(count(&db, &flows::count(&filters)).unwrap(), 4);
    // Each by each, these are 1.6 thousand million comparisons.
    assert!(began.elapsed().as_secs() < 5, "{:?}", began.elapsed());
}

#[test]
fn several_keys_are_found_by_key_as_well() {
    let db = schema();
    let ids = || (0..3).map(|_| FlowRunId::new()).collect::<Vec<_>>();
    let filters = Filters {
        flow_runs: Some(vec![FlowRunCriterion::IdIn(ids())]),
        ..Filters::default()
    };
    let log = [LogCriterion::FlowRunIn(ids())];
    for statement in [
        flow_runs::select(&filters, RunSort::IdDesc, Page::default()),
        flow_runs::count(&filters),
        task_runs::count(&filters),
        logs::count(&log),
    ] {
        let plan = plan(&db, &statement);
        assert!(!scans(&plan) && !plan.contains("SCAN logs"), "{plan}");
    }
}
