//! What an operator may say, and what it comes to.
//!
//! Fragments are laid over each other (defaults, file, drop-ins, environment, flags) and
//! become [`Settings`], which hold no option that is still open.

mod address;
mod advertise;
mod auth;
mod check;
mod effective;
pub mod environment;
mod flags;
mod input;
mod known;
mod layers;
mod level;
mod paths;
mod sites;
mod trouble;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use crate::domain::agent::AgentSettings;
use crate::domain::container::{ContainerRules, Placement};
use crate::domain::retention::Retention;

pub use advertise::Advertised;
pub use auth::{Auth, read_private};
pub use check::{doubts, report};
pub use effective::effective;
pub use flags::{Action, Flags};
pub use input::{Input, LogFormat};
pub use known::{Known, all as known};
pub use level::level;
pub use paths::{credential, default_agent_dir, usual_socket};

/// How the daemon runs.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// Where the database, the lock and the documents are.
    pub state_dir: PathBuf,
    /// The Unix socket.
    pub socket: PathBuf,
    /// The TCP addresses.
    pub listen: Vec<SocketAddr>,
    /// Names by which the API may be called by TCP, beside those that nobody outside can own; in
    /// lower case, `*.name` for all below one.
    pub hosts: Vec<String>,
    /// Where other hosts reach the API, if they are to.
    pub advertise: Option<Advertised>,
    /// Origins whose pages may use the API, such as `https://ui.example.com`.
    pub cors_origins: Vec<String>,
    /// Whether to listen on the gateway of Docker's default bridge, too.
    pub docker_bridge: bool,
    /// Whether the loops beside the agent run.
    pub services: bool,
    /// Whether the daemon has an agent of its own.
    pub embedded_agent: bool,
    /// How an agent works.
    pub agent: AgentSettings,
    /// How long an agent elsewhere may be silent before its runs are given up.
    pub agent_lease: Duration,
    /// The largest document that is stored, in bytes.
    pub document_max_bytes: u64,
    /// Whether this is an API for one agent, which serves no container.
    pub ephemeral: bool,
    /// The interpreter of subprocess runs that name no environment.
    pub python: String,
    /// Who may use the daemon.
    pub auth: Auth,
    /// Where containers run that do not say it.
    pub placement: Placement,
    /// What containers may ask for.
    pub containers: ContainerRules,
    /// How much of the past is kept.
    pub retention: Retention,
    /// Whether Prefect's own UI is at `/`, and the daemon's pages below `/prefectd`.
    pub prefect_at_root: bool,
    /// How to log; absent: as the surroundings suggest.
    pub log_format: Option<LogFormat>,
    /// What to log, such as `info` or `prefectd=debug`.
    pub log_level: String,
}

/// Why there are no settings: one line that says what to mend.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{0}")]
pub struct ConfigError(pub String);

/// Where a daemon that is started without flags keeps its database.
pub fn state_dir() -> Result<PathBuf, ConfigError> {
    input::read(Flags::default())?.state_dir()
}

impl Settings {
    /// The settings in which `other` differs and that are fixed while a daemon runs.
    pub fn fixed_differences(&self, other: &Self) -> Vec<&'static str> {
        let fixed = [
            ("server.state_dir", self.state_dir == other.state_dir),
            ("server.socket", self.socket == other.socket),
            ("server.listen", self.listen == other.listen),
            (
                "server.docker_bridge",
                self.docker_bridge == other.docker_bridge,
            ),
            ("server.hosts", self.hosts == other.hosts),
            ("server.advertise", self.advertise == other.advertise),
            (
                "server.cors_origins",
                self.cors_origins == other.cors_origins,
            ),
            ("server.services", self.services == other.services),
            (
                "server.agent_lease_secs",
                self.agent_lease == other.agent_lease,
            ),
            (
                "server.document_max_bytes",
                self.document_max_bytes == other.document_max_bytes,
            ),
            ("docker.placement", self.placement == other.placement),
            ("agent.enabled", self.embedded_agent == other.embedded_agent),
            ("auth", self.auth == other.auth),
            ("retention", self.retention == other.retention),
            ("ui.root", self.prefect_at_root == other.prefect_at_root),
            ("log.format", self.log_format == other.log_format),
        ];
        let differ = fixed.into_iter().filter(|(_, same)| !same);
        differ.map(|(name, _)| name).collect()
    }

    /// From the flags, the environment and the files that they name.
    pub fn load(flags: Flags) -> Result<Self, ConfigError> {
        input::read(flags)?.settle()
    }
}
