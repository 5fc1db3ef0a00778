//! Verbs of agents: taking runs, and telling what became of them.

use std::time::Duration;

use super::announce::{self, Crash};
use super::flow_runs::read;
use super::{App, Force, Outcome, propose_state};
use crate::domain::agent::{Load, share};
use crate::domain::error::{Error, Kind, Result};
use crate::domain::flow_run::FlowRun;
use crate::domain::ids::FlowRunId;
use crate::domain::orchestration::agent_s_end;
use crate::domain::state::{ProposedState, StateType};
use crate::domain::time::{Span, Timestamp};
use crate::storage::{Connection, claims};

/// For how long a run that is due is left to the agent whose turn it is. After that anybody
/// takes it.
const COURTESY: Span = Span::from_micros(1_000_000);

impl App {
    /// Takes up to `limit` due runs of deployments, the longest due first: each goes to
    /// Pending and carries the agent's claim, all in one transaction. No other agent gets
    /// any of them. Without `containers`, runs in containers are left where they are. What
    /// has only just become due is shared out evenly among the agents that are there.
    pub async fn claim_due_runs(
        &self,
        agent: &str,
        containers: bool,
        limit: u64,
    ) -> Result<Vec<FlowRun>> {
        self.check_agent(agent)?;
        let rivals = self.rivals(agent);
        let slots = self.slots_of(agent);
        let agent = agent.to_owned();
        self.write(move |db, now| {
            let ids = match rivals.is_empty() {
                true => ids(claims::due(db, now, containers, limit)?),
                false => {
                    let used = claims::count(db, &agent)?;
                    let slots = slots.unwrap_or(used.saturating_add(limit));
                    share_of(db, Load { slots, used }, &rivals, containers, limit, now)?
                }
            };
            ids.into_iter()
                .filter_map(|id| claim(db, id, &agent, now).transpose())
                .collect()
        })
        .await
    }

    /// The runs that an agent has to look after: those that it holds and that have not ended,
    /// oldest first, and then those whose output is not stored whole.
    pub async fn claimed_runs(&self, agent: &str) -> Result<Vec<FlowRun>> {
        let agent = agent.to_owned();
        self.read(move |db| {
            let mut runs = claims::in_hand(db, &agent)?;
            runs.extend(claims::open_outputs(db, &agent)?);
            Ok(runs)
        })
        .await
    }

    /// Notes that all that the process of an agent's run printed is stored.
    pub async fn close_output(&self, agent: &str, id: FlowRunId) -> Result<()> {
        let agent = agent.to_owned();
        self.write(move |db, _| claims::close_output(db, id, &agent))
            .await
    }

    /// How many slots an agent uses, counted from the runs themselves.
    pub async fn count_claimed_runs(&self, agent: &str) -> Result<u64> {
        let agent = agent.to_owned();
        self.read(move |db| claims::count(db, &agent)).await
    }

    /// Notes what the agent made for a run that it holds.
    pub async fn record_infrastructure(
        &self,
        agent: &str,
        id: FlowRunId,
        what: String,
    ) -> Result<()> {
        let agent = agent.to_owned();
        self.write(move |db, now| {
            if !is_held(&read(db, id)?, &agent) {
                let words = format!("The run is not held by the agent {agent:?} any more.");
                return Err(Error::conflict(words));
            }
            claims::record_infrastructure(db, id, &what, now)
        })
        .await
    }

    /// Ends a run that `agent` holds, unless it has ended already, or was scheduled anew
    /// meanwhile; a terminal state is never overwritten, and a run that was asked to stop ends as
    /// Cancelled. False when there was nothing to end.
    pub async fn end_run(&self, agent: &str, id: FlowRunId, end: ProposedState) -> Result<bool> {
        let agent = agent.to_owned();
        let work = move |db: &Connection, now| {
            let run = match read(db, id) {
                Err(gone) if gone.kind() == Kind::NotFound => return Ok(None),
                run => run?,
            };
            let kind = run.state.as_ref().map(|state| state.kind);
            let over = kind.is_some_and(|kind| kind.is_terminal() || kind == StateType::Scheduled);
            if over || !is_held(&run, &agent) {
                return Ok(None);
            }
            let end = agent_s_end(run.state.as_ref(), end);
            let decision = propose_state::for_flow_run(db, &run, end, Force::Yes, now)?;
            Ok(Some(announce::crash(db, &run, &decision)?))
        };
        let bell = self.agent_bell();
        let then = move |ended: &Option<Option<Crash>>| {
            bell.ring();
            announce::tell(ended.as_ref().and_then(Option::as_ref));
        };
        let ended = self.write_then(0, work, then).await?;
        Ok(ended.is_some())
    }

    /// How long until the next run of a deployment is due; nothing when one is due now.
    pub async fn due_in(&self) -> Result<Option<Duration>> {
        let due = self.read(claims::next_due).await?;
        let left = |due: Timestamp| u64::try_from((due - self.now()).micros()).unwrap_or(0);
        Ok(due.map(|due| Duration::from_micros(left(due))))
    }
}

fn ids(due: Vec<(FlowRunId, Timestamp)>) -> Vec<FlowRunId> {
    due.into_iter().map(|(id, _)| id).collect()
}

fn is_held(run: &FlowRun, agent: &str) -> bool {
    run.claim.as_ref().is_some_and(|claim| claim.agent == agent)
}

/// The runs that an agent with rivals takes: all that nobody wanted, and its share of those
/// that have only just become due.
fn share_of(
    db: &Connection,
    mine: Load,
    rivals: &[(String, u64)],
    containers: bool,
    limit: u64,
    now: Timestamp,
) -> Result<Vec<FlowRunId>> {
    let mut others = Vec::new();
    for (name, slots) in rivals {
        let used = claims::count(db, name)?;
        others.push(Load {
            slots: *slots,
            used,
        });
    }
    let room: u64 = others
        .iter()
        .map(|one| one.slots.saturating_sub(one.used))
        .sum();
    let due = claims::due(db, now, containers, limit.saturating_add(room))?;
    let (left_over, fresh): (Vec<_>, Vec<_>) = due
        .into_iter()
        .partition(|(_, since)| now - *since > COURTESY);
    let used = mine.used + left_over.len() as u64;
    let share = share(fresh.len() as u64, Load { used, ..mine }, &others);
    let fresh = fresh
        .into_iter()
        .take(usize::try_from(share).unwrap_or(usize::MAX));
    let mut mine = ids(left_over.into_iter().chain(fresh).collect());
    mine.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    Ok(mine)
}

fn claim(db: &Connection, id: FlowRunId, agent: &str, now: Timestamp) -> Result<Option<FlowRun>> {
    let pending = ProposedState::new(StateType::Pending);
    let decision = propose_state::for_flow_run(db, &read(db, id)?, pending, Force::No, now)?;
    if decision.outcome != Outcome::Accepted {
        return Ok(None);
    }
    claims::take(db, id, agent, now)?;
    read(db, id).map(Some)
}
