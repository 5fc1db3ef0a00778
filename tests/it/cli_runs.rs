//! `prefectctl` on many runs at once, on flows, on what runs use, and where it cannot reach the
//! daemon.

use std::io::{BufRead, BufReader, Lines};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::support::words::{ctl, json_of, refused, said};
use super::support::{Options, TestDaemon, in_terminal};

fn runner() -> Value {
    json!({ "type": "subprocess", "config": {} })
}

/// `etl/nightly` and its runs, by name.
fn with_runs(names: &[&str]) -> TestDaemon {
    let daemon = TestDaemon::without_agent();
    let http = daemon.http();
    let deployment = http.deployment(&http.flow("etl"), "nightly", &runner());
    for name in names {
        let body = json!({ "name": name, "state": { "type": "SCHEDULED" } });
        let path = format!("/deployments/{deployment}/create_flow_run");
        http.post(&path, &body).expect(201);
    }
    daemon
}

fn count(daemon: &TestDaemon, state: &str) -> u64 {
    let query = json!({ "flow_runs": { "state": { "type": { "any_": [state] } } } });
    let counted = daemon.http().post("/v3/flow_runs/count", &query);
    counted.expect(200).as_u64().unwrap()
}

#[test]
fn programs_are_told_the_names_of_what_was_changed() {
    let daemon = with_runs(&["a", "b"]);
    let names = |words: &[&str]| {
        let told = json_of(&daemon, words);
        assert_eq!(told["name"], "a", "{words:?}: {told}");
        assert_eq!(told["flow_name"], "etl", "{words:?}: {told}");
        assert_eq!(told["deployment"], "etl/nightly", "{words:?}: {told}");
        assert!(told["id"].is_string(), "{words:?}: {told}");
    };
    names(&["flow-run", "cancel", "a"]);
    names(&["flow-run", "retry", "a"]);
    names(&["flow-run", "cancel", "a", "--wait"]);
    let waited = ctl(&daemon, &["flow-run", "wait", "a", "-o", "json"]);
    let waited: Value = serde_json::from_slice(&waited.stdout).unwrap();
    assert_eq!(waited["deployment"], "etl/nightly");
    names(&["flow-run", "delete", "a"]);
    let told = json_of(&daemon, &["deployment", "pause", "etl/nightly"]);
    assert_eq!(told["full_name"], "etl/nightly");
    let told = json_of(&daemon, &["deployment", "delete", "etl/nightly"]);
    assert_eq!(told["full_name"], "etl/nightly");
}

#[test]
fn several_runs_are_changed_when_that_is_said() {
    let daemon = with_runs(&["a", "b", "c", "d"]);
    let told = refused(&daemon, &["flow-run", "cancel", "a", "b"], 2);
    assert!(
        told.contains("2 flow runs") && told.contains("--yes"),
        "{told}"
    );
    assert_eq!(count(&daemon, "CANCELLED"), 0);
    let told = said(&daemon, &["flow-run", "cancel", "a", "b", "a", "--yes"]);
    assert!(
        told.contains("'a' is Cancelled") && told.contains("2 flow runs"),
        "{told}"
    );
    let by_filter = ["flow-run", "cancel", "--deployment", "etl/nightly"];
    let told = refused(&daemon, &by_filter, 2);
    assert!(
        told.contains("2 flow runs (") && told.contains("--yes"),
        "{told}"
    );
    let told = said(&daemon, &[&by_filter[..], &["-y", "-o", "json"]].concat());
    let decisions: Value = serde_json::from_str(&told).unwrap();
    assert_eq!(decisions.as_array().unwrap().len(), 2);
    assert_eq!(count(&daemon, "CANCELLED"), 4);
    said(&daemon, &["flow-run", "retry", "a", "b", "-y"]);
    assert_eq!(count(&daemon, "SCHEDULED"), 2);
    // What has not ended stays, and the rest goes.
    let told = refused(&daemon, &["flow-run", "delete", "a", "c", "-y"], 1);
    assert!(told.contains("'a' has not ended"), "{told}");
    said(
        &daemon,
        &["flow-run", "delete", "--state", "cancelled", "--yes"],
    );
    assert_eq!(
        (count(&daemon, "CANCELLED"), count(&daemon, "SCHEDULED")),
        (0, 2)
    );
    let told = refused(&daemon, &["flow-run", "delete"], 2);
    assert!(told.contains("--state"), "{told}");
    refused(
        &daemon,
        &["flow-run", "delete", "--state", "FAILED", "-y"],
        1,
    );
}

#[test]
fn waiting_succeeds_only_with_the_runs() {
    let daemon = with_runs(&["a", "b"]);
    let told = refused(&daemon, &["flow-run", "wait", "a", "--timeout", "1s"], 1);
    assert!(told.contains("in time"), "{told}");
    let told = said(&daemon, &["flow-run", "cancel", "a", "--wait"]);
    assert!(told.contains("'a' is Cancelled"), "{told}");
    let told = refused(&daemon, &["flow-run", "wait", "a"], 1);
    assert!(told.contains("did not complete"), "{told}");
    let runs = daemon
        .http()
        .post("/v3/flow_runs/filter", &json!({}))
        .expect(200);
    let b = runs
        .as_array()
        .unwrap()
        .iter()
        .find(|run| run["name"] == "b");
    let id = b.unwrap()["id"].as_str().unwrap();
    let ended = json!({ "state": { "type": "COMPLETED" }, "force": true });
    let http = daemon.http();
    http.post(&format!("/flow_runs/{id}/set_state"), &ended)
        .expect(201);
    said(&daemon, &["flow-run", "wait", "b"]);
}

#[test]
fn whoever_waits_at_a_terminal_is_told_what_for() {
    let daemon = with_runs(&["a"]);
    let mut command = daemon.ctl();
    command.args(["flow-run", "wait", "a", "--timeout", "3s"]);
    let shown = in_terminal(&mut command, 80);
    let (waiting, end) = shown.split_once("waiting for a for").unwrap();
    assert!(waiting.contains("0 of 1 flow run ended"), "{shown}");
    assert!(
        end.contains("\u{1b}[Kprefectctl: a has not ended in time"),
        "{shown:?}"
    );
}

#[test]
fn a_flow_with_deployments_goes_only_when_forced() {
    let daemon = with_runs(&["a"]);
    let http = daemon.http();
    let flows = http.post("/v3/flows/filter", &json!({})).expect(200);
    let path = format!("/v3/flows/{}", flows[0]["id"].as_str().unwrap());
    let refusal = http.delete(&path);
    assert_eq!(refusal.status, 409);
    let detail = refusal.body["detail"].as_str().unwrap().to_owned();
    assert!(detail.contains("1 deployment and 1 flow run"), "{detail}");
    let told = refused(&daemon, &["flow", "delete", "etl"], 1);
    assert!(
        told.contains("1 deployment") && told.contains("--force"),
        "{told}"
    );
    let told = refused(&daemon, &["flow", "delete", "etl", "--force"], 2);
    assert!(told.contains("--yes"), "{told}");
    said(&daemon, &["flow", "delete", "etl", "--force", "--yes"]);
    assert_eq!(http.get(&path).status, 404);
    // The frozen dialect and Prefect's own clients keep their ways.
    let flow = http.flow("second");
    http.deployment(&flow, "d", &runner());
    http.delete(&format!("/flows/{flow}")).expect(204);
    let flow = http.flow("third");
    http.deployment(&flow, "d", &runner());
    let mut forced = http.delete(&format!("/v3/flows/{flow}?force=false"));
    assert_eq!(forced.status, 409);
    forced = http.delete(&format!("/v3/flows/{flow}?force=true"));
    assert_eq!(forced.status, 204);
    let flow = http.flow("empty");
    http.delete(&format!("/v3/flows/{flow}")).expect(204);
}

#[test]
fn what_runs_use_is_shown() {
    let daemon = TestDaemon::with(Options {
        flags: vec!["--no-docker-bridge"],
        ..Options::default()
    });
    let http = daemon.http();
    let spin = json!({ "type": "subprocess", "config": { "env": {} } });
    let deployment = http.deployment(&http.flow("busy"), "d", &spin);
    let body = json!({ "name": "spinning", "state": { "type": "SCHEDULED" } });
    http.post(&format!("/deployments/{deployment}/create_flow_run"), &body)
        .expect(201);
    // Whatever becomes of it, the list is one.
    let told = said(&daemon, &["top", "--once", "-o", "json"]);
    assert!(serde_json::from_str::<Value>(&told).unwrap().is_array());
    said(&daemon, &["top"]);
}

#[test]
fn why_nobody_answers_is_told_apart() {
    let dir = tempfile::tempdir().unwrap();
    let asked = |flag: &str, place: &str| {
        let output = Command::new(env!("CARGO_BIN_EXE_prefectctl"))
            .args([flag, place, "status"])
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(1));
        let told = String::from_utf8(output.stderr).unwrap();
        assert!(told.contains(place), "{told}");
        assert!(!told.contains("legacy client"), "{told}");
        assert_eq!(told.lines().count(), 1, "{told}");
        told
    };
    let absent = dir.path().join("absent.sock");
    assert!(asked("--socket", absent.to_str().unwrap()).contains("there is no socket"));
    let left = dir.path().join("left.sock");
    drop(UnixListener::bind(&left).unwrap());
    assert!(asked("--socket", left.to_str().unwrap()).contains("nobody answers"));
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    let told = asked("--api", &format!("http://127.0.0.1:{port}"));
    assert!(told.contains("connection refused"), "{told}");
    if nix::unistd::geteuid().is_root() {
        return; // to whom nothing is forbidden
    }
    let closed = dir.path().join("closed.sock");
    let _listening = UnixListener::bind(&closed).unwrap();
    std::fs::set_permissions(&closed, std::fs::Permissions::from_mode(0o000)).unwrap();
    let told = asked("--socket", closed.to_str().unwrap());
    assert!(
        told.contains("may not") && !told.contains("running"),
        "{told}"
    );
}

#[test]
fn a_reader_that_goes_ends_every_command_quietly() {
    let daemon = with_runs(&["a"]);
    for words in [
        &["completions", "bash"][..],
        &["completions", "zsh"],
        &["--help"],
        &["flow-run", "ls"],
        &["flow-run", "ls", "-o", "json"],
        &["deployment", "ls"],
        &["status"],
    ] {
        let mut command = daemon.ctl();
        let mut child = command
            .args(words)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let ended = child.wait_with_output().unwrap();
        let told = String::from_utf8(ended.stderr).unwrap();
        assert!(told.is_empty(), "{words:?}: {told}");
        assert!(ended.status.success(), "{words:?}");
    }
}

#[test]
fn help_says_what_the_environment_may_say() {
    let daemon = TestDaemon::without_agent();
    let help = said(&daemon, &["--help"]);
    for name in [
        "PREFECTD_SOCKET",
        "PREFECT_API_URL",
        "PREFECT_API_KEY",
        "man",
    ] {
        assert!(help.contains(name), "{name}");
    }
    for words in [
        &["flow-run", "ls"][..],
        &["task-run", "ls"],
        &["flow", "delete"],
        &["deployment", "delete"],
        &["flow-run", "wait"],
        &["top"],
        &["man"],
        &["deployment"],
        &["flow"],
        &["flow-run"],
        &["task-run"],
        &["agent"],
        &["auth"],
        &["config"],
    ] {
        let help = said(&daemon, &[words, &["--help"]].concat());
        assert!(help.contains("Example"), "{words:?}");
    }
}

/// Starts a list that is watched, and answers it with what it has shown first.
fn watched(daemon: &TestDaemon, noun: &str) -> (Child, Lines<BufReader<ChildStdout>>, Value) {
    let mut command = daemon.ctl();
    let mut child = command
        .args([noun, "ls", "--watch", "-o", "json"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let first = lines.next().unwrap().unwrap();
    let first = serde_json::from_str(&first).unwrap();
    (child, lines, first)
}

#[test]
fn lists_are_watched_without_being_asked_for_again_and_again() {
    let daemon = with_runs(&["a"]);
    let (mut runs, mut of_runs, first) = watched(&daemon, "flow-run");
    assert_eq!(first[0]["name"], "a");
    let (mut deployments, mut of_deployments, first) = watched(&daemon, "deployment");
    assert_eq!(first[0]["full_name"], "etl/nightly");
    let shown = |lines: &mut Lines<_>, is_it: &dyn Fn(&Value) -> bool| {
        let begun = Instant::now();
        loop {
            let line = lines.next().unwrap().unwrap();
            if is_it(&serde_json::from_str(&line).unwrap()) {
                return begun.elapsed();
            }
        }
    };
    // Each is shown before the list is looked at without a word of anything.
    let soon = Duration::from_secs(7);
    for number in 1..=3 {
        daemon.http().flow_run(&daemon.http().flow("etl"));
        let took = shown(&mut of_runs, &|all| all.as_array().unwrap().len() > number);
        assert!(took < soon, "{took:?}");
    }
    let path = format!("/deployments/{}", first[0]["id"].as_str().unwrap());
    daemon.http().delete(&path).expect(204);
    let took = shown(&mut of_deployments, &|all| {
        all.as_array().unwrap().is_empty()
    });
    assert!(took < soon, "{took:?}");
    for child in [&mut runs, &mut deployments] {
        child.kill().unwrap();
        child.wait().unwrap();
    }
}

#[cfg(feature = "client")]
#[test]
fn what_a_run_s_processes_use_is_added_up() {
    use super::support::flows::{deploy, run, venv};
    use super::support::wait_for;
    let daemon = TestDaemon::with(Options {
        flags: vec!["--no-docker-bridge"],
        env: vec![(
            "PREFECTD_RUNNERS__PYTHON",
            venv().join("bin/python").display().to_string(),
        )],
        ..Options::default()
    });
    deploy(&daemon, "cases.py", &runner());
    let dir = tempfile::tempdir().unwrap();
    let id = run(
        &daemon,
        "sleeper",
        &json!({ "mark": dir.path().join("mark") }),
    );
    let told = wait_for("the run to use something", || {
        let told = said(&daemon, &["top", "--once", "-o", "json"]);
        let told: Value = serde_json::from_str(&told).unwrap();
        (told[0]["cpu_seconds"].as_f64() > Some(0.0)).then(|| told[0].clone())
    });
    assert_eq!(told["id"], id.as_str());
    assert!(told["memory_bytes"].as_u64() > Some(1_000_000), "{told}");
    let table = said(&daemon, &["top"]);
    assert!(
        table.contains("MiB") && table.contains("sleeper"),
        "{table}"
    );
    let cancelled = said(&daemon, &["flow-run", "cancel", &id, "--wait"]);
    assert!(!cancelled.contains("Cancelling"), "{cancelled}");
}
