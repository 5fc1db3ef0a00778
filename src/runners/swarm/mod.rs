//! Runs as jobs of a Docker Swarm: each a service of one task, which runs once, on some node.
//!
//! Everything is asked of the manager: state, exit code and output come back through it. A service is
//! created with nothing to complete, and started by asking for one completion. A task is over when the
//! manager says so, or when its node is down: what goes on there after that is ended by Swarm once the
//! node is back.
//!
//! A manager that starts anew, and one that was demoted, may make a second task of a job whose first
//! one has failed or is not known to it. So a service is ended, by asking for no completion, as soon
//! as its task is over in whatever way but well; the first task of a job is the one that counts; and
//! a job with a second one is ended and says so.

mod examine;
mod files;
mod image;
mod manager;
mod mounts;
mod networks;
mod nodes;
mod service;
mod state;
mod trouble;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bollard::Docker;
use bollard::auth::DockerCredentials;
use bollard::models::{Service, ServiceSpec};
use futures_util::future::{BoxFuture, join_all};
use futures_util::stream::{self, BoxStream};
use futures_util::{FutureExt, Stream, StreamExt};

use super::docker::follow::{self, Unseen};
use super::docker::{connect, credentials, errors};
use super::spec::Container;
use super::{
    Exit, Found, Job, JobKind, Made, OutputLine, Progress, Runner, RunnerError, RunnerFuture,
};
use crate::clock::{Clock, SystemClock};
use crate::domain::agent::EMBEDDED;
use crate::domain::container::labels as label;
use crate::domain::log::OutputSeen;
use crate::domain::node::{Node, OnCluster};
use crate::domain::runner::{made_service, service_of};

use nodes::Nodes;
use state::Seen;

/// How often a task is looked at, and how much more seldom for each one that is looked at.
const LOOK: Duration = Duration::from_millis(500);
const LOOK_MORE: Duration = Duration::from_millis(10);
const LOOK_SELDOM: Duration = Duration::from_secs(3);
/// How long the end of a job that is over may take.
const ENDING: Duration = Duration::from_secs(10);
/// How long a node may say nothing of what its container has printed.
const SILENCE: Duration = Duration::from_secs(5);
/// The most names that are tried.
const MOST_NAMES: usize = 1000;
/// The longest name of a service.
const LONGEST_NAME: usize = 63;

/// Makes jobs. Manager and nodes may come and go.
#[derive(Clone)]
pub struct SwarmRunner {
    docker: Docker,
    instance: String,
    agent: String,
    /// How long a run has to end that does not say it.
    stop_grace: Duration,
    nodes: Nodes,
    /// How many tasks are looked at.
    looks: Arc<AtomicUsize>,
}

/// Counts who looks at a task.
struct Looking(Arc<AtomicUsize>);

impl Drop for Looking {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl SwarmRunner {
    /// At the engine of [`super::docker::DockerRunner`], for one agent of one daemon. Does not ask
    /// whether it is a manager.
    pub fn new(instance: &str, agent: &str, stop_grace: Duration) -> Result<Self, RunnerError> {
        let docker = connect::engine()?;
        Ok(Self {
            nodes: Nodes::new(docker.clone()),
            docker,
            instance: instance.to_owned(),
            agent: agent.to_owned(),
            stop_grace,
            looks: Arc::default(),
        })
    }

    /// How a service's task stands.
    async fn look(&self, id: &str) -> Result<Seen, RunnerError> {
        let Some(service) = self.service(id).await? else {
            return Ok(Seen::Gone);
        };
        let tasks = self.tasks_of_one(id).await?;
        let nodes = self.nodes.now().await?;
        let seen = state::seen(&service, &tasks, &nodes);
        match &seen {
            // The node may have come back, and taken the task, since the nodes were asked for.
            Seen::Over(exit) if exit.node_lost.is_some() => {
                let nodes = self.nodes.anew().await?;
                let tasks = self.tasks_of_one(id).await?;
                Ok(state::seen(&service, &tasks, &nodes))
            }
            _ => Ok(seen),
        }
    }

    /// Waits as long as is right between two looks.
    async fn pause(&self) {
        let more = u32::try_from(self.looks.load(Ordering::Relaxed)).unwrap_or(u32::MAX);
        let pause = LOOK.saturating_add(LOOK_MORE.saturating_mul(more));
        tokio::time::sleep(pause.min(LOOK_SELDOM)).await;
    }

    fn looking(&self) -> Looking {
        self.looks.fetch_add(1, Ordering::Relaxed);
        Looking(Arc::clone(&self.looks))
    }

    /// Waits until the manager says that the task is over, or its node down. A manager that does not
    /// answer is asked again: silence is not an end.
    async fn wait_for_end(&self, id: &str) -> Exit {
        let _looking = self.looking();
        loop {
            match self.look(id).await {
                Ok(Seen::Gone) => return Exit::default(),
                Ok(Seen::Over(exit)) => {
                    // Whoever hears of a lost node takes the key back before anything else.
                    if exit.node_lost.is_none() && exit.code != Some(0) {
                        self.end_for_good(id).await;
                    }
                    return exit;
                }
                Ok(Seen::Waits(_) | Seen::Runs { .. }) => {}
                Err(error) => tracing::debug!(%error, service = id, "the manager does not answer"),
            }
            self.pause().await;
        }
    }

    /// Keeps Swarm from making another task of a job that is over. What fails is tried again when
    /// services are looked through.
    async fn end_for_good(&self, id: &str) {
        let ended = tokio::time::timeout(ENDING, self.stop_service(id)).await;
        match ended {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, service = id, "it is not ended yet"),
            Err(_) => tracing::warn!(service = id, "it does not end yet"),
        }
    }

    /// The task once it has a container, or will never have one.
    async fn begun(&self, id: &str) -> Option<String> {
        let _looking = self.looking();
        loop {
            match self.look(id).await {
                Ok(Seen::Runs { task }) => return Some(task),
                Ok(Seen::Gone) => return None,
                Ok(Seen::Over(_)) => {
                    let tasks = self.tasks_of_one(id).await.ok()?;
                    return state::latest(&tasks)
                        .filter(|task| state::has_container(task))
                        .and_then(|task| task.id.clone());
                }
                Ok(Seen::Waits(_)) | Err(_) => {}
            }
            self.pause().await;
        }
    }

    async fn make(&self, wanted: &Container) -> Result<Made, RunnerError> {
        let cluster = wanted.cluster.clone().unwrap_or_default();
        let login = credentials::of_job(wanted.login.clone(), &wanted.image).await;
        let settled = image::settled(&self.docker, &wanted.image, wanted.pull, login.clone());
        let known = service::Known {
            image: settled.await?,
            files: files::Files::find(&self.docker, &cluster).await?,
            networks: networks::of(&self.docker, wanted).await?,
        };
        let spec = service::spec(wanted, &cluster, known, self.stop_grace)?;
        self.under_free_name(&wanted.name, spec, login).await
    }

    /// Under `name`, `name-1`, `name-2`, …
    async fn under_free_name(
        &self,
        wanted: &str,
        spec: ServiceSpec,
        login: Option<DockerCredentials>,
    ) -> Result<Made, RunnerError> {
        let mut index = 0;
        loop {
            let name = service_name(wanted, index);
            let named = ServiceSpec {
                name: Some(name.clone()),
                ..spec.clone()
            };
            match self.docker.create_service(named, login.clone()).await {
                Ok(made) => {
                    let id = made.id.unwrap_or_default();
                    return Ok(Made {
                        id: made_service(&id),
                        name,
                    });
                }
                Err(error) if errors::is_service_name_taken(&error) && index < MOST_NAMES => {
                    index += 1;
                }
                Err(error) => return Err(trouble::of(error)),
            }
        }
    }

    async fn stop_service(&self, id: &str) -> Result<(), RunnerError> {
        if self.service(id).await?.is_none() {
            return Ok(());
        }
        self.change(id, service::ended).await?;
        let _looking = self.looking();
        // Swarm gives the grace period that the service has had from the start. It has taken the wish
        // up once it wants the task removed.
        loop {
            let tasks = self.tasks_of_one(id).await?;
            let is_taken_up = tasks.iter().all(state::is_unwanted);
            match self.look(id).await? {
                Seen::Gone => return Ok(()),
                Seen::Over(_) if is_taken_up => return Ok(()),
                Seen::Over(_) | Seen::Waits(_) | Seen::Runs { .. } => self.pause().await,
            }
        }
    }

    async fn found(&self) -> Result<Vec<Found>, RunnerError> {
        let services = self.services().await?;
        let mine: Vec<_> = services
            .into_iter()
            .filter(|service| self.is_mine(service))
            .collect();
        let ids: Vec<_> = mine.iter().filter_map(|one| one.id.clone()).collect();
        let tasks = self.tasks(&ids).await?;
        self.remove_forgotten(&mine, SystemClock.now()).await;
        let over = mine.iter().filter(|one| state::is_to_be_ended(one, &tasks));
        let over: Vec<_> = over.filter_map(|one| one.id.clone()).collect();
        join_all(over.iter().map(|id| self.end_for_good(id))).await;
        let found = |service: &Service| state::found(service, &tasks);
        Ok(mine.iter().filter_map(found).collect())
    }

    /// Whether this agent made it, and not another one of the same daemon.
    fn is_mine(&self, service: &Service) -> bool {
        let labels = service.spec.as_ref().and_then(|spec| spec.labels.as_ref());
        let maker = labels.and_then(|labels| labels.get(label::AGENT));
        maker.map_or(EMBEDDED, String::as_str) == self.agent
    }
}

/// A name in the letters that Swarm allows, with a number where that is above 0.
fn service_name(wanted: &str, index: usize) -> String {
    let end = match index {
        0 => String::new(),
        index => format!("-{index}"),
    };
    let letters = wanted.chars().map(|letter| match letter {
        '.' => '-',
        letter => letter,
    });
    let name: String = letters.take(LONGEST_NAME - end.len()).collect();
    let name = name.trim_matches(['-', '_']);
    format!("{}{end}", if name.is_empty() { "run" } else { name })
}

/// The service that was made.
fn id(made: &Made) -> &str {
    service_of(&made.id).unwrap_or(&made.id)
}

impl Runner for SwarmRunner {
    fn create<'a>(&'a self, job: &'a Job, _progress: &'a Progress) -> RunnerFuture<'a, Made> {
        async move {
            let wanted = match &job.kind {
                JobKind::Container(wanted) => wanted,
                JobKind::Process(_) => {
                    return Err(RunnerError::Refused("not a container".to_owned()));
                }
            };
            self.make(wanted).await.map_err(trouble::explained)
        }
        .boxed()
    }

    fn start<'a>(&'a self, made: &'a Made, _job: &'a Job) -> RunnerFuture<'a, ()> {
        async move { self.change(id(made), service::started).await }.boxed()
    }

    fn wait<'a>(&'a self, made: &'a Made) -> BoxFuture<'a, Exit> {
        self.wait_for_end(id(made)).boxed()
    }

    fn output(&self, made: &Made, seen: OutputSeen) -> BoxStream<'static, OutputLine> {
        let (send, receive) = tokio::sync::mpsc::channel(256);
        let (runner, service) = (self.clone(), id(made).to_owned());
        tokio::spawn(async move {
            let Some(task) = runner.begun(&service).await else {
                return;
            };
            let mut unseen = Unseen::new(seen);
            // A manager goes on listening to a task that is over.
            let over = async { drop(runner.wait_for_end(&service).await) };
            let pieces = runner
                .docker
                .task_logs(&task, Some(follow::options(seen, true)));
            follow::lines(pieces, &mut unseen, &send, over).await;
            let seen = unseen.so_far();
            let rest = runner
                .docker
                .task_logs(&task, Some(follow::options(seen, false)));
            let mut unseen = Unseen::new(seen);
            // A node that is down says nothing, and the manager waits for it.
            let rest = until_silent(rest, SILENCE);
            follow::lines(rest, &mut unseen, &send, std::future::pending()).await;
        });
        follow::received(receive)
    }

    fn stop<'a>(&'a self, made: &'a Made, _grace: Duration) -> RunnerFuture<'a, ()> {
        self.stop_service(id(made)).boxed()
    }

    fn remove<'a>(&'a self, made: &'a Made) -> RunnerFuture<'a, ()> {
        async move {
            let id = id(made);
            // A task that runs is not ended by that alone, also where its node comes back later.
            self.stop_service(id).await?;
            match self.docker.delete_service(id).await {
                Err(error) if !errors::is_gone(&error) => Err(trouble::of(error)),
                _ => Ok(()),
            }
        }
        .boxed()
    }

    fn find(&self) -> RunnerFuture<'_, Vec<Found>> {
        self.found().boxed()
    }

    fn check(&self) -> RunnerFuture<'_, ()> {
        async move { self.nodes.now().await.map(drop).map_err(trouble::explained) }.boxed()
    }
}

impl SwarmRunner {
    /// On which node a service's task is, or why it has none; nothing where the manager does not say.
    pub async fn whereabouts(&self, service: &str) -> Option<OnCluster> {
        let tasks = self.tasks_of_one(service).await.ok()?;
        let nodes = self.nodes.now().await.ok()?;
        state::whereabouts(&tasks, &nodes)
    }

    /// The nodes, as the manager knows them, by name, and what this daemon's runs take of them,
    /// whichever agent made them.
    pub async fn nodes(&self) -> Result<Vec<Node>, RunnerError> {
        let nodes = self.nodes.now().await.map_err(trouble::explained)?;
        let services = self.services().await?;
        let ids: Vec<_> = services.iter().filter_map(|one| one.id.clone()).collect();
        let tasks = self.tasks(&ids).await?;
        let mut nodes: Vec<_> = nodes.all().cloned().collect();
        for node in &mut nodes {
            node.load = state::load(&node.id, &services, &tasks);
        }
        nodes.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(nodes)
    }
}

/// What comes until nothing has come for so long.
fn until_silent<S: Stream>(pieces: S, silence: Duration) -> impl Stream<Item = S::Item> {
    stream::unfold(Box::pin(pieces), move |mut pieces| async move {
        let next = tokio::time::timeout(silence, pieces.next()).await;
        next.ok().flatten().map(|piece| (piece, pieces))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_hosts() {
        for (wanted, index, name) in [
            ("brave-owl", 0, "brave-owl"),
            ("brave.owl_", 2, "brave-owl-2"),
            ("-", 0, "run"),
        ] {
            assert_eq!(service_name(wanted, index), name);
        }
        for index in [0, 7, 1000] {
            let name = service_name(&"a".repeat(250), index);
            assert_eq!(name.len(), LONGEST_NAME);
        }
    }
}
