//! The command line on flow runs, task runs and their logs.

use std::time::Duration;

use chrono::{DateTime, Utc};
use clap::Subcommand;

use super::{Runs, Selection};
use crate::cli::when;

/// Commands on flow runs. A run is named by its name, its id, or a unique beginning of its id.
#[derive(Debug, Subcommand)]
pub enum FlowRun {
    /// List flow runs, the latest first; those that are not due yet only with --upcoming.
    #[command(after_help = "\
Examples:
  prefectctl flow-run ls --state RUNNING --state PENDING
  prefectctl flow-run ls --deployment my-flow/example --since yesterday --limit 500
  prefectctl flow-run ls --upcoming
  prefectctl flow-run ls --name 'etl-*' --name owl
  prefectctl flow-run ls --flow 'etl-*' --deployment '*/nightly'
  prefectctl flow-run ls --tag nightly --watch")]
    Ls(List),
    /// Show one run, its states and its task runs.
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
    #[command(after_help = "\
Examples:
  prefectctl flow-run logs brave-owl -f
  prefectctl flow-run logs brave-owl --tail 20 --level WARNING
  prefectctl flow-run logs brave-owl --since 10m --output json

What Prefect logs reaches prefectd twice, by the API and as output of the run's process; it is
shown once, and with --console as often as it came. Colours are shown; what would move the
cursor is written out, but with --raw.")]
    Logs(Logs),
    /// Wait until runs have ended; succeeds only if all of them completed.
    #[command(after_help = "\
Examples:
  prefectctl flow-run wait brave-owl --timeout 10m
  prefectctl flow-run wait $(prefectctl flow-run ls --state RUNNING -o json | jq -r '.[].id')")]
    Wait {
        /// Their names or ids.
        #[arg(value_name = "RUN", required = true)]
        runs: Vec<String>,
        /// Give up after so long, such as 10m.
        #[arg(long, value_name = "LENGTH", value_parser = when::length)]
        timeout: Option<Duration>,
    },
    /// Stop runs.
    #[command(after_help = "\
Examples:
  prefectctl flow-run cancel brave-owl --wait
  prefectctl flow-run cancel --deployment my-flow/example --state RUNNING --yes")]
    Cancel {
        /// Which.
        #[command(flatten)]
        which: Runs,
        /// Wait until they have stopped.
        #[arg(long, short)]
        wait: bool,
    },
    /// Run runs that have ended once more.
    #[command(after_help = "\
Examples:
  prefectctl flow-run retry brave-owl
  prefectctl flow-run retry --state CRASHED --since yesterday")]
    Retry {
        /// Which.
        #[command(flatten)]
        which: Runs,
    },
    /// Delete runs that have ended, with their states and task runs.
    #[command(after_help = "\
Examples:
  prefectctl flow-run delete brave-owl
  prefectctl flow-run delete --state CANCELLED --flow my-flow --yes")]
    Delete {
        /// Which.
        #[command(flatten)]
        which: Runs,
        /// Delete them even while they have not ended; their processes are not stopped.
        #[arg(long)]
        force: bool,
    },
}

/// Which flow runs are listed, and how.
#[derive(Clone, Debug, clap::Args)]
pub struct List {
    /// What they are like.
    #[command(flatten)]
    pub like: Selection,
    /// The runs that are not due yet instead, soonest first.
    #[arg(long)]
    pub upcoming: bool,
    /// At most so many.
    #[arg(long, default_value_t = 15, value_parser = clap::value_parser!(u64).range(1..))]
    pub limit: u64,
    /// Show them anew whenever something has changed, and every few seconds, until it is interrupted.
    #[arg(long, short)]
    pub watch: bool,
}

/// Which lines of a run are shown, and how.
#[derive(Clone, Debug, clap::Args)]
pub struct Logs {
    /// The run's name or id.
    pub run: String,
    /// Follow until the run has ended and all that it said is stored.
    #[arg(long, short)]
    pub follow: bool,
    /// Only the last lines, so many.
    #[arg(long, value_name = "N")]
    pub tail: Option<u64>,
    /// Only what was said since then: 10m, 06:00, yesterday, 2030-01-01T06:00.
    #[arg(long, value_name = "TIME", value_parser = when::gone)]
    pub since: Option<DateTime<Utc>>,
    /// Only lines of this level or above: DEBUG, INFO, WARNING, ERROR, CRITICAL, or a number.
    #[arg(long, value_name = "LEVEL", value_parser = level)]
    pub level: Option<i64>,
    /// Show what the run's process printed even where the same came by the API.
    #[arg(long)]
    pub console: bool,
    /// Print messages as they are, whatever they do to the terminal.
    #[arg(long)]
    pub raw: bool,
}

/// Commands on task runs.
#[derive(Debug, Subcommand)]
pub enum TaskRun {
    /// List task runs, the latest first.
    #[command(after_help = "\
Examples:
  prefectctl task-run ls --run brave-owl
  prefectctl task-run ls --state FAILED --flow my-flow")]
    Ls {
        /// Only those of this flow run: its name, its id, or a unique beginning of that.
        #[arg(long, value_name = "RUN")]
        run: Option<String>,
        /// Only those in a state of this type.
        #[arg(long, value_name = "TYPE")]
        state: Vec<String>,
        /// Only those of this flow: its name, its id or a unique beginning of that, or a pattern
        /// of names with * and ?; given twice, either.
        #[arg(long, value_name = "FLOW")]
        flow: Vec<String>,
        /// At most so many.
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u64).range(1..))]
        limit: u64,
    },
    /// Show one task run and its states.
    #[command(after_help = "Example:\n  prefectctl task-run inspect 0a1b2c3d")]
    Inspect {
        /// Its id, a unique beginning of it, or its name.
        run: String,
    },
}

fn level(text: &str) -> Result<i64, String> {
    let known = ["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"];
    let wanted = match text.to_uppercase().as_str() {
        "WARN" => "WARNING".to_owned(),
        other => other.to_owned(),
    };
    if let Some(place) = (1..).zip(known).find(|(_, name)| *name == wanted) {
        return Ok(place.0 * 10);
    }
    text.parse()
        .map_err(|_| format!("there are {}, and numbers", known.join(", ")))
}
