//! What was measured of a generation, in rows that each server has its value in.

use serde::Serialize;

use super::args::Generation;
use super::load::Outcome;

/// The most letters of a reason that are shown.
const REASON: usize = 160;

/// A line of the table.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// What was measured.
    pub what: String,
    /// In what.
    pub unit: &'static str,
    /// Whether more of it is better.
    pub more_is_better: bool,
    /// `prefectd`, by the number of stored runs.
    pub prefectd: Vec<Option<f64>>,
    /// The real servers, each on a database of its own that began empty.
    pub peers: Vec<Option<f64>>,
}

/// All of a generation.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// The release of Prefect whose clients the servers were spoken to as.
    pub release: &'static str,
    /// The rows that tell most.
    #[serde(skip)]
    pub in_short: &'static [&'static str],
    /// The numbers of stored runs.
    pub stored_runs: Vec<u64>,
    /// What the real servers are called.
    pub peers: &'static [&'static str],
    /// The lines, in the order of their first measurement.
    pub rows: Vec<Row>,
    /// Requests that were not answered as they should have been, by server and load.
    pub failures: Vec<String>,
}

/// Whose measurement it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Of {
    /// `prefectd` on the database of that place in [`Report::stored_runs`].
    Prefectd(usize),
    /// The real server of that place in [`Report::peers`].
    Peer(usize),
}

impl Report {
    /// An empty one.
    pub fn new(generation: Generation, stored_runs: &[u64]) -> Self {
        let (release, peers, in_short): (_, &[_], &[_]) = match generation {
            Generation::Orion => ("2.0a7", &["real server"], &ORION_IN_SHORT),
            Generation::Modern => (
                "3.9.1",
                &["real server", "real server with services"],
                &MODERN_IN_SHORT,
            ),
        };
        Self {
            release,
            in_short,
            stored_runs: stored_runs.to_vec(),
            peers,
            rows: Vec::new(),
            failures: Vec::new(),
        }
    }

    /// Enters a measurement in its row.
    pub fn enter(&mut self, of: Of, what: &str, unit: &'static str, value: f64) {
        let known = self.rows.iter().position(|row| row.what == what);
        let at = known.unwrap_or_else(|| {
            self.rows.push(Row {
                what: what.to_owned(),
                unit,
                more_is_better: unit.ends_with("/s"),
                prefectd: vec![None; self.stored_runs.len()],
                peers: vec![None; self.peers.len()],
            });
            self.rows.len() - 1
        });
        let Some(row) = self.rows.get_mut(at) else {
            return;
        };
        let cell = match of {
            Of::Prefectd(size) => row.prefectd.get_mut(size),
            Of::Peer(peer) => row.peers.get_mut(peer),
        };
        if let Some(cell) = cell {
            *cell = Some(value);
        }
    }

    /// Notes the failures of a load, if there were any.
    pub fn note_failures(&mut self, of: Of, what: &str, outcome: &Outcome) {
        let Outcome { done, failed, .. } = outcome;
        if *failed == 0 {
            return;
        }
        let whose = match of {
            Of::Peer(at) => self.peers.get(at).copied().unwrap_or_default().to_owned(),
            Of::Prefectd(at) => {
                let stored = self.stored_runs.get(at).copied().unwrap_or_default();
                format!("prefectd, {stored} stored")
            }
        };
        let all = done + failed;
        let why = outcome.why.as_deref().unwrap_or_default().chars();
        let why = why.map(|c| if c.is_control() { ' ' } else { c });
        let why: String = why.take(REASON).collect();
        self.failures
            .push(format!("{whose}, {what}: {failed} of {all} failed ({why})"));
    }
}

/// What a reader who asks "how fast is it?" wants to know, of 2.0a7.
const ORION_IN_SHORT: [&str; 8] = [
    "start",
    "resident, idle",
    "lifecycle, 1 clients",
    "lifecycle, 64 clients",
    "create a run, many clients",
    "set_state, 1 client: median",
    "newest 20 runs, 1 client: median",
    "write logs, many clients",
];

/// The same of 3.9.1.
const MODERN_IN_SHORT: [&str; 8] = [
    "start",
    "resident, idle",
    "lifecycle, best number of clients",
    "set_state, 1 client: median",
    "newest 20 runs, 1 client: median",
    "events in, 8 sockets",
    "official UI's dashboard, all calls: median",
    "history of all runs, 1 client: median",
];
