//! What can be asked for on the command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, ValueEnum};

use super::http::Speaker;
use super::modern;

/// Whose clients a server is spoken to as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Generation {
    /// Prefect 2.0a7.
    #[value(name = "2.0a7")]
    Orion,
    /// Prefect 3.9.1.
    #[value(name = "3")]
    Modern,
}

impl Generation {
    /// As whom servers are spoken to.
    pub const fn speaker(self) -> Speaker {
        match self {
            Self::Orion => Speaker::Orion,
            Self::Modern => Speaker::Modern,
        }
    }

    /// What its daemons are set up with.
    pub const fn settings(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Orion => &[],
            Self::Modern => modern::SETTINGS,
        }
    }

    /// What folders with its databases begin with.
    pub const fn folder(self) -> &'static str {
        match self {
            Self::Orion => "runs",
            Self::Modern => "modern",
        }
    }
}

/// A part of the whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Part {
    /// From the start to the first answer.
    Start,
    /// Whole lives of runs.
    Lifecycle,
    /// Single endpoints.
    Calls,
    /// Events that come in, and changes of state beside them (generation 3).
    Events,
    /// What each single endpoint takes in instructions; only where it is asked for, and with --against
    /// nothing beside it.
    Instructions,
    /// The calls of the official UI's dashboard (generation 3).
    Dashboard,
    /// The daemon's own pages (generation 3).
    Pages,
    /// Many who listen to events (generation 3).
    Subscribers,
    /// Many log lines that come while a client changes states; only where it is asked for, since
    /// what is measured after it has more stored lines (generation 2.0a7).
    Bulk,
    /// Many runs that are due at once (generation 2.0a7).
    Dispatch,
    /// Old runs that go while a client writes; only where it is asked for, since it spends the
    /// stored runs (generation 2.0a7).
    Retention,
}

/// Measures prefectd against the real servers.
#[derive(Parser)]
pub struct Args {
    /// Measure only these generations; by default both, and only 2.0a7 with --against
    #[arg(long, value_delimiter = ',')]
    generation: Vec<Generation>,
    /// Measure only these parts
    #[arg(long, value_delimiter = ',')]
    only: Vec<Part>,
    /// Numbers of stored runs
    #[arg(long, value_delimiter = ',', default_values_t = [1000, 100_000, 1_000_000])]
    pub runs: Vec<u64>,
    /// How many clients live through lifecycles at once
    #[arg(long, value_delimiter = ',', default_values_t = [1, 8, 64])]
    pub clients: Vec<usize>,
    /// Seconds for each load
    #[arg(long, default_value_t = 3.0)]
    pub seconds: f64,
    /// Short loads on 1,000 stored runs: to see that all works
    #[arg(long)]
    quick: bool,
    /// Virtual environment of the real 2.0a7 server; without it none is measured
    #[arg(long)]
    pub real: Option<PathBuf>,
    /// Virtual environment of the real 3.9.1 server; without it none is measured
    #[arg(long)]
    pub real3: Option<PathBuf>,
    /// Another prefectd than the one built beside this
    #[arg(long, default_value = env!("CARGO_BIN_EXE_prefectd"))]
    pub prefectd: PathBuf,
    /// Measure that prefectd against this one, turn by turn, and nothing else
    #[arg(long, value_name = "FILE")]
    pub against: Option<PathBuf>,
    /// Keep the databases here, and use those that are here
    #[arg(long)]
    pub data: Option<PathBuf>,
    /// Write the measurements here as JSON, beside printing them
    #[arg(long)]
    pub json: Option<PathBuf>,
    /// Put the tables, or their main rows, into this file, between the marks that it has for them;
    /// may be given several times
    #[arg(long, value_name = "FILE")]
    pub readme: Vec<PathBuf>,
    /// Runs that are due in the same second in the dispatch part
    #[arg(long, default_value_t = 10_000)]
    pub due: u64,
    /// Seconds that each of those runs takes; 0 means a process that ends at once
    #[arg(long, value_delimiter = ',', default_values_t = [0.0, 0.05])]
    pub lasting: Vec<f64>,
    /// Given by cargo
    #[arg(long, hide = true)]
    bench: bool,
}

impl Args {
    /// What the command line says.
    pub fn told() -> Self {
        let mut args = Self::parse();
        if args.quick {
            args.seconds = 0.5;
            args.runs = vec![1000];
            args.due = args.due.min(500);
        }
        args
    }

    /// Whether a part is measured that always is, unless others are asked for.
    pub fn wants(&self, part: Part) -> bool {
        self.only.is_empty() || self.only.contains(&part)
    }

    /// Whether a part was asked for.
    pub fn names(&self, part: Part) -> bool {
        self.only.contains(&part)
    }

    /// The generations to measure.
    pub fn generations(&self) -> Vec<Generation> {
        match (self.generation.as_slice(), &self.against) {
            // An older build may know no other.
            ([], Some(_)) => vec![Generation::Orion],
            ([], None) => vec![Generation::Orion, Generation::Modern],
            (asked, _) => asked.to_vec(),
        }
    }

    /// For how long each load goes on.
    pub fn time(&self) -> Duration {
        Duration::from_secs_f64(self.seconds)
    }
}
