//! Old runs go, what is not old stays, others' writes go on, and the file shrinks.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use rusqlite::Connection;
use serde_json::json;

use super::support::{Options, TestDaemon, wait_for};

/// Old runs to begin with; enough for the file to be worth shrinking.
const OLD: i64 = 5_000;

/// Old runs with all that belongs to them, and some of each kind that is to stay.
const SEED: &str = include_str!("retention.sql");

fn seed(database: &Path) {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let now = now.unwrap().as_micros() as i64;
    let script = SEED
        .replace(":old", &OLD.to_string())
        .replace(":then", &(now - 40 * 86_400_000_000).to_string())
        .replace(":now", &now.to_string());
    let db = Connection::open(database).unwrap();
    db.execute_batch(&format!(
        "BEGIN; {script} COMMIT; PRAGMA wal_checkpoint(TRUNCATE);"
    ))
    .unwrap();
}

fn number(database: &Path, sql: &str) -> i64 {
    let db = Connection::open(database).unwrap();
    db.query_row(sql, [], |row| row.get(0)).unwrap()
}

/// A stopped daemon on a seeded database.
fn seeded() -> TestDaemon {
    let mut daemon = TestDaemon::with(Options {
        flags: vec!["--no-agent", "--no-docker-bridge"],
        ..Options::default()
    });
    daemon.terminate();
    seed(&daemon.database());
    daemon
}

fn setting(name: &'static str, value: u64) -> (&'static str, String) {
    (name, value.to_string())
}

/// Says so when it is dropped.
struct Ended<'a>(&'a AtomicBool);

impl Drop for Ended<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

#[test]
fn old_runs_go_with_all_that_is_theirs_while_others_write() {
    let mut daemon = seeded();
    let database = daemon.database();
    let before = database.metadata().unwrap().len();
    daemon.restart(vec![setting("PREFECTD_RETENTION__FLOW_RUNS_DAYS", 30)]);
    let http = daemon.http();
    let flow = http.flow("busy");
    let gone = AtomicBool::new(false);
    let written = std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            let http = daemon.http();
            let mut written = Vec::new();
            while !gone.load(Ordering::SeqCst) {
                let run = http.flow_run(&flow);
                let running = json!({ "state": { "type": "RUNNING" } });
                let set = http.post(&format!("/flow_runs/{run}/set_state"), &running);
                assert_eq!(set.expect(201)["status"], "ACCEPT");
                written.push(run);
            }
            written
        });
        // The other thread ends also when this one fails.
        let ended = Ended(&gone);
        wait_for("half of the old runs to go", || {
            let left = json!({ "flow_runs": { "name": { "any_": ["old"] } } });
            let left = http.post("/flow_runs/count", &left).expect(200);
            (left.as_i64().unwrap() < OLD / 2).then_some(())
        });
        drop(ended);
        writer.join().unwrap()
    });
    assert!(!written.is_empty());
    wait_for("all old runs to go", || {
        let left = json!({ "flow_runs": { "name": { "any_": ["old"] } } });
        (http.post("/flow_runs/count", &left).expect(200) == 0).then_some(())
    });
    wait_for("the file to shrink", || {
        (daemon.metric("prefectd_database_free_pages") <= 128.0).then_some(())
    });
    daemon.terminate();
    let after = database.metadata().unwrap().len();
    assert!(after < before / 2, "{before} bytes before, {after} after");

    let count = |sql: &str| number(&database, sql);
    let stays = "SELECT count(*) FROM flow_runs WHERE name LIKE 'stays-%'";
    assert_eq!(count(stays), 5);
    let all = "SELECT count(*) FROM flow_runs";
    assert_eq!(count(all), 5 + written.len() as i64);
    let orphans =
        "SELECT count(*) FROM flow_runs WHERE name = 'stays-orphan' AND parent_task_run_id IS NULL";
    assert_eq!(count(orphans), 1);
    // What was theirs has gone with them; lines of runs that stay are kept.
    assert_eq!(count("SELECT count(*) FROM task_runs"), 2);
    assert_eq!(count("SELECT count(*) FROM task_run_states"), 1);
    assert_eq!(count("SELECT count(*) FROM logs"), 1);
    assert_eq!(count("SELECT count(*) FROM pragma_foreign_key_check"), 0);
    let kept = "SELECT count(*) FROM task_run_state_cache WHERE cache_key = 'kept'";
    assert_eq!(
        (
            count(kept),
            count("SELECT count(*) FROM task_run_state_cache")
        ),
        (1, 1)
    );
}

#[test]
fn a_number_of_runs_can_be_kept_and_lines_can_go_before_their_runs() {
    let mut daemon = seeded();
    daemon.restart(vec![
        setting("PREFECTD_RETENTION__FLOW_RUNS_MAX", 100),
        setting("PREFECTD_RETENTION__LOGS_DAYS", 30),
    ]);
    let http = daemon.http();
    // The youngest, and 99 of the old ones; sub-flows are not counted.
    wait_for("all but the newest to go", || {
        let left = json!({ "flow_runs": { "name": { "any_": ["old"] } } });
        (http.post("/flow_runs/count", &left).expect(200) == 99).then_some(())
    });
    wait_for("the old lines to go", || {
        let all = http.post("/logs/filter", &json!({})).expect(200);
        (all.as_array().unwrap().len() == 1).then_some(())
    });
    daemon.terminate();
    let newest = format!(
        "SELECT count(*) FROM flow_runs WHERE name = 'old' AND updated - created = 0 AND substr(id, 9) > unhex(printf('%016x', 0x8000000000000000 | {}))",
        OLD - 99
    );
    assert_eq!(number(&daemon.database(), &newest), 99);
}

#[test]
fn nothing_goes_unless_somebody_says_so_or_without_services() {
    let mut daemon = seeded();
    daemon.restart(Vec::new());
    // The entries that answer nothing are the last thing that a look takes away.
    wait_for("a look", || {
        let entries = "SELECT count(*) FROM task_run_state_cache";
        (number(&daemon.database(), entries) == 1).then_some(())
    });
    daemon.terminate();
    let old = "SELECT count(*) FROM flow_runs WHERE name = 'old'";
    assert_eq!(number(&daemon.database(), old), OLD);

    let mut daemon = TestDaemon::with(Options {
        flags: vec!["--no-agent", "--no-docker-bridge", "--no-services"],
        ..Options::default()
    });
    daemon.terminate();
    seed(&daemon.database());
    daemon.restart(vec![setting("PREFECTD_RETENTION__FLOW_RUNS_DAYS", 30)]);
    for _ in 0..20 {
        daemon.http().flow("f");
    }
    daemon.terminate();
    assert_eq!(number(&daemon.database(), old), OLD);
    assert!(!daemon.log().contains("old runs are gone"));
}

#[test]
fn settings_that_make_no_sense_are_refused() {
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_prefectd"))
        .env("PREFECTD_RETENTION__FLOW_RUNS_DAYS", "0")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(told.contains("at least 1"), "{told}");
}
