//! What the files and the environment may say.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;

use crate::domain::agent::{self, AgentSettings, OutputLimits};
use crate::domain::container::{Allow, Bytes, ContainerRules, Maxima, Placement, Pull, Resources};

use crate::domain::retention::{Retention, RetentionLimit};
use crate::domain::time::Span;

use super::address::Address;
use super::{ConfigError, Flags, Settings, advertise, layers, paths, sites, trouble};

/// How much of a run's output is kept, in bytes.
const OUTPUT_BYTES: u64 = 64 << 20;

fn unsigned(Bytes(bytes): Bytes) -> u64 {
    bytes.unsigned_abs()
}

/// How to log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// To the journal, with fields.
    Journald,
    /// Lines for people, on standard error.
    Text,
    /// A JSON object a line, on standard error.
    Json,
}

/// How large a document may be, in bytes, unless the operator says otherwise.
const DOCUMENT_MAX_BYTES: u64 = 1024 * 1024 * 1024;

/// Everything that may be said, by section.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Input {
    server: Server,
    log: Log,
    agent: Agent,
    runners: RunnerInput,
    docker: Docker,
    auth: super::auth::Input,
    retention: RetentionInput,
    ui: Ui,
}

/// What is seen at `/` in a browser.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Ui {
    root: Root,
}

/// Whose pages are at `/`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Root {
    /// The daemon's own.
    #[default]
    Prefectd,
    /// Prefect's.
    Prefect,
}

/// For how many days events are kept where nobody says it, as in the reference.
const EVENTS_DAYS: u32 = 7;

/// How much of the past is kept; by default all of it but events.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct RetentionInput {
    flow_runs_days: Option<u32>,
    flow_runs_max: Option<u64>,
    logs_days: Option<u32>,
    logs_max: Option<u64>,
    events_days: Option<u32>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Server {
    state_dir: Option<PathBuf>,
    socket: Option<PathBuf>,
    listen: Option<Vec<Address>>,
    hosts: Vec<String>,
    advertise: Option<String>,
    cors_origins: Vec<String>,
    docker_bridge: Option<bool>,
    services: Option<bool>,
    agent_lease_secs: Option<u64>,
    document_max_bytes: Option<u64>,
    #[serde(skip)]
    ephemeral: bool,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Log {
    format: Option<LogFormat>,
    level: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Agent {
    enabled: Option<bool>,
    slots: Option<u64>,
    poll_secs: Option<u64>,
    stop_grace_secs: Option<u64>,
    time_limit_secs: Option<u64>,
    output_max_bytes: Option<Bytes>,
    output_lines_per_sec: Option<u64>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Docker {
    placement: Placement,
    pull: Pull,
    defaults: Resources,
    maxima: Maxima,
    allow: Allow,
    cgroup_parent: Option<String>,
    pool_image: Option<String>,
    init: Option<bool>,
    keep: KeepInput,
}

/// The containers of runs that have ended.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct KeepInput {
    hours: Option<u64>,
    containers: Option<usize>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct RunnerInput {
    python: Option<String>,
}

/// Lays files, environment and flags over each other.
pub(super) fn read(flags: Flags) -> Result<Input, ConfigError> {
    let figment = layers::laid(flags.config.as_deref())?;
    let mut input: Input = figment
        .extract()
        .map_err(|error| trouble::told(&figment, error))?;
    input.overlay(flags);
    Ok(input)
}

impl Input {
    fn overlay(&mut self, flags: Flags) {
        let Flags {
            config: _,
            state_dir,
            socket,
            listen,
            no_agent,
            no_services,
            no_docker_bridge,
            ephemeral,
            log_format,
            log_level,
            check: _,
            action: _,
        } = flags;
        let server = &mut self.server;
        server.state_dir = state_dir.or(server.state_dir.take());
        server.socket = socket.or(server.socket.take());
        if !listen.is_empty() {
            server.listen = Some(listen.into_iter().map(Address).collect());
        }
        if ephemeral {
            server.ephemeral = true;
            server.docker_bridge = Some(false);
            server.listen = Some(vec![Address(SocketAddr::from(([127, 0, 0, 1], 0)))]);
        }
        if no_services {
            server.services = Some(false);
        }
        if no_docker_bridge {
            server.docker_bridge = Some(false);
        }
        if no_agent {
            self.agent.enabled = Some(false);
        }
        self.log.format = log_format.or(self.log.format);
        self.log.level = log_level.or(self.log.level.take());
    }

    /// Where the database is, whatever else is said.
    pub(super) fn state_dir(self) -> Result<PathBuf, ConfigError> {
        self.server
            .state_dir
            .map_or_else(paths::default_state_dir, Ok)
    }

    /// Fills what was left open and checks the rest.
    pub(super) fn settle(self) -> Result<Settings, ConfigError> {
        let local = SocketAddr::from(([127, 0, 0, 1], 4200));
        let agent = AgentSettings {
            slots: self.agent.slots.unwrap_or(32),
            poll: Duration::from_secs(self.agent.poll_secs.unwrap_or(5).max(1)),
            stop_grace: Duration::from_secs(self.agent.stop_grace_secs.unwrap_or(30)),
            time_limit: self.agent.time_limit_secs.map(Duration::from_secs),
            output: OutputLimits {
                bytes: self.agent.output_max_bytes.map_or(OUTPUT_BYTES, unsigned),
                lines_per_sec: self.agent.output_lines_per_sec,
            },
            keep: agent::ContainerRetention {
                at_most_for: Duration::from_secs(self.docker.keep.hours.unwrap_or(7 * 24) * 3600),
                at_most: self.docker.keep.containers.unwrap_or(200),
            },
        };
        if agent.slots == 0 {
            let words =
                "agent.slots must be at least 1; to run no agent, set agent.enabled = false";
            return Err(ConfigError(words.to_owned()));
        }
        Ok(Settings {
            retention: self.retention.settle()?,
            state_dir: match self.server.state_dir {
                Some(path) => path,
                None => paths::default_state_dir()?,
            },
            socket: match self.server.socket {
                Some(path) => path,
                None => paths::default_socket()?,
            },
            listen: match self.server.listen {
                Some(listen) => listen.into_iter().map(|Address(one)| one).collect(),
                None => vec![local],
            },
            hosts: sites::hosts(self.server.hosts)?,
            advertise: advertise::advertised(self.server.advertise)?,
            cors_origins: sites::origins(self.server.cors_origins)?,
            docker_bridge: self.server.docker_bridge.unwrap_or(true),
            services: self.server.services.unwrap_or(true),
            agent_lease: Duration::from_secs(self.server.agent_lease_secs.unwrap_or(30).max(1)),
            document_max_bytes: self.server.document_max_bytes.unwrap_or(DOCUMENT_MAX_BYTES),
            ephemeral: self.server.ephemeral,
            auth: self.auth.settle()?,
            embedded_agent: self.agent.enabled.unwrap_or(true),
            agent,
            placement: self.docker.placement,
            containers: ContainerRules {
                pull: self.docker.pull,
                defaults: self.docker.defaults,
                maxima: self.docker.maxima,
                allow: self.docker.allow,
                cgroup_parent: self.docker.cgroup_parent,
                pool_image: self.docker.pool_image,
                init: Some(self.docker.init.unwrap_or(true)),
            },
            python: self.runners.python.unwrap_or_else(|| "python3".to_owned()),
            prefect_at_root: self.ui.root == Root::Prefect,
            log_format: self.log.format,
            log_level: match self.log.level {
                Some(level) => super::level(&level)
                    .map_err(|told| ConfigError(format!("log.level: {told}")))?,
                None => "info".to_owned(),
            },
        })
    }
}

impl RetentionInput {
    fn settle(self) -> Result<Retention, ConfigError> {
        let keep = |days: Option<u32>, at_most| RetentionLimit {
            at_most_for: days.map(|days| Span::from_micros(i64::from(days) * 86_400_000_000)),
            at_most,
        };
        let days = [self.flow_runs_days, self.logs_days, self.events_days];
        if days.contains(&Some(0)) {
            let words = "retention: days must be at least 1; to keep everything, leave them out";
            return Err(ConfigError(words.to_owned()));
        }
        Ok(Retention {
            flow_runs: keep(self.flow_runs_days, self.flow_runs_max),
            logs: keep(self.logs_days, self.logs_max),
            events: keep(Some(self.events_days.unwrap_or(EVENTS_DAYS)), None),
        })
    }
}

#[cfg(test)]
mod tests;
