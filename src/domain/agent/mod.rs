//! Agents: what one says of itself, and how due runs are shared out among several.

mod settings;

use std::collections::BTreeMap;

use super::ids::FlowRunId;
use super::time::Timestamp;

pub use settings::{AgentSettings, ContainerRetention, OutputLimits};

/// The name of the agent within the daemon. It needs no lease: it lives with the daemon.
pub const EMBEDDED: &str = "embedded";

/// Tells an agent apart from all others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Stays the same when the agent is started again.
    pub id: String,
    /// The machine that it runs on.
    pub host: String,
}

/// What an agent says of itself whenever it reports.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AgentReport {
    /// Stays the same when the agent is started again; two agents of one name differ in it.
    pub identity: String,
    /// The machine that it runs on.
    pub host: String,
    /// Its process id there.
    pub pid: u32,
    /// Its version.
    pub version: String,
    /// How many runs it may hold at once.
    pub slots: u64,
    /// When it last looked for work.
    pub last_activation: Option<Timestamp>,
    /// What went wrong then, if anything did.
    pub last_error: Option<String>,
    /// Why it has no engine for containers, while it has none.
    pub engine_trouble: Option<String>,
    /// The images that runs of it wait for.
    pub pulling: BTreeMap<FlowRunId, String>,
}

/// An agent that is known to be there.
#[derive(Clone, Debug, PartialEq)]
pub struct KnownAgent {
    /// Its name; the runs that it holds carry it.
    pub name: String,
    /// When it first reported to this daemon.
    pub since: Timestamp,
    /// When it last reported.
    pub last_seen: Timestamp,
    /// What it said then.
    pub report: AgentReport,
}

/// How busy an agent is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Load {
    /// How many runs it may hold.
    pub slots: u64,
    /// How many it holds.
    pub used: u64,
}

impl Load {
    fn has_room(self) -> bool {
        self.used < self.slots
    }

    /// Whether it uses a smaller part of its slots than `other` does.
    fn is_lighter_than(self, other: Load) -> bool {
        u128::from(self.used) * u128::from(other.slots)
            < u128::from(other.used) * u128::from(self.slots)
    }
}

/// How many of `due` runs the agent `mine` should take when the `others` want work, too:
/// each run goes to the agent that is the least busy by then, and to `mine` among equals.
pub fn share(due: u64, mine: Load, others: &[Load]) -> u64 {
    let (mut mine, mut others) = (mine, others.to_vec());
    let mut taken = 0;
    for _ in 0..due {
        let roomy = others.iter_mut().filter(|other| other.has_room());
        let lightest = roomy.reduce(|best, other| {
            if other.is_lighter_than(*best) {
                other
            } else {
                best
            }
        });
        match lightest {
            Some(other) if !mine.has_room() || other.is_lighter_than(mine) => other.used += 1,
            _ if mine.has_room() => {
                mine.used += 1;
                taken += 1;
            }
            _ => break,
        }
    }
    taken
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn load(used: u64, slots: u64) -> Load {
        Load { slots, used }
    }

    #[test]
    fn runs_go_to_the_least_busy() {
        for (due, mine, others, taken) in [
            (3, load(0, 8), vec![], 3),
            (9, load(0, 8), vec![], 8),
            (1, load(0, 8), vec![load(0, 8)], 1),
            (1, load(1, 8), vec![load(0, 8)], 0),
            (4, load(0, 8), vec![load(0, 8)], 2),
            (4, load(0, 8), vec![load(8, 8)], 4),
            (4, load(0, 2), vec![load(0, 8)], 1),
            (4, load(8, 8), vec![load(0, 1)], 0),
        ] {
            assert_eq!(
                share(due, mine, &others),
                taken,
                "{due} {mine:?} {others:?}"
            );
        }
    }

    proptest! {
        /// Nobody is overfilled, and while there is room on any side no run is left over by
        /// all of them.
        #[test]
        fn together_they_leave_nothing_that_fits(
            due in 0u64..40,
            loads in prop::collection::vec((0u64..10, 1u64..10), 1..5),
        ) {
            let loads: Vec<_> = loads.into_iter().map(|(used, slots)| load(used, slots)).collect();
            let mut all = 0;
            for (place, mine) in loads.iter().enumerate() {
                let mut others = loads.clone();
                others.remove(place);
                let taken = share(due, *mine, &others);
                prop_assert!(taken <= mine.slots.saturating_sub(mine.used));
                all += taken;
            }
            let room: u64 = loads.iter().map(|one| one.slots.saturating_sub(one.used)).sum();
            prop_assert!(all >= due.min(room));
        }
    }
}
