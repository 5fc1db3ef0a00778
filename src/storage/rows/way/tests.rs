use rusqlite::Connection;
use uuid::Uuid;

use super::super::select::{keys, selecting};
use super::super::tests::{plan, schema};
use super::super::{by_way, page};
use super::*;
use crate::domain::filter::{deployment, flow, flow_run, task_run, work_pool};
use crate::domain::flow_run::FlowRun;
use crate::domain::task_run::TaskRun;

/// So many runs that the longest reach does not come to the oldest.
const RUNS: u64 = 36_000;

const A: &str = "x'00000000000000000000000000000001'";
const B: &str = "x'00000000000000000000000000000002'";

/// Runs a second apart: one in 16 failed, the oldest 3,500 cancelled, and one in 1,000 of a second flow.
fn stored() -> Connection {
    let db = schema();
    let sql = format!(
        "INSERT INTO flows (id, created, updated, name) VALUES ({A}, 0, 0, 'a'), ({B}, 0, 0, 'b');
         INSERT INTO flow_runs (id, created, updated, name, flow_id, state_type, state_name, expected_start_time, start_time, end_time)
         WITH RECURSIVE run (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM run WHERE n < {RUNS})
         SELECT unhex(printf('%032x', n)), 0, 0, 'r', iif(n % 1000 = 0, {B}, {A}),
                CASE WHEN n <= 3500 THEN 'CANCELLED' WHEN n % 16 = 0 THEN 'FAILED' ELSE 'COMPLETED' END, 'x',
                iif(n % 500 = 0, NULL, n * 1000000), iif(n % 7 = 0, NULL, n * 1000000 + 1), n * 1000000 + 2
         FROM run;"
    );
    db.execute_batch("PRAGMA foreign_keys = OFF").unwrap();
    db.execute_batch(&sql).unwrap();
    db
}

fn about(runs: Vec<Criterion>) -> Filters {
    Filters {
        flow_runs: Some(runs.into()),
        ..Filters::default()
    }
}

fn in_state(kinds: &[StateType]) -> Criterion {
    flow_run::STATE_TYPE.is_one_of(kinds.iter().map(|kind| kind.word()))
}

fn orders() -> [Sort; 3] {
    [
        Sort::NEWEST,
        Sort::down("expected_start_time"),
        Sort {
            or: Some("expected_start_time"),
            ..Sort::down("start_time")
        },
    ]
}

#[test]
fn a_page_is_the_same_whichever_way_it_is_found() {
    let db = stored();
    let (failed, rare, old) = (
        in_state(&[StateType::Failed]),
        in_state(&[StateType::Crashed]),
        in_state(&[StateType::Cancelled]),
    );
    let until = flow_run::EXPECTED_START_TIME.asked(Test::AtMost(20_000_000_000));
    let since = flow_run::EXPECTED_START_TIME.asked(Test::AtLeast(19_000_000_000));
    let questions = [
        about(vec![in_state(&[StateType::Completed])]),
        about(vec![in_state(&[StateType::Completed, StateType::Failed])]),
        about(vec![
            in_state(&[StateType::Completed]),
            until.clone(),
            since,
        ]),
        about(vec![failed.clone(), until]),
        about(vec![in_state(&[StateType::Failed, StateType::Cancelled])]),
        about(vec![rare]),
        about(vec![old]),
        Filters {
            flows: Some(vec![flow::NAME.is_one_of(["b"])].into()),
            ..about(vec![failed])
        },
        Filters::default(),
    ];
    for filters in &questions {
        let up = orders().map(|sort| Sort {
            descending: false,
            ..sort
        });
        for sort in orders().into_iter().chain(up) {
            for (limit, offset) in [(50, 0), (200, 150), (50, 3_400)] {
                let part = Page { limit, offset };
                let planned: Vec<FlowRun> = by_way(&db, filters, sort, part, Way::Planned).unwrap();
                let found: Vec<FlowRun> = page(&db, filters, sort, part).unwrap();
                let ids = |runs: &[FlowRun]| runs.iter().map(|run| run.id).collect::<Vec<_>>();
                // Those without a time are alike in an order of times.
                let has_time = |run: &FlowRun| run.statistics.expected_start_time.is_some();
                match planned.iter().all(has_time) || sort == Sort::NEWEST {
                    true => assert_eq!(ids(&found), ids(&planned), "{filters:?} {sort:?} {part:?}"),
                    false => {
                        assert_eq!(found.len(), planned.len(), "{filters:?} {sort:?} {part:?}");
                    }
                }
            }
        }
    }
}

#[test]
fn which_way_is_taken_depends_on_how_many_there_are() {
    let db = stored();
    let way = |filters: &Filters, sort| match Way::of::<FlowRun>(
        &db,
        filters,
        sort,
        Page::default(),
        FEW,
    )
    .unwrap()
    {
        Way::Planned => "planned",
        Way::Among(_) => "among",
        Way::InOrder(_) => "in order",
    };
    let failed = about(vec![in_state(&[StateType::Failed])]);
    // Of those that run no index is in order.
    let completed = about(vec![in_state(&[StateType::Completed, StateType::Running])]);
    for sort in orders() {
        assert_eq!(way(&failed, sort), "among");
        assert_eq!(way(&completed, sort), "in order");
        assert_eq!(way(&Filters::default(), sort), "planned");
        let pool = Some(vec![work_pool::NAME.is_one_of(["none"])].into());
        let of_pool = Filters {
            work_pools: pool,
            ..completed.clone()
        };
        assert_eq!(way(&of_pool, sort), "among");
        let deployments = Some(vec![deployment::ID.is_one_of_ids([Uuid::nil()])].into());
        let of_deployment = Filters {
            deployments,
            ..completed.clone()
        };
        assert_eq!(way(&of_deployment, sort), "among");
        let by_id = about(vec![
            in_state(&[StateType::Completed]),
            flow_run::ID.is_one_of_ids([Uuid::nil()]),
        ]);
        assert_eq!(way(&by_id, sort), "planned");
    }
    assert_eq!(way(&completed, Sort::up("expected_start_time")), "planned");
    assert_eq!(way(&completed, Sort::down("end_time")), "planned");
}

#[test]
fn an_order_is_followed_by_its_index() {
    let db = schema();
    let filters = about(vec![
        in_state(&[StateType::Completed]),
        flow_run::EXPECTED_START_TIME.asked(Test::AtMost(1)),
    ]);
    let indexes = ["PRIMARY KEY", "flow_runs_by_expected", "flow_runs_by_start"];
    for (sort, index) in orders().into_iter().zip(indexes) {
        let last = match sort.column {
            "id" => Value::Bytes(Some(vec![1])),
            _ => Value::BigInt(Some(1)),
        };
        let way = Way::InOrder(Some(last));
        let found = selecting::<FlowRun>(&filters, sort, Page::default(), way);
        let plan_of_page = plan(&db, &found);
        let begins = plan_of_page.lines().next().unwrap();
        assert!(begins.starts_with("SEARCH followed"), "{plan_of_page}");
        assert!(begins.contains(index), "{plan_of_page}");
        let by_id = "SEARCH flow_runs USING PRIMARY KEY (id=?)";
        assert!(plan_of_page.contains(by_id), "{plan_of_page}");
        for plan in [plan_of_page, plan(&db, &keys::<FlowRun>(&filters, sort))] {
            assert!(!plan.contains("TEMP B-TREE"), "{plan}");
        }
    }
}

#[test]
fn the_first_of_a_state_are_found_without_the_rest_of_them() {
    let db = schema();
    let badly = [StateType::Failed, StateType::Crashed];
    let [by_id, by_expected, by_start] = orders();
    let first = |states: &[StateType], sort| {
        let filters = about(vec![in_state(states)]);
        first_of_each::<FlowRun>(&filters, sort, Page::default())
    };
    for (sort, index) in [
        (by_expected, "flow_runs_by_state"),
        (by_start, "flow_runs_ended_badly"),
    ] {
        let plan = plan(&db, &first(&badly, sort).unwrap());
        assert_eq!(plan.matches(index).count(), 2, "{plan}");
        assert!(!plan.contains("TEMP B-TREE"), "{plan}");
    }
    assert!(first(&badly, by_id).is_none());
    // There are many of these, and none of those is sorted by when it was expected.
    assert!(first(&[StateType::Completed, StateType::Failed], by_start).is_none());
    assert!(first(&[StateType::Scheduled], by_expected).is_none());

    let of_tasks = Filters {
        task_runs: Some(vec![task_run::STATE_TYPE.is_one_of(badly.map(StateType::word))].into()),
        ..Filters::default()
    };
    let found = first_of_each::<TaskRun>(&of_tasks, by_expected, Page::default());
    let plan = plan(&db, &found.unwrap());
    assert_eq!(plan.matches("task_runs_by_state").count(), 2, "{plan}");
    assert!(!plan.contains("TEMP B-TREE"), "{plan}");
}

#[test]
fn what_has_ended_is_found_from_its_last_end_on() {
    let db = stored();
    let by_end = Sort::down("end_time");
    let since = |time| flow_run::END_TIME.asked(Test::AtLeast(time));
    let filters = about(vec![in_state(&[StateType::Completed]), since(1_000_000)]);
    let part = Page {
        limit: 50,
        offset: 20,
    };
    let way = Way::of::<FlowRun>(&db, &filters, by_end, part, FEW).unwrap();
    assert!(matches!(way, Way::InOrder(None)));
    let statement = selecting::<FlowRun>(&filters, by_end, part, way);
    let plan = plan(&db, &statement);
    let begins = plan.lines().next().unwrap();
    assert!(begins.starts_with("SEARCH followed"), "{plan}");
    assert!(begins.contains("flow_runs_by_end"), "{plan}");
    assert!(!plan.contains("TEMP B-TREE"), "{plan}");
    let found: Vec<FlowRun> = page(&db, &filters, by_end, part).unwrap();
    let planned: Vec<FlowRun> = by_way(&db, &filters, by_end, part, Way::Planned).unwrap();
    let ids = |runs: &[FlowRun]| runs.iter().map(|run| run.id).collect::<Vec<_>>();
    assert_eq!(ids(&found), ids(&planned));
}

#[test]
fn what_ended_and_was_expected_of_late_is_sorted_by_when_it_started() {
    let db = stored();
    let [_, _, by_start] = orders();
    let of_late = |states: &[StateType], since: i64| {
        let since = flow_run::EXPECTED_START_TIME.asked(Test::AtLeast(since * 1_000_000));
        about(vec![in_state(states), since])
    };
    let failed = of_late(&[StateType::Failed, StateType::Crashed], 30_000);
    let ids = ended_within::<FlowRun>(&failed, by_start).unwrap();
    let plan = plan(&db, &ids);
    let by_all = "flow_runs_by_state (state_type=? AND next_scheduled_start_time=? AND expected_start_time>?)";
    assert!(plan.contains(by_all), "{plan}");
    assert!(!plan.contains('\n'), "{plan}");
    for (limit, offset) in [(50, 0), (500, 0), (50, 350)] {
        let part = Page { limit, offset };
        let planned: Vec<FlowRun> = by_way(&db, &failed, by_start, part, Way::Planned).unwrap();
        let found: Vec<FlowRun> = page(&db, &failed, by_start, part).unwrap();
        let ids = |runs: &[FlowRun]| runs.iter().map(|run| run.id).collect::<Vec<_>>();
        assert_eq!(ids(&found), ids(&planned), "{part:?}");
    }
    let in_order = ended_within::<FlowRun>(&failed, Sort::down("expected_start_time"));
    assert!(in_order.is_none());
    let live = of_late(&[StateType::Failed, StateType::Running], 30_000);
    assert!(ended_within::<FlowRun>(&live, by_start).is_none());
}
