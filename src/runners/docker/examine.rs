//! Is the engine fit for runs, and does a container reach the API? Looked at from within one.

use std::collections::HashMap;
use std::time::Duration;

use bollard::container::LogOutput;
use bollard::models::{ContainerCreateBody, HostConfig};
use bollard::query_parameters::{CreateContainerOptions, LogsOptions, RemoveContainerOptions};
use futures_util::StreamExt;
use serde::Deserialize;

use super::super::RunnerError;
use super::super::spec::DEFAULT_IMAGE;
use super::{DockerRunner, words};
use crate::domain::checkup::{Check, Verdict};
use crate::domain::container::labels;

/// What the container says of itself, as one line of JSON.
const PROBE: &str = include_str!("probe.py");
/// How long the container may take; importing prefect takes a minute on a machine that is busy.
const PATIENCE: Duration = Duration::from_secs(180);
/// The oldest API that knows `host-gateway`: that of Docker 20.10.
const OLDEST_API: (u32, u32) = (1, 41);

/// What the probe found.
#[derive(Debug, Deserialize)]
struct Probed {
    python: String,
    prefect: Option<String>,
    reached: Option<String>,
    trouble: Option<String>,
}

impl DockerRunner {
    /// Whether the engine answers and is new enough, and what a container made from `image`
    /// (absent: the default one) finds in itself and at `url`, which is this API as containers
    /// see it; absent where none should reach it. The container is removed again.
    pub async fn examine(&self, image: Option<&str>, url: Option<&str>) -> Vec<Check> {
        let engine = self.examine_engine().await;
        let is_usable = engine.verdict == Verdict::Ok;
        let mut checks = vec![engine];
        if is_usable {
            checks.extend(
                self.examine_image(image.unwrap_or(DEFAULT_IMAGE), url)
                    .await,
            );
        }
        checks
    }

    async fn examine_engine(&self) -> Check {
        const NAME: &str = "engine";
        let version = match self.docker.version().await {
            Ok(version) => version,
            Err(error) => return engine_trouble(NAME, &words::tell(error).to_string()),
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

    async fn examine_image(&self, image: &str, url: Option<&str>) -> Vec<Check> {
        const NAME: &str = "image";
        match self.docker.inspect_image(image).await {
            Ok(_) => {}
            Err(error) if words::is_gone(&error) => {
                let found = format!("{image} is not on this machine");
                let advice = format!(
                    "it is pulled when a run needs it; `docker pull {image}` tells whether that works"
                );
                return vec![Check::warn(NAME, found, advice)];
            }
            Err(error) => {
                let found = words::tell(error).to_string();
                return vec![Check::fail(NAME, found, "see what the engine's log says")];
            }
        }
        let image_check = Check::ok(NAME, image);
        // Whoever asked may go; the container is to be taken away all the same.
        let (runner, of) = (self.clone(), (image.to_owned(), url.map(str::to_owned)));
        let probing = tokio::spawn(async move { runner.probe(&of.0, of.1.as_deref()).await });
        let probed = probing.await.unwrap_or_else(|error| Err(error.to_string()));
        let mut checks = vec![image_check];
        match probed {
            Ok(probed) => checks.extend(told(&probed, image, url)),
            Err(trouble) => checks.push(Check::fail(
                "image's python",
                trouble,
                format!("use an image with Python and prefect in it; `docker run {image} python --version` must work"),
            )),
        }
        checks
    }

    /// Runs the probe in a container of its own, and takes it away whatever comes.
    async fn probe(&self, image: &str, url: Option<&str>) -> Result<Probed, String> {
        let created = self
            .docker
            .create_container(None::<CreateContainerOptions>, self.container(image, url))
            .await
            .map_err(|error| words::tell(error).to_string())?;
        let said = tokio::time::timeout(PATIENCE, self.output_of(&created.id)).await;
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
                let secs = PATIENCE.as_secs();
                return Err(format!("a container did not answer in {secs} s"));
            }
        };
        let last = said.trim_end().lines().last().unwrap_or_default();
        serde_json::from_str(last).map_err(|_| format!("a container of it said: {last}"))
    }

    async fn output_of(&self, id: &str) -> Result<String, RunnerError> {
        self.docker
            .start_container(id, None)
            .await
            .map_err(words::tell)?;
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
    fn container(&self, image: &str, url: Option<&str>) -> ContainerCreateBody {
        let labels = [
            (labels::INSTANCE, self.instance.as_str()),
            ("io.prefectd.probe", ""),
        ];
        let labels = labels.map(|(key, value)| (key.to_owned(), value.to_owned()));
        ContainerCreateBody {
            image: Some(image.to_owned()),
            // The image's own entry point may install packages first.
            entrypoint: Some(vec!["python".to_owned()]),
            cmd: Some(vec![
                "-c".to_owned(),
                PROBE.to_owned(),
                url.unwrap_or_default().to_owned(),
            ]),
            labels: Some(HashMap::from(labels)),
            host_config: Some(HostConfig {
                extra_hosts: Some(vec!["host.docker.internal:host-gateway".to_owned()]),
                ..HostConfig::default()
            }),
            ..ContainerCreateBody::default()
        }
    }
}

fn told(probed: &Probed, image: &str, url: Option<&str>) -> Vec<Check> {
    let python = Check::ok("image's python", &probed.python);
    let prefect = match &probed.prefect {
        Some(version) => Check::ok("image's prefect", version),
        None => Check::fail(
            "image's prefect",
            format!("{image} has no prefect package"),
            "install prefect in the image; flows are run by it",
        ),
    };
    let bridge = match (url, &probed.reached) {
        (None, _) => Check::skip("bridge", "the daemon does not listen on Docker's bridge"),
        (Some(url), Some(status)) => Check::ok(
            "bridge",
            format!("a container reaches {url} (HTTP {status})"),
        ),
        (Some(url), None) => Check::fail(
            "bridge",
            format!(
                "a container does not reach {url}: {}",
                probed.trouble.as_deref().unwrap_or("no answer")
            ),
            "a firewall of this machine may stand between: let the interface docker0 in, such as \
             by `iptables -I INPUT -i docker0 -p tcp --dport PORT -j ACCEPT` or `firewall-cmd \
             --zone=docker --add-port=PORT/tcp`",
        ),
    };
    vec![python, prefect, bridge]
}

/// Why there is no engine, and what to do.
fn engine_trouble(name: &str, found: &str) -> Check {
    let advice = match found.to_ascii_lowercase().contains("permission denied") {
        true => "let the daemon's user use it: `usermod -aG docker prefect`, and restart prefectd",
        false => "start it (`systemctl start docker`), or say where it is by DOCKER_HOST",
    };
    Check::fail(name, found, advice)
}

fn parsed(api: &str) -> Option<(u32, u32)> {
    let (major, minor) = api.split_once('.')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

fn text(piece: LogOutput) -> String {
    String::from_utf8_lossy(&piece.into_bytes()).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

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
        let checks = told(&bad, "image", url);
        let verdicts: Vec<_> = checks.iter().map(|check| check.verdict).collect();
        assert_eq!(verdicts, [Verdict::Ok, Verdict::Fail, Verdict::Fail]);
        let bridge = checks.last().unwrap();
        assert!(bridge.found.contains("timed out"));
        assert!(bridge.advice.as_ref().unwrap().contains("docker0"));
        let not_listening = told(&bad, "image", None);
        assert_eq!(not_listening.last().unwrap().verdict, Verdict::Skip);
        let denied = engine_trouble("engine", "Permission denied (os error 13)");
        assert!(denied.advice.unwrap().contains("usermod"));
    }
}
