//! What the daemon looks at on behalf of the API.

use std::collections::HashMap;
use std::path::PathBuf;
use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::{FutureExt, StreamExt, stream};
use tokio::sync::watch;

use crate::api::HostProbe;
use crate::config::{self, Settings};
use crate::domain::checkup::Check;
use crate::domain::container::Placement;
use crate::domain::error::{Error, Kind, Result};
use crate::domain::ids::FlowRunId;
use crate::domain::node::{Node, OnCluster};
use crate::domain::runner::{container_of, service_of};
use crate::domain::settings::Effective;
use crate::domain::usage::Usage;
use crate::runners::docker::{DockerRunner, Probe};
use crate::runners::swarm::SwarmRunner;
use crate::runners::{Runner, RunnerError, python, spec, usage};
use crate::state_dir;

/// How long the engine may take to say that it is there.
const TIMEOUT: Duration = Duration::from_secs(2);

/// How many containers the engine is asked about at once.
const AT_ONCE: usize = 16;

/// The daemon's engine and its directory.
pub(super) struct ThisHost {
    /// The engine.
    pub docker: DockerRunner,
    /// The swarm that it may manage.
    pub swarm: SwarmRunner,
    /// The directory.
    pub state_dir: PathBuf,
    /// The API's address for other hosts, with a slash at its end, where there is one.
    pub advertised: Option<String>,
    /// The port on Docker's bridge; absent where the daemon is not to listen there.
    pub bridge_port: Option<u16>,
    /// What is in force.
    pub in_force: watch::Receiver<InForce>,
}

fn unadvertised() -> Check {
    Check::fail(
        "swarm",
        "no node reaches the API: it is advertised nowhere",
        "set server.advertise to the address by which nodes reach this machine",
    )
}

/// Whether runs can be on the swarm.
fn swarm(settings: &Settings, nodes: Result<Vec<Node>>) -> Check {
    const NAME: &str = "swarm";
    let nodes = match nodes {
        Ok(nodes) => nodes,
        Err(error) => {
            let advice = "docker.placement is \"swarm\": run `docker swarm init`, or give prefectd the \
                          engine of a manager by DOCKER_HOST";
            return Check::fail(NAME, error.message(), advice);
        }
    };
    if settings.advertise.is_none() {
        return unadvertised();
    }
    let lacking = nodes.iter().filter(|node| !node.is_ready());
    let lacking: Vec<_> = lacking
        .map(|node| format!("{} is {}", node.name, node.state))
        .collect();
    let fit = nodes.iter().filter(|node| node.takes_runs()).count();
    let found = format!("{fit} of {} nodes take runs", nodes.len());
    match (fit, lacking.is_empty()) {
        (0, _) => Check::fail(
            NAME,
            found,
            "`docker node ls` tells why; drained nodes take none",
        ),
        (_, true) => Check::ok(NAME, found),
        (_, false) => Check::warn(
            NAME,
            format!("{found}: {}", lacking.join(", ")),
            "`docker node inspect NODE` tells more",
        ),
    }
}

/// The settings, and who said each.
pub(super) struct InForce {
    /// As they are used.
    pub settings: Settings,
    /// As they are told.
    pub told: Vec<Effective>,
}

impl HostProbe for ThisHost {
    fn engine_trouble(&self) -> BoxFuture<'_, Option<String>> {
        async {
            match tokio::time::timeout(TIMEOUT, self.docker.check()).await {
                Ok(answer) => answer.err().map(|error| error.to_string()),
                Err(_) => Some("The Docker engine did not answer in time.".to_owned()),
            }
        }
        .boxed()
    }

    fn examine(&self) -> BoxFuture<'_, Vec<Check>> {
        async move {
            let settings = self.in_force.borrow().settings.clone();
            let mut checks = state_dir::examine(&self.state_dir);
            checks.extend(config::doubts(&settings));
            checks.push(python::examine(&settings.python).await);
            checks.push(self.docker.examine_engine().await);
            if settings.placement == Placement::Swarm {
                checks.push(swarm(&settings, self.nodes().await));
            }
            checks
        }
        .boxed()
    }

    fn usage(
        &self,
        runs: Vec<(FlowRunId, Option<String>)>,
    ) -> BoxFuture<'_, HashMap<FlowRunId, Usage>> {
        async move {
            let instance = self.docker.instance().to_owned();
            // It reads a file of every process of the machine.
            let here = tokio::task::spawn_blocking(move || usage::of_processes(&instance));
            let containers = runs.into_iter().filter_map(|(run, made)| {
                let id = container_of(&made?)?.to_owned();
                Some(async move { Some((run, self.docker.usage(&id).await?)) })
            });
            let asked = stream::iter(containers).buffer_unordered(AT_ONCE);
            let in_containers: Vec<_> = asked.filter_map(std::future::ready).collect().await;
            let mut used = here.await.unwrap_or_default();
            used.extend(in_containers);
            used
        }
        .boxed()
    }

    fn examine_container(
        &self,
        image: Option<String>,
        network: Option<String>,
    ) -> BoxFuture<'_, Vec<Check>> {
        async move {
            let url = self
                .bridge_port
                .map(|port| format!("http://host.docker.internal:{port}/api/health"));
            let place = Probe {
                image: image.as_deref(),
                network: network.as_deref(),
                url: url.as_deref(),
            };
            self.docker.examine_image(place).await
        }
        .boxed()
    }

    fn examine_nodes(&self, image: String) -> BoxFuture<'_, Vec<Check>> {
        async move {
            match &self.advertised {
                Some(api) => {
                    let url = format!("{api}health");
                    self.swarm.examine_nodes(&image, &url).await
                }
                None => vec![unadvertised()],
            }
        }
        .boxed()
    }

    fn is_on_cluster(&self) -> bool {
        self.in_force.borrow().settings.placement == Placement::Swarm
    }

    fn pool_image(&self) -> String {
        spec::pool_image(&self.in_force.borrow().settings.containers)
    }

    fn nodes(&self) -> BoxFuture<'_, Result<Vec<Node>>> {
        async move {
            let asked = tokio::time::timeout(TIMEOUT, self.swarm.nodes()).await;
            let silent =
                || RunnerError::Away("The swarm's manager did not answer in time.".to_owned());
            let nodes = asked.unwrap_or_else(|_| Err(silent()));
            nodes.map_err(|error| match error {
                RunnerError::Away(told) => Error::new(Kind::Unavailable, told),
                error => Error::new(Kind::Conflict, error.to_string()),
            })
        }
        .boxed()
    }

    fn on_cluster(&self, made: Option<String>) -> BoxFuture<'_, Option<OnCluster>> {
        async move {
            let made = made?;
            let asked = self.swarm.whereabouts(service_of(&made)?);
            tokio::time::timeout(TIMEOUT, asked).await.ok().flatten()
        }
        .boxed()
    }

    fn settings(&self) -> Vec<Effective> {
        self.in_force.borrow().told.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Flags;
    use crate::domain::checkup::CheckResult;

    #[test]
    fn a_swarm_that_takes_no_run_is_told() {
        let node = |state: &str, availability: &str| Node {
            name: "n".to_owned(),
            state: state.to_owned(),
            availability: availability.to_owned(),
            ..Node::default()
        };
        let mut settings = Settings::load(Flags::default()).unwrap();
        let verdict = |settings: &Settings, nodes| swarm(settings, nodes).verdict;
        let ready = || Ok(vec![node("ready", "active")]);
        assert_eq!(verdict(&settings, ready()), CheckResult::Fail);
        settings.advertise = Some(config::Advertised {
            host: "10.0.0.5".to_owned(),
            port: None,
        });
        let none = Err(Error::new(Kind::Conflict, "no swarm"));
        for (nodes, expected) in [
            (ready(), CheckResult::Ok),
            (none, CheckResult::Fail),
            (Ok(vec![node("ready", "drain")]), CheckResult::Fail),
            (
                Ok(vec![node("ready", "active"), node("down", "active")]),
                CheckResult::Warn,
            ),
        ] {
            assert_eq!(verdict(&settings, nodes), expected);
        }
    }
}
