//! The command line on automations and events.

use chrono::{DateTime, Utc};
use clap::{Args, Subcommand};

use crate::cli::when;

/// Commands on automations, by their names or ids.
#[derive(Debug, Subcommand)]
pub enum Automation {
    /// List automations.
    #[command(after_help = "Example:\n  prefectctl automation ls --output json")]
    Ls,
    /// Show one automation, with what it waits for and what it does.
    #[command(after_help = "Example:\n  prefectctl automation inspect my-automation --output yaml")]
    Inspect {
        /// Its name or id.
        automation: String,
    },
    /// Have an automation look at no events; what it has decided already is done.
    #[command(after_help = "Example:\n  prefectctl automation pause my-automation")]
    Pause {
        /// Its name or id.
        automation: String,
    },
    /// Have an automation look at events again.
    #[command(after_help = "Example:\n  prefectctl automation resume my-automation")]
    Resume {
        /// Its name or id.
        automation: String,
    },
}

/// Commands on events.
#[derive(Debug, Subcommand)]
pub enum Event {
    /// List the latest events.
    #[command(after_help = "\
Examples:
  prefectctl event ls
  prefectctl event ls --name prefect.flow-run. --since 2h --limit 100
  prefectctl event ls --resource prefect.deployment.0197f2c6-0000-7000-8000-000000000000")]
    Ls {
        /// Which events.
        #[command(flatten)]
        which: Events,
        /// Only what has happened since then: 2h, yesterday, 2030-01-01T06:00.
        #[arg(long, value_name = "TIME", value_parser = when::gone)]
        since: Option<DateTime<Utc>>,
        /// So many at most.
        #[arg(long, value_name = "EVENTS", default_value = "20")]
        limit: u64,
    },
    /// Show events as they come, until it is interrupted.
    #[command(after_help = "Example:\n  prefectctl event follow --name prefect.automation.")]
    Follow {
        /// Which events.
        #[command(flatten)]
        which: Events,
    },
}

/// Which events.
#[derive(Debug, Args)]
pub struct Events {
    /// Those whose names begin so.
    #[arg(long, value_name = "BEGINNING")]
    pub name: Option<String>,
    /// Those that are about, or name, a resource of this id.
    #[arg(long, value_name = "ID")]
    pub resource: Option<String>,
}
