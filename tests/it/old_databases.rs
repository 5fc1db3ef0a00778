//! Databases of every released schema, brought up to date by today's daemon.

use std::fs;
use std::path::PathBuf;

use rusqlite::Connection;
use serde_json::json;

use super::support::TestDaemon;

/// Every kept database: `tests/old_databases/<schema>.sql`.
fn kept() -> Vec<PathBuf> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/old_databases");
    let files = fs::read_dir(folder).unwrap();
    files.map(|file| file.unwrap().path()).collect()
}

/// What the schema consists of, spelt as it was declared.
fn schema(daemon: &TestDaemon) -> Vec<(String, String)> {
    let db = Connection::open(daemon.database()).unwrap();
    let mut all = db
        .prepare("SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name")
        .unwrap();
    let rows = all.query_map([], |row| Ok((row.get(0)?, row.get(1)?)));
    rows.unwrap().map(|row| row.unwrap()).collect()
}

fn shrinkable(daemon: &TestDaemon) -> i64 {
    let db = Connection::open(daemon.database()).unwrap();
    db.pragma_query_value(None, "auto_vacuum", |row| row.get(0))
        .unwrap()
}

#[test]
fn every_released_schema_becomes_today_s_and_keeps_its_rows() {
    let mut fresh = TestDaemon::without_agent();
    fresh.terminate();
    assert!(!kept().is_empty());
    for path in kept() {
        let mut daemon = TestDaemon::restored(|state_dir| {
            fs::create_dir_all(state_dir).unwrap();
            let db = Connection::open(state_dir.join("prefectd.db")).unwrap();
            let dump = fs::read_to_string(&path).unwrap();
            db.execute_batch(&dump).unwrap();
        });
        let http = daemon.http();
        let asked = json!({ "flow_runs": { "name": { "any_": ["brave-owl"] } } });
        let runs = http.post("/flow_runs/filter", &asked).expect(200);
        let run = &runs[0];
        assert_eq!(run["state"]["message"], "All states completed.", "{path:?}");
        assert_eq!(run["parameters"], json!({ "n": 4 }));
        let id = run["id"].as_str().unwrap();
        assert_eq!(http.states(id), ["Pending", "Running", "Completed"]);
        let deployment = http.get("/deployments/name/etl/nightly").expect(200);
        assert_eq!(deployment["parameters"], json!({ "n": 3 }));
        assert_eq!(deployment["schedule"]["interval"], 86400.0);
        for (noun, count) in [
            ("flows", 1),
            ("deployments", 1),
            ("flow_runs", 2),
            ("task_runs", 1),
        ] {
            let counted = http.post(&format!("/{noun}/count"), &json!({})).expect(200);
            assert_eq!(counted, count, "{noun} of {path:?}");
        }
        let lines = http.post("/logs/filter", &json!({})).expect(200);
        assert_eq!(lines[0]["message"], "Finished in state Completed()");
        daemon.terminate();
        assert_eq!(schema(&daemon), schema(&fresh), "{path:?}");
        assert_eq!((shrinkable(&daemon), shrinkable(&fresh)), (2, 2));
    }
}
