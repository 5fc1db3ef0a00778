//! From a run to the description of its process. Pure: no engine, no file, no environment.
//!
//! The settings are those of the 2.0a7 generation's flow runners, or those of a job of a work pool.

mod container;
mod create_kwargs;
mod docker_job;
mod process;
mod process_job;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use super::RunnerError;
use crate::domain::JsonMap;
use crate::domain::access::RunKey;
use crate::domain::access::run_key::parted_url;
use crate::domain::container::{
    ClusterSettings, ContainerRules, OnNodeLoss, Placement, Pull, Resources, labels,
};
use crate::domain::flow_run::FlowRun;
use crate::domain::ids::FlowRunId;
use crate::domain::proxies;
use crate::domain::runner::RunnerKind;
use crate::domain::work::job::SEALED;

pub use docker_job::pool_image;

/// The image of a deployment whose client sent none.
pub(super) const DEFAULT_IMAGE: &str = "prefecthq/prefect:2.0a7-python3.9";
/// How a container reaches the machine that it runs on.
const HOST: &str = "host.docker.internal";
/// The longest name that a container gets.
const LONGEST_NAME: usize = 250;

/// What all runs of this daemon share.
#[derive(Clone, Debug, PartialEq)]
pub struct RunnerSettings {
    /// Names this daemon's state directory among others on the machine.
    pub instance: String,
    /// The agent's name.
    pub agent: String,
    /// Where the API is, such as `http://127.0.0.1:4200/api/`.
    pub api_url: Option<String>,
    /// The same for containers; absent under an ephemeral API, which serves none.
    pub container_api_url: Option<String>,
    /// The same for other hosts; absent where they do not reach it.
    pub advertised_api_url: Option<String>,
    /// Where containers run that do not say it.
    pub placement: Placement,
    /// The key of the run that is described; absent where it is told apart otherwise.
    pub key: Option<RunKey>,
    /// The interpreter of subprocess runs that name no environment.
    pub python: String,
    /// The home of the user that subprocess runs are started as; `~` in their settings.
    pub home: Option<PathBuf>,
    /// What containers may ask for.
    pub containers: ContainerRules,
}

/// From where a container calls the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum CalledFrom {
    /// From a network of the engine's.
    Bridge,
    /// From the host's own.
    Host,
    /// From whatever node of the cluster.
    Cluster,
}

impl CalledFrom {
    fn of(cluster: Option<&ClusterSettings>, networks: &[String]) -> Self {
        match cluster {
            Some(_) => Self::Cluster,
            None if networks.iter().any(|network| network == "host") => Self::Host,
            None => Self::Bridge,
        }
    }
}

impl RunnerSettings {
    /// Where a container that is not told another place finds the API: by its run's key, but on the
    /// host's network, where it is one of the host's own processes.
    fn api_in_container(&self, from: CalledFrom) -> Option<String> {
        let url = match from {
            CalledFrom::Cluster => self.advertised_api_url.clone()?,
            CalledFrom::Bridge => container::reached_at(self.container_api_url.as_deref()?, false),
            CalledFrom::Host => container::reached_at(self.container_api_url.as_deref()?, true),
        };
        Some(match &self.key {
            Some(key) if from != CalledFrom::Host => key.within(&url),
            _ => url,
        })
    }

    /// The same for a process of this machine.
    fn api_in_process(&self) -> Option<String> {
        let url = self.api_url.as_deref()?;
        let keyed = self.key.as_ref().map(|key| key.within(url));
        Some(keyed.unwrap_or_else(|| url.to_owned()))
    }

    /// An environment with where pages are, for addresses that a client prints: it makes them of the
    /// API's address, in which there may be a key, or a name that means this machine in containers
    /// alone.
    fn with_pages(&self, mut env: BTreeMap<String, String>, api: &str) -> BTreeMap<String, String> {
        let keyed = parted_url(api).map(|(base, _)| base);
        let pages = match keyed.unwrap_or_else(|| api.trim_end_matches("/api")) {
            base if base.contains(HOST) => match &self.advertised_api_url {
                Some(url) => Some(url.trim_end_matches("/api/").to_owned()),
                None => Some(base.replacen(HOST, "127.0.0.1", 1)),
            },
            _ => keyed.map(str::to_owned),
        };
        if let Some(pages) = pages {
            env.entry("PREFECT_UI_URL".to_owned()).or_insert(pages);
        }
        env
    }
}

/// A process to be made for a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Job {
    /// The run.
    pub flow_run_id: FlowRunId,
    /// Its name.
    pub name: String,
    /// Whether what it prints also goes to the daemon's own log.
    pub stream_output: bool,
    /// How long it may take.
    pub time_limit: Option<Duration>,
    /// What to make.
    pub kind: JobKind,
}

/// What to make.
#[derive(Clone, Debug, PartialEq)]
pub enum JobKind {
    /// A container.
    Container(Box<Container>),
    /// A process of this machine.
    Process(Process),
}

/// A container.
#[derive(Clone, Debug, PartialEq)]
pub struct Container {
    /// What it is called, unless that name is taken.
    pub name: String,
    /// Its image.
    pub image: String,
    /// Its command.
    pub command: Vec<String>,
    /// Its environment.
    pub env: BTreeMap<String, String>,
    /// The networks that it joins; none means the engine's default.
    pub networks: Vec<String>,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Its mounts, as `source:path[:options]`.
    pub volumes: Vec<String>,
    /// Names beyond DNS, as `name:address`.
    pub extra_hosts: Vec<String>,
    /// Whether it is removed once it has ended.
    pub auto_remove: bool,
    /// When its image is pulled.
    pub pull: Pull,
    /// What else it gets.
    pub resources: Resources,
    /// The control group that it is in.
    pub cgroup_parent: Option<String>,
    /// The folders of the host that its mounts may lead to.
    pub host_folders: Vec<PathBuf>,
    /// Whether it may join the host's network.
    pub host_network: bool,
    /// The capabilities that it loses.
    pub cap_drop: Vec<String>,
    /// Whether its first process is the engine's own `init`.
    pub init: bool,
    /// Hosts that it reaches without a proxy, where its environment or its image names one.
    pub direct: Vec<String>,
    /// Memory and swap together, in bytes; -1: any amount of swap.
    pub memory_swap: Option<i64>,
    /// With what to log in where its image is pulled from; absent: as Docker's own file says.
    pub login: Option<RegistryLogin>,
    /// What else is said of it.
    pub more: MoreSettings,
    /// What it asks of the cluster that it runs on; absent on the engine.
    pub cluster: Option<ClusterSettings>,
}

/// What is said of a container that reaches nothing beyond it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MoreSettings {
    /// The folder in which its command is executed.
    pub working_dir: Option<String>,
    /// Its name on its networks.
    pub hostname: Option<String>,
    /// The domain of that.
    pub domainname: Option<String>,
    /// What its command is handed to.
    pub entrypoint: Option<Vec<String>>,
    /// The addresses of its name servers.
    pub dns: Vec<String>,
    /// The domains in which names are looked up.
    pub dns_search: Vec<String>,
    /// Further groups of its user.
    pub groups: Vec<String>,
    /// The signal that asks it to end.
    pub stop_signal: Option<String>,
    /// Its weight among others where processors are short.
    pub cpu_shares: Option<i64>,
    /// The processors that it may use.
    pub cpuset_cpus: Option<String>,
    /// The memory that it is brought back to where memory is short, in bytes.
    pub memory_reservation: Option<i64>,
}

/// A login of a registry.
#[derive(Clone, PartialEq, Eq, Deserialize)]
pub struct RegistryLogin {
    /// Who.
    pub username: String,
    /// The password.
    pub password: String,
    /// Where.
    pub registry_url: String,
}

impl std::fmt::Debug for RegistryLogin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}@{}", self.username, self.registry_url)
    }
}

/// In which folder a process is started.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Folder {
    /// In that of whoever starts it.
    #[default]
    Inherited,
    /// In this one.
    Given(PathBuf),
    /// In one of its own, which is made for it and removed after it.
    Fresh,
}

/// A process of this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Process {
    /// Program and arguments.
    pub command: Vec<String>,
    /// Laid over the daemon's environment.
    pub env: BTreeMap<String, String>,
    /// Taken out of the daemon's environment.
    pub unset: Vec<String>,
    /// A folder put before the others on `PATH`.
    pub path_first: Option<String>,
    /// Hosts that it reaches without a proxy.
    pub direct: Vec<String>,
    /// Where it is started.
    pub folder: Folder,
}

impl Job {
    /// Whether it is to be submitted again when the node is lost that it runs on.
    pub fn resubmits_on_loss(&self) -> bool {
        let cluster = self.cluster();
        cluster.is_some_and(|cluster| cluster.on_node_loss == Some(OnNodeLoss::Resubmit))
    }

    /// Whether it is to be on the cluster.
    pub fn is_on_cluster(&self) -> bool {
        self.cluster().is_some()
    }

    fn cluster(&self) -> Option<&ClusterSettings> {
        match &self.kind {
            JobKind::Container(container) => container.cluster.as_ref(),
            JobKind::Process(_) => None,
        }
    }

    /// What can be said of the process of a run that could not be made today.
    pub fn unknown(run: &FlowRun) -> Self {
        Self {
            flow_run_id: run.id,
            name: run.name.clone(),
            stream_output: false,
            time_limit: None,
            kind: JobKind::Process(Process {
                command: Vec::new(),
                env: BTreeMap::new(),
                unset: Vec::new(),
                path_first: None,
                direct: Vec::new(),
                folder: Folder::Inherited,
            }),
        }
    }
}

/// Describes the process of a run, or says why there can be none.
pub fn job(run: &FlowRun, settings: &RunnerSettings) -> Result<Job, RunnerError> {
    let config = run.infrastructure.config.as_ref();
    if config.is_some_and(|config| config.contains_key(SEALED)) {
        return Err(RunnerError::Refused(
            "The job holds values of blocks, and was sealed with another key than the daemon has."
                .to_owned(),
        ));
    }
    match &run.infrastructure.kind {
        Some(RunnerKind::Docker) => container::job(run, settings),
        None | Some(RunnerKind::Subprocess | RunnerKind::Universal) => process::job(run, settings),
        Some(RunnerKind::DockerJob) => docker_job::job(run, settings, settings.placement),
        Some(RunnerKind::SwarmJob) => docker_job::job(run, settings, Placement::Swarm),
        Some(RunnerKind::ProcessJob) => process_job::job(run, settings),
        Some(RunnerKind::Served) => Err(RunnerError::Refused(
            "The run is for the process that serves its deployment.".to_owned(),
        )),
        Some(RunnerKind::Other(other)) => Err(RunnerError::Refused(format!(
            "This agent runs flow runners of type 'docker' and 'subprocess', not {other:?}. \
             Deploy the flow with one of these."
        ))),
    }
}

fn config<T: for<'de> Deserialize<'de>>(config: JsonMap) -> Result<T, RunnerError> {
    serde_json::from_value(config.into()).map_err(|error| {
        RunnerError::Refused(format!("The flow runner's settings are wrong: {error}."))
    })
}

fn time_limit(seconds: Option<f64>) -> Result<Option<Duration>, RunnerError> {
    let Some(seconds) = seconds else {
        return Ok(None);
    };
    match Duration::try_from_secs_f64(seconds) {
        Ok(limit) if !limit.is_zero() => Ok(Some(limit)),
        _ => Err(RunnerError::Refused(format!(
            "The flow runner's time_limit_seconds must be above 0, and is {seconds}."
        ))),
    }
}

/// The command that executes a run.
fn engine(python: &str, run: &FlowRun) -> Vec<String> {
    let id = run.id.to_string();
    [python, "-m", "prefect.engine", &id]
        .map(str::to_owned)
        .into()
}

/// The hosts by which a run finds the API that it is told: not behind any proxy.
fn direct(api: Option<&str>) -> Vec<String> {
    api.and_then(proxies::host_of).into_iter().collect()
}

/// Reads texts as the 2.0a7 generation does, which takes numbers and truths for texts, too.
fn text<'de, D: serde::Deserializer<'de>>(given: D) -> Result<Text, D::Error> {
    match Value::deserialize(given)? {
        Value::String(text) => Ok(Text(text)),
        Value::Number(number) => Ok(Text(number.to_string())),
        Value::Bool(true) => Ok(Text("True".to_owned())),
        Value::Bool(false) => Ok(Text("False".to_owned())),
        _ => Err(serde::de::Error::custom("a text was expected")),
    }
}

/// A text, or what is taken for one.
struct Text(String);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: serde::Deserializer<'de>>(given: D) -> Result<Self, D::Error> {
        text(given)
    }
}

/// The same for a map of texts.
fn texts<'de, D: serde::Deserializer<'de>>(given: D) -> Result<BTreeMap<String, String>, D::Error> {
    let texts = BTreeMap::<String, Text>::deserialize(given)?;
    Ok(texts
        .into_iter()
        .map(|(name, Text(text))| (name, text))
        .collect())
}

/// The same where there may be none.
fn maybe_texts<'de, D: serde::Deserializer<'de>>(
    given: D,
) -> Result<Option<BTreeMap<String, String>>, D::Error> {
    let texts = Option::<BTreeMap<String, Text>>::deserialize(given)?;
    let plain = |texts: BTreeMap<String, Text>| {
        texts
            .into_iter()
            .map(|(name, Text(text))| (name, text))
            .collect()
    };
    Ok(texts.map(plain))
}

/// The API's address under both generations' names; what the user set stays.
fn with_api(
    mut env: BTreeMap<String, String>,
    api: Option<&str>,
    settings: &RunnerSettings,
) -> BTreeMap<String, String> {
    if let Some(api) = api {
        let modern = api.trim_end_matches('/').to_owned();
        env.entry("PREFECT_ORION_HOST".to_owned())
            .or_insert_with(|| api.to_owned());
        env = settings.with_pages(env, &modern);
        env.entry("PREFECT_API_URL".to_owned()).or_insert(modern);
    }
    env.entry("PYTHONUNBUFFERED".to_owned())
        .or_insert_with(|| "1".to_owned());
    env
}
