//! Standalone agents: runs go to each once, spread, and survive what befalls an agent.

#![cfg(feature = "client")]

use std::process::{Command, Stdio};

use serde_json::{Value, json};

use super::support::flows::{deploy, prefect, run};
use super::support::{KEY, KeyFile, Options, TestAgent, TestDaemon, wait_for, with_key};

/// A daemon without its own agent, that believes a silent agent for so long.
fn daemon(lease_secs: u64) -> TestDaemon {
    TestDaemon::with(Options {
        flags: vec!["--no-agent", "--no-docker-bridge"],
        env: vec![("PREFECTD_SERVER__AGENT_LEASE_SECS", lease_secs.to_string())],
        ..Options::default()
    })
}

/// The flows of `cases.py` as processes of the test client's Python.
fn deploy_processes(daemon: &TestDaemon) {
    let venv = super::support::flows::venv();
    let runner = json!({ "type": "subprocess", "config": { "virtualenv": venv } });
    deploy(daemon, "cases.py", &runner);
}

fn agents(daemon: &TestDaemon) -> Vec<Value> {
    let listed = daemon.http().get("/v3/prefectd/agents").expect(200);
    listed.as_array().unwrap().clone()
}

fn await_agents(daemon: &TestDaemon, count: usize) {
    wait_for("the agents to report", || {
        (agents(daemon).len() == count).then_some(())
    });
}

#[test]
fn two_agents_share_the_runs_and_none_runs_twice() {
    let daemon = daemon(30);
    deploy_processes(&daemon);
    let marks = tempfile::tempdir().unwrap();
    let mark = |place: usize| marks.path().join(place.to_string());
    let one = TestAgent::start(&daemon.url(), "one", 2);
    let other = TestAgent::start(&format!("{}/api/", daemon.url()), "other", 2);
    await_agents(&daemon, 2);
    let begun: Vec<_> = (0..8)
        .map(|place| run(&daemon, "plain", &json!({ "mark": mark(place) })))
        .collect();
    let mut holders = Vec::new();
    for id in &begun {
        let ended = daemon.http().ended(id);
        let message = &ended["state"]["message"];
        assert_eq!(ended["state_name"], "Completed", "{message}");
        assert_eq!(ended["run_count"], 1);
        holders.push(ended["agent"].as_str().unwrap().to_owned());
    }
    for place in 0..8 {
        assert_eq!(std::fs::read_to_string(mark(place)).unwrap(), "plain\n");
    }
    let by = |name| holders.iter().filter(|holder| *holder == name).count();
    assert!(by("one") >= 2 && by("other") >= 2, "{holders:?}");
    let listed = daemon.ctl().args(["agent", "ls"]).output().unwrap();
    let listed = String::from_utf8(listed.stdout).unwrap();
    assert!(
        listed.contains("one") && listed.contains("of 2"),
        "{listed}"
    );
    drop((one, other));
}

#[test]
fn an_agent_with_the_key_works_and_one_without_says_what_it_needs() {
    let (mut daemon, key) = (daemon(30), KeyFile::new());
    deploy_processes(&daemon);
    assert!(daemon.terminate().success());
    daemon.restart(key.env());
    let mut keyless = TestAgent::start(&daemon.url(), "keyless", 1);
    assert!(!keyless.wait().success());
    assert!(keyless.log().contains("API key"), "{}", keyless.log());

    let agent = TestAgent::start_with_key(KEY, &daemon.url(), "keyed", 1);
    let http = with_key(&daemon);
    let made = http.get("/deployments/name/environment/test").expect(200);
    let path = format!(
        "/deployments/{}/create_flow_run",
        made["id"].as_str().unwrap()
    );
    let marks = tempfile::tempdir().unwrap();
    let mark = marks.path().join("m");
    let body = json!({ "state": { "type": "SCHEDULED" }, "parameters": { "mark": mark } });
    let run = http.post(&path, &body).expect(201)["id"].clone();
    let ended = http.ended(run.as_str().unwrap());
    let message = &ended["state"]["message"];
    assert_eq!(ended["state_name"], "Completed", "{message}");
    assert_eq!(ended["agent"], "keyed");
    let seen = std::fs::read_to_string(&mark).unwrap();
    assert_eq!(seen, "\n", "the key is not for the run");
    drop(agent);
}

#[test]
fn a_killed_agent_s_runs_crash_after_its_lease_and_the_others_go_on() {
    let daemon = daemon(3);
    deploy_processes(&daemon);
    let marks = tempfile::tempdir().unwrap();
    let mut doomed = TestAgent::start(&daemon.url(), "doomed", 1);
    await_agents(&daemon, 1);
    let lost_mark = marks.path().join("lost");
    let lost = run(&daemon, "sleeper", &json!({ "mark": lost_mark }));
    wait_for("the flow to start", || lost_mark.exists().then_some(()));
    let _other = TestAgent::start(&daemon.url(), "other", 1);
    await_agents(&daemon, 2);
    let mark = marks.path().join("kept");
    let kept = run(&daemon, "sleeper", &json!({ "mark": mark, "seconds": 6 }));
    wait_for("the other's flow to start", || mark.exists().then_some(()));
    doomed.kill();
    let ended = daemon.http().ended(&lost);
    assert_eq!(ended["state_type"], "CRASHED");
    let message = ended["state"]["message"].as_str().unwrap();
    assert!(
        message.contains("'doomed'") && message.contains("lease"),
        "{message}"
    );
    assert_eq!(daemon.http().ended(&kept)["state_name"], "Completed");
    // It comes back, finds what it left behind, and stops that.
    doomed.restart(&daemon.url(), 1);
    await_agents(&daemon, 2);
    wait_for("the process that was left behind to end", || {
        let found = Command::new("pgrep").args(["-f", &lost]).output().unwrap();
        found.stdout.is_empty().then_some(())
    });
    assert_eq!(std::fs::read_to_string(&lost_mark).unwrap(), "started\n");
}

#[test]
fn an_agent_that_is_started_again_in_time_takes_its_runs_up() {
    let daemon = daemon(30);
    deploy_processes(&daemon);
    let marks = tempfile::tempdir().unwrap();
    let mark = marks.path().join("m");
    let mut agent = TestAgent::start(&daemon.url(), "it", 1);
    await_agents(&daemon, 1);
    let id = run(&daemon, "sleeper", &json!({ "mark": mark, "seconds": 4 }));
    wait_for("the flow to start", || mark.exists().then_some(()));
    agent.kill();
    agent.restart(&daemon.url(), 1);
    let ended = daemon.http().ended(&id);
    assert_eq!(
        (&ended["state_name"], &ended["run_count"]),
        (&json!("Completed"), &json!(1))
    );
    assert_eq!(std::fs::read_to_string(&mark).unwrap(), "started\nended\n");
    // Another one of that name is refused, on this machine or elsewhere.
    let mut second = TestAgent::start(&daemon.url(), "it", 1);
    assert_eq!(second.wait().code(), Some(1));
    assert!(second.log().contains("--name"), "{}", second.log());
    assert!(agent.terminate().success());
}

#[test]
fn an_agent_outlives_its_daemon_s_absence() {
    let mut daemon = daemon(30);
    deploy_processes(&daemon);
    let marks = tempfile::tempdir().unwrap();
    let mark = marks.path().join("m");
    let agent = TestAgent::start(&daemon.url(), "it", 2);
    await_agents(&daemon, 1);
    let id = run(&daemon, "dying", &json!({ "mark": mark, "seconds": 3 }));
    wait_for("the flow to start", || mark.exists().then_some(()));
    daemon.kill();
    wait_for("the process to end while nobody listens", || {
        let text = std::fs::read_to_string(&mark).unwrap();
        text.contains("dying").then_some(())
    });
    daemon.restart(Vec::new());
    let ended = daemon.http().ended(&id);
    let message = ended["state"]["message"].as_str().unwrap();
    assert!(message.contains("exit code 3"), "{message}");
    let next = run(&daemon, "plain", &json!({}));
    assert_eq!(daemon.http().ended(&next)["state_name"], "Completed");
    drop(agent);
}

#[test]
fn the_real_agent_beside_two_of_ours_runs_nothing_twice() {
    let daemon = daemon(30);
    deploy_processes(&daemon);
    let marks = tempfile::tempdir().unwrap();
    let mut real = prefect(&daemon, &["agent", "start"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let ours = ["one", "other"].map(|name| TestAgent::start(&daemon.url(), name, 1));
    await_agents(&daemon, 2);
    let begun: Vec<_> = (0..9)
        .map(|place| {
            let mark = marks.path().join(place.to_string());
            run(&daemon, "plain", &json!({ "mark": mark }))
        })
        .collect();
    for (place, id) in begun.iter().enumerate() {
        let ended = daemon.http().ended(id);
        let message = &ended["state"]["message"];
        assert_eq!(ended["state_name"], "Completed", "{message}");
        let text = std::fs::read_to_string(marks.path().join(place.to_string())).unwrap();
        assert_eq!(text, "plain\n");
    }
    real.kill().unwrap();
    real.wait().unwrap();
    drop(ours);
}

#[test]
fn without_any_daemon_an_agent_serves_itself_and_no_container() {
    let home = tempfile::tempdir().unwrap();
    let socket = home.path().join("prefectd.sock");
    let mut agent = Command::new(env!("CARGO_BIN_EXE_prefectctl"));
    agent
        .args(["agent", "start", "--state-dir"])
        .arg(home.path())
        // Nobody listens there, and nobody named it.
        .env("RUNTIME_DIRECTORY", home.path().join("nowhere"))
        .env_remove("PREFECTD_SOCKET")
        .env_remove("PREFECT_API_URL")
        .env_remove("PREFECT_ORION_HOST")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(std::fs::File::create(home.path().join("log")).unwrap());
    let mut agent = agent.spawn().unwrap();
    let log = || std::fs::read_to_string(home.path().join("log")).unwrap();
    let url = wait_for("the ephemeral API", || {
        let text = log();
        text.contains("ready").then_some(())?;
        let url = text.rsplit_once("listening on http://")?.1;
        url.split_whitespace()
            .next()
            .map(|url| format!("http://{url}"))
    });
    assert!(socket.exists());
    let http = super::support::Http::new(&url);
    let flow = http.flow("f");
    let docker = json!({ "type": "docker", "config": { "image": "none" } });
    let deployment = http.deployment(&flow, "in-docker", &docker);
    let id = http.run_deployment(&deployment)["id"].clone();
    let ended = http.ended(id.as_str().unwrap());
    assert_eq!(ended["state_type"], "CRASHED");
    let message = ended["state"]["message"].as_str().unwrap();
    assert!(
        message.contains("ephemeral API") && message.contains("prefectd"),
        "{message}"
    );
    let process = json!({ "type": "subprocess", "config": { "virtualenv": "/nowhere" } });
    let deployment = http.deployment(&flow, "as-process", &process);
    let id = http.run_deployment(&deployment)["id"].clone();
    let ended = http.ended(id.as_str().unwrap());
    let message = ended["state"]["message"].as_str().unwrap();
    assert!(message.contains("/nowhere"), "{message}");
    agent.kill().unwrap();
    agent.wait().unwrap();
}
