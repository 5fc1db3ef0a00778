//! Where things are when nobody says.

use std::path::PathBuf;

use super::ConfigError;

/// The socket of the system's daemon.
const SYSTEM_SOCKET: &str = "/run/prefectd/prefectd.sock";

/// `$STATE_DIRECTORY`, else `/var/lib/prefectd` as root, else `$XDG_STATE_HOME/prefectd`.
pub(super) fn default_state_dir() -> Result<PathBuf, ConfigError> {
    if let Some(given) = variable("STATE_DIRECTORY") {
        return Ok(given);
    }
    if is_root() {
        return Ok("/var/lib/prefectd".into());
    }
    let home = || variable("HOME").map(|home| home.join(".local/state"));
    let base = variable("XDG_STATE_HOME").or_else(home);
    base.map(|base| base.join("prefectd"))
        .ok_or_else(|| ConfigError("no state directory: give --state-dir".to_owned()))
}

/// Where agents keep what they know, unless told otherwise: `$STATE_DIRECTORY`, else
/// `/var/lib/prefectd-agent` as root, else `$XDG_STATE_HOME/prefectd-agent`.
pub fn default_agent_dir() -> Result<PathBuf, ConfigError> {
    if variable("STATE_DIRECTORY").is_some() {
        return default_state_dir();
    }
    let daemon = default_state_dir()?;
    Ok(daemon.with_file_name("prefectd-agent"))
}

/// Where the daemon's socket is expected: where this user's own daemon would have it, if it
/// is there, else the system's.
pub fn usual_socket() -> PathBuf {
    let own = default_socket().ok().filter(|own| own.exists());
    own.unwrap_or_else(|| SYSTEM_SOCKET.into())
}

/// `$RUNTIME_DIRECTORY/prefectd.sock`, else `/run/prefectd/prefectd.sock` as root, else
/// `$XDG_RUNTIME_DIR/prefectd/prefectd.sock`.
pub(super) fn default_socket() -> Result<PathBuf, ConfigError> {
    if let Some(given) = variable("RUNTIME_DIRECTORY") {
        return Ok(given.join("prefectd.sock"));
    }
    if is_root() {
        return Ok(SYSTEM_SOCKET.into());
    }
    variable("XDG_RUNTIME_DIR")
        .map(|base| base.join("prefectd/prefectd.sock"))
        .ok_or_else(|| ConfigError("no place for the socket: give --socket".to_owned()))
}

/// The file of a systemd credential of this process, when there is one of that name.
pub fn credential(name: &str) -> Option<PathBuf> {
    let path = variable("CREDENTIALS_DIRECTORY")?.join(name);
    path.is_file().then_some(path)
}

fn variable(name: &str) -> Option<PathBuf> {
    std::env::var_os(name)
        .filter(|value| !value.is_empty())
        .map(PathBuf::from)
}

fn is_root() -> bool {
    nix::unistd::geteuid().is_root()
}
