//! Which flow runs are meant.

use chrono::{DateTime, Utc};

use crate::cli::pattern::{self, Pattern};
use crate::cli::when;

/// What flow runs have to be like.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Selection {
    /// Only runs in a state of this type, such as RUNNING; given twice, either.
    #[arg(long, value_name = "TYPE")]
    pub state: Vec<String>,
    /// Only runs of this flow: its name, its id or a unique beginning of that, or a pattern of
    /// names with * and ?; given twice, either.
    #[arg(long, value_name = "FLOW")]
    pub flow: Vec<String>,
    /// Only runs of this deployment, or of those whose FLOW/NAME fits a pattern with * and ?; its
    /// id or a unique beginning of that will do; given twice, either.
    #[arg(long, value_name = "FLOW/NAME")]
    pub deployment: Vec<String>,
    /// Only runs that carry this tag; given twice, both.
    #[arg(long, value_name = "TAG")]
    pub tag: Vec<String>,
    /// Only runs whose name holds this, or fits it where it has * (any characters) or ? (one);
    /// given twice, either. Upper and lower case are the same.
    #[arg(long, value_name = "PATTERN", value_parser = pattern::read)]
    pub name: Vec<Pattern>,
    /// Only runs that started, or were to start, since then: 2h, yesterday, 2030-01-01T06:00.
    #[arg(long, value_name = "TIME", value_parser = when::gone)]
    pub since: Option<DateTime<Utc>>,
}

impl Selection {
    /// Whether nothing is asked.
    pub fn is_empty(&self) -> bool {
        let lists = [&self.state, &self.flow, &self.deployment, &self.tag];
        self.since.is_none() && self.name.is_empty() && lists.iter().all(|list| list.is_empty())
    }
}

/// Some flow runs, by their names or by what they are like.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Runs {
    /// Their names, ids, or unique beginnings of ids.
    #[arg(value_name = "RUN")]
    pub runs: Vec<String>,
    /// What they are like.
    #[command(flatten)]
    pub like: Selection,
    /// Do not ask, however many they are.
    #[arg(long, short)]
    pub yes: bool,
}
