//! Backups taken while everything goes on, and the way back.

use std::path::Path;
use std::process::{Command, Output};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use serde_json::Value;

use super::support::{TestDaemon, wait_for};

fn words(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[track_caller]
fn done(output: &Output) -> Value {
    assert!(output.status.success(), "{}", words(output));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[track_caller]
fn refused(output: &Output, word: &str) {
    let told = words(output);
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.contains(word), "{told}");
    assert_eq!(told.trim_end().lines().count(), 1, "one line: {told}");
}

fn backup(daemon: &TestDaemon, more: &[&str], to: &Path) -> Output {
    let mut command = daemon.ctl();
    command.args(["backup", "-o", "json"]).args(more).arg(to);
    command.output().unwrap()
}

fn restore(file: &Path, state_dir: &Path, more: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_prefectctl"))
        .args(["restore", "-o", "json", "--state-dir"])
        .arg(state_dir)
        .args(more)
        .arg(file)
        .output()
        .unwrap()
}

#[test]
fn every_run_acknowledged_before_a_backup_is_in_it() {
    let daemon = TestDaemon::without_agent();
    let flow = daemon.http().flow("busy");
    let document = daemon.http().post_text("/data/persist", "flow code");
    let document = document.expect(201);
    let stop = AtomicBool::new(false);
    let acknowledged = Mutex::new(Vec::new());
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("b.tar");
    let (began, ended) = std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let http = daemon.http();
                while !stop.load(Ordering::SeqCst) {
                    let run = http.flow_run(&flow);
                    acknowledged.lock().unwrap().push((Instant::now(), run));
                }
            });
        }
        let so_far = |least| {
            wait_for("runs", || {
                (acknowledged.lock().unwrap().len() >= least).then_some(())
            });
        };
        so_far(500);
        let began = Instant::now();
        let told = done(&backup(&daemon, &[], &file));
        let ended = Instant::now();
        assert_eq!(told["bytes"], file.metadata().unwrap().len());
        let more = acknowledged.lock().unwrap().len() + 100;
        so_far(more);
        stop.store(true, Ordering::SeqCst);
        (began, ended)
    });
    let acknowledged = acknowledged.into_inner().unwrap();
    let during = acknowledged
        .iter()
        .filter(|(at, _)| *at > began && *at < ended);
    assert!(during.count() > 0, "writes went on during the backup");

    let mode = std::os::unix::fs::PermissionsExt::mode(&file.metadata().unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
    let other = TestDaemon::restored(|state_dir| {
        let told = done(&restore(&file, state_dir, &[]));
        assert_eq!(told["backup"]["documents"], 1);
    });
    let before: Vec<_> = acknowledged.iter().filter(|(at, _)| *at < began).collect();
    assert!(before.len() >= 500);
    for (_, run) in &before {
        assert_eq!(other.http().states(run), ["Pending"], "{run}");
    }
    let fetched = other.http().post("/data/retrieve", &document);
    assert_eq!(fetched.status, 200);
    // It is a database like any other.
    other.http().flow_run(&flow);
}

#[test]
fn a_directory_gets_dated_backups_and_keeps_the_newest() {
    let daemon = TestDaemon::without_agent();
    let dir = tempfile::tempdir().unwrap();
    let names = || {
        let names = std::fs::read_dir(dir.path()).unwrap();
        let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<_> = names.collect();
        names.sort();
        names
    };
    for old in [
        "prefectd-20200101T000000Z.tar",
        "prefectd-20200102T000000Z.tar",
        "mine.tar",
    ] {
        std::fs::write(dir.path().join(old), "").unwrap();
    }
    let told = done(&backup(&daemon, &["--keep", "2"], dir.path()));
    let removed = dir.path().join("prefectd-20200101T000000Z.tar");
    assert_eq!(told["removed"], serde_json::json!([removed]));
    assert_eq!(names().len(), 3, "{:?}", names());
    let newest = names().into_iter().next_back().unwrap();
    assert_eq!(
        told["file"].as_str().unwrap(),
        dir.path().join(newest).to_str().unwrap()
    );
}

#[test]
fn backups_are_not_written_where_they_should_not() {
    let daemon = TestDaemon::without_agent();
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("b.tar");
    std::fs::write(&file, "precious").unwrap();
    refused(&backup(&daemon, &[], &file), "--force");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "precious");
    done(&backup(&daemon, &["--force"], &file));
    refused(
        &backup(&daemon, &[], &dir.path().join("none/b.tar")),
        "none",
    );
    refused(
        &backup(&daemon, &[], &dir.path().join("none/")),
        "create it",
    );
    let usage = backup(&daemon, &["--keep", "3"], &dir.path().join("c.tar"));
    assert_eq!(usage.status.code(), Some(2));
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);

    let piped = daemon.ctl().args(["backup", "-"]).output().unwrap();
    assert!(piped.status.success(), "{}", words(&piped));
    let copy = dir.path().join("piped.tar");
    std::fs::write(&copy, piped.stdout).unwrap();
    done(&restore(&copy, &dir.path().join("state"), &[]));
}

#[test]
fn restoring_needs_a_state_directory_that_nobody_holds() {
    let mut daemon = TestDaemon::without_agent();
    let flow = daemon.http().flow("kept");
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("b.tar");
    done(&backup(&daemon, &[], &file));
    let later = daemon.http().flow_run(&flow);
    refused(
        &restore(&file, &daemon.state_dir(), &["--force"]),
        &daemon.pid().to_string(),
    );
    daemon.terminate();
    refused(&restore(&file, &daemon.state_dir(), &[]), "--force");
    let told = done(&restore(&file, &daemon.state_dir(), &["--force"]));
    assert!(Path::new(told["replaced"].as_str().unwrap()).exists());
    daemon.restart(Vec::new());
    let flows = daemon.http().post("/flows/count", &Value::Null);
    assert_eq!(flows.expect(200), 1);
    assert_eq!(
        daemon.http().get(&format!("/flow_runs/{later}")).status,
        404
    );

    let empty = dir.path().join("empty.tar");
    std::fs::write(&empty, "").unwrap();
    refused(
        &restore(&empty, &dir.path().join("state"), &[]),
        "no backup",
    );
    refused(
        &restore(&dir.path().join("none.tar"), &dir.path().join("state"), &[]),
        "none.tar",
    );
}

#[test]
fn when_a_backup_was_made_is_told_in_local_time() {
    let daemon = TestDaemon::without_agent();
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("b.tar");
    done(&backup(&daemon, &[], &file));
    let output = Command::new(env!("CARGO_BIN_EXE_prefectctl"))
        .env("TZ", "Asia/Tokyo")
        .args(["restore", "--state-dir"])
        .arg(dir.path().join("state"))
        .arg(&file)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", words(&output));
    let told = String::from_utf8(output.stdout).unwrap();
    let made = told.lines().find(|line| line.starts_with("backup of"));
    let made = made.unwrap_or_else(|| panic!("{told}"));
    assert!(made.ends_with(" JST"), "{told}");
}

#[test]
fn what_is_restored_belongs_to_the_owner_of_the_state_directory() {
    let daemon = TestDaemon::without_agent();
    let document = daemon.http().post_text("/data/persist", "a document");
    document.expect(201);
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("b.tar");
    done(&backup(&daemon, &[], &file));
    let state = dir.path().join("state");
    std::fs::create_dir(&state).unwrap();
    // Only root has others to restore for; anybody else restores for himself.
    if nix::unistd::geteuid().is_root() {
        std::os::unix::fs::chown(&state, Some(65_534), Some(65_534)).unwrap();
    }
    done(&restore(&file, &state, &[]));
    let blobs = std::fs::read_dir(state.join("blobs")).unwrap();
    let mut all: Vec<_> = blobs.map(|entry| entry.unwrap().path()).collect();
    assert_eq!(all.len(), 1);
    all.extend(["prefectd.db", "prefectd.lock", "blobs"].map(|name| state.join(name)));
    let owner = |path: &Path| std::os::unix::fs::MetadataExt::uid(&path.metadata().unwrap());
    for path in all {
        assert_eq!(owner(&path), owner(&state), "{}", path.display());
    }
}
