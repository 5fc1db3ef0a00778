//! Do containers on all nodes reach the API? Looked at from within one on each.

use std::collections::HashMap;
use std::time::Duration;

use bollard::models::{
    Service, ServiceSpec, ServiceSpecMode, Task, TaskSpec, TaskSpecContainerSpec,
    TaskSpecRestartPolicy, TaskSpecRestartPolicyConditionEnum,
};
use bollard::query_parameters::LogsOptions;
use futures_util::StreamExt;
use tokio::time::Instant;
use uuid::Uuid;

use super::nodes::All;
use super::{SwarmRunner, image, state, trouble};
use crate::domain::checkup::Check;
use crate::domain::container::{Pull, labels};
use crate::domain::node::Node;
use crate::domain::time::{Span, Timestamp};
use crate::runners::RunnerError;
use crate::runners::docker::credentials;
use crate::runners::docker::examine::{PROBE, Probed, text};

/// How long all of the containers may take; a node may have to pull the image.
const TIMEOUT: Duration = Duration::from_secs(180);
/// How long a node may take to bring its container's words.
const SILENCE: Duration = Duration::from_secs(5);

/// After how long, in microseconds, nobody looks any more.
const FORGOTTEN: i64 = 600_000_000;
/// The label of what is made to look around.
const PROBE_LABEL: &str = "io.prefectd.probe";

/// How a node's container ended, as far as it has.
type Ends = HashMap<String, (Task, crate::runners::Exit)>;

impl SwarmRunner {
    /// What a container of `image` on each node that takes runs finds at `url`; all of them are
    /// removed again.
    pub async fn examine_nodes(&self, image: &str, url: &str) -> Vec<Check> {
        // Whoever asked may go; what was made is to be taken away all the same.
        let (runner, image, url) = (self.clone(), image.to_owned(), url.to_owned());
        let probing = tokio::spawn(async move { runner.probe_nodes(&image, &url).await });
        let advice = "see what the log of the manager's engine says";
        match probing.await {
            Ok(Ok(checks)) => checks,
            Ok(Err(error)) => vec![Check::fail("nodes", error.to_string(), advice)],
            Err(error) => vec![Check::fail("nodes", error.to_string(), advice)],
        }
    }

    async fn probe_nodes(&self, image: &str, url: &str) -> Result<Vec<Check>, RunnerError> {
        let login = credentials::of(image).await;
        let settled = image::settled(&self.docker, image, Pull::IfMissing, login.clone());
        let spec = self.probe(settled.await?, url);
        let made = self.docker.create_service(spec, login).await;
        let made = made.map_err(|error| trouble::explained(trouble::of(error)))?;
        let id = made.id.unwrap_or_default();
        let checks = self.found_by(&id, image, url).await;
        if let Err(error) = self.docker.delete_service(&id).await {
            tracing::warn!(%error, service = id, "a probe's service stays");
        }
        checks
    }

    /// Removes what a daemon has left behind that was killed while it looked.
    pub(super) async fn remove_forgotten(&self, services: &[Service], now: Timestamp) {
        let is_old = |service: &&Service| {
            let made = state::created(service);
            made.is_some_and(|made| now - made > Span::from_micros(FORGOTTEN))
        };
        let is_probe = |service: &&Service| {
            let labels = service.spec.as_ref().and_then(|spec| spec.labels.as_ref());
            labels.is_some_and(|labels| labels.contains_key(PROBE_LABEL))
        };
        for probe in services.iter().filter(is_probe).filter(is_old) {
            let id = probe.id.as_deref().unwrap_or_default();
            if let Err(error) = self.docker.delete_service(id).await {
                tracing::warn!(%error, service = id, "a probe's service stays");
            }
        }
    }

    async fn found_by(
        &self,
        service: &str,
        image: &str,
        url: &str,
    ) -> Result<Vec<Check>, RunnerError> {
        let until = Instant::now() + TIMEOUT;
        let (nodes, ends) = loop {
            let nodes = self.nodes.now().await?;
            let ends = self.ends(service, &nodes).await?;
            let is_done = |node: &Node| !node.takes_runs() || ends.contains_key(&node.id);
            if nodes.all().all(is_done) || Instant::now() > until {
                break (nodes, ends);
            }
            self.pause().await;
        };
        let mut checks = Vec::new();
        for node in nodes.all().filter(|node| node.takes_runs()) {
            checks.push(self.judge(node, &ends, image, url).await);
        }
        checks.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(checks)
    }

    async fn ends(&self, service: &str, nodes: &All) -> Result<Ends, RunnerError> {
        let Some(described) = self.service(service).await? else {
            return Ok(Ends::new());
        };
        let tasks = self.tasks(&[service.to_owned()]).await?;
        let ends = tasks.into_iter().filter_map(|task| {
            let exit = state::end(&described, &task, nodes)?;
            Some((task.node_id.clone()?, (task, exit)))
        });
        Ok(ends.collect())
    }

    async fn judge(&self, node: &Node, ends: &Ends, image: &str, url: &str) -> Check {
        let name = format!("node {}", node.name);
        let Some((task, exit)) = ends.get(&node.id) else {
            let secs = TIMEOUT.as_secs();
            let found = format!("a container did not answer in {secs} s");
            return Check::fail(&name, found, "`docker node inspect` may tell more");
        };
        if let Some(told) = &exit.error {
            let advice = format!("bring {image} to the node, or to a registry that it reaches");
            return Check::fail(&name, told, advice);
        }
        match Probed::read(&self.words_of(task).await) {
            Ok(probed) => way(&name, &probed, url),
            Err(told) => Check::fail(&name, told, "use an image with Python and prefect in it"),
        }
    }

    async fn words_of(&self, task: &Task) -> String {
        let options = LogsOptions {
            stdout: true,
            stderr: true,
            tail: "all".to_owned(),
            ..LogsOptions::default()
        };
        let id = task.id.as_deref().unwrap_or_default();
        let pieces = self.docker.task_logs(id, Some(options));
        let words = pieces.filter_map(|piece| async { piece.ok().map(text) });
        let silence = tokio::time::sleep(SILENCE);
        words.take_until(silence).collect().await
    }

    /// Labelled as this daemon's, and as no run's.
    fn probe(&self, image: String, url: &str) -> ServiceSpec {
        let labels = [
            (labels::INSTANCE, self.instance.as_str()),
            (PROBE_LABEL, ""),
        ];
        let labels = labels.map(|(key, value)| (key.to_owned(), value.to_owned()));
        ServiceSpec {
            name: Some(format!("prefectd-doctor-{}", Uuid::new_v4().simple())),
            labels: Some(HashMap::from(labels)),
            mode: Some(ServiceSpecMode {
                global_job: Some(HashMap::new()),
                ..ServiceSpecMode::default()
            }),
            task_template: Some(TaskSpec {
                container_spec: Some(TaskSpecContainerSpec {
                    image: Some(image),
                    command: Some(vec!["python".to_owned()]),
                    args: Some(vec!["-c".to_owned(), PROBE.to_owned(), url.to_owned()]),
                    ..TaskSpecContainerSpec::default()
                }),
                restart_policy: Some(TaskSpecRestartPolicy {
                    condition: Some(TaskSpecRestartPolicyConditionEnum::NONE),
                    ..TaskSpecRestartPolicy::default()
                }),
                ..TaskSpec::default()
            }),
            ..ServiceSpec::default()
        }
    }
}

/// The way from a node's container to the API.
fn way(name: &str, probed: &Probed, url: &str) -> Check {
    match &probed.reached {
        Some(status) => Check::ok(name, format!("a container reaches {url} (HTTP {status})")),
        None => Check::fail(
            name,
            format!(
                "a container does not reach {url}: {}",
                probed.trouble.as_deref().unwrap_or("no answer")
            ),
            "server.advertise must be an address of this machine that the node reaches, and a \
             firewall must let its port in",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::checkup::CheckResult;

    #[test]
    fn the_way_from_a_node_is_told() {
        let read = |text: &str| Probed::read(text).unwrap();
        let good = read(r#"{"python": "3", "prefect": null, "reached": "200", "trouble": null}"#);
        assert_eq!(way("node a", &good, "http://h").verdict, CheckResult::Ok);
        let bad = read(
            "x\n{\"python\": \"3\", \"prefect\": null, \"reached\": null, \"trouble\": \"no route\"}",
        );
        let check = way("node a", &bad, "http://h");
        assert_eq!(check.verdict, CheckResult::Fail);
        assert!(check.found.contains("no route"));
        assert!(check.advice.unwrap().contains("server.advertise"));
    }
}
