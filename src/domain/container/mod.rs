//! What containers may ask for and what they get: the operator's rules. Pure.
//!
//! Whoever may deploy a flow must not become root by it, so everything that reaches beyond
//! the container is refused unless the operator's settings permit it.

mod bytes;
pub mod cluster;
pub mod labels;
mod rules;

use std::path::PathBuf;

use serde::Deserialize;

pub use bytes::Bytes;
pub use cluster::{ClusterSettings, OnNodeLoss, Placement};

/// What a container asks for, or gets by default, beyond its image and environment.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Resources {
    /// Processors, such as 1.5.
    pub cpus: Option<f64>,
    /// Memory; beyond it the container is killed.
    pub memory: Option<Bytes>,
    /// The size of `/dev/shm`.
    pub shm_size: Option<Bytes>,
    /// The most processes and threads.
    pub pids_limit: Option<i64>,
    /// Graphics cards: a number, or -1 for all.
    pub gpus: Option<i64>,
    /// As `nofile=1024:2048`.
    pub ulimits: Option<Vec<String>>,
    /// Names beyond DNS, as `name:address`.
    pub extra_hosts: Option<Vec<String>>,
    /// The first network, as Docker's `--network`.
    pub network_mode: Option<String>,
    /// As whom to run, as `uid:gid`.
    pub user: Option<String>,
    /// Whether the root filesystem is read-only.
    pub read_only: Option<bool>,
    /// Paths that are in memory, as `/tmp` or `/tmp:size=64m`.
    pub tmpfs: Option<Vec<String>>,
    /// All of the machine's rights.
    pub privileged: Option<bool>,
    /// Devices, as `/dev/dri`.
    pub devices: Option<Vec<String>>,
    /// Capabilities, as `NET_ADMIN`.
    pub cap_add: Option<Vec<String>>,
    /// The namespace of processes, as `host`.
    pub pid_mode: Option<String>,
    /// The namespace of shared memory, as `host`.
    pub ipc_mode: Option<String>,
    /// The namespace of users, as `host`.
    pub userns_mode: Option<String>,
}

impl Resources {
    /// The names of the settings.
    pub const KEYS: &[&str] = &[
        "cpus",
        "memory",
        "shm_size",
        "pids_limit",
        "gpus",
        "ulimits",
        "extra_hosts",
        "network_mode",
        "user",
        "read_only",
        "tmpfs",
        "privileged",
        "devices",
        "cap_add",
        "pid_mode",
        "ipc_mode",
        "userns_mode",
    ];

    /// These, with others for what they leave open.
    fn or(self, other: &Self) -> Self {
        let other = other.clone();
        Self {
            cpus: self.cpus.or(other.cpus),
            memory: self.memory.or(other.memory),
            shm_size: self.shm_size.or(other.shm_size),
            pids_limit: self.pids_limit.or(other.pids_limit),
            gpus: self.gpus.or(other.gpus),
            ulimits: self.ulimits.or(other.ulimits),
            extra_hosts: self.extra_hosts.or(other.extra_hosts),
            network_mode: self.network_mode.or(other.network_mode),
            user: self.user.or(other.user),
            read_only: self.read_only.or(other.read_only),
            tmpfs: self.tmpfs.or(other.tmpfs),
            privileged: self.privileged.or(other.privileged),
            devices: self.devices.or(other.devices),
            cap_add: self.cap_add.or(other.cap_add),
            pid_mode: self.pid_mode.or(other.pid_mode),
            ipc_mode: self.ipc_mode.or(other.ipc_mode),
            userns_mode: self.userns_mode.or(other.userns_mode),
        }
    }
}

/// The most that any container gets; absent: no limit.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Maxima {
    /// See [`Resources::cpus`].
    pub cpus: Option<f64>,
    /// See [`Resources::memory`].
    pub memory: Option<Bytes>,
    /// See [`Resources::shm_size`].
    pub shm_size: Option<Bytes>,
    /// See [`Resources::pids_limit`].
    pub pids_limit: Option<i64>,
    /// See [`Resources::gpus`].
    pub gpus: Option<i64>,
}

/// What may reach beyond the container. Nothing may by default.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Allow {
    /// Privileged mode.
    pub privileged: bool,
    /// Folders of the host that may be mounted, with what is below them.
    pub host_volumes: Vec<PathBuf>,
    /// Devices that may be passed in.
    pub devices: Vec<String>,
    /// Capabilities that may be added. With `NET_RAW` among them no container loses that one.
    pub capabilities: Vec<String>,
    /// Namespaces that may be shared with the host or another container: `network`, `pid`,
    /// `ipc`, `userns`.
    pub host_namespaces: Vec<String>,
    /// Secrets of the swarm that runs may have, by their names.
    pub secrets: Vec<String>,
    /// Configs of the swarm, likewise.
    pub configs: Vec<String>,
}

/// When to pull an image.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Pull {
    /// Before every run.
    Always,
    /// When the machine does not have it.
    #[default]
    IfMissing,
    /// Never: an image that is not there ends the run.
    Never,
    /// Before every run, where that is possible; only jobs of work pools ask for it.
    #[serde(skip)]
    IfPossible,
}

/// The operator's rules for containers.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ContainerRules {
    /// When to pull.
    pub pull: Pull,
    /// What those get that ask for nothing.
    pub defaults: Resources,
    /// The most that any gets.
    pub maxima: Maxima,
    /// What may reach beyond the container.
    pub allow: Allow,
    /// Whether a container's first process is the engine's own `init`, which hands on signals and
    /// takes away what ended; absent: yes.
    pub init: Option<bool>,
    /// The control group that all of them are in: a slice with the engine's systemd driver,
    /// else a path. Absent: as the engine likes.
    pub cgroup_parent: Option<String>,
    /// The image of a run of a work pool that names none; absent: that of the newest Prefect that
    /// is served.
    pub pool_image: Option<String>,
}
