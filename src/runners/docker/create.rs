//! Creating a container: under a free name, from an image that may have to be pulled.

use std::collections::{BTreeMap, HashMap};

use bollard::Docker;
use bollard::errors::Error;
use bollard::models::{
    ContainerCreateBody, DeviceMapping, DeviceRequest, HostConfig, NetworkConnectRequest,
    ResourcesUlimits,
};
use bollard::query_parameters::{
    CreateContainerOptions, InspectNetworkOptions, RemoveContainerOptions,
};

use super::pull::Pulls;
use super::{errors, volumes};
use crate::domain::container::{Bytes, ContainerRules, Pull, Resources};
use crate::domain::proxies;
use crate::runners::spec::Container;
use crate::runners::{Made, Progress, RunnerError, Step};

/// The most names that are tried.
const MOST_NAMES: usize = 1000;

/// Creates the container and joins it to its networks; what fails half-way is removed.
pub(super) async fn create(
    docker: &Docker,
    pulls: &Pulls,
    wanted: &Container,
    progress: &Progress,
) -> Result<Made, RunnerError> {
    let mut wanted = wanted.clone();
    wanted.volumes = volumes::resolved(&wanted.volumes, &wanted.host_folders)?;
    wanted.networks = names_of_networks(docker, &wanted).await?;
    pull_first(docker, pulls, &wanted, progress).await?;
    let made = match under_free_name(docker, &wanted).await {
        Err(error) if errors::is_no_such_image(&error) && wanted.pull == Pull::IfMissing => {
            pulls.pull(docker, &wanted, progress).await?;
            under_free_name(docker, &wanted).await
        }
        made => made,
    };
    let made = made.map_err(errors::classify)?;
    for network in wanted.networks.iter().skip(1) {
        let request = NetworkConnectRequest {
            container: made.id.clone(),
            endpoint_config: None,
        };
        if let Err(error) = docker.connect_network(network, request).await {
            let options = RemoveContainerOptions {
                force: true,
                ..RemoveContainerOptions::default()
            };
            // The failure that matters is told; the container is found again by its label.
            let _ = docker.remove_container(&made.id, Some(options)).await;
            return Err(errors::classify(error));
        }
    }
    Ok(made)
}

/// Pulls the image where that is to be done whether or not it is there.
async fn pull_first(
    docker: &Docker,
    pulls: &Pulls,
    wanted: &Container,
    progress: &Progress,
) -> Result<(), RunnerError> {
    match wanted.pull {
        Pull::Always => pulls.pull(docker, wanted, progress).await,
        Pull::IfPossible => match pulls.pull(docker, wanted, progress).await {
            Err(RunnerError::Refused(words)) => {
                progress(Step::Told(format!(
                    "{words} Going on with the one that is here"
                )));
                Ok(())
            }
            pulled => pulled,
        },
        Pull::IfMissing | Pull::Never => Ok(()),
    }
}

/// Tries `name`, `name-1`, `name-2`, …
async fn under_free_name(docker: &Docker, wanted: &Container) -> Result<Made, Error> {
    let mut name = wanted.name.clone();
    let mut index = 0;
    let wanted = &Container {
        env: environment(docker, wanted).await,
        ..wanted.clone()
    };
    loop {
        let options = CreateContainerOptions {
            name: Some(name.clone()),
            platform: String::new(),
        };
        match docker.create_container(Some(options), body(wanted)).await {
            Ok(created) => {
                let id = created.id;
                return Ok(Made { id, name });
            }
            Err(error) if errors::is_name_taken(&error) && index < MOST_NAMES => {
                index += 1;
                name = format!("{}-{index}", wanted.name);
            }
            Err(error) => return Err(error),
        }
    }
}

/// The networks by their names: one may be asked for by its id or the beginning of that, and
/// under whatever name, the host's network is the operator's to give.
async fn names_of_networks(
    docker: &Docker,
    wanted: &Container,
) -> Result<Vec<String>, RunnerError> {
    let mut names = Vec::new();
    for asked in &wanted.networks {
        if is_mode(asked) {
            names.push(asked.clone());
            continue;
        }
        let found = docker
            .inspect_network(asked, None::<InspectNetworkOptions>)
            .await;
        let found = found.map_err(errors::classify)?;
        let is_host =
            found.driver.as_deref() == Some("host") || found.name.as_deref() == Some("host");
        if is_host && !wanted.host_network {
            return Err(RunnerError::Refused(ContainerRules::host_network_refusal(
                asked,
            )));
        }
        names.push(found.name.unwrap_or_else(|| asked.clone()));
    }
    Ok(names)
}

/// What is no network's name, and was judged by the rules before.
fn is_mode(network: &str) -> bool {
    matches!(network, "default" | "none" | "host" | "bridge") || network.starts_with("container:")
}

/// The environment, with the API never behind a proxy. The engine lays it over the image's, which
/// may name one, too.
async fn environment(docker: &Docker, wanted: &Container) -> BTreeMap<String, String> {
    let mut env = wanted.env.clone();
    // An image that is not there yet names none that could be known.
    let image = docker.inspect_image(&wanted.image).await.ok();
    let image = image
        .and_then(|image| image.config?.env)
        .unwrap_or_default();
    let image: BTreeMap<&str, &str> = image
        .iter()
        .filter_map(|entry| entry.split_once('='))
        .collect();
    let names = env.keys().map(String::as_str).chain(image.keys().copied());
    if proxies::names_one(names) {
        let inherited = |name: &str| image.get(name).map(|value| (*value).to_owned());
        let bypassed = proxies::bypassed(&env, inherited, &wanted.direct);
        env.extend(bypassed);
    }
    env
}

fn body(wanted: &Container) -> ContainerCreateBody {
    let env = wanted
        .env
        .iter()
        .map(|(key, value)| format!("{key}={value}"));
    let labels: HashMap<_, _> = wanted.labels.clone().into_iter().collect();
    ContainerCreateBody {
        image: Some(wanted.image.clone()),
        cmd: Some(wanted.command.clone()),
        env: Some(env.collect()),
        labels: Some(labels),
        user: wanted.resources.user.clone(),
        working_dir: wanted.more.working_dir.clone(),
        hostname: wanted.more.hostname.clone(),
        domainname: wanted.more.domainname.clone(),
        entrypoint: wanted.more.entrypoint.clone(),
        stop_signal: wanted.more.stop_signal.clone(),
        host_config: Some(host_config(wanted)),
        ..ContainerCreateBody::default()
    }
}

fn host_config(wanted: &Container) -> HostConfig {
    let asked = &wanted.resources;
    let bytes = |bytes: Option<Bytes>| bytes.map(|Bytes(bytes)| bytes);
    let extra = asked.extra_hosts.iter().flatten();
    let more = &wanted.more;
    let some = |texts: &Vec<String>| Some(texts.clone()).filter(|texts| !texts.is_empty());
    HostConfig {
        binds: Some(wanted.volumes.clone()),
        extra_hosts: Some(wanted.extra_hosts.iter().chain(extra).cloned().collect()),
        cgroup_parent: wanted.cgroup_parent.clone(),
        network_mode: wanted.networks.first().cloned(),
        nano_cpus: asked.cpus.map(|cpus| (cpus * 1e9) as i64),
        memory: bytes(asked.memory),
        memory_swap: wanted.memory_swap,
        memory_reservation: more.memory_reservation,
        cpu_shares: more.cpu_shares,
        cpuset_cpus: more.cpuset_cpus.clone(),
        dns: some(&more.dns),
        dns_search: some(&more.dns_search),
        group_add: some(&more.groups),
        shm_size: bytes(asked.shm_size),
        pids_limit: asked.pids_limit,
        device_requests: asked.gpus.map(|count| vec![gpus(count)]),
        ulimits: asked
            .ulimits
            .as_ref()
            .map(|all| all.iter().map(|one| ulimit(one)).collect()),
        readonly_rootfs: asked.read_only,
        tmpfs: asked
            .tmpfs
            .as_ref()
            .map(|all| all.iter().map(|one| tmpfs(one)).collect()),
        privileged: asked.privileged,
        devices: devices(asked),
        cap_add: asked.cap_add.clone(),
        cap_drop: Some(wanted.cap_drop.clone()),
        init: Some(wanted.init),
        pid_mode: asked.pid_mode.clone(),
        ipc_mode: asked.ipc_mode.clone(),
        userns_mode: asked.userns_mode.clone(),
        // Never the engine's own removal: it destroys the exit code and the output.
        auto_remove: Some(false),
        ..HostConfig::default()
    }
}

fn gpus(count: i64) -> DeviceRequest {
    DeviceRequest {
        driver: Some("nvidia".to_owned()),
        count: Some(count),
        capabilities: Some(vec![vec!["gpu".to_owned()]]),
        ..DeviceRequest::default()
    }
}

/// `name=soft[:hard]`; what is no number is left to the engine to refuse.
pub(in crate::runners) fn ulimit(text: &str) -> ResourcesUlimits {
    let (name, limits) = text.split_once('=').unwrap_or((text, ""));
    let (soft, hard) = limits.split_once(':').unwrap_or((limits, limits));
    ResourcesUlimits {
        name: Some(name.to_owned()),
        soft: soft.parse().ok(),
        hard: hard.parse().ok(),
    }
}

/// `path[:options]`.
fn tmpfs(text: &str) -> (String, String) {
    let (path, options) = text.split_once(':').unwrap_or((text, ""));
    (path.to_owned(), options.to_owned())
}

/// `path[:path in the container[:rights]]`.
fn devices(asked: &Resources) -> Option<Vec<DeviceMapping>> {
    let mapping = |text: &String| {
        let mut parts = text.split(':').map(str::to_owned);
        let path = parts.next();
        DeviceMapping {
            path_in_container: parts.next().or(path.clone()),
            cgroup_permissions: parts.next().or(Some("rwm".to_owned())),
            path_on_host: path,
        }
    };
    let devices = asked.devices.as_ref()?;
    Some(devices.iter().map(mapping).collect())
}
