//! The edge of the API: pages in browsers, bodies that do not come, connections that are kept.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::support::{KEY, KeyFile, Options, TestDaemon, wait_for, with_key};

fn connect(host: &str, port: u16) -> TcpStream {
    let connection = TcpStream::connect((host, port)).unwrap();
    let patience = Some(Duration::from_secs(30));
    connection.set_read_timeout(patience).unwrap();
    connection.set_write_timeout(patience).unwrap();
    connection
}

/// Sends one request with these lines in its head, and answers all that comes back.
fn raw(host: &str, port: u16, request: &str, lines: &[&str], body: &str) -> String {
    let mut connection = connect(host, port);
    let lines = lines.join("\r\n");
    let length = body.len();
    let text = format!(
        "{request} HTTP/1.1\r\nconnection: close\r\ncontent-length: {length}\r\n{lines}\r\n\r\n{body}"
    );
    connection.write_all(text.as_bytes()).unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).unwrap();
    answer.to_ascii_lowercase()
}

fn status(answer: &str) -> &str {
    answer.split(' ').nth(1).unwrap_or_default()
}

fn with_env(env: Vec<(&'static str, String)>) -> TestDaemon {
    TestDaemon::with(Options {
        flags: vec!["--no-agent", "--no-docker-bridge"],
        env,
        ..Options::default()
    })
}

#[test]
fn the_api_answers_to_names_that_no_outsider_can_own() {
    let mut daemon = TestDaemon::with_agent_without_bridge();
    let port = daemon.port();
    wait_for("the relay", || {
        daemon.log().contains("runs reach the API at").then_some(())
    });
    let name = |host: &str, name: &str| {
        let line = format!("host: {name}");
        raw(host, port, "GET /api/v3/version", &[&line], "")
    };
    for host in ["127.0.0.1", "127.0.0.2"] {
        for own in [
            "localhost",
            "127.0.0.1:4200",
            "flows-01:80",
            "host.docker.internal:4200",
        ] {
            // To the relay's address come processes, which need no name to be let in here.
            assert_ne!(status(&name(host, own)), "421", "{host} {own}");
        }
        let answer = name(host, "evil.example:4200");
        assert_eq!(status(&answer), "421", "{answer}");
        assert!(answer.contains("server.hosts"), "{answer}");
    }
    assert!(
        daemon
            .log()
            .contains("\"evil.example:4200\", see server.hosts")
    );
    // On the socket there are no browsers.
    let output = Command::new("curl")
        .args([
            "--silent",
            "--output",
            "/dev/null",
            "--write-out",
            "%{http_code}",
        ])
        .arg("--unix-socket")
        .arg(daemon.socket())
        .args(["--header", "Origin: http://evil.example"])
        .arg("http://evil.example/api/v3/version")
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "200");
    assert!(daemon.terminate().success());
    let hosts = "[\"evil.example\"]".to_owned();
    daemon.restart(vec![("PREFECTD_SERVER__HOSTS", hosts)]);
    assert_eq!(status(&name("127.0.0.1", "evil.example:4200")), "200");
    assert!(daemon.terminate().success());
    // Who has no key gets nothing by a name.
    let key = KeyFile::new();
    daemon.restart(key.env());
    assert_eq!(status(&name("127.0.0.1", "evil.example")), "401");
}

#[test]
fn pages_of_other_sites_change_nothing_and_read_nothing() {
    let key = KeyFile::new();
    let origins = (
        "PREFECTD_SERVER__CORS_ORIGINS",
        "[\"https://ui.example.com\"]".to_owned(),
    );
    let keyed = with_env([key.env(), vec![origins.clone()]].concat());
    let open = with_env(vec![origins]);
    let authorization = format!("authorization: Bearer {KEY}");
    for (daemon, mine) in [(&open, "x-nothing: 1"), (&keyed, &*authorization)] {
        let flow = with_key(daemon).flow("kept");
        let port = daemon.port();
        let send = |request: &str, lines: &[&str], body: &str| {
            let lines = [&["host: localhost", mine], lines].concat();
            raw("127.0.0.1", port, request, &lines, body)
        };
        let clear = "POST /api/orion/admin/database/clear";
        let json_kind = "content-type: application/json";
        for site in [
            "origin: http://evil.example",
            "origin: null",
            "origin: http://localhost:1",
            "sec-fetch-site: cross-site",
            "sec-fetch-site: same-site",
        ] {
            for kind in [json_kind, "x-kind: none"] {
                let answer = send(clear, &[site, kind], "{\"confirm\": true}");
                assert_eq!(status(&answer), "403", "{site} {kind}: {answer}");
                assert!(answer.contains("server.cors_origins"), "{answer}");
                assert!(!answer.contains("access-control-"), "{answer}");
            }
            // Reading is harmless, since the page does not see the answer.
            let answer = send("GET /api/v3/version", &[site], "");
            assert!(
                status(&answer) == "200" && !answer.contains("access-control-"),
                "{answer}"
            );
        }
        for kind in [
            "text/plain",
            "application/x-www-form-urlencoded",
            "multipart/form-data",
        ] {
            let line = format!("content-type: {kind}");
            let answer = send("POST /api/v3/flows/", &[&line], "{\"name\": \"blind\"}");
            assert_eq!(status(&answer), "415", "{kind}: {answer}");
            // The 2.0a7 server takes it for a string, which is no flow.
            let answer = send("POST /api/orion/flows/", &[&line], "{\"name\": \"blind\"}");
            assert_eq!(status(&answer), "422", "{kind}: {answer}");
        }
        for ours in ["origin: https://ui.example.com", "origin: http://localhost"] {
            let answer = send("POST /api/v3/flows/", &[ours], "{\"name\": \"page\"}");
            assert!(
                ["200", "201"].contains(&status(&answer)),
                "{ours}: {answer}"
            );
        }
        let origin = "origin: https://ui.example.com";
        let allowed = "access-control-allow-origin: https://ui.example.com";
        assert!(send("GET /api/v3/version", &[origin], "").contains(allowed));
        let asks = "access-control-request-method: POST";
        let with = "access-control-request-headers: authorization";
        let answer = raw(
            "127.0.0.1",
            port,
            "OPTIONS /api/v3/flows/",
            &["host: localhost", origin, asks, with],
            "",
        );
        assert!(
            status(&answer) == "204" && answer.contains(allowed),
            "{answer}"
        );
        assert!(
            answer.contains("access-control-allow-headers: authorization"),
            "{answer}"
        );
        let other = "origin: http://evil.example";
        assert!(!send("OPTIONS /api/v3/flows/", &[other, asks], "").contains("access-control-"));
        let kept = with_key(daemon).get(&format!("/flows/{flow}"));
        assert_eq!(kept.status, 200);
        let blind = with_key(daemon).get("/flows/name/blind");
        assert_eq!(blind.status, 404);
    }
}

/// A request whose body is announced and of which only so much comes.
fn begin(daemon: &TestDaemon, announced: usize, sent: usize) -> TcpStream {
    let mut connection = connect("127.0.0.1", daemon.port());
    let head = format!(
        "POST /api/orion/flows/ HTTP/1.1\r\nhost: h\r\ncontent-length: {announced}\r\n\r\n"
    );
    connection.write_all(head.as_bytes()).unwrap();
    connection.write_all(&vec![b' '; sent]).unwrap();
    connection
}

fn large_flow(name: &str, bytes: usize) -> Value {
    // Each text is bounded, and so is their number.
    let tag = |number| format!("{number}{}", "x".repeat(10_000));
    let tags: Vec<_> = (0..bytes / 10_000).map(tag).collect();
    json!({ "name": name, "tags": tags })
}

fn by_socket(daemon: &TestDaemon, body: &Value) -> String {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(body.to_string().as_bytes()).unwrap();
    let output = Command::new("curl")
        .args(["--silent", "--max-time", "20", "--output", "/dev/null"])
        .args(["--write-out", "%{http_code}", "--unix-socket"])
        .arg(daemon.socket())
        .args([
            "--header",
            "Content-Type: application/json",
            "--data-binary",
        ])
        .arg(format!("@{}", file.path().display()))
        .arg("http://x/api/orion/flows/")
        .output()
        .unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn bodies_that_do_not_come_keep_nobody_waiting() {
    const MIB: usize = 1024 * 1024;
    let key = KeyFile::new();
    let keyed = with_env(key.env());
    let open = with_env(Vec::new());
    for (daemon, sent) in [(&keyed, 2 * MIB), (&open, 256 * 1024)] {
        let _held: Vec<_> = (0..8).map(|_| begin(daemon, 32 * MIB, sent)).collect();
        std::thread::sleep(Duration::from_millis(300));
        let begun = Instant::now();
        let made = with_key(daemon).post("/orion/flows/", &large_flow("a", MIB / 2));
        assert_eq!(made.status, 201, "{}", made.body);
        assert_eq!(by_socket(daemon, &large_flow("b", MIB / 2)), "201");
        assert_eq!(by_socket(daemon, &large_flow("c", 2 * MIB)), "201");
        assert!(
            begun.elapsed() < Duration::from_secs(10),
            "{:?}",
            begun.elapsed()
        );
    }
    // Where anybody may send anything, the slow ones have to leave to others.
    let _held: Vec<_> = (0..4).map(|_| begin(&open, 32 * MIB, 3 * MIB)).collect();
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(by_socket(&open, &large_flow("d", 2 * MIB)), "201");
    wait_for("a large request by TCP", || {
        let made = open.http().post("/orion/flows/", &large_flow("e", 2 * MIB));
        matches!(made.status, 200 | 201).then_some(())
    });
}

#[test]
fn who_is_refused_is_told_so_before_the_body_comes() {
    let key = KeyFile::new();
    let daemon = with_env(key.env());
    let mut connection = begin(&daemon, 32 * 1024 * 1024, 0);
    let mut answer = [0; 12];
    let begun = Instant::now();
    connection.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"HTTP/1.1 401");
    assert!(
        begun.elapsed() < Duration::from_secs(5),
        "{:?}",
        begun.elapsed()
    );
}

#[test]
fn idle_connections_lock_nobody_out() {
    let daemon = TestDaemon::without_agent();
    let held: Vec<_> = (0..560)
        .map_while(|_| TcpStream::connect(("127.0.0.1", daemon.port())).ok())
        .collect();
    assert!(held.len() > 512, "{}", held.len());
    let status = daemon.ctl().arg("status").output().unwrap();
    assert!(status.status.success(), "{status:?}");
    wait_for("a place on TCP", || {
        let mut connection = connect("127.0.0.1", daemon.port());
        let asked = connection.write_all(b"GET /api/health HTTP/1.0\r\n\r\n");
        let mut answer = String::new();
        let read = connection.read_to_string(&mut answer);
        (asked.is_ok() && read.is_ok() && answer.contains(" 200 ")).then_some(())
    });
}

#[test]
fn a_body_that_stops_coming_is_given_up() {
    let daemon = TestDaemon::without_agent();
    for announced in [100, 1024 * 1024] {
        let mut connection = begin(&daemon, announced, 10);
        let begun = Instant::now();
        let mut answer = String::new();
        connection.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 4"), "{answer}");
        assert!(
            begun.elapsed() < Duration::from_secs(25),
            "{:?}",
            begun.elapsed()
        );
    }
}

#[test]
fn an_agent_s_name_has_a_bound() {
    let daemon = TestDaemon::without_agent();
    let http = daemon.http();
    let report = json!({ "report": { "identity": "i", "host": "h", "pid": 1, "version": "0",
        "slots": 1 } });
    let path = |name: &str| format!("/v3/prefectd/agents/{name}/report");
    // Characters, not bytes.
    http.post(&path(&"%C3%A4".repeat(255)), &report).expect(200);
    let refused = http.post(&path(&"a".repeat(256)), &report);
    assert_eq!(refused.status, 422, "{refused:?}");
    assert!(refused.body.to_string().contains("255"), "{refused:?}");
    let known = http.get("/v3/prefectd/agents").expect(200);
    assert_eq!(known.as_array().unwrap().len(), 1);
}
