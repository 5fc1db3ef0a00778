//! What lies beside the operations, and what viewers see by `prefectctl`.

use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use super::CANARY;
use super::planted::Planted;
use crate::support::{ask_as, copied_program, user, with_groups};

#[test]
fn what_is_no_route_is_refused_to_who_may_only_look() {
    let daemon = with_groups();
    let planted = Planted::plant(&daemon.http());
    let socket = daemon.socket();
    let run = &planted.run;
    for path in [
        "/nothing".to_owned(),
        "/api/v3/nothing".to_owned(),
        "/api/v3/flow_runs".to_owned(),
        format!("/api/v3/flow_runs/{run}/"),
        format!("/api/v3//flow_runs/{run}"),
        format!("//api/v3/flow_runs/{run}"),
        format!("/api/v3/flow_runs/{run}/nothing"),
        format!("/api/v3/flow_runs%2F{run}"),
        "/api/v3/flow_runs/../prefectd/backup".to_owned(),
        "/api/v3/prefectd/backup/".to_owned(),
        "/api/v3/prefectd/%62ackup".to_owned(),
        "/api/v3/prefectd/agents/embedded/runs/".to_owned(),
        "/metrics/".to_owned(),
    ] {
        for method in ["GET", "POST", "DELETE", "PUT", "BREW"] {
            let (status, text) = ask_as(user::VIEWER, &socket, method, &path, "{}");
            assert_eq!(status, 403, "{method} {path}: {text}");
            assert!(!text.contains(CANARY), "{method} {path}: {text}");
        }
    }
    // A path of the old dialect that lacks its slash is sent on, to where it is judged.
    let (status, text) = ask_as(user::VIEWER, &socket, "GET", "/api/orion/flow_runs", "");
    assert_eq!(status, 307, "{text}");
    let (status, _) = ask_as(
        user::VIEWER,
        &socket,
        "DELETE",
        &format!("/api/orion/flow_runs/{run}/"),
        "",
    );
    assert_eq!(status, 307);
    assert_eq!(daemon.http().get(&format!("/flow_runs/{run}")).status, 200);
}

#[test]
fn prefectctl_shows_viewers_what_they_may_see() {
    let daemon = with_groups();
    let planted = Planted::plant(&daemon.http());
    // Where every user finds it.
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("prefectctl");
    copied_program(Path::new(env!("CARGO_BIN_EXE_prefectctl")), &program);
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    let run = planted.run.as_str();
    for words in [
        &["flow", "ls"][..],
        &["deployment", "ls"],
        &["deployment", "inspect", "f/d"],
        &["flow-run", "ls"],
        &["flow-run", "inspect", run],
        &["flow-run", "logs", run],
        &["flow-run", "why", run],
        &["top", "--once"],
        &["status"],
    ] {
        let output = Command::new(&program)
            .args(words)
            .arg("--show-secrets")
            .env("PREFECTD_SOCKET", daemon.socket())
            .uid(user::VIEWER)
            .gid(user::VIEWER)
            .current_dir("/")
            .output()
            .unwrap();
        let told = String::from_utf8_lossy(&output.stdout);
        let trouble = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{words:?}: {told}{trouble}");
        assert!(!told.contains(CANARY), "{words:?}: {told}");
    }
}
