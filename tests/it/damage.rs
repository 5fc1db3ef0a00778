//! A database file that is damaged: told with what helps, at the start and when it is met.

use std::path::Path;
use std::process::Command;

use serde_json::json;

use super::support::{TestDaemon, wait_for};

/// What a daemon says that is to start on that state directory and does not.
fn refusal(state: &Path) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_prefectd"))
        .arg("--state-dir")
        .arg(state)
        .arg("--socket")
        .arg(state.join("socket"))
        .args(["--listen", "127.0.0.1:0"])
        .args(["--no-agent", "--no-docker-bridge"])
        .args(["--log-format", "text", "--log-level", "error"])
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert_eq!(told.trim().lines().count(), 1, "{told}");
    told
}

#[test]
fn a_damaged_file_is_one_line_at_the_start() {
    let mut daemon = TestDaemon::without_agent();
    let http = daemon.http();
    for number in 0..50 {
        http.flow(&format!("flow {number}"));
    }
    assert!(daemon.terminate().success());
    let whole = std::fs::read(daemon.database()).unwrap();
    let mut scrambled = whole.clone();
    scrambled[100..3000].fill(0x5a);
    let mut no_header = whole.clone();
    no_header[..16].fill(0);
    for (what, bytes, word) in [
        ("half", &whole[..whole.len() / 2], "is damaged"),
        ("a page", &whole[..4096], "is damaged"),
        ("less than a header", &whole[..50], "is damaged"),
        (
            "no database",
            b"no database, but some words".as_slice(),
            "is damaged",
        ),
        ("another header", no_header.as_slice(), "is damaged"),
        ("no list of tables", scrambled.as_slice(), "is damaged"),
        ("nothing", &[], "is empty"),
    ] {
        std::fs::write(daemon.database(), bytes).unwrap();
        let told = refusal(&daemon.state_dir());
        assert!(told.contains(word), "{what}: {told}");
        assert!(
            told.contains("prefectctl restore --force"),
            "{what}: {told}"
        );
        // What is left of it is for people who mend such files.
        assert_eq!(std::fs::read(daemon.database()).unwrap(), bytes, "{what}");
    }
    std::fs::write(daemon.database(), whole).unwrap();
    daemon.restart(Vec::new());
    let found = daemon.http().post("/flows/count", &json!({})).body;
    assert_eq!(found, 50);
}

#[test]
fn a_broken_page_is_told_by_whoever_meets_it_and_logged_once() {
    let mut daemon = TestDaemon::without_agent();
    let flow = daemon.http().flow("f");
    assert!(daemon.terminate().success());
    break_table(&daemon.database(), "flows");
    daemon.restart(Vec::new());
    let http = daemon.http();
    for _ in 0..5 {
        let refused = http.get(&format!("/flows/{flow}"));
        assert_eq!(refused.status, 503, "{refused:?}");
        let listed = http.post("/flows/filter", &json!({}));
        assert_eq!(listed.status, 503, "{listed:?}");
        let written = http.post("/flows/", &json!({ "name": "g" }));
        assert_eq!(written.status, 503, "{written:?}");
        let told = written.body.to_string();
        assert!(told.contains("prefectctl restore --force"), "{told}");
    }
    let log = daemon.log();
    assert_eq!(log.matches("The database is damaged").count(), 1, "{log}");
    for words in [["status"], ["doctor"]] {
        let output = daemon.ctl().args(words).output().unwrap();
        let told = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(told.contains("restore"), "{words:?}: {told}");
    }
    // What is sound still takes writes, which end no damage.
    let sound = json!({ "name": "all", "filters": [] });
    http.put("/saved_searches/", &sound).expect(201);
    wait_for("the trouble to stay", || {
        let status = daemon.status();
        status["storage_trouble"].is_string().then_some(())
    });
}

/// Overwrites the page at which a table begins.
fn break_table(database: &Path, table: &str) {
    let db = rusqlite::Connection::open(database).unwrap();
    let page: u32 = db
        .query_row(
            "SELECT rootpage FROM sqlite_schema WHERE type = 'table' AND name = ?1",
            [table],
            |row| row.get(0),
        )
        .unwrap();
    let size: u32 = db
        .query_row("PRAGMA page_size", [], |row| row.get(0))
        .unwrap();
    drop(db);
    let mut bytes = std::fs::read(database).unwrap();
    let begins = ((page - 1) * size) as usize;
    bytes[begins..begins + size as usize].fill(0x5a);
    std::fs::write(database, bytes).unwrap();
}
