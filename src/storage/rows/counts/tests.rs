//! Whatever becomes of runs, what is counted of them answers as the runs themselves do.

use proptest::prelude::*;
use rusqlite::Connection;
use sea_query::SelectStatement;
use uuid::Uuid;

use super::super::tests::plan;
use super::*;
use crate::domain::deployment::Deployment;
use crate::domain::filter::{Criteria, Criterion, Field, Test, flow_run, task_run, work_pool};
use crate::domain::flow_run::FlowRun;
use crate::domain::state::StateType;
use crate::domain::task_run::TaskRun;
use crate::storage::rows;
use asks::question;
use world::{HOUR, SECOND, World, moment, step};

mod asks;
mod made;
mod world;

/// Whether the counts answer as the runs do.
fn alike<R: Filtered>(db: &Connection, filters: &Filters, buckets: Buckets) {
    let now = Timestamp::from_micros(HOUR);
    let by_runs = number(db, &counting::<R>(filters, None)).unwrap();
    assert_eq!(rows::count::<R>(db, filters).unwrap(), by_runs as u64);
    let by_state = history::statement::<R>(filters, buckets, now, None);
    let by_state = all(db, &by_state, read).unwrap();
    let late = all(db, &history::late::<R>(filters, now, None), read_late).unwrap();
    if let Some(countable) = Countable::of::<R>(filters) {
        assert_eq!(countable.put_together::<R>(db).unwrap(), by_runs);
        let count = countable.count::<R>(db).unwrap();
        assert_eq!(count, by_runs as u64, "{filters:#?}");
        let tallies = countable.tallies::<R>(db, buckets, now).unwrap();
        assert_eq!(tallies, by_state, "{filters:#?} {buckets:?}");
        let of_few = history::of::<R>(db, filters, buckets, now).unwrap();
        assert_eq!(of_few, by_state, "{filters:#?} {buckets:?}");
        let told = countable.lateness::<R>(db, now).unwrap();
        assert_eq!(vec![told], late, "{filters:#?}");
    }
    if R::NOUN == Noun::FlowRun {
        let (count, late) = late.first().copied().unwrap();
        let average = (count > 0).then(|| Span::from_micros(late.micros() / count));
        let told = history::average_lateness(db, filters, now).unwrap();
        assert_eq!(told, average, "{filters:#?}");
    }
}

/// All that is counted, as text.
fn counted(db: &Connection) -> Vec<String> {
    let mut rows = Vec::new();
    for table in ["flow_run_counts", "task_run_counts"] {
        let mut all = db.prepare(&format!("SELECT * FROM {table}")).unwrap();
        let width = all.column_count();
        let read = |row: &SqlRow<'_>| {
            let values =
                (0..width).map(|place| row.get::<_, rusqlite::types::Value>(place).unwrap());
            Ok(format!("{:?}", values.collect::<Vec<_>>()))
        };
        rows.extend(all.query_map([], read).unwrap().map(Result::unwrap));
    }
    rows
}

/// The same after the runs that there are were counted as an older database's are.
fn counted_anew(db: &Connection) -> Vec<String> {
    let migration = include_str!("../../../../sql/migrations/V27__run_counts.sql");
    let fills = migration
        .split_inclusive(";\n\n")
        .filter(|it| it.contains("GROUP BY"));
    db.execute_batch("DELETE FROM flow_run_counts; DELETE FROM task_run_counts;")
        .unwrap();
    assert_eq!(fills.map(|fill| db.execute_batch(fill).unwrap()).count(), 4);
    counted(db)
}

fn is_countable<R: Filtered>(filters: &Filters) -> bool {
    countable::<R>(filters).is_some()
}

/// What the dashboard of the reference's UI asks is counted.
#[test]
fn usual_questions_are_answered() {
    let range = |field: &'static Field| {
        vec![
            field.asked(Test::AtLeast(0)),
            field.asked(Test::AtMost(HOUR)),
        ]
    };
    let ended = || flow_run::STATE_TYPE.is_one_of([StateType::Failed.word()]);
    let of_flow_runs = |criteria: Vec<Criterion>| Filters {
        flow_runs: Some(criteria.into()),
        ..Filters::default()
    };
    let in_time = of_flow_runs(range(&flow_run::EXPECTED_START_TIME));
    assert!(is_countable::<FlowRun>(&in_time) && is_countable::<TaskRun>(&Filters::default()));
    let of_a_pool = Filters {
        work_pools: Some(vec![work_pool::NAME.is_one_of(["p"])].into()),
        ..in_time.clone()
    };
    assert!(is_countable::<FlowRun>(&of_a_pool));
    let mut asked = range(&task_run::START_TIME);
    asked.push(task_run::SUBFLOW_RUNS.asked(Test::Is(false)));
    let of_task_runs = Filters {
        task_runs: Some(asked.into()),
        flow_runs: Some(Criteria::NOTHING),
        ..Filters::default()
    };
    assert!(is_countable::<TaskRun>(&of_task_runs));
    // What is not counted, and what has not ended.
    for other in [
        flow_run::TAGS.asked(Test::HasAll(vec!["t".to_owned()])),
        flow_run::BEGINNING.asked(Test::AtLeast(0)),
        flow_run::START_TIME.asked(Test::IsNull(false)),
        flow_run::DEPLOYMENT_ID.asked(Test::IsNull(true)),
        flow_run::WORK_QUEUE_NAME.asked(Test::IsNull(true)),
        // It has an index.
        flow_run::DEPLOYMENT_ID.is_one_of_ids([Uuid::now_v7()]),
        flow_run::STATE_TYPE.is_one_of([StateType::Running.word()]),
    ] {
        assert!(
            !is_countable::<FlowRun>(&of_flow_runs(vec![ended(), other.clone()])),
            "{other:?}"
        );
    }
    assert!(!is_countable::<FlowRun>(&Filters::default()));
    assert!(!is_countable::<Deployment>(&Filters::default()));
}

/// No statement goes through runs that it does not tell of.
#[test]
fn what_is_read_does_not_grow_with_what_there_is() {
    let world = World::new();
    let since = vec![
        flow_run::EXPECTED_START_TIME.asked(Test::AtLeast(1)),
        flow_run::STATE_TYPE.is_one_of([StateType::Completed.word(), StateType::Running.word()]),
    ];
    let filters = Filters {
        flow_runs: Some(since.into()),
        ..Filters::default()
    };
    let asked = Asked::of(Noun::FlowRun, &filters).unwrap();
    let within = [asked.within(0, Range::ALL.before(HOUR))];
    let plan = |statement: &SelectStatement| plan(&world.db, statement);
    for told in [Told::Number, Told::Lateness, Told::Parts] {
        let question = Question::of::<FlowRun>(&asked, told);
        let of_counts = plan(&question.of_counts(HOUR, &within));
        let by_key = "SEARCH flow_runs USING PRIMARY KEY (step=? AND expected_start_time>? AND expected_start_time<?)";
        assert!(of_counts.contains(by_key), "{of_counts}");
        assert!(!of_counts.contains("TEMP B-TREE"), "{of_counts}");
        for (has_time, found) in [
            (true, "expected_start_time>? AND expected_start_time<?"),
            (false, "expected_start_time=?"),
        ] {
            let of_runs = plan(&question.of_runs(&within, has_time));
            let found = format!("SEARCH part USING COVERING INDEX flow_runs_by_expected ({found})");
            assert!(of_runs.contains(&found), "{of_runs}");
            assert!(
                of_runs.contains("SEARCH flow_runs USING PRIMARY KEY (id=?)"),
                "{of_runs}"
            );
        }
    }
    let (start, end) = (Timestamp::from_micros(0), Timestamp::from_micros(HOUR));
    let buckets = Buckets::exact(start, end, Span::from_micros(HOUR));
    let range = asked.expected.of_buckets(buckets);
    let live = || asked.others::<FlowRun>(range).next().map(|it| it.0);
    for statement in [
        counting::<FlowRun>(&asked.plain, live()),
        history::statement::<FlowRun>(&asked.plain, buckets, end, live()),
        history::late::<FlowRun>(&asked.plain, end, live()),
    ] {
        let of_live = plan(&statement);
        let by_state = "SEARCH live USING COVERING INDEX flow_runs_by_state";
        assert!(of_live.contains(by_state), "{of_live}");
        assert!(
            of_live.contains("SEARCH flow_runs USING PRIMARY KEY (id=?)"),
            "{of_live}"
        );
    }
    let few = || question::expected_within("flow_runs", range);
    for statement in [
        few().limit(1).offset(FEW).take(),
        history::statement::<FlowRun>(&asked.plain, buckets, end, Some(few())),
    ] {
        let of_few = plan(&statement);
        let by_time = "SEARCH timed USING COVERING INDEX flow_runs_by_expected (expected_start_time>? AND expected_start_time<?)";
        assert!(of_few.contains(by_time), "{of_few}");
    }
    let parents = Some(question::with_sub_flows());
    let of_parents = plan(&counting::<TaskRun>(&Filters::default(), parents));
    let by_parent = "USING COVERING INDEX flow_runs_by_parent";
    assert!(of_parents.contains(by_parent), "{of_parents}");
    assert!(
        of_parents.contains("SEARCH task_runs USING PRIMARY KEY (id=?)"),
        "{of_parents}"
    );
}

/// Where an hour has few runs, they are left to an index of the runs.
#[test]
fn all_runs_are_counted_by_hours_where_these_have_many() {
    for (hours, of_each, right) in [
        (SOME_COUNTS - 1, 1, Some(SOME_COUNTS - 1)),
        (SOME_COUNTS, RUNS_A_COUNT - 1, None),
        (SOME_COUNTS, RUNS_A_COUNT, Some(RUNS_A_COUNT * SOME_COUNTS)),
    ] {
        let db = World::new().db;
        db.execute(
            "WITH RECURSIVE hour (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM hour WHERE n < ?1)
             INSERT INTO flow_run_counts
             SELECT ?2, n * ?2, n * ?2, 'COMPLETED', 'Completed', x'', x'', x'', ?3, 0, 0 FROM hour",
            (hours as i64, HOUR, of_each as i64),
        )
        .unwrap();
        let told = all_flow_runs::<FlowRun>(&db, &Filters::default());
        assert_eq!(told.unwrap(), right);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_counted_answers_as_the_runs_do(
        steps in prop::collection::vec(step(), 0..48),
        questions in prop::collection::vec(
            (question(), moment(), 1_i64..9, prop::sample::select(&[SECOND / 2, 7 * SECOND, HOUR, 90 * 60 * SECOND][..])),
            12,
        ),
    ) {
        let world = World::new();
        for step in steps {
            world.follow(step);
        }
        world.remove_what_has_no_state();
        for (question, start, many, step) in questions {
            let (start, end) = (Timestamp::from_micros(start), Timestamp::from_micros(start + many * step));
            let buckets = Buckets::exact(start, end, Span::from_micros(step));
            alike::<FlowRun>(&world.db, &question.of_flow_runs(&world), buckets);
            alike::<TaskRun>(&world.db, &question.of_task_runs(), buckets);
        }
        let db = &world.db;
        let all = number(db, &counting::<FlowRun>(&Filters::default(), None)).unwrap();
        let told = all_flow_runs::<FlowRun>(db, &Filters::default());
        assert_eq!(told.unwrap(), Some(all as u64));
        assert_eq!(counted(db), counted_anew(db));
        for table in ["flow_run_counts", "task_run_counts"] {
            let idle = format!("SELECT count(*) FROM {table} WHERE count <= 0");
            assert_eq!(db.query_row(&idle, [], |row| row.get::<_, i64>(0)).unwrap(), 0);
        }
        db.execute_batch("DELETE FROM task_runs; DELETE FROM flow_runs;").unwrap();
        for table in ["flow_run_counts", "task_run_counts"] {
            let left = format!("SELECT count(*) FROM {table}");
            assert_eq!(db.query_row(&left, [], |row| row.get::<_, i64>(0)).unwrap(), 0);
        }
    }
}
