//! Who gets in, by the loopback and by the socket.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use std::time::Duration;

use prefectd::api::{Declared, Need};
use serde_json::{Value, json};

use super::secrecy::filled;
use super::support::{
    KEY, KeyFile, Options, TestDaemon, ask_as, user, wait_for, with_groups, with_key,
};

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

/// Every operation that is served, also with the dialect left open, and what is none.
fn operations() -> Vec<(String, String, Need)> {
    let id = "018f0000-0000-7000-8000-000000000001";
    let mut all = Vec::new();
    let declared = prefectd::api::declared().into_iter();
    for Declared { method, path, need } in declared.chain(prefectd::pages::declared()) {
        let path = filled(&path, |_| id.to_owned());
        let bare = path.replacen("/api/orion/", "/api/", 1);
        let bare = bare.replacen("/api/v3/", "/api/", 1);
        all.extend([path, bare].map(|path| (method.to_string(), path, need)));
    }
    for path in ["/nothing", "/api/nothing"] {
        all.push(("GET".to_owned(), path.to_owned(), Need::Operate));
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
    let all = operations();
    assert!(all.len() > 150, "{}", all.len());
    let agent = agent();
    for (method, path, need) in &all {
        let is_open = *need == Need::Open;
        for (base, sent) in [
            (&daemon.url(), None),
            (&relay, None),
            (&daemon.url(), Some("Bearer wrong")),
        ] {
            let url = format!("{base}{path}");
            let (status, challenge, text) = ask(&agent, method, &url, sent);
            if is_open {
                // 422: tokens against forgery are not in use.
                assert!(matches!(status, 200 | 422), "{method} {url}: {status}");
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

#[test]
fn groups_tell_operators_viewers_and_strangers_apart() {
    let daemon = with_groups();
    let socket = daemon.socket();
    let http = daemon.http();
    let runner =
        json!({ "type": "docker", "config": { "env": { "API_KEY": "s3cret", "A": "b" } } });
    let deployment = http.deployment(&http.flow("f"), "d", &runner);
    let read = format!("/api/v3/deployments/{deployment}");
    let find = ("POST", "/api/v3/deployments/filter", "{}");
    let make = ("POST", "/api/v3/flows/", "{\"name\": \"g\"}");
    let clear = "/api/orion/admin/database/clear";
    for (uid, reads, changes) in [
        (user::STRANGER, 403, 403),
        (user::VIEWER, 200, 403),
        (user::OPERATOR, 200, 201),
    ] {
        assert_eq!(ask_as(uid, &socket, "GET", "/api/health", "").0, 200);
        for ((method, path, body), expected) in
            [(("GET", &*read, ""), reads), (find, reads), (make, changes)]
        {
            let (status, text) = ask_as(uid, &socket, method, path, body);
            assert_eq!(status, expected, "{uid} {path}: {text}");
            let is_masked = !text.contains("s3cret");
            assert!(is_masked || uid == user::OPERATOR, "{uid} {path}: {text}");
        }
        if uid != user::OPERATOR {
            let (status, _) = ask_as(uid, &socket, "POST", clear, "{\"confirm\": true}");
            assert_eq!(status, 403);
        }
    }
    let (_, shown) = ask_as(user::VIEWER, &socket, "GET", &read, "");
    assert!(
        shown.contains("\"API_KEY\":\"********\"") && shown.contains("\"A\":\"b\""),
        "{shown}"
    );
    let (_, shown) = ask_as(user::OPERATOR, &socket, "GET", &read, "");
    assert!(shown.contains("s3cret"), "{shown}");
    let log = daemon.log();
    assert!(log.contains("auth.operators and auth.viewers bind the Unix socket only"));
    assert!(
        log.contains("refused POST /api/v3/flows/ to user bin"),
        "{log}"
    );
    assert!(log.contains("daemon asks POST /api/v3/flows/"), "{log}");
}
