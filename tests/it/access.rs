//! Who gets in, by the loopback and by the socket.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::support::{Http, Options, TestDaemon, wait_for};

pub const KEY: &str = "a-key-that-nobody-guesses";

/// A file with the key that only its owner can read.
pub struct KeyFile {
    dir: TempDir,
}

impl KeyFile {
    pub fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let file = Self { dir };
        std::fs::write(file.path(), KEY).unwrap();
        let mode = std::fs::Permissions::from_mode(0o600);
        std::fs::set_permissions(file.path(), mode).unwrap();
        file
    }

    pub fn path(&self) -> PathBuf {
        self.dir.path().join("key")
    }

    /// The environment that names it.
    pub fn env(&self) -> Vec<(&'static str, String)> {
        let path = self.path().display().to_string();
        vec![("PREFECTD_AUTH__API_KEY_FILE", path)]
    }
}

/// Requests that carry the key.
pub fn with_key(daemon: &TestDaemon) -> Http {
    daemon.http().authorized(&format!("Bearer {KEY}"))
}

/// The status, the challenge and the body that a request gets.
fn ask(
    agent: &ureq::Agent,
    method: &str,
    url: &str,
    authorization: Option<&str>,
) -> (u16, String, String) {
    let mut request = ureq::http::Request::builder().method(method).uri(url);
    if let Some(value) = authorization {
        request = request.header("authorization", value);
    }
    let mut response = agent.run(request.body(()).unwrap()).unwrap();
    let challenge = response.headers().get("www-authenticate");
    let challenge = challenge.map(|value| value.to_str().unwrap().to_owned());
    let text = response.body_mut().read_to_string().unwrap();
    (
        response.status().as_u16(),
        challenge.unwrap_or_default(),
        text,
    )
}

fn agent() -> ureq::Agent {
    let config = ureq::Agent::config_builder().http_status_as_error(false);
    config.build().into()
}

/// Every operation of both dialects, and what lies beside them.
fn operations(daemon: &TestDaemon) -> Vec<(String, String)> {
    let url = format!("{}/openapi.json", daemon.url());
    let (_, _, text) = ask(&agent(), "GET", &url, Some(&format!("Bearer {KEY}")));
    let document: Value = serde_json::from_str(&text).unwrap();
    let id = "018f0000-0000-7000-8000-000000000001";
    let mut all = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        let names = [
            "{id}",
            "{name}",
            "{run}",
            "{flow_name}",
            "{deployment_name}",
        ];
        let path = names
            .iter()
            .fold(path.clone(), |path, name| path.replace(name, id));
        for method in methods.as_object().unwrap().keys() {
            all.push((method.to_uppercase(), path.clone()));
            // The same route with the dialect left open.
            let bare = path.replacen("/api/orion/", "/api/", 1);
            all.push((method.to_uppercase(), bare.replacen("/api/v3/", "/api/", 1)));
        }
    }
    for path in [
        "/metrics",
        "/docs",
        "/openapi.json",
        "/",
        "/nothing",
        "/api/nothing",
    ] {
        all.push(("GET".to_owned(), path.to_owned()));
    }
    all
}

#[test]
fn a_refused_request_leaves_its_connection_to_the_next() {
    let key = KeyFile::new();
    let daemon = TestDaemon::with(Options {
        flags: vec!["--no-docker-bridge"],
        env: key.env(),
        ..Options::default()
    });
    let mut connection = TcpStream::connect(("127.0.0.1", daemon.port())).unwrap();
    let patience = Some(Duration::from_secs(20));
    connection.set_read_timeout(patience).unwrap();
    connection.set_write_timeout(patience).unwrap();
    // More than the kernel holds for a server that does not read.
    let body = vec![b' '; 16 * 1024 * 1024];
    let length = body.len();
    let head = format!("POST /api/flows/ HTTP/1.1\r\nhost: h\r\ncontent-length: {length}\r\n\r\n");
    connection.write_all(head.as_bytes()).unwrap();
    connection.write_all(&body).unwrap();
    connection
        .write_all(b"GET /api/health HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n")
        .unwrap();
    let mut answers = String::new();
    connection.read_to_string(&mut answers).unwrap();
    let statuses: Vec<_> = answers
        .split("HTTP/1.1 ")
        .filter_map(|answer| answer.get(..3))
        .collect();
    assert_eq!(statuses, ["401", "200"], "{answers}");
}

#[test]
fn without_the_key_no_call_by_tcp_gets_more_than_401() {
    let key = KeyFile::new();
    let daemon = TestDaemon::with(Options {
        flags: vec!["--no-docker-bridge"],
        env: key.env(),
        ..Options::default()
    });
    let relay = format!("http://127.0.0.2:{}", daemon.port());
    wait_for("the relay", || {
        let log = daemon.log();
        log.contains("runs reach the API at").then_some(())
    });
    let all = operations(&daemon);
    assert!(all.len() > 150, "{}", all.len());
    let agent = agent();
    for (method, path) in &all {
        let is_open = method == "GET" && path.ends_with("/health");
        for (base, sent) in [
            (&daemon.url(), None),
            (&relay, None),
            (&daemon.url(), Some("Bearer wrong")),
        ] {
            let url = format!("{base}{path}");
            let (status, challenge, text) = ask(&agent, method, &url, sent);
            if is_open {
                assert_eq!(status, 200, "{method} {url}");
                continue;
            }
            assert_eq!(status, 401, "{method} {url}: {text}");
            assert!(challenge.starts_with("Bearer"), "{challenge}");
            let body: Value = serde_json::from_str(&text).unwrap();
            assert_eq!(body["detail"], "Unauthorized", "{method} {url}");
        }
    }
    let log = daemon.log();
    assert!(log.contains("refused GET /metrics to nobody known at 127.0.0.1: no valid key"));
    assert!(!log.contains(KEY));
}

#[test]
fn the_key_lets_in_by_tcp_and_the_socket_needs_none() {
    let key = KeyFile::new();
    let daemon = TestDaemon::with(Options {
        flags: vec!["--no-agent", "--no-docker-bridge"],
        env: key.env(),
        ..Options::default()
    });
    let flow = with_key(&daemon).flow("f");
    assert_eq!(with_key(&daemon).get(&format!("/flows/{flow}")).status, 200);
    let wrong = daemon.http().authorized("Basic YTpi");
    assert_eq!(wrong.get(&format!("/flows/{flow}")).status, 401);
    assert!(
        daemon
            .ctl()
            .arg("status")
            .output()
            .unwrap()
            .status
            .success()
    );
}

#[test]
fn a_key_that_others_can_read_starts_no_daemon() {
    let key = KeyFile::new();
    let open = std::fs::Permissions::from_mode(0o644);
    std::fs::set_permissions(key.path(), open).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let start = |env: &str, value: &str| {
        let output = Command::new(env!("CARGO_BIN_EXE_prefectd"))
            .env(env, value)
            .arg("--state-dir")
            .arg(dir.path())
            .args(["--listen", "127.0.0.1:0"])
            .arg("--socket")
            .arg(dir.path().join("socket"))
            .output()
            .unwrap();
        (
            output.status.code(),
            String::from_utf8_lossy(&output.stderr).into_owned(),
        )
    };
    let (code, told) = start("PREFECTD_AUTH__API_KEY_FILE", key.path().to_str().unwrap());
    assert_eq!(code, Some(1));
    assert!(told.contains("chmod 600") && !told.contains(KEY), "{told}");
    let (code, told) = start("PREFECTD_AUTH__API_KEY", KEY);
    assert_eq!(code, Some(2));
    assert!(
        told.contains("api_key_file") && !told.contains(KEY),
        "{told}"
    );
}

/// A daemon whose operators are the group `daemon` and whose viewers are the group `bin`, open to
/// all users' connections.
pub fn with_groups() -> TestDaemon {
    let daemon = TestDaemon::with(Options {
        flags: vec!["--no-agent", "--no-docker-bridge"],
        env: vec![
            ("PREFECTD_AUTH__OPERATORS", "[\"daemon\"]".to_owned()),
            ("PREFECTD_AUTH__VIEWERS", "[\"bin\"]".to_owned()),
        ],
        ..Options::default()
    });
    let socket = daemon.socket();
    for (path, mode) in [(socket.parent().unwrap(), 0o755), (&*socket, 0o666)] {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    }
    daemon
}

/// What a user of this machine is answered on the socket.
pub fn ask_as(uid: u32, socket: &Path, words: &[&str]) -> (u16, String) {
    let output = Command::new("curl")
        .args(["--silent", "--include", "--max-time", "20", "--unix-socket"])
        .arg(socket)
        .args(["--header", "Content-Type: application/json"])
        .args(words)
        .uid(uid)
        .gid(uid)
        .current_dir("/")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let status = text.split(' ').nth(1).and_then(|word| word.parse().ok());
    (status.unwrap_or(0), text)
}

#[test]
fn groups_tell_operators_viewers_and_strangers_apart() {
    // Users of every Debian, each in the group of its own name.
    let (daemon_user, bin, sys) = (1, 2, 3);
    let daemon = with_groups();
    let socket = daemon.socket();
    let http = daemon.http();
    let runner =
        json!({ "type": "docker", "config": { "env": { "API_KEY": "s3cret", "A": "b" } } });
    let deployment = http.deployment(&http.flow("f"), "d", &runner);
    let read = format!("http://x/api/v3/deployments/{deployment}");
    let find = ["--data", "{}", "http://x/api/v3/deployments/filter"];
    let make = ["--data", "{\"name\": \"g\"}", "http://x/api/v3/flows/"];
    let clear = [
        "--data",
        "{\"confirm\": true}",
        "http://x/api/orion/admin/database/clear",
    ];
    for (uid, reads, changes) in [(sys, 403, 403), (bin, 200, 403), (daemon_user, 200, 201)] {
        assert_eq!(ask_as(uid, &socket, &["http://x/api/health"]).0, 200);
        for (words, expected) in [(&[&*read][..], reads), (&find, reads), (&make, changes)] {
            let (status, text) = ask_as(uid, &socket, words);
            assert_eq!(status, expected, "{uid} {words:?}: {text}");
            let is_masked = !text.contains("s3cret");
            assert!(is_masked || uid == daemon_user, "{uid} {words:?}: {text}");
        }
        if uid != daemon_user {
            assert_eq!(ask_as(uid, &socket, &clear).0, 403);
        }
    }
    let (_, shown) = ask_as(bin, &socket, &[&read]);
    assert!(
        shown.contains("\"API_KEY\":\"********\"") && shown.contains("\"A\":\"b\""),
        "{shown}"
    );
    let (_, shown) = ask_as(daemon_user, &socket, &[&read]);
    assert!(shown.contains("s3cret"), "{shown}");
    let log = daemon.log();
    assert!(log.contains("auth.operators and auth.viewers bind the Unix socket only"));
    assert!(
        log.contains("refused POST /api/v3/flows/ to user bin"),
        "{log}"
    );
    assert!(log.contains("daemon asks POST /api/v3/flows/"), "{log}");
}
