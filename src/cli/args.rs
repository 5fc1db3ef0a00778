//! The command line of `prefectctl`.

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

use crate::config::LogFormat;

/// Steers prefectd.
#[derive(Debug, Parser)]
#[command(
    name = "prefectctl",
    version,
    after_help = "\
Examples:
  prefectctl status
  prefectctl deployment create my_flows.py
  prefectctl deployment run my-flow/example -p name=Ada --watch
  prefectctl flow-run ls --state RUNNING --output json
  prefectctl flow-run logs brave-owl -f"
)]
pub struct Args {
    /// Speak to the daemon on this Unix socket.
    #[arg(long, global = true, value_name = "PATH")]
    pub socket: Option<PathBuf>,
    /// Speak to the API at this URL instead, such as http://127.0.0.1:4200/api.
    #[arg(long, global = true, value_name = "URL", conflicts_with = "socket")]
    pub api: Option<String>,
    /// Send the API key in this file, which only its owner may read, with every request to
    /// --api; by default that in $PREFECT_API_KEY or in the systemd credential `api-key`.
    #[arg(long, global = true, value_name = "FILE")]
    pub api_key_file: Option<PathBuf>,
    /// Show the secret values in flow runners' environments instead of asterisks.
    #[arg(long, global = true)]
    pub show_secrets: bool,
    /// How to print.
    #[arg(long, short, global = true, value_enum, default_value = "table")]
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
fails. A container is started and removed again.")]
    Doctor {
        /// Make the container from this image instead of the one that deployments use.
        #[arg(long)]
        image: Option<String>,
    },
    /// Show this program's version and the daemon's.
    #[command(after_help = "Example:\n  prefectctl version")]
    Version,
    /// Print completions for a shell.
    #[command(
        after_help = "Example:\n  prefectctl completions bash > /etc/bash_completion.d/prefectctl"
    )]
    Completions {
        /// The shell.
        shell: Shell,
    },
    /// Write the man pages of prefectctl and prefectd into a directory.
    #[command(hide = true)]
    Man {
        /// An existing directory.
        folder: PathBuf,
    },
    /// Create, list, run and delete deployments.
    #[command(subcommand)]
    Deployment(Deployment),
    /// List and inspect flows.
    #[command(subcommand)]
    Flow(Flow),
    /// List, inspect, follow and cancel flow runs.
    #[command(subcommand)]
    FlowRun(FlowRun),
    /// Start an agent beside the daemon's own, and list agents.
    #[command(subcommand)]
    Agent(Agent),
    /// Prepare keys.
    #[command(subcommand)]
    Auth(Auth),
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
    /// Read its settings ([agent], [docker], [runners]) from this file instead of
    /// /etc/prefectd/prefectd.toml.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// How to log; by default journald under systemd and text elsewhere.
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub log_format: Option<LogFormat>,
    /// What to log: error, warn, info, debug, trace.
    #[arg(long, value_name = "LEVEL")]
    pub log_level: Option<String>,
}

/// Commands on deployments. A deployment is named FLOW/NAME.
#[derive(Debug, Subcommand)]
pub enum Deployment {
    /// Create or update the deployments that a file specifies, with your own Python.
    #[command(after_help = "\
Examples:
  prefectctl deployment create flows.py
  prefectctl deployment create deployments.yaml --python ~/venv/bin/python")]
    Create {
        /// A .py or .yaml file with deployment specifications.
        file: PathBuf,
        /// The Python that has prefect and what the flows import; by default that of the
        /// active virtual environment, else python3.
        #[arg(long, value_name = "PROGRAM")]
        python: Option<PathBuf>,
    },
    /// List deployments.
    #[command(after_help = "Example:\n  prefectctl deployment ls")]
    Ls,
    /// Show one deployment.
    #[command(
        after_help = "Example:\n  prefectctl deployment inspect my-flow/example --output yaml"
    )]
    Inspect {
        /// FLOW/NAME.
        name: String,
    },
    /// Run a deployment now.
    #[command(after_help = "\
Examples:
  prefectctl deployment run my-flow/example
  prefectctl deployment run my-flow/example -p name=Ada -p count=3 --watch")]
    Run {
        /// FLOW/NAME.
        name: String,
        /// A parameter; the value is read as JSON, or as text when it is none.
        #[arg(short, long = "param", value_name = "KEY=VALUE")]
        param: Vec<String>,
        /// Run it then instead of now, such as 2024-05-01T06:00:00+02:00.
        #[arg(long, value_name = "TIME")]
        at: Option<chrono::DateTime<chrono::FixedOffset>>,
        /// Follow the run to its end; succeeds only if the run does.
        #[arg(long, short)]
        watch: bool,
    },
    /// Stop following a deployment's schedule; its runs that have not begun are removed.
    #[command(after_help = "Example:\n  prefectctl deployment pause my-flow/example")]
    Pause {
        /// FLOW/NAME.
        name: String,
    },
    /// Follow a deployment's schedule again.
    #[command(after_help = "Example:\n  prefectctl deployment resume my-flow/example")]
    Resume {
        /// FLOW/NAME.
        name: String,
    },
    /// Delete a deployment; its runs stay.
    #[command(after_help = "Example:\n  prefectctl deployment delete my-flow/example")]
    Delete {
        /// FLOW/NAME.
        name: String,
    },
}

/// Commands on flows.
#[derive(Debug, Subcommand)]
pub enum Flow {
    /// List flows.
    #[command(after_help = "Example:\n  prefectctl flow ls")]
    Ls,
    /// Show one flow.
    #[command(after_help = "Example:\n  prefectctl flow inspect my-flow")]
    Inspect {
        /// Its name.
        name: String,
    },
}

/// Commands on flow runs. A run is named by its name, its id, or a unique start of its id.
#[derive(Debug, Subcommand)]
pub enum FlowRun {
    /// List flow runs, newest first.
    #[command(after_help = "\
Examples:
  prefectctl flow-run ls --state RUNNING --state PENDING
  prefectctl flow-run ls --flow my-flow --limit 5 --output json")]
    Ls {
        /// Only runs in a state of this type.
        #[arg(long, value_name = "TYPE")]
        state: Vec<String>,
        /// Only runs of this flow.
        #[arg(long, value_name = "NAME")]
        flow: Vec<String>,
        /// At most so many.
        #[arg(long, default_value_t = 15, value_parser = clap::value_parser!(u64).range(1..=200))]
        limit: u64,
    },
    /// Show one run and its states.
    #[command(after_help = "Example:\n  prefectctl flow-run inspect brave-owl")]
    Inspect {
        /// Its name or id.
        run: String,
    },
    /// Say why a run is not further than it is, and when it may start.
    #[command(after_help = "Example:\n  prefectctl flow-run why brave-owl")]
    Why {
        /// Its name or id.
        run: String,
    },
    /// Show what a run said.
    #[command(after_help = "Example:\n  prefectctl flow-run logs brave-owl -f")]
    Logs {
        /// Its name or id.
        run: String,
        /// Follow until the run has ended.
        #[arg(long, short)]
        follow: bool,
    },
    /// Stop a run.
    #[command(after_help = "Example:\n  prefectctl flow-run cancel brave-owl")]
    Cancel {
        /// Its name or id.
        run: String,
    },
    /// Run a run that has ended once more.
    #[command(after_help = "Example:\n  prefectctl flow-run retry brave-owl")]
    Retry {
        /// Its name or id.
        run: String,
    },
    /// Delete a run that has ended, with its states and task runs.
    #[command(after_help = "Example:\n  prefectctl flow-run delete brave-owl")]
    Delete {
        /// Its name or id.
        run: String,
        /// Delete it even while it has not ended; its process is not stopped.
        #[arg(long)]
        force: bool,
    },
}
