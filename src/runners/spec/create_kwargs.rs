//! `container_create_kwargs`: what the Docker worker hands on to Docker's Python library, in that
//! library's words. What is not known here is refused, so that nobody believes in a setting that
//! is passed over; what reaches beyond the container is judged by the operator's rules.

use super::*;
use crate::domain::container::Bytes;

/// What is understood of it.
#[derive(Debug, Default, PartialEq)]
pub(super) struct CreateKwargs {
    /// What the rules judge.
    pub resources: Resources,
    /// What they do not.
    pub more: MoreSettings,
    /// Capabilities that are lost.
    pub cap_drop: Vec<String>,
    /// Whether the first process is the engine's own.
    pub init: Option<bool>,
    /// Further labels.
    pub labels: BTreeMap<String, String>,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Given {
    cap_add: Option<Vec<String>>,
    cap_drop: Option<Vec<String>>,
    cpu_period: Option<f64>,
    cpu_quota: Option<f64>,
    cpu_shares: Option<i64>,
    cpuset_cpus: Option<String>,
    devices: Option<Vec<String>>,
    dns: Option<Vec<String>>,
    dns_search: Option<Vec<String>>,
    domainname: Option<String>,
    entrypoint: Option<OneOrMany>,
    #[serde(deserialize_with = "maybe_texts")]
    extra_hosts: Option<BTreeMap<String, String>>,
    group_add: Option<Vec<Text>>,
    hostname: Option<String>,
    init: Option<bool>,
    ipc_mode: Option<String>,
    #[serde(deserialize_with = "maybe_texts")]
    labels: Option<BTreeMap<String, String>>,
    mem_reservation: Option<Bytes>,
    nano_cpus: Option<f64>,
    pid_mode: Option<String>,
    pids_limit: Option<i64>,
    read_only: Option<bool>,
    shm_size: Option<Bytes>,
    stop_signal: Option<String>,
    #[serde(deserialize_with = "maybe_texts")]
    tmpfs: Option<BTreeMap<String, String>>,
    ulimits: Option<Vec<Ulimit>>,
    user: Option<Text>,
    userns_mode: Option<String>,
    working_dir: Option<String>,
}

/// A text, or a list of texts.
#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Ulimit {
    #[serde(alias = "Name")]
    name: String,
    #[serde(alias = "Soft")]
    soft: i64,
    #[serde(alias = "Hard")]
    hard: Option<i64>,
}

impl CreateKwargs {
    /// Reads them.
    pub fn read(given: JsonMap) -> Result<Self, RunnerError> {
        let given: Given = serde_json::from_value(given.into()).map_err(|error| {
            RunnerError::Refused(format!("The job's container_create_kwargs: {error}."))
        })?;
        let pairs = |map: BTreeMap<String, String>| {
            let pairs = map
                .into_iter()
                .map(|(name, value)| format!("{name}:{value}"));
            pairs.collect::<Vec<_>>()
        };
        let ulimits = given.ulimits.map(|all| all.iter().map(ulimit).collect());
        Ok(Self {
            resources: Resources {
                cpus: given
                    .nano_cpus
                    .map(|nanos| nanos / 1e9)
                    .or(cpus(given.cpu_quota, given.cpu_period)),
                shm_size: given.shm_size,
                pids_limit: given.pids_limit,
                ulimits,
                extra_hosts: given.extra_hosts.map(pairs),
                user: given.user.map(|Text(user)| user),
                read_only: given.read_only,
                tmpfs: given.tmpfs.map(pairs),
                devices: given.devices,
                cap_add: given.cap_add,
                pid_mode: given.pid_mode,
                ipc_mode: given.ipc_mode,
                userns_mode: given.userns_mode,
                ..Resources::default()
            },
            more: MoreSettings {
                working_dir: given.working_dir,
                hostname: given.hostname,
                domainname: given.domainname,
                entrypoint: given.entrypoint.map(words).transpose()?,
                dns: given.dns.unwrap_or_default(),
                dns_search: given.dns_search.unwrap_or_default(),
                groups: given
                    .group_add
                    .unwrap_or_default()
                    .into_iter()
                    .map(|Text(group)| group)
                    .collect(),
                stop_signal: given.stop_signal,
                cpu_shares: given.cpu_shares,
                cpuset_cpus: given.cpuset_cpus,
                memory_reservation: given.mem_reservation.map(|Bytes(bytes)| bytes),
            },
            cap_drop: given.cap_drop.unwrap_or_default(),
            init: given.init,
            labels: given.labels.unwrap_or_default(),
        })
    }
}

/// Processors by a quota of each period, in microseconds; the engine's period is a tenth of a
/// second.
fn cpus(quota: Option<f64>, period: Option<f64>) -> Option<f64> {
    let period = period.filter(|period| *period > 0.0).unwrap_or(100_000.0);
    quota.map(|quota| quota / period)
}

fn ulimit(limit: &Ulimit) -> String {
    let hard = limit.hard.unwrap_or(limit.soft);
    format!("{}={}:{hard}", limit.name, limit.soft)
}

fn words(given: OneOrMany) -> Result<Vec<String>, RunnerError> {
    match given {
        OneOrMany::Many(words) => Ok(words),
        OneOrMany::One(text) => docker_job::command(Some(&text)),
    }
}
