//! From a run to the description of its container.

use super::*;

#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
struct DockerConfig {
    image: Option<String>,
    #[serde(deserialize_with = "texts")]
    env: BTreeMap<String, String>,
    networks: Vec<String>,
    #[serde(deserialize_with = "maybe_texts")]
    labels: Option<BTreeMap<String, String>>,
    auto_remove: bool,
    volumes: Vec<String>,
    stream_output: bool,
    time_limit_seconds: Option<f64>,
}

impl Default for DockerConfig {
    fn default() -> Self {
        Self {
            image: None,
            env: BTreeMap::new(),
            networks: Vec::new(),
            labels: None,
            auto_remove: false,
            volumes: Vec::new(),
            stream_output: true,
            time_limit_seconds: None,
        }
    }
}

/// The settings that are the 2.0a7 generation's, and those that are ours on top: of any container,
/// and of one on a cluster.
fn split(run: &FlowRun) -> (JsonMap, JsonMap, JsonMap) {
    let (mut theirs, mut ours, mut cluster) = <(JsonMap, JsonMap, JsonMap)>::default();
    for (key, value) in run.infrastructure.config.clone().unwrap_or_default() {
        if Resources::KEYS.contains(&key.as_str()) {
            ours.insert(key, value);
        } else if ClusterSettings::KEYS.contains(&key.as_str()) {
            cluster.insert(key, value);
        } else {
            theirs.insert(key, value);
        }
    }
    ours.retain(|_, value| !value.is_null());
    (theirs, ours, cluster)
}

/// What a container asks of the cluster, where it runs on one.
pub(super) fn on_cluster(
    asked: ClusterSettings,
    placement: Placement,
    rules: &ContainerRules,
) -> Result<Option<ClusterSettings>, RunnerError> {
    match placement {
        Placement::Swarm => {
            rules.check_cluster(&asked).map_err(RunnerError::Refused)?;
            Ok(Some(asked))
        }
        Placement::Engine if asked == ClusterSettings::default() => Ok(None),
        Placement::Engine => Err(RunnerError::Refused(format!(
            "Runs are on this machine's engine, and settings such as {} are for those on a swarm. \
             Leave them out, or have the operator set docker.placement = \"swarm\".",
            ClusterSettings::KEYS.join(", ")
        ))),
    }
}

/// Nothing on a cluster finds the API where it is not advertised.
pub(super) fn unreachable_api() -> RunnerError {
    RunnerError::Refused(
        "Runs on a swarm need an address at which other hosts reach the API. Its operator says it \
         in prefectd.toml: server.advertise = \"ADDRESS\"."
            .to_owned(),
    )
}

/// By which the container is found again. Each is said, though it be by a word that means
/// nothing: an image may carry labels, too.
pub(super) fn own_labels(
    run: &FlowRun,
    settings: &RunnerSettings,
    auto_remove: bool,
) -> impl Iterator<Item = (String, String)> {
    let removes = if auto_remove { "yes" } else { "no" };
    let own = [
        (labels::RUN, run.id.to_string()),
        (labels::INSTANCE, settings.instance.clone()),
        (labels::AGENT, settings.agent.clone()),
        (labels::REMOVE, removes.to_owned()),
    ];
    own.into_iter()
        .map(|(name, value)| (name.to_owned(), value))
}

/// The API's address as it is from within a container.
pub(super) fn reached_at(url: &str, on_host: bool) -> String {
    if on_host {
        url.to_owned()
    } else {
        url.replace("localhost", HOST).replace("127.0.0.1", HOST)
    }
}

/// The names that a container knows beside others: that of its host, unless it is on the host's
/// network, somewhere on a cluster, or has an API elsewhere.
pub(super) fn extra_hosts(own_api: Option<&str>, from: CalledFrom) -> Vec<String> {
    let names_host = |url: &str| {
        let names = ["localhost", "127.0.0.1", HOST];
        names.iter().any(|name| url.contains(name))
    };
    if own_api.is_none_or(names_host) && from == CalledFrom::Bridge {
        vec![format!("{HOST}:host-gateway")]
    } else {
        Vec::new()
    }
}

pub(super) fn job(run: &FlowRun, settings: &RunnerSettings) -> Result<Job, RunnerError> {
    let (theirs, ours, cluster) = split(run);
    let (config, asked) = (
        self::config::<DockerConfig>(theirs)?,
        self::config::<Resources>(ours)?,
    );
    let own_api = config.env.get("PREFECT_ORION_HOST").cloned();
    if own_api.is_none() && settings.container_api_url.is_none() {
        return Err(RunnerError::Refused(
            "An ephemeral API cannot serve a container. Start prefectd (systemctl start prefectd) \
             and point PREFECT_ORION_HOST to it."
                .to_owned(),
        ));
    }
    check_volumes(&config.volumes)?;
    let rules = &settings.containers;
    let resources = rules
        .settle(asked, &config.volumes, &config.networks)
        .map_err(RunnerError::Refused)?;
    let mut networks = config.networks;
    join_mode(&mut networks, &resources);
    let cluster = on_cluster(self::config(cluster)?, settings.placement, rules)?;
    let from = CalledFrom::of(cluster.as_ref(), &networks);
    let api = settings.api_in_container(from);
    if own_api.is_none() && api.is_none() {
        return Err(unreachable_api());
    }
    let extra_hosts = extra_hosts(own_api.as_deref(), from);
    let mut labels = config.labels.unwrap_or_default();
    labels::check(labels.keys().map(String::as_str)).map_err(RunnerError::Refused)?;
    labels.extend(own_labels(run, settings, config.auto_remove));
    Ok(Job {
        flow_run_id: run.id,
        name: run.name.clone(),
        stream_output: config.stream_output,
        time_limit: time_limit(config.time_limit_seconds)?,
        kind: JobKind::Container(Box::new(Container {
            name: container_name(&run.name, run.id),
            image: config.image.unwrap_or_else(|| DEFAULT_IMAGE.to_owned()),
            command: engine("python", run),
            env: with_api(config.env, api.as_deref(), settings),
            networks,
            labels,
            volumes: config.volumes,
            extra_hosts,
            auto_remove: config.auto_remove,
            pull: rules.pull,
            resources,
            cgroup_parent: rules.cgroup_parent.clone(),
            host_folders: rules.allow.host_volumes.clone(),
            host_network: rules.permits_host_network(),
            cap_drop: rules.dropped_capabilities(),
            init: rules.init.unwrap_or(true),
            direct: direct(api.as_deref()),
            memory_swap: None,
            login: None,
            more: MoreSettings::default(),
            cluster,
        })),
    })
}

/// Refuses a mount that does not say where it is mounted.
pub(super) fn check_volumes(volumes: &[String]) -> Result<(), RunnerError> {
    match volumes.iter().find(|volume| !volume.contains(':')) {
        Some(bad) => Err(RunnerError::Refused(format!(
            "The volume {bad:?} is not of the form 'path:container_path'."
        ))),
        None => Ok(()),
    }
}

/// The network of a mode goes before the others.
pub(super) fn join_mode(networks: &mut Vec<String>, resources: &Resources) {
    if let Some(mode) = &resources.network_mode
        && !networks.contains(mode)
    {
        networks.insert(0, mode.clone());
    }
}

/// A name in the letters that the engine allows, or the run's id when none is left.
pub(super) fn container_name(wanted: &str, id: FlowRunId) -> String {
    let mut name = String::new();
    for letter in wanted.chars() {
        if letter.is_ascii_alphanumeric() || matches!(letter, '_' | '.' | '-') {
            name.push(letter);
        } else if !name.ends_with('-') {
            name.push('-');
        }
    }
    name.truncate(LONGEST_NAME);
    let name = name
        .trim_start_matches(['_', '-', '.'])
        .trim_end_matches('-');
    match name.len() {
        // The engine asks for two letters at least.
        0 | 1 => id.to_string(),
        _ => name.to_owned(),
    }
}
