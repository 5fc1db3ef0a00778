//! The command line on work pools.

use std::path::PathBuf;

use clap::Subcommand;

/// Commands on work pools, by their names.
#[derive(Debug, Subcommand)]
pub enum WorkPool {
    /// List work pools, with who serves them.
    #[command(after_help = "Example:\n  prefectctl work-pool ls --output json")]
    Ls,
    /// Show one work pool, with its queues and its workers.
    #[command(after_help = "Example:\n  prefectctl work-pool inspect my-pool --output yaml")]
    Inspect {
        /// Its name.
        name: String,
    },
    /// Create a work pool.
    #[command(after_help = "\
Examples:
  prefectctl work-pool create my-pool
  prefectctl work-pool create scripts --type process --limit 4
  prefectctl work-pool create my-pool --template template.json

The daemon's own agent runs what is deployed to pools of the types docker and process, while no
worker of the pool is there. Without --template its jobs are made of what Prefect has for the
type.")]
    Create {
        /// Its name.
        name: String,
        /// The type of its workers: docker, process, or another that workers of yours know.
        #[arg(long = "type", value_name = "TYPE", default_value = "docker")]
        kind: String,
        /// The most of its runs that are under way at once.
        #[arg(long, value_name = "RUNS")]
        limit: Option<u32>,
        /// What it is for.
        #[arg(long)]
        description: Option<String>,
        /// A JSON file with its base job template.
        #[arg(long, value_name = "FILE")]
        template: Option<PathBuf>,
        /// None of its runs are handed out until it is resumed.
        #[arg(long)]
        paused: bool,
    },
    /// Hand out none of a pool's runs; those that are under way go on.
    #[command(after_help = "Example:\n  prefectctl work-pool pause my-pool")]
    Pause {
        /// Its name.
        name: String,
    },
    /// Hand out a pool's runs again.
    #[command(after_help = "Example:\n  prefectctl work-pool resume my-pool")]
    Resume {
        /// Its name.
        name: String,
    },
    /// Delete a work pool with its queues. Its deployments stay, and run nowhere until they are
    /// deployed to another.
    #[command(after_help = "Example:\n  prefectctl work-pool delete my-pool")]
    Delete {
        /// Its name.
        name: String,
    },
}
