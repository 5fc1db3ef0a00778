//! Looks at all that the daemon needs: the daemon looks at what it can see, and this program at
//! the rest. Without a daemon it looks at what there is.

use std::io::{ErrorKind, IsTerminal};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::Command;

use super::super::args::Output;
use super::super::client::Target;
use super::super::failure::{Failure, Result};
use super::super::render;
use super::Ctl;
use crate::api::v3::wire::{Check as Told, CheckupIn, CheckupPlan, Part, Status};
use crate::config::{self, Flags, Settings};
use crate::domain::checkup::{Check, Verdict};
use crate::runners::docker::{DockerRunner, Probe};
use crate::state_dir;

/// The systemd that knows the unit's type.
const SYSTEMD: u32 = 253;

/// Prints a line for each check as it comes; fails when one of them does.
pub async fn doctor(ctl: &Ctl, image: Option<String>) -> Result<()> {
    let mut report = Report::new(ctl.output);
    match ctl.client.get::<Status>("/prefectd/status").await {
        Ok(status) => {
            report.add([version(&status).into()])?;
            by_daemon(ctl, image, &mut report).await?;
        }
        Err(failure) => {
            report.add([unreachable(ctl.client.target(), &failure).into()])?;
            let without = without_daemon(image.as_deref()).await;
            report.add(without.into_iter().map(Told::from))?;
        }
    }
    if matches!(ctl.client.target(), Target::Socket(_)) {
        report.add([synchronised(), systemd()].map(Told::from))?;
    }
    report.end()
}

/// What the daemon can see, part by part: those with containers take seconds each.
async fn by_daemon(ctl: &Ctl, image: Option<String>, report: &mut Report) -> Result<()> {
    let ask = |asked: CheckupIn| async move {
        let answer = ctl.client.post::<Vec<Told>>("/prefectd/doctor", &asked);
        answer.await
    };
    report.is_at("the database, the settings, the engine");
    let machine = ask(CheckupIn {
        part: Some(Part::Machine),
        ..CheckupIn::default()
    })
    .await?;
    let is_usable = |check: &Told| check.name != "engine" || check.verdict == "ok";
    let has_engine = machine.iter().all(is_usable);
    report.add(machine)?;
    if !has_engine {
        return Ok(());
    }
    let plan: CheckupPlan = ctl.client.get("/prefectd/doctor").await?;
    let mut images: Vec<Option<String>> = match image {
        Some(image) => vec![Some(image)],
        None => plan.images.into_iter().map(Some).collect(),
    };
    if images.is_empty() {
        images.push(None);
    }
    let first = images.first().cloned().flatten();
    let places = images.into_iter().map(|image| (image, None));
    let networks = plan.networks.into_iter();
    let places = places.chain(networks.map(|network| (first.clone(), Some(network))));
    for (image, network) in places {
        let what = match (&network, &image) {
            (Some(network), _) => format!("the network {network}"),
            (None, Some(image)) => image.clone(),
            (None, None) => "the default image".to_owned(),
        };
        report.is_at(&format!("{what}, from within a container"));
        let part = Some(Part::Container);
        report.add(
            ask(CheckupIn {
                part,
                image,
                network,
            })
            .await?,
        )?;
    }
    Ok(())
}

/// What has been found. People see each line as it comes; programs get all at the end.
struct Report {
    output: Output,
    checks: Vec<Told>,
}

impl Report {
    fn new(output: Output) -> Self {
        let checks = Vec::new();
        Self { output, checks }
    }

    /// Tells whoever waits at a terminal what for.
    fn is_at(&self, what: &str) {
        if self.output == Output::Table && std::io::stderr().is_terminal() {
            eprintln!("      looking at {what} ...");
        }
    }

    fn add(&mut self, checks: impl IntoIterator<Item = Told>) -> Result<()> {
        for check in checks {
            if self.output == Output::Table {
                render::line(&shown(&check))?;
            }
            self.checks.push(check);
        }
        Ok(())
    }

    fn end(self) -> Result<()> {
        if self.output != Output::Table {
            render::print(self.output, &self.checks, |_| String::new())?;
        }
        match self
            .checks
            .iter()
            .filter(|check| check.is_failure())
            .count()
        {
            0 => Ok(()),
            1 => Err(Failure::new("one check failed; its line says what to do")),
            count => Err(Failure::new(format!(
                "{count} checks failed; their lines say what to do"
            ))),
        }
    }
}

/// As wide as the usual names are.
fn shown(check: &Told) -> String {
    const WIDTH: usize = 15;
    let advice = check.advice.as_ref();
    let advice = advice.map(|advice| format!("\n      {:WIDTH$}  -> {advice}", ""));
    format!(
        "{:4}  {:WIDTH$}  {}{}",
        check.verdict,
        check.name,
        check.found,
        advice.unwrap_or_default()
    )
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
            let (user, group) = (user_name(), group_of(path));
            return Check::fail(
                NAME,
                format!("{} may not be opened by {user}", path.display()),
                format!(
                    "join the group that it belongs to (`usermod -aG {group} {user}`), and log in anew"
                ),
            );
        }
    }
    Check::fail(
        NAME,
        failure.to_string(),
        "start it: `systemctl start prefectd`; `journalctl -u prefectd` says why it ended",
    )
}

fn user_name() -> String {
    let user = nix::unistd::User::from_uid(nix::unistd::geteuid())
        .ok()
        .flatten();
    user.map_or_else(|| "USER".to_owned(), |user| user.name)
}

/// The group of a file, or that of the package where the file cannot be looked at.
fn group_of(path: &Path) -> String {
    let id = std::fs::metadata(path).map(|about| about.gid()).ok();
    let group = id.and_then(|id| nix::unistd::Group::from_gid(id.into()).ok().flatten());
    group.map_or_else(|| "prefect".to_owned(), |group| group.name)
}

/// The state directory, the settings and the engine as this user sees them.
async fn without_daemon(image: Option<&str>) -> Vec<Check> {
    let mut checks = match config::state_dir() {
        Ok(dir) if dir.exists() => state_dir::examine(&dir),
        Ok(dir) => {
            let found = format!("{} is not there yet; the daemon makes it", dir.display());
            vec![Check::skip("state directory", found)]
        }
        Err(error) => vec![Check::skip("state directory", error.to_string())],
    };
    match Settings::load(Flags::default()) {
        Ok(settings) => checks.push(config::doubts(&settings)),
        Err(error) => checks.push(Check::fail(
            "settings",
            error.to_string(),
            "correct it; `prefectd check-config` says whether all is well",
        )),
    }
    match DockerRunner::new("doctor", "doctor") {
        Ok(docker) => {
            let engine = docker.examine_engine().await;
            let is_usable = engine.verdict == Verdict::Ok;
            checks.push(engine);
            if is_usable {
                let place = Probe {
                    image,
                    ..Probe::default()
                };
                checks.extend(docker.examine_image(place).await);
            }
        }
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
