//! From a job of a work pool of type `docker` to the description of its container.
//!
//! The settings are those of the Docker worker of Prefect 3.9.1, after the pool's template was
//! filled in. Unlike that worker this keeps a run on Docker's bridge, where it reaches the API
//! too: the host's network is the operator's to give.

use super::create_kwargs::CreateKwargs;
use super::*;
use crate::domain::container::Bytes;
use crate::domain::work::job::engine_labels;

/// The image of a job that names none, unless the operator says another. The worker takes that of
/// its own Prefect and Python; here there is no Python, and neither a deployment nor its
/// `version_info` tells that of the client that deployed it. So it is the newest Prefect that is
/// served, with the Python that most clients of it run on.
const DEFAULT_JOB_IMAGE: &str = "prefecthq/prefect:3.9.1-python3.11";
/// What executes a flow run.
const DEFAULT_COMMAND: &str = "prefect flow-run execute";

/// What is not known here is passed over, as by the worker.
#[derive(Default, Deserialize)]
#[serde(default)]
struct DockerJob {
    name: Option<String>,
    command: Option<String>,
    #[serde(deserialize_with = "maybe_texts")]
    env: Option<BTreeMap<String, String>>,
    #[serde(deserialize_with = "maybe_texts")]
    labels: Option<BTreeMap<String, String>>,
    /// What the run came from, under the labels.
    attribution: BTreeMap<String, String>,
    image: Option<String>,
    image_pull_policy: Option<PullPolicy>,
    networks: Option<Vec<String>>,
    network_mode: Option<String>,
    auto_remove: Option<bool>,
    volumes: Option<Vec<String>>,
    stream_output: Option<bool>,
    mem_limit: Option<Bytes>,
    memswap_limit: Option<Swap>,
    privileged: Option<bool>,
    container_create_kwargs: Option<JsonMap>,
    registry_credentials: Option<RegistryLogin>,
    /// For how long the worker would watch. The container is watched to its end here, by which
    /// the run's end is told.
    container_wait_timeout: Option<u64>,
}

/// When the image is pulled.
#[derive(Clone, Copy, Deserialize)]
enum PullPolicy {
    IfNotPresent,
    Always,
    IfPossible,
    Never,
}

/// Memory and swap together: bytes, or -1 for any amount.
#[derive(Deserialize)]
#[serde(untagged)]
enum Swap {
    Any(Any),
    Bytes(Bytes),
}

/// -1, as a number or a text.
#[derive(Deserialize)]
#[serde(try_from = "Value")]
struct Any;

impl TryFrom<Value> for Any {
    type Error = &'static str;

    fn try_from(value: Value) -> Result<Self, Self::Error> {
        let is_it = value.as_i64() == Some(-1) || value.as_str().map(str::trim) == Some("-1");
        is_it.then_some(Self).ok_or("not -1")
    }
}

impl Swap {
    fn bytes(&self) -> i64 {
        match self {
            Self::Any(Any) => -1,
            Self::Bytes(Bytes(bytes)) => *bytes,
        }
    }
}

pub(super) fn job(
    run: &FlowRun,
    settings: &RunnerSettings,
    placement: Placement,
) -> Result<Job, RunnerError> {
    let given = run.infrastructure.config.clone().unwrap_or_default();
    let cluster: ClusterSettings = config(given.clone())?;
    let config: DockerJob = config(given)?;
    if config.container_wait_timeout == Some(0) {
        return Err(refused("container_wait_timeout must be above 0"));
    }
    let volumes = config.volumes.unwrap_or_default();
    container::check_volumes(&volumes)?;
    let kwargs = CreateKwargs::read(config.container_create_kwargs.unwrap_or_default())?;
    let asked = Resources {
        memory: config.mem_limit,
        network_mode: config.network_mode,
        privileged: config.privileged,
        ..kwargs.resources
    };
    let rules = &settings.containers;
    let mut networks = config.networks.unwrap_or_default();
    let resources = rules
        .settle(asked, &volumes, &networks)
        .map_err(RunnerError::Refused)?;
    let memory_swap = swap(config.memswap_limit.as_ref(), resources.memory, rules)?;
    container::join_mode(&mut networks, &resources);
    let cluster = container::on_cluster(cluster, placement, rules)?;
    let from = CalledFrom::of(cluster.as_ref(), &networks);
    let env = config.env.unwrap_or_default();
    let own_api = env.get("PREFECT_API_URL").cloned();
    let api = api(own_api.as_deref(), settings, from)?;
    let image = config.image.unwrap_or_else(|| pool_image(rules));
    let labels = labels_of(
        config.labels.unwrap_or_default(),
        kwargs.labels,
        config.attribution,
    )?;
    let auto_remove = config.auto_remove.unwrap_or(false);
    let own = container::own_labels(run, settings, auto_remove);
    let name = config.name.as_deref().unwrap_or(&run.name);
    Ok(Job {
        flow_run_id: run.id,
        name: run.name.clone(),
        stream_output: config.stream_output.unwrap_or(true),
        time_limit: None,
        kind: JobKind::Container(Box::new(Container {
            name: container::container_name(name, run.id),
            pull: pull(config.image_pull_policy, &image, rules.pull),
            image,
            command: command(config.command.as_deref())?,
            env: with_api_3(env, &api, settings),
            networks,
            labels: labels.into_iter().chain(own).collect(),
            volumes,
            extra_hosts: container::extra_hosts(own_api.as_deref(), from),
            auto_remove,
            resources,
            cgroup_parent: rules.cgroup_parent.clone(),
            host_folders: rules.allow.host_volumes.clone(),
            host_network: rules.permits_host_network(),
            cap_drop: [rules.dropped_capabilities(), kwargs.cap_drop].concat(),
            init: kwargs.init.or(rules.init).unwrap_or(true),
            direct: direct(Some(&api)),
            memory_swap,
            login: config.registry_credentials,
            more: kwargs.more,
            cluster,
        })),
    })
}

/// The image of a job that names none.
pub fn pool_image(rules: &ContainerRules) -> String {
    let said = rules.pool_image.clone();
    said.unwrap_or_else(|| DEFAULT_JOB_IMAGE.to_owned())
}

/// The API's address for the container: its own, or ours, as it is reached from there.
fn api(
    own: Option<&str>,
    settings: &RunnerSettings,
    from: CalledFrom,
) -> Result<String, RunnerError> {
    let own = own.map(|url| match from {
        CalledFrom::Cluster => url.to_owned(),
        CalledFrom::Bridge | CalledFrom::Host => {
            container::reached_at(url, from == CalledFrom::Host)
        }
    });
    let url = own.or_else(|| settings.api_in_container(from));
    let url = url.ok_or_else(|| match from {
        CalledFrom::Cluster => container::unreachable_api(),
        CalledFrom::Bridge | CalledFrom::Host => refused(
            "an ephemeral API cannot serve a container. Start prefectd (systemctl start prefectd) \
             and point PREFECT_API_URL to it",
        ),
    })?;
    Ok(url.trim_end_matches('/').to_owned())
}

/// The environment with the API's address, under the modern generation's name alone.
pub(super) fn with_api_3(
    mut env: BTreeMap<String, String>,
    api: &str,
    settings: &RunnerSettings,
) -> BTreeMap<String, String> {
    env.insert("PREFECT_API_URL".to_owned(), api.to_owned());
    env = settings.with_pages(env, api);
    env.entry("PYTHONUNBUFFERED".to_owned())
        .or_insert_with(|| "1".to_owned());
    env
}

/// The job's labels over those of what the run came from.
fn labels_of(
    own: BTreeMap<String, String>,
    more: BTreeMap<String, String>,
    attribution: BTreeMap<String, String>,
) -> Result<BTreeMap<String, String>, RunnerError> {
    let own = engine_labels(own.into_iter().chain(more));
    labels::check(own.keys().map(String::as_str)).map_err(RunnerError::Refused)?;
    let mut labels = engine_labels(attribution);
    labels.extend(own);
    Ok(labels)
}

/// The words of a command, as a shell parts them.
pub(super) fn command(given: Option<&str>) -> Result<Vec<String>, RunnerError> {
    let given = given.map(str::trim).filter(|text| !text.is_empty());
    let text = given.unwrap_or(DEFAULT_COMMAND);
    shlex::split(text)
        .filter(|words| !words.is_empty())
        .ok_or_else(|| {
            refused(&format!(
                "the command {text:?} has a quote that is not closed"
            ))
        })
}

/// When the image is pulled: as the job says, else as the worker does, within what the operator
/// permits.
fn pull(asked: Option<PullPolicy>, image: &str, rule: Pull) -> Pull {
    match (rule, asked) {
        (Pull::Never, _) | (_, Some(PullPolicy::Never)) => Pull::Never,
        (_, Some(PullPolicy::Always)) => Pull::Always,
        (_, Some(PullPolicy::IfPossible)) => Pull::IfPossible,
        (_, Some(PullPolicy::IfNotPresent)) => Pull::IfMissing,
        (Pull::IfMissing, None) if is_latest(image) => Pull::Always,
        (rule, None) => rule,
    }
}

/// Whether an image is the latest of its name, said or not.
fn is_latest(image: &str) -> bool {
    let last = image.rsplit('/').next().unwrap_or(image);
    !last.contains('@') && last.split_once(':').is_none_or(|(_, tag)| tag == "latest")
}

/// Memory and swap together. Where the operator bounds memory, that is twice the bound at most,
/// which is what the engine grants by itself.
fn swap(
    asked: Option<&Swap>,
    memory: Option<Bytes>,
    rules: &ContainerRules,
) -> Result<Option<i64>, RunnerError> {
    let Some(bytes) = asked.map(Swap::bytes) else {
        return Ok(None);
    };
    if memory.is_none() {
        return Err(refused("memswap_limit needs mem_limit"));
    }
    match rules.maxima.memory {
        Some(Bytes(most)) if bytes < 0 || bytes > most.saturating_mul(2) => Err(refused(
            "memswap_limit is more than this machine permits. Ask for less, or have its operator \
             raise docker.maxima.memory in prefectd.toml",
        )),
        _ => Ok(Some(bytes)),
    }
}

fn refused(what: &str) -> RunnerError {
    RunnerError::Refused(format!("The job's settings are wrong: {what}."))
}
