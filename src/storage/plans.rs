//! How SQLite carries out every statement under `sql/queries`: none goes through a whole table
//! that grows, unless it is listed here with the reason.

use std::path::{Path, PathBuf};

use rusqlite::Connection;

use super::{connection, migrate, rows, sql};

/// Statements that go through a table, and why they may.
const MAY_SCAN: &[(&str, &str)] = &[
    ("automations/count.sql", "at most a thousand"),
    (
        "automations/enabled.sql",
        "at most a thousand, once per change",
    ),
    (
        "automations/next_work.sql",
        "the first in the order of the index",
    ),
    (
        "claims/due_queues.sql",
        "the queues, of which there are few",
    ),
    (
        "blocks/capabilities.sql",
        "the schemas, of which each version of a client brings few",
    ),
    ("blocks/leads_to.sql", "the steps that it has just found"),
    (
        "concurrency_limits/page.sql",
        "the deployments, for a person who lists limits",
    ),
    ("deployments/images.sql", "once per examination by a person"),
    (
        "deployments/pool_jobs.sql",
        "once per examination by a person",
    ),
    (
        "deployments/networks.sql",
        "once per examination by a person",
    ),
    (
        "events/delete_related.sql",
        "the resources that one event names",
    ),
    ("events/oldest.sql", "as far as the limit"),
    (
        "flow_runs/is_within.sql",
        "the steps that it has just found",
    ),
    (
        "run_inputs/with_prefix.sql",
        "the keys that it is asked with",
    ),
    (
        "removal/delete_some_cache_entries.sql",
        "as far as the limit",
    ),
    (
        "removal/delete_some_event_related.sql",
        "as far as the limit",
    ),
    ("removal/some_artifacts.sql", "as far as the limit"),
    ("removal/delete_some_events.sql", "as far as the limit"),
    ("removal/delete_some_logs.sql", "as far as the limit"),
    ("removal/delete_some_searches.sql", "as far as the limit"),
    ("removal/some_flows.sql", "as far as the limit"),
    ("removal/unfinished.sql", "has hardly ever a row"),
    (
        "states/observed.sql",
        "all that is kept, seldom, by a person and for as long as any question may take",
    ),
    ("requests/delete_old.sql", "as far as the limit"),
    (
        "retention/end_of_nth_run.sql",
        "as far as the number of runs that is kept",
    ),
    (
        "retention/nth_log.sql",
        "as far as the number of lines that is kept, seldom",
    ),
    (
        "saved_searches/page.sql",
        "a page in the order of the index",
    ),
    ("work_pools/all.sql", "the pools, of which there are few"),
    (
        "work_queues/all.sql",
        "the queues, of which there are few, with a deadline",
    ),
];

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => found.extend(files(&path)),
            false => found.push(path),
        }
    }
    found
}

fn plan(db: &Connection, sql: &str) -> Vec<String> {
    let mut explain = db.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
    let steps = explain.raw_query().mapped(|row| row.get(3));
    steps.map(|step| step.unwrap()).collect()
}

/// Whether a step goes through what stands in the statement itself.
fn is_of_values(step: &str) -> bool {
    step.contains("CONSTANT ROW") || step.ends_with("-ROW VALUES CLAUSE")
}

#[test]
fn no_statement_goes_through_a_table_that_grows() {
    let dir = tempfile::tempdir().unwrap();
    let mut db = connection::open_writer(&dir.path().join("t.db")).unwrap();
    migrate::run(&mut db).unwrap();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("sql/queries");
    let files = files(&root);
    assert!(files.len() > 60, "{} statements", files.len());
    let mut scanning = Vec::new();
    let mut statements = Vec::new();
    for file in files {
        let name = file.strip_prefix(&root).unwrap().display().to_string();
        if !name.starts_with("any/") {
            let text = std::fs::read_to_string(&file).unwrap();
            statements.push((name, sql::expanded(&text)));
        }
    }
    let of_each = rows::statements().into_iter();
    statements.extend(of_each.map(|text| (text.to_owned(), text.to_owned())));
    for (name, sql) in statements {
        let steps = plan(&db, &sql);
        let scans = steps
            .iter()
            .any(|step| step.starts_with("SCAN") && !is_of_values(step));
        if scans {
            assert!(
                MAY_SCAN.iter().any(|(may, _)| *may == name),
                "{name}: {steps:?}"
            );
            scanning.push(name);
        }
    }
    for (may, _) in MAY_SCAN {
        assert!(
            scanning.iter().any(|name| name == may),
            "{may} scans nothing"
        );
    }
}
