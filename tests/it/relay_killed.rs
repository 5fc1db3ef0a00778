//! The relay is killed, and neither clients nor runs notice.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};

use super::support::{Options, PATIENCE, TestDaemon, copied_program, wait_for};

/// The processes that are the relay of a daemon.
pub fn relays(daemon: &TestDaemon) -> Vec<Pid> {
    let lock = daemon.state_dir().join("relay.lock");
    let found = std::process::Command::new("pgrep")
        .args(["-f", "--", &format!("--relay .*{}", lock.display())])
        .output();
    let found = String::from_utf8(found.unwrap().stdout).unwrap();
    let pids = found.split_whitespace();
    pids.map(|pid| Pid::from_raw(pid.parse().unwrap()))
        .collect()
}

/// Kills the relay and waits for the next.
fn kill_relay(daemon: &TestDaemon) {
    let killed = strike(daemon);
    wait_for("another relay", || {
        relays(daemon)
            .iter()
            .any(|pid| *pid != killed)
            .then_some(())
    });
}

/// Kills the relay.
fn strike(daemon: &TestDaemon) -> Pid {
    let found = relays(daemon);
    let [relay] = found.as_slice() else {
        panic!("relays: {found:?}");
    };
    kill(*relay, Signal::SIGKILL).unwrap();
    *relay
}

fn daemon() -> TestDaemon {
    let daemon = TestDaemon::with(Options {
        flags: vec!["--no-docker-bridge"],
        ..Options::default()
    });
    wait_for("the relay", || {
        daemon.log().contains("runs reach the API at").then_some(())
    });
    daemon
}

fn connect(daemon: &TestDaemon) -> TcpStream {
    let stream = TcpStream::connect(("127.0.0.2", daemon.port())).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

fn request(body: &str, length: usize) -> String {
    format!(
        "POST /api/flow_runs/ HTTP/1.1\r\nhost: x\r\nuser-agent: python-httpx/0\r\n\
         content-type: application/json\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}"
    )
}

/// The body of the answer, which is a good one. A run that is there already is answered by 200.
fn answer(mut stream: TcpStream) -> Value {
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    let text = text.replace("HTTP/1.1 102 Processing\r\n\r\n", "");
    assert!(text.starts_with("HTTP/1.1 20"), "{text}");
    serde_json::from_str(text.split_once("\r\n\r\n").unwrap().1).unwrap()
}

fn runs(daemon: &TestDaemon) -> Value {
    daemon
        .http()
        .post("/flow_runs/count", &json!({}))
        .expect(200)
}

#[test]
fn a_request_that_is_being_answered_outlives_the_relay() {
    let daemon = daemon();
    let body = json!({ "flow_id": daemon.http().flow("f") }).to_string();
    let stopped = Pid::from_raw(daemon.pid().cast_signed());
    kill(stopped, Signal::SIGSTOP).unwrap();
    let mut stream = connect(&daemon);
    stream
        .write_all(request(&body, body.len()).as_bytes())
        .unwrap();
    // Long enough for the relay to have handed it on.
    std::thread::sleep(std::time::Duration::from_millis(300));
    strike(&daemon);
    kill(stopped, Signal::SIGCONT).unwrap();
    let run = answer(stream);
    let id = run["id"].as_str().unwrap();
    assert_eq!(daemon.http().states(id), ["Pending"]);
    assert_eq!(runs(&daemon), 1);
}

#[test]
fn a_request_that_is_half_sent_outlives_three_relays_whatever_its_size() {
    let daemon = daemon();
    let flow = daemon.http().flow("f");
    for padding in [0, 300_000] {
        let parameters = json!({ "p": "x".repeat(padding) });
        let body = json!({ "flow_id": flow, "parameters": parameters }).to_string();
        let text = request(&body, body.len());
        let (mut rest, mut stream) = (text.as_bytes(), connect(&daemon));
        for _ in 0..3 {
            let (piece, left) = rest.split_at(rest.len() / 2);
            stream.write_all(piece).unwrap();
            rest = left;
            std::thread::sleep(std::time::Duration::from_millis(100));
            kill_relay(&daemon);
        }
        stream.write_all(rest).unwrap();
        assert_eq!(answer(stream)["parameters"], parameters);
    }
    assert_eq!(runs(&daemon), 2);
}

#[test]
fn connections_are_neither_refused_nor_closed_while_there_is_no_relay() {
    let daemon = daemon();
    let mut idle = connect(&daemon);
    let get = "GET /api/orion/admin/hello HTTP/1.1\r\nhost: x\r\n\r\n";
    let ask = |stream: &mut TcpStream| {
        stream.write_all(get.as_bytes()).unwrap();
        let mut text = String::new();
        while !text.ends_with('"') {
            let mut bytes = [0; 1024];
            let read = stream.read(&mut bytes).unwrap();
            assert!(read > 0, "closed after {text:?}");
            text.push_str(std::str::from_utf8(&bytes[..read]).unwrap());
        }
        assert!(text.starts_with("HTTP/1.1 200"), "{text}");
    };
    for _ in 0..5 {
        ask(&mut idle);
        strike(&daemon);
        // There is none at this moment, or there is the next already.
        ask(&mut connect(&daemon));
        ask(&mut idle);
    }
    assert_eq!(relays(&daemon).len(), 1);
}

#[test]
fn a_relay_outlives_its_daemon_and_is_kept_by_the_next() {
    let mut daemon = daemon();
    let flow = daemon.http().flow("f");
    let mut idle = connect(&daemon);
    daemon.kill();
    daemon.restart(Vec::new());
    wait_for("the daemon to be told of all", || {
        daemon.log().contains("runs reach the API at").then_some(())
    });
    std::thread::sleep(std::time::Duration::from_millis(200));
    kill_relay(&daemon);
    let body = json!({ "flow_id": flow }).to_string();
    idle.write_all(request(&body, body.len()).as_bytes())
        .unwrap();
    answer(idle);
}

#[test]
fn no_socket_is_left_after_the_daemon() {
    let mut daemon = daemon();
    assert!(daemon.terminate().success());
    let folder = daemon.socket().parent().unwrap().to_owned();
    let names = std::fs::read_dir(folder).unwrap();
    let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let left: Vec<_> = names.filter(|name| name.contains(".sock")).collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn a_relay_gives_way_after_an_upgrade_and_its_clients_do_not_notice() {
    let folder = tempfile::tempdir().unwrap();
    let old = folder.path().join("prefectd");
    copied_program(Path::new(env!("CARGO_BIN_EXE_prefectd")), &old);
    let mut daemon = TestDaemon::with(Options {
        flags: vec!["--no-docker-bridge"],
        program: Some(old.clone()),
        ..Options::default()
    });
    wait_for("the relay", || {
        daemon.log().contains("runs reach the API at").then_some(())
    });
    let flow = daemon.http().flow("f");
    let body = json!({ "flow_id": flow }).to_string();
    let text = request(&body, body.len());
    let (begin, rest) = text.split_at(text.len() / 2);
    let mut half = connect(&daemon);
    half.write_all(begin.as_bytes()).unwrap();
    let program = |pid: Pid| std::fs::read_link(format!("/proc/{pid}/exe")).unwrap_or_default();
    assert_eq!(program(relays(&daemon)[0]), old);
    daemon.upgrade();
    wait_for("the new relay", || {
        let found = relays(&daemon);
        let new = found.iter().any(|pid| {
            let program = program(*pid);
            program.is_absolute() && program != old
        });
        (new && found.len() == 1).then_some(())
    });
    half.write_all(rest.as_bytes()).unwrap();
    answer(half);
}

#[cfg(feature = "client")]
#[test]
fn a_run_starts_once_the_relay_listens() {
    use super::support::flows::{deploy, run, venv};
    // Somebody has the relay's address for a while.
    let occupied = std::net::TcpListener::bind("127.0.0.2:0").unwrap();
    let port = occupied.local_addr().unwrap().port();
    let daemon = TestDaemon::with(Options {
        flags: vec!["--no-docker-bridge"],
        listen: Some(format!("127.0.0.1:{port}")),
        ..Options::default()
    });
    let runner = json!({ "type": "subprocess", "config": { "virtualenv": venv() } });
    deploy(&daemon, "cases.py", &runner);
    let id = run(&daemon, "plain", &json!({}));
    wait_for("the submission", || {
        let lines = daemon.http().lines(&id);
        lines
            .iter()
            .any(|line| line.contains("Created"))
            .then_some(())
    });
    std::thread::sleep(std::time::Duration::from_secs(2));
    let lines = daemon.http().lines(&id);
    assert!(
        !lines.iter().any(|line| line.contains("Started")),
        "{lines:?}"
    );
    drop(occupied);
    let ended = daemon.http().ended(&id);
    assert_eq!(ended["state_name"], "Completed", "{}", ended["state"]);
}

/// How long the real client insists, and how often the relay is killed meanwhile.
#[cfg(feature = "client")]
const INSISTS: (u32, u32) = (6, 25);

#[cfg(feature = "client")]
#[test]
fn the_real_client_does_not_notice_that_relays_are_killed() {
    use super::support::flows::{file, venv};
    let daemon = daemon();
    let client = std::process::Command::new(venv().join("bin/python"))
        .arg(file("insistent.py"))
        .arg(INSISTS.0.to_string())
        .env(
            "PREFECT_ORION_HOST",
            format!("http://127.0.0.2:{}/api/", daemon.port()),
        )
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    wait_for("the client's first run", || {
        (runs(&daemon) != 0).then_some(())
    });
    let pause = std::time::Duration::from_secs(INSISTS.0.into()) / INSISTS.1;
    for _ in 0..INSISTS.1 {
        kill_relay(&daemon);
        std::thread::sleep(pause);
    }
    let output = client.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let made: u64 = String::from_utf8(output.stdout)
        .unwrap()
        .trim()
        .parse()
        .unwrap();
    assert_eq!(runs(&daemon), made);
}
