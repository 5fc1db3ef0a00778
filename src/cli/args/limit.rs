//! The command line on limits.

use clap::Subcommand;

/// Commands on limits on what goes on at once.
#[derive(Debug, Subcommand)]
pub enum Limit {
    /// List all limits: those by name, of tags and of deployments, with how many slots are taken.
    #[command(after_help = "Example:\n  prefectctl limit ls --output json")]
    Ls,
    /// Show who holds the slots of a limit, and since when.
    #[command(after_help = "\
Examples:
  prefectctl limit holders database
  prefectctl limit holders tag:database
  prefectctl limit holders deployment:my-flow/example")]
    Holders {
        /// Its name or id, `tag:NAME`, or `deployment:FLOW/NAME`.
        limit: String,
    },
}
