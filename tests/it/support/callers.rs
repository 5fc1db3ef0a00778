//! Those who ask: with a key, as a local user, or as neither.

use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::{Http, Options, TestDaemon};

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

/// Users of every Debian, each in the group of its own name.
pub mod user {
    /// An operator of [`super::with_groups`].
    pub const OPERATOR: u32 = 1;
    /// A viewer.
    pub const VIEWER: u32 = 2;
    /// In neither group.
    pub const STRANGER: u32 = 3;
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

/// The status that a user of this machine gets on the socket, and the answer with its head.
pub fn ask_as(uid: u32, socket: &Path, method: &str, path: &str, body: &str) -> (u16, String) {
    let output = Command::new("curl")
        .args(["--silent", "--include", "--max-time", "20", "--path-as-is"])
        .arg("--unix-socket")
        .arg(socket)
        .args(["--header", "Content-Type: application/json"])
        .args(["--request", method])
        .args(match method {
            "GET" => Vec::new(),
            _ => vec!["--data", body],
        })
        .arg(format!("http://x{path}"))
        .uid(uid)
        .gid(uid)
        .current_dir("/")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let status = text.split(' ').nth(1).and_then(|word| word.parse().ok());
    (status.unwrap_or(0), text)
}
