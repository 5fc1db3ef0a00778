//! The command line of `prefectctl`.

mod automation;
mod deployment;
mod flow_run;
mod limit;
mod selection;
mod ui;
mod work_pool;

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

use crate::config::{LogFormat, environment};

pub use automation::{Automation, Event, Events};
pub use deployment::{Deployment, Flow, Schedules};
pub use flow_run::{FlowRun, List, Logs, TaskRun};
pub use limit::Limit;
pub use selection::{Runs, Selection};
pub use ui::Ui;
pub use work_pool::WorkPool;

/// The heading of what every command takes, below what is its own.
const EVERYWHERE: &str = "Options of every command";

/// Steers prefectd.
#[derive(Debug, Parser)]
#[command(
    name = "prefectctl",
    version,
    after_help = format!("\
Examples:
  prefectctl status
  prefectctl deployment create my_flows.py
  prefectctl deployment run my-flow/example -p name=Ada --watch
  prefectctl flow-run ls --state RUNNING --output json
  prefectctl flow-run logs brave-owl -f
  prefectctl top

{}

It exits with 0 when all was done, with 1 when something was not, and with 2 when it was asked
wrongly.", environment::listed(environment::CLIENT))
)]
pub struct Args {
    /// Speak to the daemon on this Unix socket.
    #[arg(long, global = true, help_heading = EVERYWHERE, value_name = "PATH")]
    pub socket: Option<PathBuf>,
    /// Speak to the API at this URL instead, such as http://127.0.0.1:4200/api.
    #[arg(long, global = true, help_heading = EVERYWHERE, value_name = "URL", conflicts_with = "socket")]
    pub api: Option<String>,
    /// Send the API key in this file, which only its owner may read, with every request to
    /// --api; by default that in $PREFECT_API_KEY or in the systemd credential `api-key`.
    #[arg(long, global = true, help_heading = EVERYWHERE, value_name = "FILE")]
    pub api_key_file: Option<PathBuf>,
    /// Show the secret values in flow runners' environments instead of asterisks.
    #[arg(long, global = true, help_heading = EVERYWHERE)]
    pub show_secrets: bool,
    /// How to print.
    #[arg(long, short, global = true, help_heading = EVERYWHERE, value_enum, default_value = "table")]
    pub output: Output,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// How to print.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// For people.
    Table,
    /// For scripts.
    Json,
    /// For people who read a lot of it.
    Yaml,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show the daemon: listeners, database, agent, queue.
    #[command(after_help = "Example:\n  prefectctl status --output json")]
    Status,
    /// Look at all that the daemon needs: the engine, a container's way to the API, the image,
    /// the disk, the clock, permissions, systemd.
    #[command(after_help = "\
Examples:
  prefectctl doctor
  prefectctl doctor --image registry.example/flows:3 --output json

Each line is ok, warn, fail, or skip for what could not be looked at. It succeeds when nothing
fails. Ten images of deployments are looked at, those that changed last, and ten networks; it says
how many more there are. For each a container is started and removed again.")]
    Doctor {
        /// Make the container from this image instead of those that deployments use: those that
        /// they name, and those that the templates and job variables of docker pools come to.
        #[arg(long)]
        image: Option<String>,
    },
    /// Show this program's version and the daemon's.
    #[command(after_help = "Example:\n  prefectctl version")]
    Version,
    /// Print completions for a shell; they ask the daemon for names.
    #[command(
        after_help = "Example:\n  prefectctl completions bash > /etc/bash_completion.d/prefectctl"
    )]
    Completions {
        /// The shell.
        shell: Shell,
    },
    /// Write the man pages of prefectctl and prefectd into a directory.
    #[command(after_help = "Example:\n  prefectctl man /usr/local/share/man/man1")]
    Man {
        /// An existing directory.
        folder: PathBuf,
    },
    /// Create, list, run and delete deployments.
    #[command(
        subcommand,
        after_help = "\
Examples:
  prefectctl deployment create my_flows.py
  prefectctl deployment ls
  prefectctl deployment run my-flow/example --watch"
    )]
    Deployment(Deployment),
    /// List, inspect and delete flows.
    #[command(
        subcommand,
        after_help = "\
Examples:
  prefectctl flow ls
  prefectctl flow delete my-flow --force"
    )]
    Flow(Flow),
    /// List, inspect, follow, cancel, retry and delete flow runs.
    #[command(
        subcommand,
        after_help = "\
Examples:
  prefectctl flow-run ls --state RUNNING
  prefectctl flow-run logs brave-owl -f
  prefectctl flow-run cancel brave-owl --wait"
    )]
    FlowRun(FlowRun),
    /// List and inspect task runs.
    #[command(
        subcommand,
        after_help = "\
Examples:
  prefectctl task-run ls --run brave-owl
  prefectctl task-run inspect 0a1b2c3d"
    )]
    TaskRun(TaskRun),
    /// List, inspect, create, pause and resume work pools.
    #[command(
        subcommand,
        after_help = "\
Examples:
  prefectctl work-pool create my-pool
  prefectctl work-pool ls
  prefectctl work-pool inspect my-pool"
    )]
    WorkPool(WorkPool),
    /// List limits on what goes on at once, and who holds their slots.
    #[command(
        subcommand,
        after_help = "\
Examples:
  prefectctl limit ls
  prefectctl limit holders database"
    )]
    Limit(Limit),
    /// List, inspect, pause and resume automations.
    #[command(
        subcommand,
        after_help = "\
Examples:
  prefectctl automation ls
  prefectctl automation inspect my-automation
  prefectctl automation pause my-automation"
    )]
    Automation(Automation),
    /// List events, and show them as they come.
    #[command(
        subcommand,
        after_help = "\
Examples:
  prefectctl event ls --name prefect.flow-run.
  prefectctl event follow"
    )]
    Event(Event),
    /// Show the runs that have processes, with the processor time and the memory that they use.
    #[command(after_help = "\
Examples:
  prefectctl top
  prefectctl top --once --output json

In a terminal it is shown anew every two seconds, until it is interrupted.")]
    Top {
        /// Show it once.
        #[arg(long)]
        once: bool,
    },
    /// List the fields that Prefect clients sent, that this daemon does not know, and that it
    /// ignored.
    #[command(after_help = "\
Examples:
  prefectctl compat
  prefectctl compat --output json

A field is listed by the client's version. It is counted from the daemon's start.")]
    Compat,
    /// Print the names that the last word may become; for shells.
    #[command(name = "__complete", hide = true)]
    Complete {
        /// The command line's words after the program's name, up to the one that is written.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        words: Vec<String>,
    },
    /// Start an agent beside the daemon's own, and list agents.
    #[command(
        subcommand,
        after_help = "\
Examples:
  prefectctl agent ls
  prefectctl agent start --api http://10.0.0.5:4200/api --slots 4"
    )]
    Agent(Agent),
    /// Look at the nodes of the swarm that runs run on.
    #[command(subcommand, after_help = "Example:\n  prefectctl node ls")]
    Node(Node),
    /// Prepare keys.
    #[command(subcommand, after_help = "Example:\n  prefectctl auth hash < key-file")]
    Auth(Auth),
    /// Look at the daemon's settings.
    #[command(
        subcommand,
        after_help = "\
Examples:
  prefectctl config show
  prefectctl config show --all --output json"
    )]
    Config(Config),
    /// Back up the database and all documents, while everything goes on.
    #[command(after_help = "\
Examples:
  prefectctl backup prefectd.tar
  prefectctl backup --keep 7 /var/backups/prefectd/
  prefectctl backup - | ssh elsewhere 'cat > prefectd.tar'

The backup holds every run that was acknowledged before it began.")]
    Backup {
        /// The file to write; in a directory, one named after the time; or - for standard
        /// output.
        #[arg(value_name = "FILE|DIR|-")]
        to: PathBuf,
        /// Replace a file that is there.
        #[arg(long)]
        force: bool,
        /// Keep so many backups in the directory, and remove older ones that were named the
        /// same way.
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
        keep: Option<u64>,
    },
    /// Have the daemon serve Prefect's own UI beside its pages.
    #[command(
        subcommand,
        after_help = "\
Examples:
  prefectctl ui install --python /opt/flows/bin/python
  prefectctl ui install --wheel prefect-3.9.1-py3-none-any.whl
  prefectctl ui remove"
    )]
    Ui(Ui),
    /// Restore a backup into a state directory that no daemon holds.
    #[command(after_help = "\
Examples:
  systemctl stop prefectd && prefectctl restore --force prefectd.tar
  prefectctl restore prefectd.tar --state-dir /srv/prefectd

What is restored gets the state directory's owner. A database that is there is kept under
another name. The containers of the daemon that made the backup are not those of a new state
directory: runs that were running in them end as Crashed.")]
    Restore {
        /// The backup; - for standard input.
        file: PathBuf,
        /// Restore here instead of where the daemon's settings say.
        #[arg(long, value_name = "DIR")]
        state_dir: Option<PathBuf>,
        /// Replace a database that is there; it is moved aside.
        #[arg(long)]
        force: bool,
    },
}

/// Commands on settings.
#[derive(Debug, Subcommand)]
pub enum Config {
    /// Show what the daemon goes by, and where each setting comes from; secrets are masked.
    #[command(after_help = "\
Examples:
  prefectctl config show
  prefectctl config show --all --output json

To check a configuration before it is used: prefectd check-config")]
    Show {
        /// Show those too that are as they are by default.
        #[arg(long)]
        all: bool,
    },
}

/// Commands on keys.
#[derive(Debug, Subcommand)]
pub enum Auth {
    /// Read a key, or user:password, from standard input and print its hash for the
    /// configuration file.
    #[command(after_help = "\
Examples:
  prefectctl auth hash < key-file                 for auth.api_key
  printf %s ada:secret | prefectctl auth hash     for auth.basic")]
    Hash,
}

/// Commands on agents.
#[derive(Debug, Subcommand)]
pub enum Agent {
    /// Work as an agent, for a daemon of this machine or another.
    #[command(after_help = "\
Examples:
  prefectctl agent start                                  for the daemon of this machine
  prefectctl agent start --api http://10.0.0.5:4200/api --slots 4
  PREFECT_ORION_HOST=http://127.0.0.1:4200/api/ prefectctl agent start

Where no API is named and no daemon answers, it starts an ephemeral API of its own, which
runs subprocesses and no containers.")]
    Start(AgentStart),
    /// List the agents that are there.
    #[command(after_help = "Example:\n  prefectctl agent ls --output json")]
    Ls,
}

/// Commands on nodes.
#[derive(Debug, Subcommand)]
pub enum Node {
    /// List the nodes, with the runs on each and what is reserved for them.
    #[command(after_help = "Example:\n  prefectctl node ls --output json")]
    Ls,
}

/// How an agent is started.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct AgentStart {
    /// Its name; by default the machine's. Runs that it takes carry it.
    #[arg(long)]
    pub name: Option<String>,
    /// How many runs it holds at once.
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
    pub slots: Option<u64>,
    /// Keep its files here.
    #[arg(long, value_name = "DIR")]
    pub state_dir: Option<PathBuf>,
    /// Read its settings (`[agent]`, `[docker]`, `[runners]`) from this file instead of
    /// /etc/prefectd/prefectd.toml.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// How to log; by default journald under systemd and text elsewhere.
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub log_format: Option<LogFormat>,
    /// What to log: error, warn, info, debug, trace, or a filter such as prefectd=debug.
    #[arg(long, value_name = "LEVEL", value_parser = crate::config::level)]
    pub log_level: Option<String>,
}
