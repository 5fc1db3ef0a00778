//! Which agents are there. Kept in memory: after a restart each reports again.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use parking_lot::{Mutex, MutexGuard};

use crate::app::App;
use crate::domain::agent::{AgentReport, EMBEDDED, KnownAgent};
use crate::domain::error::{Error, Kind, Result};
use crate::domain::ids::FlowRunId;
use crate::storage::claims;

/// The agents that reported, and for how long each is believed. Leases go by a clock that
/// never jumps, and that stands still while this program does.
pub(in crate::app) struct Registry {
    lived: Lived,
    entries: Mutex<HashMap<String, Entry>>,
}

struct Entry {
    agent: KnownAgent,
    /// When, by the time that this program has lived.
    heard: Duration,
}

/// How much of the time between two looks at it counts. A program that was stopped, or that got
/// no processor or no memory for long, heard nobody meanwhile, which is no agent's fault.
const MOST_OF_A_GAP: Duration = Duration::from_secs(1);

/// How many characters an agent's name may have; every run that it takes carries it.
const MOST_OF_A_NAME: usize = 255;

/// How long this program has lived, without the times in which it stood still. Somebody has to
/// look at it more often than [`MOST_OF_A_GAP`]; until somebody does, all time counts.
struct Lived(Mutex<Ticks>);

struct Ticks {
    last: Instant,
    lived: Duration,
    is_looked_at: bool,
}

impl Lived {
    fn begun() -> Self {
        Self(Mutex::new(Ticks {
            last: Instant::now(),
            lived: Duration::ZERO,
            is_looked_at: false,
        }))
    }

    fn now(&self) -> Duration {
        let ticks = self.ticks();
        ticks.lived + ticks.counted(ticks.last.elapsed())
    }

    /// Looks at it; answers how long ago the last look was.
    fn tick(&self) -> Duration {
        let mut ticks = self.ticks();
        let gap = ticks.last.elapsed();
        let counted = ticks.counted(gap);
        ticks.lived += counted;
        ticks.last += gap;
        ticks.is_looked_at = true;
        gap
    }

    fn ticks(&self) -> MutexGuard<'_, Ticks> {
        self.0.lock()
    }
}

impl Ticks {
    fn counted(&self, gap: Duration) -> Duration {
        match self.is_looked_at {
            true => gap.min(MOST_OF_A_GAP),
            false => gap,
        }
    }
}

impl Default for Registry {
    fn default() -> Self {
        Self {
            lived: Lived::begun(),
            entries: Mutex::default(),
        }
    }
}

impl Registry {
    fn entries(&self) -> MutexGuard<'_, HashMap<String, Entry>> {
        self.entries.lock()
    }

    /// Whether this daemon's agent works.
    pub(in crate::app) fn has_embedded(&self) -> bool {
        self.entries().contains_key(EMBEDDED)
    }

    /// Those whose lease holds, by name.
    fn live(&self, lease: Duration) -> Vec<KnownAgent> {
        let now = self.lived.now();
        let entries = self.entries();
        let live = entries.values().filter(|entry| entry.holds(lease, now));
        let mut live: Vec<_> = live.map(|entry| entry.agent.clone()).collect();
        live.sort_by(|one, other| one.name.cmp(&other.name));
        live
    }

    /// Whether an agent that holds runs is to be given up. One that has not reported to this
    /// daemon has a whole lease from the daemon's start.
    fn is_gone(&self, name: &str, lease: Duration) -> bool {
        let now = self.lived.now();
        match self.entries().get(name) {
            Some(entry) => !entry.holds(lease, now),
            None => now >= lease,
        }
    }
}

impl Entry {
    fn holds(&self, lease: Duration, now: Duration) -> bool {
        self.agent.name == EMBEDDED || now.saturating_sub(self.heard) < lease
    }
}

impl App {
    /// Notes what an agent says of itself; its lease begins anew. A name that another agent
    /// holds is refused until that one's lease is over, and one longer than `MOST_OF_A_NAME`
    /// always.
    pub fn agent_reports(&self, name: &str, report: AgentReport) -> Result<()> {
        if name.chars().count() > MOST_OF_A_NAME {
            return Err(Error::invalid(format!(
                "An agent's name has at most {MOST_OF_A_NAME} characters."
            )));
        }
        let now = self.now();
        let heard = self.inner.agents.lived.now();
        let mut entries = self.inner.agents.entries();
        let known = entries.get(name);
        if let Some(known) = known
            && known.agent.report.identity != report.identity
            && known.holds(self.inner.lease, heard)
        {
            let other = &known.agent.report;
            return Err(Error::conflict(format!(
                "The agent name {name:?} is taken by process {} on {}. Choose another with --name.",
                other.pid, other.host
            )));
        }
        let entry = Entry {
            agent: KnownAgent {
                name: name.to_owned(),
                since: known.map_or(now, |known| known.agent.since),
                last_seen: now,
                report,
            },
            heard,
        };
        entries.insert(name.to_owned(), entry);
        Ok(())
    }

    /// What the daemon's own agent said last.
    pub fn embedded_report(&self) -> Option<AgentReport> {
        let entries = self.inner.agents.entries();
        entries
            .get(EMBEDDED)
            .map(|entry| entry.agent.report.clone())
    }

    /// Has the agents' leases go on; to be called about twice a second. Answers how long ago it
    /// was called before: what is much longer than that was a time in which this program stood
    /// still, and is not counted.
    pub fn pass_time(&self) -> Duration {
        self.inner.agents.lived.tick()
    }

    /// How long an agent may be silent before it is given up.
    pub fn lease(&self) -> Duration {
        self.inner.lease
    }

    /// The agents whose lease holds, by name.
    pub(in crate::app) fn live_agents(&self) -> Vec<KnownAgent> {
        self.inner.agents.live(self.inner.lease)
    }

    /// The agents whose lease holds, by name, each with the number of runs that it holds.
    pub async fn agents(&self) -> Result<Vec<(KnownAgent, u64)>> {
        let agents = self.live_agents();
        self.read(move |db| {
            let counted = agents.into_iter().map(|agent| {
                let used = claims::count(db, &agent.name)?;
                Ok((agent, used))
            });
            counted.collect()
        })
        .await
    }

    /// Refuses an agent that is not, or no longer, in the registry.
    pub(in crate::app) fn check_agent(&self, name: &str) -> Result<()> {
        let live = self.live_agents();
        if name == EMBEDDED || live.iter().any(|agent| agent.name == name) {
            return Ok(());
        }
        let words = format!("The agent {name:?} has not reported; its lease is over.");
        Err(Error::new(Kind::Conflict, words))
    }

    /// The agents beside `name` that could take a run now.
    pub(in crate::app) fn rivals(&self, name: &str) -> Vec<(String, u64)> {
        let live = self.live_agents().into_iter();
        live.filter(|agent| agent.name != name && agent.report.engine_trouble.is_none())
            .map(|agent| (agent.name, agent.report.slots))
            .collect()
    }

    /// How many slots an agent said that it has.
    pub(in crate::app) fn slots_of(&self, name: &str) -> Option<u64> {
        let live = self.live_agents().into_iter();
        let mut named = live.filter(|agent| agent.name == name);
        named.next().map(|agent| agent.report.slots)
    }

    /// The runs of agents that have gone: they hold a run, and their lease is over. The
    /// embedded agent has no lease.
    pub async fn abandoned_runs(&self) -> Result<Vec<(String, FlowRunId)>> {
        let holders = self.read(claims::holders).await?;
        let gone = holders.into_iter().filter(|(name, _)| {
            name != EMBEDDED && self.inner.agents.is_gone(name, self.inner.lease)
        });
        Ok(gone.collect())
    }
}
