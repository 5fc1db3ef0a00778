//! Runs as containers of a Docker engine.

pub(in crate::runners) mod connect;
pub(in crate::runners) mod create;
pub(in crate::runners) mod credentials;
pub(in crate::runners) mod errors;
pub(in crate::runners) mod examine;
pub(in crate::runners) mod follow;
mod peer_container;
mod pull;
mod usage;
mod volumes;

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bollard::Docker;
use bollard::models::{ContainerInspectResponse, ContainerSummary, ContainerSummaryStateEnum};
use bollard::query_parameters::{
    InspectNetworkOptions, ListContainersOptions, RemoveContainerOptions, StopContainerOptions,
    WaitContainerOptions,
};
use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;
use futures_util::{FutureExt, TryStreamExt};

use super::spec::Container;
use super::{
    Exit, Found, Job, JobKind, Made, OutputLine, Progress, Runner, RunnerError, RunnerFuture,
    Status,
};
use crate::domain::agent::EMBEDDED;
use crate::domain::container::labels as label;
use crate::domain::log::OutputSeen;
use crate::domain::time::Timestamp;

pub use examine::Probe;
pub use peer_container::PeerContainers;

/// How long to wait before asking an engine again that did not answer.
const RETRY: Duration = Duration::from_millis(500);

/// The label of containers that a swarm has made.
const OF_SERVICE: &str = "com.docker.swarm.service.id";

/// Makes containers. The engine may come and go; each call finds it anew.
#[derive(Clone)]
pub struct DockerRunner {
    docker: Docker,
    instance: String,
    agent: String,
    pulls: pull::Pulls,
    /// Whether the engine has shown that it has no init to give to containers.
    lacks_init: Arc<AtomicBool>,
}

impl DockerRunner {
    /// At `DOCKER_HOST` or the local socket, for one agent of one daemon. Does not ask
    /// whether an engine is there.
    pub fn new(instance: &str, agent: &str) -> Result<Self, RunnerError> {
        Ok(Self {
            docker: connect::engine()?,
            instance: instance.to_owned(),
            agent: agent.to_owned(),
            pulls: pull::Pulls::default(),
            lacks_init: Arc::default(),
        })
    }

    /// The daemon whose containers these are.
    pub fn instance(&self) -> &str {
        &self.instance
    }

    /// Knows the engine's containers by their addresses.
    pub fn peer_containers(&self) -> PeerContainers {
        PeerContainers::new(self.docker.clone(), &self.instance)
    }

    /// The address of the machine on the engine's default bridge; `None` without a bridge.
    pub async fn bridge_gateway(&self) -> Result<Option<IpAddr>, RunnerError> {
        let network = self
            .docker
            .inspect_network("bridge", None::<InspectNetworkOptions>)
            .await
            .map_err(errors::classify)?;
        let interface = network.options.unwrap_or_default();
        let interface = interface.get("com.docker.network.bridge.name");
        // The interface's own address is what host-gateway means; the engine names a gateway
        // only where somebody configured one.
        if let Some(address) = interface.and_then(|name| address_of(name)) {
            return Ok(Some(address));
        }
        let configs = network
            .ipam
            .and_then(|ipam| ipam.config)
            .unwrap_or_default();
        let gateway = configs.into_iter().find_map(|config| config.gateway);
        Ok(gateway.and_then(|address| address.parse().ok()))
    }

    async fn inspect(&self, id: &str) -> Result<Option<ContainerInspectResponse>, RunnerError> {
        match self.docker.inspect_container(id, None).await {
            Ok(found) => Ok(Some(found)),
            Err(error) if errors::is_gone(&error) => Ok(None),
            Err(error) => Err(errors::classify(error)),
        }
    }

    /// Checks what a container mounts once more: since it was made, somebody may have put a link
    /// in the place of a folder.
    async fn check_mounts(&self, made: &Made, wanted: &Container) -> Result<(), RunnerError> {
        if volumes::are_plain(&wanted.volumes) {
            return Ok(());
        }
        let Some(found) = self.inspect(&made.id).await? else {
            return Ok(()); // the start says what is wrong
        };
        let binds = found.host_config.and_then(|config| config.binds);
        volumes::check_again(&binds.unwrap_or_default(), &wanted.host_folders)
    }

    /// What the container is to be on this engine.
    fn possible(&self, wanted: &Container) -> Container {
        Container {
            init: wanted.init && !self.lacks_init.load(Ordering::Relaxed),
            ..wanted.clone()
        }
    }

    /// An engine whose `docker-init` is not installed starts no container that is to have it.
    /// They are made without from then on.
    fn without_init(&self, wanted: &Container, error: RunnerError) -> RunnerError {
        match error {
            RunnerError::Refused(told) if wanted.init && errors::is_without_init(&told) => {
                if !self.lacks_init.swap(true, Ordering::Relaxed) {
                    tracing::warn!(
                        error = %told,
                        "the engine has no docker-init: containers are made without one"
                    );
                }
                RunnerError::MakeAnew(told)
            }
            error => error,
        }
    }

    /// Whether this agent made it, and not another one of the same daemon.
    fn is_mine(&self, container: &ContainerSummary) -> bool {
        let labels = container.labels.as_ref();
        let maker = labels.and_then(|labels| labels.get(label::AGENT));
        maker.map_or(EMBEDDED, String::as_str) == self.agent
    }

    /// Waits until a container does not run, as far as the engine can tell. How that came about
    /// is not told: what the container is then says more than the engine's answer.
    async fn until_stopped(&self, id: &str) {
        let options = WaitContainerOptions {
            condition: "not-running".to_owned(),
        };
        let mut answers = self.docker.wait_container(id, Some(options));
        let _ = answers.try_next().await;
    }

    /// Waits until the engine says that the container has ended, or never existed. An
    /// engine that does not answer is asked again: silence is not an end.
    async fn wait_for_end(&self, id: &str) -> Exit {
        loop {
            self.until_stopped(id).await;
            match self.inspect(id).await {
                Ok(None) => return Exit::default(),
                Ok(Some(found)) => {
                    if let Some(exit) = ended(found) {
                        return exit;
                    }
                }
                Err(error) => tracing::debug!(%error, container = id, "the engine does not answer"),
            }
            tokio::time::sleep(RETRY).await;
        }
    }
}

impl Runner for DockerRunner {
    fn create<'a>(&'a self, job: &'a Job, progress: &'a Progress) -> RunnerFuture<'a, Made> {
        async move {
            match &job.kind {
                JobKind::Container(wanted) => {
                    let wanted = self.possible(wanted);
                    let made = create::create(&self.docker, &self.pulls, &wanted, progress).await;
                    made.map_err(|error| self.without_init(&wanted, error))
                }
                JobKind::Process(_) => Err(RunnerError::Refused("not a container".to_owned())),
            }
        }
        .boxed()
    }

    fn start<'a>(&'a self, made: &'a Made, job: &'a Job) -> RunnerFuture<'a, ()> {
        async move {
            if let JobKind::Container(wanted) = &job.kind {
                self.check_mounts(made, wanted).await?;
            }
            let started = self.docker.start_container(&made.id, None).await;
            started.map_err(|error| match (errors::classify(error), &job.kind) {
                (error, JobKind::Container(wanted)) => self.without_init(wanted, error),
                (error, JobKind::Process(_)) => error,
            })
        }
        .boxed()
    }

    fn wait<'a>(&'a self, made: &'a Made) -> BoxFuture<'a, Exit> {
        self.wait_for_end(&made.id).boxed()
    }

    fn output(&self, made: &Made, seen: OutputSeen) -> BoxStream<'static, OutputLine> {
        // The stream borrows the handle it came from, so both travel together.
        let (docker, id) = (self.docker.clone(), made.id.clone());
        let (send, receive) = tokio::sync::mpsc::channel(256);
        tokio::spawn(async move {
            let pieces = docker.logs(&id, Some(follow::options(seen, true)));
            let mut unseen = follow::Unseen::new(seen);
            follow::lines(pieces, &mut unseen, &send, std::future::pending()).await;
        });
        follow::received(receive)
    }

    fn stop<'a>(&'a self, made: &'a Made, grace: Duration) -> RunnerFuture<'a, ()> {
        async move {
            let options = StopContainerOptions {
                signal: None,
                t: Some(i32::try_from(grace.as_secs()).unwrap_or(i32::MAX)),
            };
            match self.docker.stop_container(&made.id, Some(options)).await {
                Err(error) if !errors::is_gone(&error) && !errors::is_already_so(&error) => {
                    Err(errors::classify(error))
                }
                _ => Ok(()),
            }
        }
        .boxed()
    }

    fn remove<'a>(&'a self, made: &'a Made) -> RunnerFuture<'a, ()> {
        async move {
            let options = RemoveContainerOptions {
                force: true,
                ..RemoveContainerOptions::default()
            };
            match self.docker.remove_container(&made.id, Some(options)).await {
                Err(error) if !errors::is_gone(&error) && !errors::is_being_removed(&error) => {
                    Err(errors::classify(error))
                }
                _ => Ok(()),
            }
        }
        .boxed()
    }

    fn find(&self) -> RunnerFuture<'_, Vec<Found>> {
        async move {
            let ours = format!("{}={}", label::INSTANCE, self.instance);
            let options = ListContainersOptions {
                all: true,
                filters: Some(HashMap::from([("label".to_owned(), vec![ours])])),
                ..ListContainersOptions::default()
            };
            let listed = self.docker.list_containers(Some(options)).await;
            let listed = listed.map_err(errors::classify)?;
            // What a swarm has made is its own, on a manager's engine as well.
            let is_own = |one: &ContainerSummary| {
                let labels = one.labels.as_ref();
                !labels.is_some_and(|labels| labels.contains_key(OF_SERVICE))
            };
            let mine = listed.into_iter().filter(is_own);
            let mine = mine.filter(|one| self.is_mine(one));
            Ok(mine.filter_map(found).collect())
        }
        .boxed()
    }

    fn check(&self) -> RunnerFuture<'_, ()> {
        let pinged = self.docker.ping();
        pinged
            .map(|pinged| pinged.map(drop).map_err(errors::classify))
            .boxed()
    }
}

/// The IPv4 address of a network interface of this machine.
fn address_of(interface: &str) -> Option<IpAddr> {
    let addresses = nix::ifaddrs::getifaddrs().ok()?;
    let mut ours = addresses.filter(|one| one.interface_name == interface);
    ours.find_map(|one| Some(one.address?.as_sockaddr_in()?.ip().into()))
}

/// How the container ended; `None` while it has not.
fn ended(container: ContainerInspectResponse) -> Option<Exit> {
    let state = container.state?;
    let status = state.status.map(|status| status.to_string());
    if !matches!(status.as_deref(), Some("exited" | "dead")) {
        return None;
    }
    Some(Exit {
        code: state.exit_code,
        oom_killed: state.oom_killed.unwrap_or(false),
        error: state.error.filter(|error| !error.is_empty()),
        node_lost: None,
    })
}

fn found(container: ContainerSummary) -> Option<Found> {
    let labels = container.labels?;
    let flow_run_id = labels.get(label::RUN)?.parse().ok()?;
    let name = container.names.unwrap_or_default().into_iter().next();
    let status = match container.state? {
        ContainerSummaryStateEnum::CREATED => Status::Created,
        ContainerSummaryStateEnum::EXITED | ContainerSummaryStateEnum::DEAD => Status::Ended,
        _ => Status::Running,
    };
    Some(Found {
        flow_run_id,
        removes_itself: labels.get(label::REMOVE).is_some_and(|word| word == "yes"),
        made: Made {
            id: container.id?,
            name: name.unwrap_or_default().trim_start_matches('/').to_owned(),
        },
        status,
        created: container
            .created
            .map(|secs| Timestamp::from_micros(secs.saturating_mul(1_000_000))),
    })
}
