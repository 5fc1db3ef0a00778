//! Looks at all that the daemon needs: the daemon looks at what it can see, and this program at
//! the rest. Without a daemon it looks at what there is.

mod host;
mod report;

use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::Ctl;
use crate::api::v3::wire::{Check as Told, CheckupIn, CheckupPlan, Part, Status};
use crate::cli::client::Target;
use crate::cli::failure::{Failure, Result};
use crate::config::{self, Flags, Settings};
use crate::domain::checkup::{Check, CheckResult};
use crate::runners::docker::{DockerRunner, Probe};
use crate::state_dir;
use report::Report;

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
        report.add([host::synchronised(), host::systemd()].map(Told::from))?;
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
    if image.is_none() {
        report.add(plan.left_out().into_iter().map(Told::from))?;
    }
    let (mut images, on_cluster): (Vec<_>, _) = match image {
        Some(image) => (vec![Some(image)], Vec::new()),
        None => {
            let images = plan.images.into_iter().map(Some);
            (images.collect(), plan.cluster_images)
        }
    };
    if images.is_empty() && on_cluster.is_empty() {
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
    for image in on_cluster {
        report.is_at(&format!("{image}, from within a container on each node"));
        let asked = CheckupIn {
            part: Some(Part::Cluster),
            image: Some(image),
            network: None,
        };
        report.add(ask(asked).await?)?;
    }
    Ok(())
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
        Ok(settings) => checks.extend(config::doubts(&settings)),
        Err(error) => checks.push(Check::fail(
            "settings",
            error.to_string(),
            "correct it; `prefectd check-config` says whether all is well",
        )),
    }
    match DockerRunner::new("doctor", "doctor") {
        Ok(docker) => {
            let engine = docker.examine_engine().await;
            let is_usable = engine.verdict == CheckResult::Ok;
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
