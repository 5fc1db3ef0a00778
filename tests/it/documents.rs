//! Documents of any size that the operator permits, by the real client and its flows.

#![cfg(feature = "client")]

use std::process::Command;

use serde_json::{Value, json};

use super::support::flows::{deploy, file, run, venv};
use super::support::{Http, Options, TestDaemon, wait_for};

/// What a result may have had with the 2.0a7 server, and more than memory is to hold.
const MEGABYTES: u64 = 100;
/// How much memory the daemon may have taken, in kB.
const MOST: u64 = 150 * 1024;

fn daemon(env: Vec<(&'static str, String)>) -> TestDaemon {
    let daemon = TestDaemon::with(Options {
        flags: vec!["--no-docker-bridge"],
        env,
        ..Options::default()
    });
    wait_for("the relay", || {
        daemon.log().contains("runs reach the API at").then_some(())
    });
    daemon
}

fn relay(daemon: &TestDaemon) -> String {
    format!("http://127.0.0.2:{}", daemon.port())
}

/// The most memory that a process has had, in kB.
fn peak(pid: i32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM"));
    let mut words = line.unwrap().split_whitespace();
    words.nth(1).unwrap().parse().unwrap()
}

#[track_caller]
fn check_memory(daemon: &TestDaemon) {
    let own = peak(daemon.pid().cast_signed());
    let relay = super::relay_killed::relays(daemon)[0].as_raw();
    let relay = peak(relay);
    eprintln!("daemon {own} kB, relay {relay} kB at most");
    assert!(own < MOST, "daemon: {own} kB");
    assert!(relay < MOST, "relay: {relay} kB");
}

/// Persists and reads by the real client; answers the document that it was given.
fn persisted(daemon: &TestDaemon, url: &str, megabytes: u64) -> Value {
    let output = Command::new(venv().join("bin/python"))
        .arg(file("persisted.py"))
        .arg(megabytes.to_string())
        .env("PREFECT_ORION_HOST", format!("{url}/api/"))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}{}", daemon.log());
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn the_real_client_persists_and_resolves_what_is_large() {
    let daemon = daemon(Vec::new());
    let document = persisted(&daemon, &relay(&daemon), MEGABYTES);
    assert_eq!(document["encoding"], "file");
    persisted(&daemon, &daemon.url(), 40);
    check_memory(&daemon);
    let path = document["blob"].as_str().unwrap();
    let (folder, _) = path.rsplit_once('/').unwrap();
    let blobs = daemon.state_dir().join("blobs").canonicalize().unwrap();
    assert_eq!(folder, format!("file://{}", blobs.display()));
}

#[test]
fn what_was_stored_under_the_name_before_still_resolves() {
    let daemon = daemon(Vec::new());
    let stored = daemon.http().post_text("/data/persist", "1").expect(201);
    let blob: Value = serde_json::from_str(stored["blob"].as_str().unwrap()).unwrap();
    let (_, hash) = blob["blob"].as_str().unwrap().rsplit_once('/').unwrap();
    let inner = json!({ "encoding": "file", "blob": format!("file:///blobs/{hash}") });
    let outer = json!({ "encoding": "orion", "blob": inner.to_string() });
    assert_eq!(daemon.http().post("/data/retrieve", &outer).expect(200), 1);
}

#[test]
fn what_is_larger_than_the_operator_permits_is_refused_in_words() {
    let most = "1000000".to_owned();
    let daemon = daemon(vec![("PREFECTD_SERVER__DOCUMENT_MAX_BYTES", most)]);
    for url in [daemon.url(), relay(&daemon)] {
        let http = Http::new(&url);
        let fits = http.post_text("/data/persist", &"x".repeat(1_000_000));
        assert_eq!(fits.status, 201);
        for size in [1_000_001, 40_000_000] {
            let refused = http.post_text("/data/persist", &"x".repeat(size));
            assert_eq!(refused.status, 413, "{url} {size} {}", refused.body);
            let words = refused.body.to_string();
            assert!(words.contains("larger than"), "{words}");
        }
    }
    let blobs = std::fs::read_dir(daemon.state_dir().join("blobs")).unwrap();
    assert_eq!(blobs.count(), 1);
}

#[test]
fn a_process_has_a_large_result() {
    let daemon = daemon(Vec::new());
    let runner = json!({ "type": "subprocess", "config": { "virtualenv": venv() } });
    deploy(&daemon, "documents.py", &runner);
    let id = run(&daemon, "large", &json!({ "megabytes": MEGABYTES }));
    let ended = daemon.http().ended(&id);
    assert_eq!(ended["state_name"], "Completed", "{}", ended["state"]);
    check_memory(&daemon);
}

#[cfg(feature = "docker")]
#[test]
fn a_container_has_a_large_result() {
    let daemon = super::docker::daemon();
    let config = json!({ "image": super::docker::image(), "auto_remove": true });
    let runner = json!({ "type": "docker", "config": config });
    deploy(&daemon, "documents.py", &runner);
    let id = run(&daemon, "large", &json!({ "megabytes": MEGABYTES }));
    let ended = daemon.http().ended(&id);
    assert_eq!(ended["state_name"], "Completed", "{}", ended["state"]);
    check_memory(&daemon);
}
