//! What runs speak to while the daemon is away, and what becomes of requests sent twice.

use std::io::{Read, Write};
use std::net::TcpStream;

use serde_json::{Value, json};

use super::support::{Http, Options, PATIENCE, TestDaemon, wait_for};

/// A daemon with its agent, whose runs of this machine have a relay.
fn daemon() -> TestDaemon {
    TestDaemon::with(Options {
        flags: vec!["--no-docker-bridge"],
        ..Options::default()
    })
}

/// Where its runs reach it.
fn relay(daemon: &TestDaemon) -> Http {
    wait_for("the relay", || {
        let log = daemon.log();
        log.contains("runs reach the API at").then_some(())
    });
    Http::new(&format!("http://127.0.0.2:{}", daemon.port()))
}

/// The processes of its relay.
fn processes(daemon: &TestDaemon) -> usize {
    let lock = daemon.state_dir().join("relay.lock");
    let found = std::process::Command::new("pgrep")
        .args(["-f", "--", &format!("--relay .*{}", lock.display())])
        .output();
    let found = String::from_utf8(found.unwrap().stdout).unwrap();
    found.lines().count()
}

#[test]
fn a_request_waits_for_the_daemon_that_was_killed() {
    let mut daemon = daemon();
    let flow = relay(&daemon).flow("f");
    daemon.kill();
    let body = json!({ "flow_id": flow }).to_string();
    let mut stream = TcpStream::connect(("127.0.0.2", daemon.port())).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    write!(
        stream,
        "POST /api/flow_runs/ HTTP/1.1\r\nhost: x\r\nuser-agent: python-httpx/0\r\n\
         content-type: application/json\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    // Clients give up what is silent for five seconds; this is not.
    let word = "HTTP/1.1 102 Processing\r\n\r\n";
    let mut heard = vec![0; word.len()];
    stream.read_exact(&mut heard).unwrap();
    assert_eq!(String::from_utf8(heard).unwrap(), word);
    daemon.restart(Vec::new());
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let answer = answer.trim_start_matches(word);
    assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
    let (_, body) = answer.split_once("\r\n\r\n").unwrap();
    let run: Value = serde_json::from_str(body).unwrap();
    let id = run["id"].as_str().unwrap();
    assert_eq!(daemon.http().states(id), ["Pending"]);
    assert_eq!(processes(&daemon), 1, "the same relay serves both daemons");
}

#[test]
fn a_relay_ends_with_its_daemon_s_work() {
    let mut daemon = daemon();
    relay(&daemon);
    assert_eq!(processes(&daemon), 1);
    assert!(daemon.terminate().success());
    wait_for("the relay to end", || {
        (processes(&daemon) == 0).then_some(())
    });
}

#[test]
fn a_relay_whose_daemon_is_gone_gives_way_to_another_s() {
    let mut gone = daemon();
    relay(&gone);
    let listen = format!("127.0.0.1:{}", gone.port());
    gone.kill();
    let next = TestDaemon::with(Options {
        flags: vec!["--no-docker-bridge"],
        listen: Some(listen),
        ..Options::default()
    });
    relay(&next).flow("f");
    assert_eq!((processes(&gone), processes(&next)), (0, 1));
}

#[test]
fn a_state_proposed_twice_under_one_key_is_entered_once() {
    let daemon = TestDaemon::without_agent();
    let http = daemon.http();
    let run = http.flow_run(&http.flow("f"));
    let keyed = http.keyed("0193a1b2-0000-7000-8000-000000000001");
    let running = json!({ "state": { "type": "RUNNING" } });
    for path in ["", "/v3"] {
        let path = format!("{path}/flow_runs/{run}/set_state");
        let answer = keyed.post(&path, &running).expect(201);
        assert_eq!(answer["status"], "ACCEPT");
        let id = &answer["state"]["id"];
        assert_eq!(id, "0193a1b2-0000-7000-8000-000000000001");
    }
    assert_eq!(http.states(&run), ["Pending", "Running"]);
    let other = http.flow_run(&http.flow("f"));
    let path = format!("/flow_runs/{other}/set_state");
    assert_eq!(keyed.post(&path, &running).status, 409);
}

#[test]
fn a_failure_told_twice_costs_a_task_one_retry() {
    let daemon = TestDaemon::without_agent();
    let http = daemon.http();
    let run = http.flow_run(&http.flow("f"));
    let task = json!({
        "flow_run_id": run,
        "task_key": "t",
        "dynamic_key": "0",
        "empirical_policy": { "max_retries": 1 },
        "state": { "type": "RUNNING" },
    });
    let task = http.post("/task_runs/", &task).expect(201)["id"].clone();
    let path = format!("/task_runs/{}/set_state", task.as_str().unwrap());
    let keyed = http.keyed("0193a1b2-0000-7000-8000-000000000002");
    let failed = json!({ "state": { "type": "FAILED" } });
    for _ in 0..2 {
        let answer = keyed.post(&path, &failed).expect(201);
        assert_eq!(answer["status"], "REJECT");
        assert_eq!(answer["state"]["name"], "AwaitingRetry");
    }
}

#[test]
fn a_sub_flow_created_twice_under_one_key_is_one() {
    let daemon = TestDaemon::without_agent();
    let http = daemon.http();
    let keyed = http.keyed("0193a1b2-0000-7000-8000-000000000003");
    let flow = http.flow("f");
    assert_eq!(keyed.flow_run(&flow), {
        let again = keyed.post("/flow_runs/", &json!({ "flow_id": flow }));
        again.expect(200)["id"].as_str().unwrap().to_owned()
    });
}
