//! From the description of a container to that of a service. What a service cannot have is refused,
//! so that nobody believes in a setting that is passed over.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use bollard::Docker;
use bollard::models::{
    GenericResourcesInner, GenericResourcesInnerDiscreteResourceSpec, Limit, Mount,
    MountBindOptions, MountBindOptionsPropagationEnum, MountTmpfsOptions, MountType,
    NetworkAttachmentConfig, Platform, ResourceObject, ResourcesUlimits, ServiceSpec, TaskSpec,
    TaskSpecContainerSpec, TaskSpecContainerSpecConfigs, TaskSpecContainerSpecDnsConfig,
    TaskSpecContainerSpecFile, TaskSpecContainerSpecFile1, TaskSpecContainerSpecSecrets,
    TaskSpecPlacement, TaskSpecPlacementPreferences, TaskSpecPlacementSpread, TaskSpecResources,
    TaskSpecRestartPolicy, TaskSpecRestartPolicyConditionEnum,
};
use bollard::query_parameters::{ListConfigsOptions, ListSecretsOptions};

use super::{completions, with_completions};
use crate::domain::container::cluster::file_of;
use crate::domain::container::{Bytes, ClusterSettings, Resources};
use crate::domain::proxies;
use crate::runners::RunnerError;
use crate::runners::docker::errors;
use crate::runners::spec::Container;

/// The label of a service that was ended by us.
pub(super) const ENDED: &str = "io.prefectd.ended";
/// The label that says which image was asked for: the service may name it by its id.
pub(super) const IMAGE: &str = "io.prefectd.image";

/// The same service, to be completed once; `None` where it is so already, or was ended.
pub(super) fn started(spec: &ServiceSpec) -> Option<ServiceSpec> {
    (completions(spec) == 0 && !is_ended(spec)).then(|| with_completions(spec, 1))
}

/// The same service, to be completed no more; `None` where it is so already.
pub(super) fn ended(spec: &ServiceSpec) -> Option<ServiceSpec> {
    if is_ended(spec) {
        return None;
    }
    let mut ended = with_completions(spec, 0);
    let labels = ended.labels.get_or_insert_default();
    labels.insert(ENDED.to_owned(), "yes".to_owned());
    Some(ended)
}

/// Whether it was ended by us.
pub(super) fn is_ended(spec: &ServiceSpec) -> bool {
    let labels = spec.labels.as_ref();
    labels.is_some_and(|labels| labels.contains_key(ENDED))
}

/// Secrets and configs that a run asks for, by what the swarm knows them as.
#[derive(Debug, Default)]
pub(super) struct Files {
    secrets: Vec<TaskSpecContainerSpecSecrets>,
    configs: Vec<TaskSpecContainerSpecConfigs>,
}

impl Files {
    /// Looks them up.
    pub async fn find(docker: &Docker, asked: &ClusterSettings) -> Result<Self, RunnerError> {
        let mut files = Self::default();
        if let Some(names) = &asked.secrets {
            let all = docker.list_secrets(None::<ListSecretsOptions>).await;
            let all = all.map_err(errors::classify)?.into_iter();
            let known = all.filter_map(|one| Some((one.spec?.name?, one.id?)));
            let known: HashMap<_, _> = known.collect();
            for text in names {
                let (name, file) = file_of(text);
                files.secrets.push(TaskSpecContainerSpecSecrets {
                    file: Some(TaskSpecContainerSpecFile {
                        name: Some(file.to_owned()),
                        uid: Some("0".to_owned()),
                        gid: Some("0".to_owned()),
                        mode: Some(0o444),
                    }),
                    secret_id: Some(id_of(&known, name, "secret")?),
                    secret_name: Some(name.to_owned()),
                });
            }
        }
        if let Some(names) = &asked.configs {
            let all = docker.list_configs(None::<ListConfigsOptions>).await;
            let all = all.map_err(errors::classify)?.into_iter();
            let known = all.filter_map(|one| Some((one.spec?.name?, one.id?)));
            let known: HashMap<_, _> = known.collect();
            for text in names {
                let (name, file) = file_of(text);
                files.configs.push(TaskSpecContainerSpecConfigs {
                    file: Some(TaskSpecContainerSpecFile1 {
                        name: Some(file.to_owned()),
                        uid: Some("0".to_owned()),
                        gid: Some("0".to_owned()),
                        mode: Some(0o444),
                    }),
                    config_id: Some(id_of(&known, name, "config")?),
                    config_name: Some(name.to_owned()),
                    runtime: None,
                });
            }
        }
        Ok(files)
    }
}

fn id_of(known: &HashMap<String, String>, name: &str, what: &str) -> Result<String, RunnerError> {
    let id = known.get(name).cloned();
    id.ok_or_else(|| RunnerError::Refused(format!("The swarm has no {what} named {name:?}.")))
}

/// The service of a container, with nothing to complete yet. `grace` is for one that does not say
/// how long it has to end.
pub(super) fn spec(
    wanted: &Container,
    cluster: &ClusterSettings,
    (image, files): (String, Files),
    grace: Duration,
) -> Result<ServiceSpec, RunnerError> {
    check(wanted)?;
    let mut labels: HashMap<_, _> = wanted.labels.clone().into_iter().collect();
    let of_container = labels.clone();
    labels.insert(IMAGE.to_owned(), wanted.image.clone());
    let spec = ServiceSpec {
        labels: Some(labels),
        task_template: Some(TaskSpec {
            container_spec: Some(TaskSpecContainerSpec {
                image: Some(image),
                labels: Some(of_container),
                secrets: some(files.secrets),
                configs: some(files.configs),
                stop_grace_period: Some(grace_of(cluster, grace)?),
                ..container(wanted)?
            }),
            resources: Some(resources(wanted, cluster)),
            restart_policy: Some(TaskSpecRestartPolicy {
                condition: Some(TaskSpecRestartPolicyConditionEnum::NONE),
                max_attempts: Some(0),
                ..TaskSpecRestartPolicy::default()
            }),
            placement: Some(placement(cluster)?),
            networks: networks(wanted),
            ..TaskSpec::default()
        }),
        ..ServiceSpec::default()
    };
    Ok(with_completions(&spec, 0))
}

fn container(wanted: &Container) -> Result<TaskSpecContainerSpec, RunnerError> {
    let (asked, more) = (&wanted.resources, &wanted.more);
    let hosts = asked.extra_hosts.iter().flatten();
    let dns = TaskSpecContainerSpecDnsConfig {
        nameservers: some(more.dns.clone()),
        search: some(more.dns_search.clone()),
        options: None,
    };
    Ok(TaskSpecContainerSpec {
        command: more.entrypoint.clone(),
        args: Some(wanted.command.clone()),
        env: Some(environment(wanted)),
        hostname: more.hostname.clone(),
        dir: more.working_dir.clone(),
        user: asked.user.clone(),
        groups: some(more.groups.clone()),
        read_only: asked.read_only,
        mounts: some(mounts(wanted)?),
        stop_signal: more.stop_signal.clone(),
        hosts: some(hosts.map(|one| host(one)).collect()),
        dns_config: (dns != TaskSpecContainerSpecDnsConfig::default()).then_some(dns),
        init: Some(wanted.init),
        capability_add: asked.cap_add.clone(),
        capability_drop: some(wanted.cap_drop.clone()),
        ulimits: asked
            .ulimits
            .as_ref()
            .map(|all| all.iter().map(|one| ulimit(one)).collect()),
        ..TaskSpecContainerSpec::default()
    })
}

/// `name:address` as a hosts file has it.
fn host(text: &str) -> String {
    match text.split_once(':') {
        Some((name, address)) => format!("{address} {name}"),
        None => text.to_owned(),
    }
}

/// The environment, with the API never behind a proxy that it names.
fn environment(wanted: &Container) -> Vec<String> {
    let mut env: BTreeMap<String, String> = wanted.env.clone();
    if proxies::names_one(env.keys().map(String::as_str)) {
        let bypassed = proxies::bypassed(&env, |_| None, &wanted.direct);
        env.extend(bypassed);
    }
    env.iter()
        .map(|(key, value)| format!("{key}={value}"))
        .collect()
}

/// Refuses what no service can have.
fn check(wanted: &Container) -> Result<(), RunnerError> {
    let Resources {
        cpus: _,
        memory: _,
        shm_size: _,
        pids_limit: _,
        gpus,
        ulimits: _,
        extra_hosts: _,
        network_mode: _,
        user: _,
        read_only: _,
        tmpfs: _,
        privileged,
        devices,
        cap_add: _,
        pid_mode,
        ipc_mode,
        userns_mode,
    } = &wanted.resources;
    let more = &wanted.more;
    let is_joined = |network: &String| network.starts_with("container:");
    for (what, is_asked) in [
        (
            "gpus (name what nodes call it by generic_resources)",
            gpus.is_some(),
        ),
        ("privileged", *privileged == Some(true)),
        (
            "devices",
            devices.as_ref().is_some_and(|all| !all.is_empty()),
        ),
        ("pid_mode", pid_mode.is_some()),
        ("ipc_mode", ipc_mode.is_some()),
        ("userns_mode", userns_mode.is_some()),
        (
            "the network of another container",
            wanted.networks.iter().any(is_joined),
        ),
        ("memswap_limit", wanted.memory_swap.is_some()),
        ("domainname", more.domainname.is_some()),
        ("cpu_shares", more.cpu_shares.is_some()),
        ("cpuset_cpus", more.cpuset_cpus.is_some()),
    ] {
        if is_asked {
            return Err(RunnerError::Refused(format!(
                "On a swarm there is no such thing as {what}. Leave it out, or run the deployment \
                 on the daemon's own engine."
            )));
        }
    }
    Ok(())
}

fn grace_of(cluster: &ClusterSettings, grace: Duration) -> Result<i64, RunnerError> {
    let own = match cluster.stop_grace_seconds {
        Some(seconds) => Duration::try_from_secs_f64(seconds).map_err(|_| {
            RunnerError::Refused(format!(
                "stop_grace_seconds is {seconds}, which is no time."
            ))
        })?,
        None => grace,
    };
    Ok(i64::try_from(own.as_nanos()).unwrap_or(i64::MAX))
}

fn resources(wanted: &Container, cluster: &ClusterSettings) -> TaskSpecResources {
    let asked = &wanted.resources;
    let nanos = |cpus: f64| (cpus * 1e9) as i64;
    let bytes = |bytes: Option<Bytes>| bytes.map(|Bytes(bytes)| bytes);
    let generic = cluster.generic_resources.iter().flatten();
    let generic = generic.map(|(kind, count)| GenericResourcesInner {
        named_resource_spec: None,
        discrete_resource_spec: Some(GenericResourcesInnerDiscreteResourceSpec {
            kind: Some(kind.clone()),
            value: Some(*count),
        }),
    });
    TaskSpecResources {
        limits: Some(Limit {
            nano_cpus: asked.cpus.map(nanos),
            memory_bytes: bytes(asked.memory),
            pids: asked.pids_limit,
        }),
        reservations: Some(ResourceObject {
            nano_cpus: cluster.reserve_cpus.map(nanos),
            memory_bytes: bytes(cluster.reserve_memory).or(wanted.more.memory_reservation),
            generic_resources: some(generic.collect()),
        }),
        ..TaskSpecResources::default()
    }
}

fn placement(cluster: &ClusterSettings) -> Result<TaskSpecPlacement, RunnerError> {
    let spread = |over: &String| TaskSpecPlacementPreferences {
        spread: Some(TaskSpecPlacementSpread {
            spread_descriptor: Some(over.clone()),
        }),
    };
    let preferences = cluster.placement_preferences.iter().flatten().map(spread);
    let platforms = cluster.platforms.iter().flatten();
    let platforms = platforms
        .map(|text| platform(text))
        .collect::<Result<Vec<_>, _>>()?;
    Ok(TaskSpecPlacement {
        constraints: cluster.constraints.clone(),
        preferences: some(preferences.collect()),
        platforms: some(platforms),
        max_replicas: None,
    })
}

/// `os/architecture`, as Docker writes it.
fn platform(text: &str) -> Result<Platform, RunnerError> {
    match text.split('/').collect::<Vec<_>>().as_slice() {
        [os, architecture] if !os.is_empty() && !architecture.is_empty() => Ok(Platform {
            os: Some((*os).to_owned()),
            architecture: Some((*architecture).to_owned()),
        }),
        _ => Err(RunnerError::Refused(format!(
            "{text:?} is no platform; write it as linux/amd64."
        ))),
    }
}

/// The networks; none where it is to be on the node's own bridge.
fn networks(wanted: &Container) -> Option<Vec<NetworkAttachmentConfig>> {
    let named = wanted.networks.iter().filter(|name| *name != "default");
    let attached = named.map(|name| NetworkAttachmentConfig {
        target: Some(name.clone()),
        ..NetworkAttachmentConfig::default()
    });
    some(attached.collect())
}

fn mounts(wanted: &Container) -> Result<Vec<Mount>, RunnerError> {
    let asked = &wanted.resources;
    let mut mounts = wanted
        .volumes
        .iter()
        .map(|text| mount(text))
        .collect::<Result<Vec<_>, _>>()?;
    mounts.extend(asked.tmpfs.iter().flatten().map(|text| tmpfs(text)));
    if let Some(Bytes(size)) = asked.shm_size {
        mounts.push(in_memory("/dev/shm", Some(size)));
    }
    Ok(mounts)
}

/// `source:path[:options]`.
fn mount(text: &str) -> Result<Mount, RunnerError> {
    use MountBindOptionsPropagationEnum as Propagation;
    let mut parts = text.splitn(3, ':');
    let (source, target) = (parts.next(), parts.next());
    let is_folder = source.is_some_and(|source| source.starts_with('/'));
    let mut mount = Mount {
        source: source.map(str::to_owned),
        target: target.map(str::to_owned),
        typ: Some(match is_folder {
            true => MountType::BIND,
            false => MountType::VOLUME,
        }),
        ..Mount::default()
    };
    for option in parts.next().unwrap_or_default().split(',') {
        let propagation = match option {
            "" | "rw" => continue,
            "ro" => {
                mount.read_only = Some(true);
                continue;
            }
            "private" => Propagation::PRIVATE,
            "rprivate" => Propagation::RPRIVATE,
            "shared" => Propagation::SHARED,
            "rshared" => Propagation::RSHARED,
            "slave" => Propagation::SLAVE,
            "rslave" => Propagation::RSLAVE,
            other => {
                return Err(RunnerError::Refused(format!(
                    "The volume {text:?} has the option {other:?}, which no service knows."
                )));
            }
        };
        mount.bind_options = Some(MountBindOptions {
            propagation: Some(propagation),
            ..MountBindOptions::default()
        });
    }
    Ok(mount)
}

/// `path[:options]`, of which the size counts.
fn tmpfs(text: &str) -> Mount {
    let (path, options) = text.split_once(':').unwrap_or((text, ""));
    let size = options.split(',').find_map(|one| one.strip_prefix("size="));
    let size = size.and_then(|size| size.parse::<Bytes>().ok());
    in_memory(path, size.map(|Bytes(bytes)| bytes))
}

fn in_memory(path: &str, size: Option<i64>) -> Mount {
    Mount {
        target: Some(path.to_owned()),
        typ: Some(MountType::TMPFS),
        tmpfs_options: size.map(|size| MountTmpfsOptions {
            size_bytes: Some(size),
            ..MountTmpfsOptions::default()
        }),
        ..Mount::default()
    }
}

/// `name=soft[:hard]`; what is no number is left to the engine to refuse.
fn ulimit(text: &str) -> ResourcesUlimits {
    let (name, limits) = text.split_once('=').unwrap_or((text, ""));
    let (soft, hard) = limits.split_once(':').unwrap_or((limits, limits));
    ResourcesUlimits {
        name: Some(name.to_owned()),
        soft: soft.parse().ok(),
        hard: hard.parse().ok(),
    }
}

fn some<T>(all: Vec<T>) -> Option<Vec<T>> {
    (!all.is_empty()).then_some(all)
}

#[cfg(test)]
mod tests;
