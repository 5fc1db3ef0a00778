//! The daemon as a process: start, readiness, listeners, locks, stopping.

use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::process::Command;

use super::support::TestDaemon;

#[test]
fn it_answers_on_both_listeners_and_stops_cleanly() {
    let mut daemon = TestDaemon::without_agent();
    assert_eq!(daemon.http().get("/v3/health").expect(200), true);
    assert_eq!(daemon.http().get("/ready").expect(200), true);
    let mut stream = UnixStream::connect(daemon.socket()).unwrap();
    stream
        .write_all(b"GET /api/health HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
        .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(
        answer.starts_with("HTTP/1.1 200") && answer.ends_with("true"),
        "{answer}"
    );
    let mode = std::fs::metadata(daemon.socket())
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o660);
    assert_eq!(daemon.terminate().code(), Some(0));
    assert!(!daemon.socket().exists());
}

#[test]
fn a_second_daemon_on_the_same_state_is_refused_and_names_the_holder() {
    let daemon = TestDaemon::without_agent();
    let second = Command::new(env!("CARGO_BIN_EXE_prefectd"))
        .arg("--state-dir")
        .arg(daemon.state_dir())
        .args(["--listen", "127.0.0.1:0", "--socket"])
        .arg(daemon.state_dir().join("other.sock"))
        .output()
        .unwrap();
    assert_eq!(second.status.code(), Some(1));
    let told = String::from_utf8(second.stderr).unwrap();
    assert!(told.contains(&daemon.pid().to_string()), "{told}");
}

#[test]
fn wrong_usage_is_exit_code_2() {
    for flags in [
        &["--listen", "nowhere"][..],
        &["--nonsense"],
        &["--config", "/no/such"],
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_prefectd"))
            .args(flags)
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(2), "{flags:?}");
        assert!(!output.stderr.is_empty());
    }
}

#[test]
fn a_taken_port_is_told_with_its_address() {
    let daemon = TestDaemon::without_agent();
    let dir = tempfile::tempdir().unwrap();
    let second = Command::new(env!("CARGO_BIN_EXE_prefectd"))
        .arg("--state-dir")
        .arg(dir.path())
        .arg("--socket")
        .arg(dir.path().join("s"))
        .args(["--listen", &format!("127.0.0.1:{}", daemon.port())])
        .output()
        .unwrap();
    assert_eq!(second.status.code(), Some(1));
    let told = String::from_utf8(second.stderr).unwrap();
    assert!(told.contains(&daemon.port().to_string()), "{told}");
}

#[test]
fn what_was_answered_survives_kill_9() {
    let mut daemon = TestDaemon::without_agent();
    let flow = daemon.http().flow("survivor");
    let runs: Vec<_> = (0..20).map(|_| daemon.http().flow_run(&flow)).collect();
    daemon.kill();
    daemon.restart(Vec::new());
    for run in runs {
        assert_eq!(daemon.http().states(&run), ["Pending"]);
    }
}
