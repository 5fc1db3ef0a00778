//! Looks at all that the daemon needs: the daemon looks at what it can see, and this program at
//! the rest. Without a daemon it looks at what there is.

use std::io::ErrorKind;
use std::path::Path;
use std::process::Command;

use super::super::client::Target;
use super::super::failure::{Failure, Result};
use super::super::render;
use super::Ctl;
use crate::api::v3::wire::{Check as Told, CheckupIn, Status};
use crate::config;
use crate::domain::checkup::Check;
use crate::runners::docker::DockerRunner;
use crate::state_dir;

/// The systemd that knows the unit's type.
const SYSTEMD: u32 = 253;

/// Prints a line for each check; fails when one of them does.
pub async fn doctor(ctl: &Ctl, image: Option<String>) -> Result<()> {
    let mut checks: Vec<Told> = Vec::new();
    match ctl.client.get::<Status>("/prefectd/status").await {
        Ok(status) => {
            checks.push(version(&status).into());
            let asked = CheckupIn { image };
            checks.extend(
                ctl.client
                    .post::<Vec<Told>>("/prefectd/doctor", &asked)
                    .await?,
            );
        }
        Err(failure) => {
            let there = unreachable(ctl.client.target(), &failure);
            let without = without_daemon(image.as_deref()).await;
            checks.extend(std::iter::once(there).chain(without).map(Told::from));
        }
    }
    if matches!(ctl.client.target(), Target::Socket(_)) {
        checks.extend([synchronised(), systemd()].map(Told::from));
    }
    render::print(ctl.output, &checks, |checks| shown(checks))?;
    match checks.iter().filter(|check| check.is_failure()).count() {
        0 => Ok(()),
        1 => Err(Failure::new("one check failed; its line says what to do")),
        count => Err(Failure::new(format!(
            "{count} checks failed; their lines say what to do"
        ))),
    }
}

fn shown(checks: &[Told]) -> String {
    let width = checks
        .iter()
        .map(|check| check.name.len())
        .max()
        .unwrap_or(0);
    let lines = checks.iter().map(|check| {
        let advice = check.advice.as_ref();
        let advice = advice.map(|advice| format!("\n      {:width$}  -> {advice}", ""));
        format!(
            "{:4}  {:width$}  {}{}",
            check.verdict,
            check.name,
            check.found,
            advice.unwrap_or_default()
        )
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn version(status: &Status) -> Check {
    const NAME: &str = "daemon";
    let ours = env!("CARGO_PKG_VERSION");
    let found = format!("prefectd {}, process {}", status.version, status.pid);
    if status.version == ours {
        return Check::ok(NAME, found);
    }
    let advice = "restart the one that is older: `systemctl restart prefectd`";
    Check::warn(NAME, format!("{found}, but prefectctl {ours}"), advice)
}

/// The daemon cannot be asked. A socket that is there and may not be opened is told apart.
fn unreachable(target: &Target, failure: &Failure) -> Check {
    const NAME: &str = "daemon";
    if let Target::Socket(path) = target {
        let opened = std::os::unix::net::UnixStream::connect(path);
        if opened.is_err_and(|error| error.kind() == ErrorKind::PermissionDenied) {
            return Check::fail(
                NAME,
                format!("{} may not be opened by this user", path.display()),
                "join the group that the socket belongs to (`usermod -aG prefect USER`), and \
                 log in anew",
            );
        }
    }
    Check::fail(
        NAME,
        failure.to_string(),
        "start it: `systemctl start prefectd`; `journalctl -u prefectd` says why it ended",
    )
}

/// The state directory and the engine as this user sees them.
async fn without_daemon(image: Option<&str>) -> Vec<Check> {
    let mut checks = match config::state_dir() {
        Ok(dir) if dir.exists() => state_dir::examine(&dir),
        Ok(dir) => {
            let found = format!("{} is not there yet; the daemon makes it", dir.display());
            vec![Check::skip("state directory", found)]
        }
        Err(error) => vec![Check::skip("state directory", error.to_string())],
    };
    match DockerRunner::new("doctor", "doctor") {
        Ok(docker) => checks.extend(docker.examine(image, None).await),
        Err(error) => checks.push(Check::fail(
            "engine",
            error.to_string(),
            "say where it is by DOCKER_HOST",
        )),
    }
    checks
}

/// Whether somebody keeps the machine's clock right.
fn synchronised() -> Check {
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
fn systemd() -> Check {
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
    use crate::domain::checkup::Verdict;

    #[test]
    fn what_systemd_says_is_judged() {
        for (version, state, verdict) in [
            (
                Some(257),
                ["loaded", "active", "enabled", "active"],
                Verdict::Ok,
            ),
            (
                Some(252),
                ["loaded", "active", "enabled", "active"],
                Verdict::Warn,
            ),
            (
                Some(257),
                ["not-found", "inactive", "", "inactive"],
                Verdict::Warn,
            ),
            (
                Some(257),
                ["loaded", "failed", "enabled", "active"],
                Verdict::Fail,
            ),
            (
                Some(257),
                ["loaded", "inactive", "disabled", "inactive"],
                Verdict::Warn,
            ),
            (
                Some(257),
                ["loaded", "inactive", "disabled", "active"],
                Verdict::Ok,
            ),
        ] {
            let [loaded, active, enabled, socket] = state;
            let check = judged(version, loaded, active, enabled, socket);
            assert_eq!(check.verdict, verdict, "{version:?} {state:?}");
        }
    }
}
