//! Is the engine fit for runs, and does a container reach the API? Looked at from within one.

use std::collections::HashMap;
use std::time::Duration;

use bollard::container::LogOutput;
use bollard::models::{ContainerCreateBody, HostConfig};
use bollard::query_parameters::{CreateContainerOptions, LogsOptions, RemoveContainerOptions};
use futures_util::StreamExt;
use serde::Deserialize;

use super::{DockerRunner, errors};
use crate::domain::checkup::Check;
use crate::domain::container::labels;
use crate::runners::RunnerError;
use crate::runners::spec::DEFAULT_IMAGE;

/// What the container says of itself, as one line of JSON.
pub(in crate::runners) const PROBE: &str = include_str!("probe.py");
/// How long the container may take; importing prefect takes a minute on a machine that is busy.
const TIMEOUT: Duration = Duration::from_secs(180);
/// The oldest API that knows `host-gateway`: that of Docker 20.10.
const OLDEST_API: (u32, u32) = (1, 41);

/// What the probe found.
#[derive(Debug, Deserialize)]
pub(in crate::runners) struct Probed {
    python: String,
    prefect: Option<String>,
    /// The status that the API answered with.
    pub reached: Option<String>,
    /// Why it did not answer.
    pub trouble: Option<String>,
}

impl Probed {
    /// From all that a container said.
    pub fn read(said: &str) -> Result<Self, String> {
        let last = said.trim_end().lines().last().unwrap_or_default();
        serde_json::from_str(last).map_err(|_| format!("a container of it said: {last}"))
    }
}

/// Where a container of a checkup is made, and what it is to reach.
#[derive(Clone, Copy, Debug, Default)]
pub struct Probe<'a> {
    /// The image; absent: the default one.
    pub image: Option<&'a str>,
    /// The network; absent: the default bridge, on which the image is looked at as well.
    pub network: Option<&'a str>,
    /// The API as containers see it; absent where none should reach it.
    pub url: Option<&'a str>,
}

impl DockerRunner {
    /// Whether the engine answers and is new enough.
    pub async fn examine_engine(&self) -> Check {
        const NAME: &str = "engine";
        let version = match self.docker.version().await {
            Ok(version) => version,
            Err(error) => return engine_trouble(NAME, &errors::classify(error).to_string()),
        };
        let api = version.api_version.unwrap_or_default();
        let found = format!("version {}, API {api}", version.version.unwrap_or_default());
        match parsed(&api) {
            Some(api) if api >= OLDEST_API => Check::ok(NAME, found),
            _ => Check::fail(
                NAME,
                format!("{found} is too old"),
                "install Docker 20.10 (API 1.41) or newer",
            ),
        }
    }

    /// What a container finds in itself and at the API; it is removed again.
    pub async fn examine_image(&self, place: Probe<'_>) -> Vec<Check> {
        const NAME: &str = "image";
        let image = place.image.unwrap_or(DEFAULT_IMAGE);
        match self.docker.inspect_image(image).await {
            Ok(_) => {}
            Err(error) if errors::is_gone(&error) => {
                let found = format!("{image} is not on this machine");
                let advice = format!(
                    "it is pulled when a run needs it; `docker pull {image}` tells whether that works"
                );
                return vec![Check::warn(NAME, found, advice)];
            }
            Err(error) => {
                let found = errors::classify(error).to_string();
                return vec![Check::fail(NAME, found, "see what the engine's log says")];
            }
        }
        // Whoever asked may go; the container is to be taken away all the same.
        let runner = self.clone();
        let of = Some(image.to_owned());
        let [image_of, network_of, url_of] = [
            of,
            place.network.map(str::to_owned),
            place.url.map(str::to_owned),
        ];
        let probing = tokio::spawn(async move {
            let place = Probe {
                image: image_of.as_deref(),
                network: network_of.as_deref(),
                url: url_of.as_deref(),
            };
            runner.probe(place).await
        });
        let probed = probing.await.unwrap_or_else(|error| Err(error.to_string()));
        match (probed, place.network) {
            (Ok(probed), None) => {
                let mut checks = vec![Check::ok(NAME, image)];
                checks.extend(told(&probed, image));
                checks.push(way("bridge", &probed, place.url));
                checks
            }
            (Ok(_), Some("none")) => vec![Check::fail(
                "network none",
                "a container on it reaches nothing",
                "runs tell their states by the API: give them another network",
            )],
            (Ok(probed), Some(network)) => {
                vec![way(&format!("network {network}"), &probed, place.url)]
            }
            (Err(trouble), Some(network)) => vec![Check::fail(
                &format!("network {network}"),
                trouble,
                on_network(network),
            )],
            (Err(trouble), None) => vec![
                Check::ok(NAME, image),
                Check::fail(
                    "image's python",
                    trouble,
                    format!(
                        "use an image with Python and prefect in it; `docker run {image} python --version` must work"
                    ),
                ),
            ],
        }
    }

    /// Runs the probe in a container of its own, and takes it away whatever comes.
    async fn probe(&self, place: Probe<'_>) -> Result<Probed, String> {
        let created = self
            .docker
            .create_container(None::<CreateContainerOptions>, self.container(place))
            .await
            .map_err(|error| errors::classify(error).to_string())?;
        let said = tokio::time::timeout(TIMEOUT, self.output_of(&created.id)).await;
        let options = RemoveContainerOptions {
            force: true,
            ..RemoveContainerOptions::default()
        };
        if let Err(error) = self
            .docker
            .remove_container(&created.id, Some(options))
            .await
        {
            tracing::warn!(%error, container = created.id, "a probe's container stays");
        }
        let said = match said {
            Ok(said) => said.map_err(|error| error.to_string())?,
            Err(_) => {
                let secs = TIMEOUT.as_secs();
                return Err(format!("a container did not answer in {secs} s"));
            }
        };
        Probed::read(&said)
    }

    async fn output_of(&self, id: &str) -> Result<String, RunnerError> {
        self.docker
            .start_container(id, None)
            .await
            .map_err(errors::classify)?;
        // How it ended is in what it said.
        self.until_stopped(id).await;
        let options = LogsOptions {
            stdout: true,
            stderr: true,
            tail: "all".to_owned(),
            ..LogsOptions::default()
        };
        let pieces = self.docker.logs(id, Some(options));
        let pieces: Vec<_> = pieces
            .filter_map(|piece| async { piece.ok() })
            .collect()
            .await;
        Ok(pieces.into_iter().map(text).collect())
    }

    /// Labelled as this daemon's, and as no run's.
    fn container(&self, place: Probe<'_>) -> ContainerCreateBody {
        let labels = [
            (labels::INSTANCE, self.instance.as_str()),
            ("io.prefectd.probe", ""),
        ];
        let labels = labels.map(|(key, value)| (key.to_owned(), value.to_owned()));
        ContainerCreateBody {
            image: place.image.map(str::to_owned),
            // The image's own entry point may install packages first.
            entrypoint: Some(vec!["python".to_owned()]),
            cmd: Some(vec![
                "-c".to_owned(),
                PROBE.to_owned(),
                place.url.unwrap_or_default().to_owned(),
            ]),
            labels: Some(HashMap::from(labels)),
            host_config: Some(HostConfig {
                network_mode: place.network.map(str::to_owned),
                extra_hosts: names_host(place.network)
                    .then(|| vec!["host.docker.internal:host-gateway".to_owned()]),
                ..HostConfig::default()
            }),
            ..ContainerCreateBody::default()
        }
    }
}

/// Whether the engine lets a container on this network have names of its own.
fn names_host(network: Option<&str>) -> bool {
    !network.is_some_and(|network| network.starts_with("container:"))
}

/// What to do where no container can be put on a network.
fn on_network(network: &str) -> String {
    match network.strip_prefix("container:") {
        Some(other) => format!("the container {other} must be running while runs are"),
        None => format!(
            "deployments or docker.defaults.network_mode name it: `docker network create {network}`"
        ),
    }
}

fn told(probed: &Probed, image: &str) -> [Check; 2] {
    let python = Check::ok("image's python", &probed.python);
    let prefect = match &probed.prefect {
        Some(version) => Check::ok("image's prefect", version),
        None => Check::fail(
            "image's prefect",
            format!("{image} has no prefect package"),
            "install prefect in the image; flows are run by it",
        ),
    };
    [python, prefect]
}

/// The way from a container to the API.
fn way(name: &str, probed: &Probed, url: Option<&str>) -> Check {
    match (url, &probed.reached) {
        (None, _) => Check::skip(name, "the daemon does not listen on Docker's bridge"),
        (Some(url), Some(status)) => {
            Check::ok(name, format!("a container reaches {url} (HTTP {status})"))
        }
        (Some(url), None) => Check::fail(
            name,
            format!(
                "a container does not reach {url}: {}",
                probed.trouble.as_deref().unwrap_or("no answer")
            ),
            "a firewall of this machine may stand between: let the interface docker0 in, such as \
             by `iptables -I INPUT -i docker0 -p tcp --dport PORT -j ACCEPT` or `firewall-cmd \
             --zone=docker --add-port=PORT/tcp`; for another network, its own interface",
        ),
    }
}

/// Why there is no engine, and what to do.
fn engine_trouble(name: &str, found: &str) -> Check {
    if !found.to_ascii_lowercase().contains("permission denied") {
        let advice = "start it (`systemctl start docker`), or say where it is by DOCKER_HOST";
        return Check::fail(name, found, advice);
    }
    // Whoever looks is who needs it: the daemon looks at its own engine.
    let user = nix::unistd::User::from_uid(nix::unistd::geteuid())
        .ok()
        .flatten();
    let user = user.map_or_else(|| "USER".to_owned(), |user| user.name);
    let advice = format!(
        "let the user {user} use it: `usermod -aG docker {user}`, and start what runs as {user} \
         anew; under systemd SupplementaryGroups=docker does it"
    );
    Check::fail(name, found, advice)
}

fn parsed(api: &str) -> Option<(u32, u32)> {
    let (major, minor) = api.split_once('.')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

pub(in crate::runners) fn text(piece: LogOutput) -> String {
    String::from_utf8_lossy(&piece.into_bytes()).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::checkup::CheckResult;

    #[test]
    fn versions_compare_by_number() {
        assert!(parsed("1.41") >= Some(OLDEST_API));
        assert!(parsed("1.100") > Some(OLDEST_API));
        assert!(parsed("1.9") < Some(OLDEST_API));
        assert_eq!(parsed("none"), None);
    }

    #[test]
    fn each_finding_is_told_with_what_to_do() {
        let url = Some("http://h:1");
        let bad = Probed {
            python: "3.9.2".to_owned(),
            prefect: None,
            reached: None,
            trouble: Some("timed out".to_owned()),
        };
        let verdicts = told(&bad, "image").map(|check| check.verdict);
        assert_eq!(verdicts, [CheckResult::Ok, CheckResult::Fail]);
        let bridge = way("bridge", &bad, url);
        assert_eq!(bridge.verdict, CheckResult::Fail);
        assert!(bridge.found.contains("timed out"));
        assert!(bridge.advice.as_ref().unwrap().contains("docker0"));
        assert_eq!(way("bridge", &bad, None).verdict, CheckResult::Skip);
        let denied = engine_trouble("engine", "Permission denied (os error 13)");
        let user = nix::unistd::User::from_uid(nix::unistd::geteuid()).unwrap();
        let command = format!("usermod -aG docker {}", user.unwrap().name);
        assert!(denied.advice.unwrap().contains(&command));
    }
}
