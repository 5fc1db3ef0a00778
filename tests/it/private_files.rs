//! Sockets and files in places where others may have been before.

use std::fs;
use std::os::unix::fs::{FileTypeExt, PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;

use super::support::TestDaemon;

/// How a daemon ends that is told to start in `dir` with that socket, and what it says.
fn start(dir: &Path, socket: &Path) -> (Option<i32>, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_prefectd"))
        .arg("--state-dir")
        .arg(dir.join("state"))
        .arg("--socket")
        .arg(socket)
        .args([
            "--listen",
            "127.0.0.1:0",
            "--no-agent",
            "--no-docker-bridge",
        ])
        .args(["--log-format", "text", "--log-level", "error"])
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.code(), told)
}

#[test]
fn what_is_in_the_socket_s_place_stays_unless_it_is_a_dead_socket() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("precious");
    fs::write(&file, "kept").unwrap();
    let link = dir.path().join("link");
    symlink(&file, &link).unwrap();
    let folder = dir.path().join("folder");
    fs::create_dir(&folder).unwrap();
    for wrong in [&file, &link, &folder] {
        let (code, told) = start(dir.path(), wrong);
        assert_eq!(code, Some(1), "{told}");
        assert_eq!(told.trim().lines().count(), 1, "{told}");
        assert!(told.contains("is no socket"), "{told}");
    }
    assert_eq!(fs::read_to_string(&file).unwrap(), "kept");
    assert!(link.is_symlink() && folder.is_dir());
    // The same beside it, where the relay calls.
    let socket = dir.path().join("s");
    for name in ["s.relay", "s.relay.kept"] {
        let beside = dir.path().join(name);
        fs::write(&beside, "kept").unwrap();
        let (code, told) = start(dir.path(), &socket);
        let says = told.contains(&format!("{name} is there"));
        assert!(code == Some(1) && says, "{told}");
        assert_eq!(fs::read_to_string(&beside).unwrap(), "kept");
        fs::remove_file(beside).unwrap();
    }
}

fn sockets_of(daemon: &TestDaemon) -> usize {
    let folder = daemon.socket().parent().unwrap().to_owned();
    let entries = fs::read_dir(folder).unwrap().filter_map(Result::ok);
    let sockets = entries.filter(|entry| entry.file_type().unwrap().is_socket());
    sockets.count()
}

#[test]
fn sockets_that_a_killed_daemon_left_are_replaced_and_taken_away_at_the_end() {
    let mut daemon = TestDaemon::without_agent();
    let before = sockets_of(&daemon);
    assert_eq!(before, 3, "the API's, and two where the relay calls");
    daemon.kill();
    daemon.restart(Vec::new());
    daemon.http().flow("f");
    assert_eq!(sockets_of(&daemon), before);
    assert!(daemon.terminate().success());
    assert_eq!(sockets_of(&daemon), 0);
}

#[test]
fn sockets_have_their_modes() {
    let daemon = TestDaemon::without_agent();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&daemon.socket()), 0o660);
    let mut relay = daemon.socket().into_os_string();
    relay.push(".relay");
    assert_eq!(mode(Path::new(&relay)), 0o600);
    relay.push(".kept");
    assert_eq!(mode(Path::new(&relay)), 0o600);
}

#[test]
fn no_link_is_followed_to_a_lock() {
    let dir = tempfile::tempdir().unwrap();
    let state = dir.path().join("state");
    fs::create_dir(&state).unwrap();
    let elsewhere = dir.path().join("elsewhere");
    fs::write(&elsewhere, "kept").unwrap();
    for name in ["prefectd.lock", "instance-id"] {
        let link = state.join(name);
        // One that leads to nothing to read would be written.
        let target = match name {
            "instance-id" => dir.path().join("made"),
            _ => elsewhere.clone(),
        };
        symlink(&target, &link).unwrap();
        let (code, told) = start(dir.path(), &dir.path().join("socket"));
        assert!(code == Some(1) && told.contains(name), "{code:?} {told}");
        fs::remove_file(link).unwrap();
    }
    assert_eq!(fs::read_to_string(&elsewhere).unwrap(), "kept");
    assert!(!dir.path().join("made").exists());
}
