//! From the description of a container to that of a service. What a service cannot have is refused,
//! so that nobody believes in a setting that is passed over.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use bollard::models::{
    GenericResourcesInner, GenericResourcesInnerDiscreteResourceSpec, Limit,
    NetworkAttachmentConfig, Platform, ResourceObject, ServiceSpec, ServiceSpecModeReplicatedJob,
    TaskSpec, TaskSpecContainerSpec, TaskSpecContainerSpecDnsConfig, TaskSpecPlacement,
    TaskSpecPlacementPreferences, TaskSpecPlacementSpread, TaskSpecResources,
    TaskSpecRestartPolicy, TaskSpecRestartPolicyConditionEnum,
};

use super::files::Files;
use super::mounts;
use crate::domain::container::{Bytes, ClusterSettings, Resources};
use crate::domain::proxies;
use crate::runners::RunnerError;
use crate::runners::docker::create::ulimit;
use crate::runners::spec::Container;

/// The label of a service that was ended by us.
pub(super) const ENDED: &str = "io.prefectd.ended";
/// The label that says which image was asked for: the service may name it by its id.
pub(super) const IMAGE: &str = "io.prefectd.image";

/// How many times a service's task is to complete.
pub(super) fn completions(spec: &ServiceSpec) -> i64 {
    let job = spec
        .mode
        .as_ref()
        .and_then(|mode| mode.replicated_job.as_ref());
    job.and_then(|job| job.total_completions)
        .unwrap_or_default()
}

/// The same with another number.
fn with_completions(spec: &ServiceSpec, completions: i64) -> ServiceSpec {
    let mut spec = spec.clone();
    spec.mode.get_or_insert_default().replicated_job = Some(ServiceSpecModeReplicatedJob {
        max_concurrent: Some(1),
        total_completions: Some(completions),
    });
    spec
}

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

/// With what a value begins that nodes fill in, in the language of Go's templates.
pub(super) const TEMPLATE: &str = "{{";

/// A text that comes out as it is where nodes fill in templates: in the environment, host names and
/// mounts.
pub(super) fn literal(text: &str) -> String {
    text.replace(TEMPLATE, "{{\"{{\"}}")
}

/// What the swarm says of what a run asks for.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// Its image, as nodes are to be told it.
    pub image: String,
    /// Its secrets and configs.
    pub files: Files,
    /// Its networks.
    pub networks: Vec<NetworkAttachmentConfig>,
}

/// The service of a container, with nothing to complete yet. `grace` is for one that does not say
/// how long it has to end.
pub(super) fn spec(
    wanted: &Container,
    cluster: &ClusterSettings,
    known: Known,
    grace: Duration,
) -> Result<ServiceSpec, RunnerError> {
    check(wanted)?;
    let Known {
        image,
        files,
        networks,
    } = known;
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
            networks: some(networks),
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
        hostname: more.hostname.as_deref().map(literal),
        dir: more.working_dir.clone(),
        user: asked.user.clone(),
        groups: some(more.groups.clone()),
        read_only: asked.read_only,
        mounts: some(mounts::of(wanted)?),
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
        .map(|(key, value)| literal(&format!("{key}={value}")))
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
        (
            "mem_reservation (reserve_memory holds memory free)",
            more.memory_reservation.is_some(),
        ),
        (
            "docker.cgroup_parent, which the operator of this machine asks for",
            wanted.cgroup_parent.is_some(),
        ),
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
        Some(seconds) => {
            let own = Duration::try_from_secs_f64(seconds).map_err(|_| {
                RunnerError::Refused(format!(
                    "stop_grace_seconds is {seconds}, which is no time."
                ))
            })?;
            // The operator's is the longest.
            own.min(grace)
        }
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
            memory_bytes: bytes(cluster.reserve_memory),
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

fn some<T>(all: Vec<T>) -> Option<Vec<T>> {
    (!all.is_empty()).then_some(all)
}

#[cfg(test)]
mod tests;
