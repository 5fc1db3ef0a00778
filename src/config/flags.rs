//! The command line of `prefectd`.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Parser, ValueEnum};

use super::LogFormat;
use super::address::address;
use super::environment;
use super::level;

/// The control plane of the Prefect workflow system as one small daemon.
#[derive(Clone, Debug, Default, Parser)]
#[command(
    name = "prefectd",
    version,
    after_help = format!("\
Examples:
  prefectd                                       on 127.0.0.1:4200 and the default socket
  prefectd --state-dir ./state --socket ./p.sock --listen 127.0.0.1:0
  prefectd check-config                          is what the settings say in order?
  prefectd --no-agent                            the API only; run `prefect agent start` elsewhere

Settings come from /etc/prefectd/prefectd.toml, its drop-ins in prefectd.toml.d/, the
environment (PREFECTD_<SECTION>__<KEY>) and these flags; the later ones win.

{}

Exit status: 0 stopped cleanly, 1 could not start or failed, 2 wrong usage or settings.", environment::listed(environment::DAEMON))
)]
pub struct Flags {
    /// Read settings from this file instead of /etc/prefectd/prefectd.toml.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Keep the database here; one daemon a directory.
    #[arg(long, value_name = "DIR")]
    pub state_dir: Option<PathBuf>,
    /// Listen on this Unix socket.
    #[arg(long, value_name = "PATH")]
    pub socket: Option<PathBuf>,
    /// Listen on this TCP address; port 0 takes any free one. May be given several times.
    #[arg(long, value_name = "ADDR:PORT", value_parser = address)]
    pub listen: Vec<SocketAddr>,
    /// Run no embedded agent.
    #[arg(long)]
    pub no_agent: bool,
    /// Run none of the loops beside the agent.
    #[arg(long)]
    pub no_services: bool,
    /// Do not listen on the gateway of Docker's default bridge.
    #[arg(long)]
    pub no_docker_bridge: bool,
    /// Serve one agent of this machine and nobody else, as `prefectctl agent start` does
    /// where no daemon runs: any free port, no bridge, no containers.
    #[arg(long, hide = true)]
    pub ephemeral: bool,
    /// How to log; by default journald under systemd and text elsewhere.
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub log_format: Option<LogFormat>,
    /// What to log: error, warn, info, debug, trace, or a filter such as prefectd=debug.
    #[arg(long, value_name = "LEVEL", value_parser = level)]
    pub log_level: Option<String>,
    /// The same as `check-config`.
    #[arg(long)]
    pub check: bool,
    /// What to do instead of serving.
    #[arg(value_enum)]
    pub action: Option<Action>,
}

/// What to do instead of serving.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Action {
    /// Read all settings as the daemon would, say what is wrong or what they come to, and end.
    CheckConfig,
}

impl Flags {
    /// Whether the settings are only to be checked.
    pub fn only_checks(&self) -> bool {
        self.check || self.action == Some(Action::CheckConfig)
    }
}
