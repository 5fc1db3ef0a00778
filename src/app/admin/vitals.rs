//! How things stand, for monitoring.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use crate::app::App;
use crate::domain::agent::KnownAgent;
use crate::domain::error::Result;
use crate::domain::state::StateType;
use crate::storage::{Size, claims, flow_runs, upkeep};

/// For how long what was counted is told again. Counting looks at every run.
const FRESH: Duration = Duration::from_secs(5);

/// The state of things at one moment.
#[derive(Clone, Debug)]
pub struct Vitals {
    /// How many flow runs are in a state of each type.
    pub runs: Vec<(StateType, u64)>,
    /// The agents that are there.
    pub agents: Vec<AgentVitals>,
    /// How large the database is.
    pub size: Size,
    /// How many of its pages hold nothing.
    pub free_pages: u64,
    /// How many writes wait for it.
    pub waiting_writes: u64,
}

/// An agent and what it holds.
#[derive(Clone, Debug)]
pub struct AgentVitals {
    /// What is known of it.
    pub known: KnownAgent,
    /// How many runs it holds that have not ended.
    pub runs: u64,
    /// For how many of them it has a container.
    pub containers: u64,
}

/// What was counted, and when.
pub(in crate::app) type Counted = Option<(Instant, Counts)>;

#[derive(Clone)]
pub(in crate::app) struct Counts {
    runs: Vec<(StateType, u64)>,
    free_pages: u64,
}

impl App {
    /// How things stand. Runs are counted every few seconds at most, however often somebody
    /// asks.
    pub async fn vitals(&self) -> Result<Vitals> {
        let counts = self.counts().await?;
        let agents = self.live_agents();
        let agents = self
            .read(move |db| {
                let containers: HashMap<_, _> = claims::containers(db)?.into_iter().collect();
                let each = agents.into_iter().map(|known| {
                    Ok(AgentVitals {
                        runs: claims::count(db, &known.name)?,
                        containers: containers.get(&known.name).copied().unwrap_or_default(),
                        known,
                    })
                });
                each.collect::<Result<_>>()
            })
            .await?;
        Ok(Vitals {
            runs: counts.runs,
            agents,
            size: self.inner.store.size(),
            free_pages: counts.free_pages,
            waiting_writes: self.inner.store.waiting_writes(),
        })
    }

    async fn counts(&self) -> Result<Counts> {
        // Held while counting, so that two who ask at once count once.
        let mut counted = self.inner.counted.lock().await;
        if let Some((at, counts)) = counted.as_ref()
            && at.elapsed() < FRESH
        {
            return Ok(counts.clone());
        }
        let counts = self.scan(|db| {
            Ok(Counts {
                runs: all_types(&flow_runs::count_by_state(db)?),
                free_pages: upkeep::free_pages(db)?,
            })
        });
        let counts = counts.await?;
        *counted = Some((Instant::now(), counts.clone()));
        Ok(counts)
    }
}

/// Types without any run count as zero, so that no series comes and goes.
fn all_types(counted: &[(StateType, u64)]) -> Vec<(StateType, u64)> {
    let of = |kind| counted.iter().find(|(counted, _)| *counted == kind);
    let all = StateType::ALL.into_iter();
    all.map(|kind| (kind, of(kind).map_or(0, |(_, count)| *count)))
        .collect()
}
