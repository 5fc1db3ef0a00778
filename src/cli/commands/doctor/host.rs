//! What this machine says of itself: its clock, and its service manager.

use std::path::Path;
use std::process::Command;

use crate::domain::checkup::Check;

/// The systemd that knows the unit's type.
const SYSTEMD: u32 = 253;

/// Whether somebody keeps the machine's clock right.
pub fn synchronised() -> Check {
    const NAME: &str = "time source";
    let asked = ["show", "--property=NTPSynchronized", "--value"];
    match said("timedatectl", &asked).as_deref() {
        Some("yes") => Check::ok(NAME, "the clock is synchronised"),
        Some("no") => Check::warn(
            NAME,
            "the clock is not synchronised",
            "schedules go by it; `timedatectl set-ntp true` has it kept right",
        ),
        _ => Check::skip(NAME, "timedatectl does not tell"),
    }
}

/// What systemd knows of the daemon.
pub fn systemd() -> Check {
    const NAME: &str = "systemd";
    if !Path::new("/run/systemd/system").exists() {
        return Check::skip(NAME, "not the service manager here");
    }
    let version = said("systemctl", &["--version"]);
    let version = version
        .as_deref()
        .and_then(|text| text.split_whitespace().nth(1)?.parse().ok());
    let state = |unit: &str, property: &str| {
        let property = format!("--property={property}");
        said("systemctl", &["show", "--value", &property, unit]).unwrap_or_default()
    };
    let [loaded, active, enabled] =
        ["LoadState", "ActiveState", "UnitFileState"].map(|what| state("prefectd.service", what));
    let socket = state("prefectd.socket", "ActiveState");
    judged(version, &loaded, &active, &enabled, &socket)
}

fn judged(version: Option<u32>, loaded: &str, active: &str, enabled: &str, socket: &str) -> Check {
    const NAME: &str = "systemd";
    let found = format!("prefectd.service is {active}, {enabled}; prefectd.socket is {socket}");
    if loaded != "loaded" {
        let advice = "install the units to have the daemon started with the machine";
        return Check::warn(NAME, "there is no unit prefectd.service", advice);
    }
    if active == "failed" {
        let advice = "`systemctl status prefectd` and `journalctl -u prefectd` say why";
        return Check::fail(NAME, found, advice);
    }
    if enabled == "disabled" && socket != "active" {
        let advice = "`systemctl enable --now prefectd.socket` starts it with the machine";
        return Check::warn(NAME, found, advice);
    }
    match version {
        Some(version) if version < SYSTEMD => Check::warn(
            NAME,
            format!("{found}; systemd {version} does not know Type=notify-reload"),
            "a drop-in with Type=notify and ExecReload=kill -HUP $MAINPID serves instead",
        ),
        _ => Check::ok(NAME, found),
    }
}

/// What a program prints, trimmed; nothing when it fails or is not there.
fn said(program: &str, words: &[&str]) -> Option<String> {
    let output = Command::new(program).args(words).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    Some(text.trim().to_owned()).filter(|_| output.status.success())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::checkup::CheckResult;

    #[test]
    fn what_systemd_says_is_judged() {
        for (version, state, verdict) in [
            (
                Some(257),
                ["loaded", "active", "enabled", "active"],
                CheckResult::Ok,
            ),
            (
                Some(252),
                ["loaded", "active", "enabled", "active"],
                CheckResult::Warn,
            ),
            (
                Some(257),
                ["not-found", "inactive", "", "inactive"],
                CheckResult::Warn,
            ),
            (
                Some(257),
                ["loaded", "failed", "enabled", "active"],
                CheckResult::Fail,
            ),
            (
                Some(257),
                ["loaded", "inactive", "disabled", "inactive"],
                CheckResult::Warn,
            ),
            (
                Some(257),
                ["loaded", "inactive", "disabled", "active"],
                CheckResult::Ok,
            ),
        ] {
            let [loaded, active, enabled, socket] = state;
            let check = judged(version, loaded, active, enabled, socket);
            assert_eq!(check.verdict, verdict, "{version:?} {state:?}");
        }
    }
}
