//! The command line on deployments and flows.

use std::path::PathBuf;

use chrono::{DateTime, Utc};
use clap::Subcommand;

use crate::cli::when;

/// Commands on deployments. A deployment is named FLOW/NAME, or by its id or a unique beginning
/// of that.
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
    /// List deployments, with their schedules, their next runs and their last ones.
    #[command(after_help = "\
Examples:
  prefectctl deployment ls
  prefectctl deployment ls --watch")]
    Ls {
        /// Only those of this flow: its name, its id or a unique beginning of that, or a pattern
        /// of names with * and ?; given twice, either.
        #[arg(long, value_name = "FLOW")]
        flow: Vec<String>,
        /// Only those that carry this tag; given twice, both.
        #[arg(long, value_name = "TAG")]
        tag: Vec<String>,
        /// Show them anew whenever something has changed, and every few seconds, until it is interrupted.
        #[arg(long, short)]
        watch: bool,
    },
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
  prefectctl deployment run my-flow/example -p name=Ada -p count=3 --watch
  prefectctl deployment run my-flow/example --at 'tomorrow 06:00'
  prefectctl deployment run my-flow/example --job-variable image=flows:3

The names of parameters are checked before the run is made: against the deployment's schema of
them, where it has one (those of today's Prefect do); else against the flow's script, where that is
stored at the daemon or lies on this machine and Python (of the active virtual environment,
else python3) can read it; else against those that the deployment and the last completed runs of
the flow had, where one that is all but the same is refused.")]
    Run {
        /// FLOW/NAME.
        name: String,
        /// A parameter; the value is read as JSON, or as text when it is none.
        #[arg(short, long = "param", value_name = "KEY=VALUE")]
        param: Vec<String>,
        /// A variable of the job that the run is made as, such as image=python:3.13; the value is
        /// read as JSON, or as text when it is none.
        #[arg(long, value_name = "KEY=VALUE")]
        job_variable: Vec<String>,
        /// Run it then instead of now: tomorrow, 06:00, +10m, 2030-01-01, 2030-01-01T06:00,
        /// 2030-01-01T06:00:00+02:00.
        #[arg(long, value_name = "TIME", value_parser = when::to_come)]
        at: Option<DateTime<Utc>>,
        /// Do not check the parameters' names.
        #[arg(long)]
        unchecked: bool,
        /// Follow the run to its end; succeeds only if the run does.
        #[arg(long, short)]
        watch: bool,
    },
    /// List the schedules of a deployment, and switch single ones off and on.
    #[command(
        subcommand,
        after_help = "\
Examples:
  prefectctl deployment schedule ls my-flow/example
  prefectctl deployment schedule pause my-flow/example nightly"
    )]
    Schedule(Schedules),
    /// Stop following a deployment's schedules; their runs that have not begun are removed.
    #[command(after_help = "Example:\n  prefectctl deployment pause my-flow/example")]
    Pause {
        /// FLOW/NAME.
        name: String,
    },
    /// Follow a deployment's schedules again.
    #[command(after_help = "Example:\n  prefectctl deployment resume my-flow/example")]
    Resume {
        /// FLOW/NAME.
        name: String,
    },
    /// Delete deployments; their runs that have begun stay.
    #[command(after_help = "\
Examples:
  prefectctl deployment delete my-flow/example
  prefectctl deployment delete my-flow/one my-flow/two --yes")]
    Delete {
        /// FLOW/NAME.
        #[arg(value_name = "NAME", required = true)]
        names: Vec<String>,
        /// Do not ask, however many they are.
        #[arg(long, short)]
        yes: bool,
    },
}

/// Commands on the schedules of a deployment. A schedule is named by its slug, by its id or a
/// unique beginning of that; a deployment's only one need not be named.
#[derive(Debug, Subcommand)]
pub enum Schedules {
    /// List the schedules of a deployment.
    #[command(after_help = "Example:\n  prefectctl deployment schedule ls my-flow/example")]
    Ls {
        /// FLOW/NAME.
        name: String,
    },
    /// Stop following one of them.
    #[command(
        after_help = "Example:\n  prefectctl deployment schedule pause my-flow/example nightly"
    )]
    Pause {
        /// FLOW/NAME.
        name: String,
        /// Which one.
        schedule: Option<String>,
    },
    /// Follow one of them again.
    #[command(
        after_help = "Example:\n  prefectctl deployment schedule resume my-flow/example nightly"
    )]
    Resume {
        /// FLOW/NAME.
        name: String,
        /// Which one.
        schedule: Option<String>,
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
        /// Its name, its id, or a unique beginning of that.
        name: String,
    },
    /// Delete a flow with all its runs; one that has deployments only with --force.
    #[command(after_help = "Example:\n  prefectctl flow delete my-flow --force")]
    Delete {
        /// Its name, its id, or a unique beginning of that.
        name: String,
        /// Delete its deployments and their schedules, too.
        #[arg(long)]
        force: bool,
        /// Do not ask.
        #[arg(long, short)]
        yes: bool,
    },
}
