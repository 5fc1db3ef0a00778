//! What the files and the environment may say.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;

use crate::domain::agent::{self, AgentSettings, OutputLimits};
use crate::domain::container::{Allow, Bytes, ContainerRules, Maxima, Pull, Resources};

use crate::domain::retention::{Retention, RetentionLimit};
use crate::domain::time::Span;

use super::address::Address;
use super::{ConfigError, Flags, Settings, layers, paths, sites, trouble};

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
    pull: Pull,
    defaults: Resources,
    maxima: Maxima,
    allow: Allow,
    cgroup_parent: Option<String>,
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
            cors_origins: sites::origins(self.server.cors_origins)?,
            docker_bridge: self.server.docker_bridge.unwrap_or(true),
            services: self.server.services.unwrap_or(true),
            agent_lease: Duration::from_secs(self.server.agent_lease_secs.unwrap_or(30).max(1)),
            document_max_bytes: self.server.document_max_bytes.unwrap_or(DOCUMENT_MAX_BYTES),
            ephemeral: self.server.ephemeral,
            auth: self.auth.settle()?,
            embedded_agent: self.agent.enabled.unwrap_or(true),
            agent,
            containers: ContainerRules {
                pull: self.docker.pull,
                defaults: self.docker.defaults,
                maxima: self.docker.maxima,
                allow: self.docker.allow,
                cgroup_parent: self.docker.cgroup_parent,
                init: Some(self.docker.init.unwrap_or(true)),
            },
            python: self.runners.python.unwrap_or_else(|| "python3".to_owned()),
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
mod tests {
    use super::*;

    fn settle(file: &str, flags: Flags) -> Result<Settings, ConfigError> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("p.toml");
        std::fs::write(&path, file).unwrap();
        let dropins = dir.path().join("p.toml.d");
        std::fs::create_dir(&dropins).unwrap();
        std::fs::write(dropins.join("10.toml"), "[agent]\nslots = 3\n").unwrap();
        let mut flags = flags;
        flags.config = Some(path);
        flags.state_dir = Some("/s".into());
        flags.socket = Some("/s/sock".into());
        read(flags)?.settle()
    }

    #[test]
    fn the_later_one_wins() {
        let file = "[agent]\nslots = 2\npoll_secs = 9\n[server]\nlisten = [\"127.0.0.1:1\"]\n";
        let settings = settle(file, Flags::default()).unwrap();
        let agent = settings.agent;
        assert_eq!((agent.slots, agent.poll.as_secs()), (3, 9));
        assert!(settings.embedded_agent);
        assert_eq!(settings.listen, ["127.0.0.1:1".parse().unwrap()]);
        let flags = Flags {
            listen: vec!["127.0.0.1:2".parse().unwrap()],
            no_agent: true,
            ..Flags::default()
        };
        let settings = settle(file, flags).unwrap();
        assert_eq!(settings.listen, ["127.0.0.1:2".parse().unwrap()]);
        assert!(!settings.embedded_agent);
    }

    #[test]
    fn the_file_that_is_shipped_names_every_setting_and_sets_none() {
        let shipped = include_str!("../../systemd/prefectd.toml");
        let empty = settle("", Flags::default()).unwrap();
        assert_eq!(settle(shipped, Flags::default()).unwrap(), empty);
        let is_setting = |line: &&str| line.starts_with('#') && !line.starts_with("# ");
        let named = shipped.lines().filter(is_setting).count();
        let used = shipped.replace("\n#", "\n").replace("\n ", "\n# ");
        settle(&used, Flags::default()).unwrap();
        let table = include_str!("../../README.md").lines();
        let rows = table.filter(|line| line.starts_with("| `") && line.contains('.'));
        let settings = rows.flat_map(|row| row.split('|').nth(1).unwrap_or_default().split('`'));
        let settings = settings.filter(|name| name.contains('.') && !name.ends_with(".*"));
        let settings: Vec<_> = settings.filter(|name| !name.starts_with('-')).collect();
        assert!(
            named > settings.len() && settings.len() > 15,
            "{settings:?}"
        );
        for setting in settings {
            let key = setting.rsplit('.').next().unwrap();
            assert!(shipped.contains(&format!("\n#{key} = ")), "{setting}");
        }
    }

    #[test]
    fn the_file_that_is_shipped_tells_the_true_defaults() {
        let empty = settle("", Flags::default()).unwrap();
        let known = crate::config::known::all();
        let told = known.iter().filter(|one| one.default == one.example);
        let mut count = 0;
        for one in told {
            let (section, name) = one.key.rsplit_once('.').unwrap();
            let file = format!("[{section}]\n{name} = {}\n", one.default);
            if one.key != "agent.slots" {
                let set = settle(&file, Flags::default());
                assert_eq!(set.unwrap(), empty, "{}", one.key);
                count += 1;
            }
        }
        assert!(count > 10, "{count}");
    }

    #[test]
    fn the_file_that_is_shipped_names_every_setting_that_is_read() {
        let known = crate::config::known::all();
        let mut sections: Vec<_> = known
            .iter()
            .filter_map(|one| one.key.rsplit_once('.').map(|(section, _)| section))
            .collect();
        sections.dedup();
        for section in sections {
            let figment = figment::Figment::from(figment::providers::Toml::string(&format!(
                "[{section}]\nnowhere = 1\n"
            )));
            use figment::providers::Format;
            let error = figment.extract::<Input>().unwrap_err();
            let figment::error::Kind::UnknownField(_, names) = error.kind else {
                panic!("{section}: {error}");
            };
            for name in names {
                let key = format!("{section}.{name}");
                let is_alias = name.ends_with("_hash");
                let is_section = known
                    .iter()
                    .any(|one| one.key.starts_with(&format!("{key}.")));
                let is_known = known.iter().any(|one| one.key == key);
                assert!(is_alias || is_section || is_known, "{key}");
            }
        }
    }

    #[test]
    fn one_address_and_one_word_are_lists_too() {
        for (file, first) in [
            ("[server]\nlisten = \"localhost:1\"\n", "127.0.0.1:1"),
            (
                "[server]\nlisten = [\"localhost:1\", \"[::1]:2\"]\n",
                "127.0.0.1:1",
            ),
            ("[server]\nlisten = \"10.0.0.1:1\"\n", "10.0.0.1:1"),
        ] {
            let settings = settle(file, Flags::default()).unwrap();
            assert_eq!(settings.listen[0].to_string(), first, "{file}");
        }
        let settings = settle("[auth]\nviewers = \"staff\"\n", Flags::default());
        assert_eq!(settings.unwrap().auth.groups.viewers, ["staff"]);
    }

    #[test]
    fn what_is_not_known_or_cannot_be_is_refused() {
        for (file, words) in [
            (
                "[agent]\nslotz = 2\n",
                &["p.toml", "agent.slotz", "did you mean agent.slots?"][..],
            ),
            (
                "[agents]\nslots = 2\n",
                &["p.toml", "agents", "did you mean agent?"],
            ),
            ("slots = 2\n", &["p.toml", "did you mean agent.slots?"]),
            (
                "[agent]\npoll_secs = \"many\"\n",
                &["p.toml", "agent.poll_secs is \"many\"", "whole number"],
            ),
            (
                "[agent]\nenabled = 3\n",
                &["agent.enabled is 3", "true or false"],
            ),
            ("docker = 3\n", &["p.toml", "docker is 3", "section"]),
            (
                "[server]\nlisten = [\"here\"]\n",
                &["p.toml", "server.listen", "ADDRESS:PORT"],
            ),
            (
                "[server]\nlisten = 4200\n",
                &["server.listen is 4200", "a list"],
            ),
            (
                "[docker]\npull = \"sometimes\"\n",
                &[
                    "docker.pull is \"sometimes\"",
                    "always, if-missing or never",
                ],
            ),
            (
                "[docker.maxima]\nmemory = \"lots\"\n",
                &["p.toml", "docker.maxima.memory"],
            ),
            ("[retention]\nlogs_days = 0\n", &["at least 1"]),
            (
                "[retention]\nflow_runs_days = -3\n",
                &["p.toml", "flow_runs_days", "-3"],
            ),
            ("[log]\nlevel = \"inof\"\n", &["log.level", "inof", "info"]),
            ("[agent\nslots = 2\n", &["p.toml", "line 1"]),
        ] {
            let refusal = settle(file, Flags::default()).unwrap_err().to_string();
            assert_eq!(refusal.lines().count(), 1, "{refusal}");
            for word in words {
                assert!(refusal.contains(word), "{file}: {refusal}");
            }
        }
        let flags = Flags {
            config: Some("/nowhere.toml".into()),
            ..Flags::default()
        };
        assert!(
            read(flags)
                .unwrap_err()
                .to_string()
                .contains("/nowhere.toml")
        );
    }
}
