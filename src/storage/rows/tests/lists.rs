//! Questions that name many things.

use super::*;

/// Lists of that many values in every place where there can be one.
fn lists(many: usize) -> Filters {
    let words = || (0..many).map(|n| format!("w{n}")).collect::<Vec<_>>();
    let ids = || (0..many).map(|_| Uuid::now_v7()).collect::<Vec<_>>();
    let tags = || Test::HasAll(words());
    Filters {
        flows: Some(
            vec![
                flow::ID.is_one_of_ids(ids()),
                flow::NAME.is_one_of(words()),
                flow::TAGS.asked(tags()),
            ]
            .into(),
        ),
        deployments: Some(
            vec![
                deployment::ID.is_one_of_ids(ids()),
                deployment::NAME.is_one_of(words()),
                deployment::TAGS.asked(tags()),
            ]
            .into(),
        ),
        flow_runs: Some(
            vec![
                flow_run::ID.is_one_of_ids(ids()),
                flow_run::ID.asked(Test::NotIn(Values::Ids(ids()))),
                flow_run::NAME.is_one_of(words()),
                flow_run::TAGS.asked(tags()),
                flow_run::DEPLOYMENT_ID.is_one_of_ids(ids()),
                flow_run::STATE_TYPE.is_one_of(vec![StateType::Running.word(); many]),
                flow_run::STATE_NAME.is_one_of(words()),
                flow_run::FLOW_VERSION.is_one_of(words()),
                flow_run::PARENT_TASK_RUN_ID.is_one_of_ids(ids()),
            ]
            .into(),
        ),
        task_runs: Some(
            vec![
                task_run::ID.is_one_of_ids(ids()),
                task_run::NAME.is_one_of(words()),
                task_run::TAGS.asked(tags()),
                task_run::STATE_TYPE.is_one_of(vec![StateType::Failed.word(); many]),
                task_run::STATE_NAME.is_one_of(words()),
            ]
            .into(),
        ),
        ..Filters::default()
    }
}

#[test]
fn a_list_is_one_parameter_however_long_it_is() {
    let db = schema();
    let page = Page::default();
    let texts = |filters: &Filters| {
        let two = || [Uuid::now_v7(), Uuid::now_v7()];
        let log = about_logs(
            vec![
                log::FLOW_RUN_ID.is_one_of_ids(two()),
                log::TASK_RUN_ID.is_one_of_ids(two()),
            ]
            .into(),
        );
        let statements = [
            selecting::<Flow>(filters, Sort::NAME, page, Way::Planned),
            counting::<Deployment>(filters, None),
            selecting::<FlowRun>(filters, Sort::down("end_time"), page, Way::Planned),
            counting::<TaskRun>(filters, None),
            selecting::<Log>(&log, Sort::down("level"), page, Way::Planned),
        ];
        statements.map(|statement| {
            plan(&db, &statement);
            statement.build(SqliteQueryBuilder).0
        })
    };
    assert_eq!(texts(&lists(FEW + 1)), texts(&lists(40_000)));
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
    let found = |criterion: Criterion| {
        let filters = Filters {
            flows: Some(vec![criterion].into()),
            ..Filters::default()
        };
        count::<Flow>(&db, &filters).unwrap()
    };
    let tags = |tags: &[&str]| {
        let tags = tags.iter().map(|tag| (*tag).to_owned()).collect();
        found(flow::TAGS.asked(Test::HasAll(tags)))
    };
    assert_eq!(tags(&[]), 3);
    assert_eq!(tags(&["a"]), 3);
    assert_eq!(tags(&["b", "a", "b"]), 2);
    assert_eq!(tags(&["a", "b", "c"]), 1);
    assert_eq!(tags(&["a", "d"]), 0);
    let ids = |ids: &[FlowId]| flow::ID.is_one_of_ids(ids.iter().map(|id| id.uuid()));
    assert_eq!(found(ids(&[])), 0);
    assert_eq!(found(ids(&[two])), 1);
    assert_eq!(found(ids(&[one, three, one])), 2);
    let names = |names: &[&str]| found(flow::NAME.is_one_of(names.iter().copied()));
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
        flows: Some(vec![flow::TAGS.asked(Test::HasAll(tags))].into()),
        ..Filters::default()
    };
    let began = std::time::Instant::now();
    assert_eq!(count::<Flow>(&db, &filters).unwrap(), 4);
    // Each by each, these are 1.6 thousand million comparisons.
    assert!(began.elapsed().as_secs() < 20, "{:?}", began.elapsed());
}

#[test]
fn several_keys_are_found_by_key_as_well() {
    let db = schema();
    (2..=FEW + 1).for_each(|many| are_found_by_key(&db, many));
}

fn are_found_by_key(db: &Connection, many: usize) {
    let ids = || (0..many).map(|_| Uuid::now_v7()).collect::<Vec<_>>();
    let filters = Filters {
        flow_runs: Some(vec![flow_run::ID.is_one_of_ids(ids())].into()),
        ..Filters::default()
    };
    let log = about_logs(vec![log::FLOW_RUN_ID.is_one_of_ids(ids())].into());
    for statement in [
        selecting::<FlowRun>(&filters, Sort::NEWEST, Page::default(), Way::Planned),
        counting::<FlowRun>(&filters, None),
        counting::<TaskRun>(&filters, None),
        counting::<Log>(&log, None),
    ] {
        let plan = plan(db, &statement);
        assert!(!scans(&plan) && !plan.contains("SCAN logs"), "{plan}");
    }
}
