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

/// The settings that are the 2.0a7 generation's, and those that are ours on top.
fn split(run: &FlowRun) -> (JsonMap, JsonMap) {
    let config = run.infrastructure.config.clone().unwrap_or_default();
    let is_ours = |key: &String| Resources::KEYS.contains(&key.as_str());
    let set = |(_, value): &(String, Value)| !value.is_null();
    let (ours, theirs): (Vec<_>, Vec<_>) = config.into_iter().partition(|(key, _)| is_ours(key));
    let ours = ours.into_iter().filter(set).collect();
    (theirs.into_iter().collect(), ours)
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
/// network or has an API elsewhere.
pub(super) fn extra_hosts(own_api: Option<&str>, on_host: bool) -> Vec<String> {
    let names_host = |url: &str| {
        let names = ["localhost", "127.0.0.1", HOST];
        names.iter().any(|name| url.contains(name))
    };
    if own_api.is_none_or(names_host) && !on_host {
        vec![format!("{HOST}:host-gateway")]
    } else {
        Vec::new()
    }
}

pub(super) fn job(run: &FlowRun, settings: &RunnerSettings) -> Result<Job, RunnerError> {
    let (theirs, ours) = split(run);
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
    let on_host = networks.iter().any(|network| network == "host");
    let api = settings.api_in_container(on_host);
    let extra_hosts = extra_hosts(own_api.as_deref(), on_host);
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
            env: with_api(config.env, api.as_deref()),
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
