//! How runs as processes of this machine end, and what may stand in their way.

#![cfg(feature = "client")]

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};

use super::support::flows::{deploy, file, run, venv};
use super::support::{Options, TestAgent, TestDaemon, wait_for};

/// Where nobody listens.
const NO_PROXY_THERE: &str = "http://127.0.0.1:9";

fn daemon_with(env: Vec<(&'static str, String)>) -> TestDaemon {
    let python = venv().join("bin/python").display().to_string();
    let mut all = vec![("PREFECTD_RUNNERS__PYTHON", python)];
    all.extend(env);
    TestDaemon::with(Options {
        flags: vec!["--no-docker-bridge"],
        env: all,
        ..Options::default()
    })
}

fn restart(daemon: &mut TestDaemon) {
    let python = venv().join("bin/python").display().to_string();
    daemon.restart(vec![("PREFECTD_RUNNERS__PYTHON", python)]);
}

fn on_subprocess() -> Value {
    json!({ "type": "subprocess", "config": {} })
}

fn marks(mark: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(mark).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

fn lives(pid: &str) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let state = stat.rsplit_once(") ").map(|(_, rest)| rest.chars().next());
    !matches!(state, None | Some(Some('Z' | 'X') | None))
}

/// A run that has begun a process in a session of its own: the run, that process, the run's own.
fn breeding(daemon: &TestDaemon, mark: &Path) -> (String, String, String) {
    let id = run(daemon, "breeder", &json!({ "mark": mark }));
    let pids = wait_for("the flow to start", || {
        let pids = marks(mark);
        (pids.len() == 2).then_some(pids)
    });
    (id, pids[0].clone(), pids[1].clone())
}

#[test]
fn cancelling_ends_what_the_run_began_in_sessions_of_its_own() {
    let daemon = daemon_with(Vec::new());
    deploy(&daemon, "endings.py", &on_subprocess());
    let dir = tempfile::tempdir().unwrap();
    let (id, child, leader) = breeding(&daemon, &dir.path().join("mark"));
    let cancelled = daemon.ctl().args(["flow-run", "cancel", &id]).status();
    assert!(cancelled.unwrap().success());
    let ended = daemon.http().ended(&id);
    assert_eq!(ended["state_type"], "CANCELLED", "{ended}");
    wait_for("all of its processes to end", || {
        (!lives(&child) && !lives(&leader)).then_some(())
    });
}

#[test]
fn a_run_whose_process_is_gone_ends_though_what_it_began_lives() {
    let mut daemon = daemon_with(Vec::new());
    deploy(&daemon, "endings.py", &on_subprocess());
    let dir = tempfile::tempdir().unwrap();
    let (crashing, child, leader) = breeding(&daemon, &dir.path().join("one"));
    let (cancelled, other, other_leader) = breeding(&daemon, &dir.path().join("two"));
    daemon.kill();
    for pid in [&leader, &other_leader] {
        kill(Pid::from_raw(pid.parse().unwrap()), Signal::SIGKILL).unwrap();
    }
    restart(&mut daemon);
    let cancel = json!({ "state": { "type": "CANCELLING" } });
    // Whichever is first, the cancel or the look at the process: a run that has ended is not
    // cancelled.
    let path = format!("/v3/flow_runs/{cancelled}/set_state");
    let told = daemon.http().post(&path, &cancel);
    assert!([200, 201].contains(&told.status), "{told:?}");
    let ended = daemon.http().ended(&crashing);
    assert_eq!(ended["state_type"], "CRASHED", "{ended}");
    let message = ended["state"]["message"].as_str().unwrap();
    assert!(message.contains("gone"), "{message}");
    let ended = daemon.http().ended(&cancelled);
    assert!(
        ["CANCELLED", "CRASHED"].contains(&ended["state_type"].as_str().unwrap()),
        "{ended}"
    );
    for pid in [child, other] {
        // Either may have been ended already.
        let _ = kill(Pid::from_raw(pid.parse().unwrap()), Signal::SIGKILL);
    }
}

#[test]
fn a_proxy_stands_in_nobody_s_way() {
    let proxies = ["HTTP_PROXY", "http_proxy", "ALL_PROXY"];
    let env = proxies
        .map(|name| (name, NO_PROXY_THERE.to_owned()))
        .to_vec();
    let daemon = daemon_with(env);
    let created = daemon
        .ctl()
        .args(["deployment", "create"])
        .arg(file("proxied.py"))
        .arg("--python")
        .arg(venv().join("bin/python"))
        .envs(proxies.map(|name| (name, NO_PROXY_THERE)))
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&created.stderr).into_owned();
    assert!(created.status.success(), "{told}");
    let dir = tempfile::tempdir().unwrap();
    let mark = dir.path().join("mark");
    let id = run(&daemon, "proxied", &json!({ "mark": mark }));
    let ended = daemon.http().ended(&id);
    assert_eq!(
        ended["state_name"], "Completed",
        "{}",
        ended["state"]["message"]
    );
    let seen = marks(&mark);
    assert!(
        seen[0].contains("127.0.0.2") && seen[0] == seen[1],
        "{seen:?}"
    );
}

#[test]
fn a_run_s_last_lines_survive_a_stop_of_the_daemon() {
    let mut daemon = daemon_with(Vec::new());
    deploy(&daemon, "endings.py", &on_subprocess());
    let id = run(&daemon, "last-words", &json!({}));
    assert_eq!(daemon.http().ended(&id)["state_name"], "Completed");
    std::thread::sleep(Duration::from_millis(150));
    assert!(daemon.terminate().success());
    restart(&mut daemon);
    let stored = || {
        let database = rusqlite::Connection::open(daemon.database()).unwrap();
        let sql = "SELECT count(*) FROM logs WHERE message LIKE 'word %'";
        database
            .query_row(sql, [], |row| row.get::<_, u32>(0))
            .unwrap()
    };
    wait_for("its last lines", || (stored() == 500).then_some(()));
    wait_for("its output to be closed", || {
        let mut files = std::fs::read_dir(daemon.state_dir().join("runs")).unwrap();
        files.next().is_none().then_some(())
    });
    assert_eq!(stored(), 500);
}

/// A daemon without its own agent, whose lease for others is three seconds.
fn strict_daemon() -> TestDaemon {
    TestDaemon::with(Options {
        flags: vec!["--no-agent", "--no-docker-bridge"],
        env: vec![("PREFECTD_SERVER__AGENT_LEASE_SECS", "3".to_owned())],
        ..Options::default()
    })
}

#[test]
fn a_daemon_that_stood_still_gives_nobody_up() {
    let daemon = strict_daemon();
    let runner = json!({ "type": "subprocess", "config": { "virtualenv": venv() } });
    deploy(&daemon, "cases.py", &runner);
    let dir = tempfile::tempdir().unwrap();
    let mark = dir.path().join("mark");
    let agent = TestAgent::start(&daemon.url(), "far", 1);
    let id = run(&daemon, "sleeper", &json!({ "mark": mark, "seconds": 12 }));
    wait_for("the flow to start", || mark.exists().then_some(()));
    let pid = Pid::from_raw(daemon.pid().cast_signed());
    kill(pid, Signal::SIGSTOP).unwrap();
    std::thread::sleep(Duration::from_secs(8));
    kill(pid, Signal::SIGCONT).unwrap();
    let ended = daemon.http().ended(&id);
    let message = &ended["state"]["message"];
    assert_eq!(ended["state_name"], "Completed", "{message}");
    assert!(daemon.log().contains("stood still"), "{}", daemon.log());
    drop(agent);
}

#[test]
fn an_engine_that_was_never_there_is_waited_for_and_one_that_cannot_be_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let address = format!("unix://{}/none.sock", dir.path().display());
    let daemon = daemon_with(vec![("DOCKER_HOST", address.clone())]);
    let http = daemon.http();
    let flow = http.flow("f");
    let docker = json!({ "type": "docker", "config": { "image": "none" } });
    let deployment = http.deployment(&flow, "in-docker", &docker);
    let id = http.run_deployment(&deployment)["id"]
        .as_str()
        .unwrap()
        .to_owned();
    std::thread::sleep(Duration::from_secs(2));
    let state = http.run(&id)["state_type"].clone();
    assert!(state == "SCHEDULED" || state == "PENDING", "{state}");
    let why = daemon
        .ctl()
        .args(["flow-run", "why", &id, "--output", "json"])
        .output()
        .unwrap();
    let why: Value = serde_json::from_slice(&why.stdout).unwrap();
    assert_eq!(why["code"], "engine_away", "{why}");
    let reason = why["reason"].as_str().unwrap();
    assert!(
        reason.contains(&address) && !reason.contains("legacy"),
        "{reason}"
    );

    for host in ["ssh://somewhere", "npipe:////./pipe/docker"] {
        let begun = Instant::now();
        let refused = Command::new(env!("CARGO_BIN_EXE_prefectd"))
            .args(["--state-dir"])
            .arg(dir.path().join("state"))
            .arg("--socket")
            .arg(dir.path().join("sock"))
            .args(["--listen", "127.0.0.1:0", "--log-format", "text"])
            .env("DOCKER_HOST", host)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        assert!(!refused.status.success());
        let told = String::from_utf8_lossy(&refused.stderr).into_owned();
        let lines: Vec<_> = told
            .lines()
            .filter(|line| line.contains("DOCKER_HOST"))
            .collect();
        assert!(lines.len() == 1 && lines[0].contains(host), "{told}");
        assert!(begun.elapsed() < Duration::from_secs(20));
    }
}
