//! The command line on Prefect's own UI.

use std::path::PathBuf;

use clap::Subcommand;

/// Commands on Prefect's own UI.
#[derive(Debug, Subcommand)]
pub enum Ui {
    /// Take it out of an installed or a downloaded prefect, in the place of one that is there.
    #[command(after_help = "\
Examples:
  prefectctl ui install
  prefectctl ui install --python /opt/flows/bin/python
  pip download --no-deps prefect==3.9.1 && prefectctl ui install --wheel prefect-3.9.1-py3-none-any.whl

The daemon serves it at once, under /ui/ or, with ui.root = \"prefect\", at /. It is copied: the
Python, or the wheel, is not needed any more. Prefect brings it since 2.8.")]
    Install {
        /// Take it out of the prefect that this Python has; by default that of $VIRTUAL_ENV, or
        /// else the python3 on PATH.
        #[arg(long, value_name = "PYTHON", conflicts_with = "wheel")]
        python: Option<PathBuf>,
        /// Take it out of this wheel.
        #[arg(long, value_name = "FILE")]
        wheel: Option<PathBuf>,
        /// Install it here instead of where the daemon's settings say.
        #[arg(long, value_name = "DIR")]
        state_dir: Option<PathBuf>,
    },
    /// Have it served no more.
    #[command(after_help = "Example:\n  prefectctl ui remove")]
    Remove {
        /// Remove it from here instead of where the daemon's settings say.
        #[arg(long, value_name = "DIR")]
        state_dir: Option<PathBuf>,
    },
}
