//! Agents and daemons of different versions: what one says and the other does not know is passed
//! over, and what one leaves out that need not be there is not missed.

#![cfg(feature = "client")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};

use serde_json::{Value, json};

use super::support::flows::{deploy, run, venv};
use super::support::{Options, TestAgent, TestDaemon, wait_for};

/// The objects of the agents' protocol that another version may have more fields in; what lies
/// deeper is the API's, or somebody's own.
const OURS: &[&str] = &["report", "run"];

/// The value as another version would say it.
fn of_another_version(value: &mut Value) {
    match value {
        Value::Array(values) => values.iter_mut().for_each(of_another_version),
        Value::Object(fields) => {
            fields.retain(|_, value| !value.is_null());
            for (name, value) in fields.iter_mut() {
                if OURS.contains(&name.as_str()) {
                    of_another_version(value);
                }
            }
            fields.insert("of_another_version".to_owned(), json!({ "a": [1, null] }));
        }
        _ => {}
    }
}

/// Hands on what comes to the API at `daemon`, changed both ways; answers where.
fn between(daemon: &str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let daemon = daemon.replace("http://", "");
    std::thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let daemon = daemon.clone();
            // One that leaves ends its own thread only.
            std::thread::spawn(move || hand_on(client, &daemon));
        }
    });
    url
}

/// One request, and its answer.
fn hand_on(client: TcpStream, daemon: &str) -> std::io::Result<()> {
    let (head, body) = read_message(&client)?;
    let mut upstream = TcpStream::connect(daemon)?;
    let is_of_agents = head[0].contains("/prefectd/");
    write_message(&mut upstream, &head, body, is_of_agents)?;
    let (head, body) = read_message(&upstream)?;
    write_message(&mut &client, &head, body, is_of_agents)
}

/// The lines of a head, without those that tell of the body and the connection; and the body.
fn read_message(from: &TcpStream) -> std::io::Result<(Vec<String>, Vec<u8>)> {
    let mut from = BufReader::new(from);
    let mut head = Vec::new();
    let mut length = 0;
    loop {
        let mut line = String::new();
        if from.read_line(&mut line)? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        let line = line.trim_end();
        if line.is_empty() {
            break;
        }
        match line.to_ascii_lowercase().split_once(": ") {
            Some(("content-length", said)) => length = said.parse().unwrap(),
            Some(("connection", _)) => {}
            Some(("transfer-encoding", _)) => panic!("not expected: {line}"),
            _ => head.push(line.to_owned()),
        }
    }
    let mut body = vec![0; length];
    from.read_exact(&mut body)?;
    Ok((head, body))
}

fn write_message(
    to: &mut impl Write,
    head: &[String],
    body: Vec<u8>,
    is_of_agents: bool,
) -> std::io::Result<()> {
    let body = match serde_json::from_slice::<Value>(&body) {
        Ok(mut value) if is_of_agents => {
            of_another_version(&mut value);
            value.to_string().into_bytes()
        }
        _ => body,
    };
    let mut message = head.join("\r\n").into_bytes();
    let rest = format!(
        "\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    message.extend(rest.as_bytes());
    message.extend(body);
    to.write_all(&message)
}

#[test]
fn an_agent_and_a_daemon_of_other_versions_work_together() {
    let daemon = TestDaemon::with(Options {
        flags: vec!["--no-agent", "--no-docker-bridge"],
        ..Options::default()
    });
    let runner = json!({ "type": "subprocess", "config": { "virtualenv": venv() } });
    deploy(&daemon, "cases.py", &runner);
    let mut agent = TestAgent::start(&between(&daemon.url()), "other", 1);
    wait_for("the agent to report", || {
        let listed = daemon.http().get("/v3/prefectd/agents").expect(200);
        (listed[0]["name"] == "other").then_some(())
    });
    let dir = tempfile::tempdir().unwrap();
    let mark = dir.path().join("mark");
    let done = run(&daemon, "plain", &json!({ "mark": mark }));
    let ended = daemon.http().ended(&done);
    assert_eq!(ended["state_name"], "Completed", "{}", agent.log());
    assert_eq!(std::fs::read_to_string(mark).unwrap(), "plain\n");
    // The run has ended before its process has, and the process's last lines come after it.
    wait_for("what the run printed to be stored", || {
        let lines = daemon.http().lines(&done);
        let is_there = lines.iter().any(|line| line == "plain says hello");
        is_there.then_some(())
    });
    // One that dies is told of, too.
    let crashed = run(&daemon, "dying", &json!({}));
    let ended = daemon.http().ended(&crashed);
    let message = ended["state"]["message"].as_str().unwrap();
    assert!(message.contains("exit code 3"), "{message}");
    assert!(agent.terminate().success());
    let trouble = ["ERROR", "WARN", "unknown field"];
    let log = agent.log();
    assert!(!trouble.iter().any(|word| log.contains(word)), "{log}");
}
