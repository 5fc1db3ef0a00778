//! Verbs of agents: taking runs, and telling what became of them.

use std::time::Duration;

use uuid::Uuid;

use super::jobs::Jobs;
use crate::app::request::Repeat;
use crate::app::runs::flow_runs::read;
use crate::app::runs::propose_state;
use crate::app::tx::{Effect, Tx};
use crate::app::{App, Outcome};
use crate::domain::agent::{EMBEDDED, Load, share};
use crate::domain::error::{Error, Result};
use crate::domain::flow_run::FlowRun;
use crate::domain::ids::FlowRunId;
use crate::domain::rules::{Client, Generation, Policy, agent_s_end};
use crate::domain::state::{ProposedState, StateType};
use crate::domain::time::{Span, Timestamp};
use crate::domain::work::turn;
use crate::storage::claims::{self, Taker};
use crate::storage::rows;

/// For how long a run that is due is left to the agent whose turn it is. After that anybody
/// takes it.
const COURTESY: Span = Span::from_micros(1_000_000);

/// How many runs one transaction takes, so that others do not wait long.
const AT_ONCE: u64 = 32;

impl App {
    /// Takes up to `limit` due runs of deployments, the longest due first: each goes to
    /// Pending and carries the agent's claim, both in one transaction. No other agent gets
    /// any of them. Without `containers`, runs in containers are left where they are. What
    /// has only just become due is shared out evenly among the agents that are there.
    ///
    /// This daemon's own agent takes of work pools as well, by the priorities of their queues and
    /// within the limits of both, unless a pool has workers of its own.
    pub async fn claim_due_runs(
        &self,
        agent: &str,
        containers: bool,
        limit: u64,
    ) -> Result<Vec<FlowRun>> {
        self.check_agent(agent)?;
        let mut claimed = Vec::new();
        while (claimed.len() as u64) < limit {
            let left = AT_ONCE.min(limit - claimed.len() as u64);
            let some = self.claim_some(agent, containers, left).await?;
            let is_all = (some.len() as u64) < left;
            claimed.extend(some);
            if is_all {
                break;
            }
        }
        Ok(claimed)
    }

    async fn claim_some(&self, agent: &str, containers: bool, limit: u64) -> Result<Vec<FlowRun>> {
        let rivals = self.rivals(agent);
        let slots = self.slots_of(agent);
        let jobs = match agent == EMBEDDED {
            true => {
                let host = self.embedded_report().map(|report| report.host);
                let host = host.unwrap_or_default();
                self.next_jobs(containers, limit, host).await?
            }
            false => Jobs::default(),
        };
        let agent = agent.to_owned();
        self.write(move |tx| {
            let free = match rivals.is_empty() {
                true => claims::due(tx.db, tx.now, containers, limit)?,
                false => {
                    let used = claims::count(tx.db, &agent)?;
                    let slots = slots.unwrap_or(used.saturating_add(limit));
                    share_of(tx, Load { slots, used }, &rivals, containers, limit)?
                }
            };
            let due = match agent == EMBEDDED {
                true => with_pools(tx, free, containers, limit)?,
                false => free,
            };
            due.into_iter()
                .filter_map(|(id, _)| claim(tx, id, &agent, &jobs).transpose())
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
        self.write(move |tx| {
            tx.entail(Effect::TellNews);
            claims::close_output(tx.db, id, &agent)
        })
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
        self.write(move |tx| {
            if !is_held(&read(tx.db, id)?, &agent) {
                let words = format!("The run is not held by the agent {agent:?} any more.");
                return Err(Error::conflict(words));
            }
            claims::record_infrastructure(tx.db, id, &what, tx.now)
        })
        .await
    }

    /// Ends a run that `agent` holds, unless it has ended already, was scheduled anew meanwhile, or
    /// is suspended; a terminal state is never overwritten, and a run that was asked to stop ends as
    /// Cancelled. False when there was nothing to end.
    pub async fn end_run(
        &self,
        agent: &str,
        id: FlowRunId,
        end_state: ProposedState,
    ) -> Result<bool> {
        let agent = agent.to_owned();
        let ended = self.write(move |tx| end(tx, &agent, id, end_state).map(HasEnded));
        Ok(ended.await?.0)
    }

    /// How long until the next run is due that an agent takes; nothing when one is due now.
    pub async fn due_in(&self, agent: &str) -> Result<Option<Duration>> {
        let (is_ours, now) = (agent == EMBEDDED, self.now());
        let next = self.read(move |db| {
            let free = claims::next_due(db)?;
            let queued = match is_ours {
                true => claims::next_due_of_queues(db, now)?,
                false => None,
            };
            Ok(free.into_iter().chain(queued).min())
        });
        let due = next.await?;
        let left = |due: Timestamp| u64::try_from((due - self.now()).micros()).unwrap_or(0);
        Ok(due.map(|due| Duration::from_micros(left(due))))
    }
}

/// Whether there was something to end.
struct HasEnded(bool);

impl Repeat for HasEnded {
    fn made(&self) -> Option<Vec<Uuid>> {
        self.0.then(Vec::new)
    }

    fn again(_: &mut Tx<'_>, _: &[Uuid]) -> Result<Self> {
        Ok(Self(true))
    }
}

/// Claimed runs. A request that comes again claims no others, and hears of those that are still
/// there.
impl Repeat for Vec<FlowRun> {
    fn made(&self) -> Option<Vec<Uuid>> {
        let ids: Vec<_> = self.iter().map(|run| run.id.uuid()).collect();
        (!ids.is_empty()).then_some(ids)
    }

    fn again(tx: &mut Tx<'_>, made: &[Uuid]) -> Result<Self> {
        let runs = made
            .iter()
            .map(|id| rows::by_id(tx.db, FlowRunId::from_uuid(*id)));
        runs.filter_map(Result::transpose).collect()
    }
}

fn end(tx: &mut Tx<'_>, agent: &str, id: FlowRunId, end_state: ProposedState) -> Result<bool> {
    // A slot may be free, whoever ended the run.
    tx.entail(Effect::WakeAgents);
    let Some(run) = rows::by_id(tx.db, id)? else {
        return Ok(false);
    };
    let kind = run.state.as_ref().map(|state| state.kind);
    let over = kind.is_some_and(|kind| kind.is_terminal() || kind == StateType::Scheduled);
    if over || !is_held(&run, agent) {
        return Ok(false);
    }
    if is_suspended(&run) {
        // Its process has ended as it should, and whoever takes it next makes another.
        claims::release(tx.db, id)?;
        return Ok(false);
    }
    let end_state = agent_s_end(run.state.as_ref(), end_state);
    let forced = Policy::Forced(Generation::V3);
    propose_state::for_flow_run(tx, &run, end_state, forced, Client::default())?;
    Ok(true)
}

/// Runs, each with the time at which it became due.
type Due = Vec<(FlowRunId, Timestamp)>;

/// What is due in no queue, and what of queues that this daemon's agent serves.
fn with_pools(tx: &Tx<'_>, free: Due, containers: bool, limit: u64) -> Result<Due> {
    let queues = claims::due_queues(tx.db, tx.now, containers)?;
    let range = (Timestamp::from_micros(i64::MIN), tx.now);
    let mut lists = turn::of_pools(&queues, limit, |queue, most| {
        claims::due_of_queue(tx.db, (queue, Taker::Ours), range, most)
    })?;
    lists.push(free);
    Ok(turn::merged(lists, limit))
}

/// Whether a run goes on by another process once somebody resumes it.
fn is_suspended(run: &FlowRun) -> bool {
    let state = run.state.as_ref();
    state.is_some_and(|it| it.kind == StateType::Paused && it.details.pause_reschedule)
}

pub(super) fn is_held(run: &FlowRun, agent: &str) -> bool {
    run.claim.as_ref().is_some_and(|claim| claim.agent == agent)
}

/// The runs that an agent with rivals takes: all that nobody wanted, and its share of those
/// that have only just become due.
fn share_of(
    tx: &Tx<'_>,
    mine: Load,
    rivals: &[(String, u64)],
    containers: bool,
    limit: u64,
) -> Result<Due> {
    let mut others = Vec::new();
    for (name, slots) in rivals {
        let used = claims::count(tx.db, name)?;
        others.push(Load {
            slots: *slots,
            used,
        });
    }
    let room: u64 = others
        .iter()
        .map(|one| one.slots.saturating_sub(one.used))
        .sum();
    let due = claims::due(tx.db, tx.now, containers, limit.saturating_add(room))?;
    let (left_over, fresh): (Vec<_>, Vec<_>) = due
        .into_iter()
        .partition(|(_, since)| tx.now - *since > COURTESY);
    let used = mine.used + left_over.len() as u64;
    let share = share(fresh.len() as u64, Load { used, ..mine }, &others);
    let fresh = fresh
        .into_iter()
        .take(usize::try_from(share).unwrap_or(usize::MAX));
    let mut mine: Vec<_> = left_over.into_iter().chain(fresh).collect();
    mine.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    Ok(mine)
}

/// Takes a run for an agent; none where the rules, or what it would be made of, are against it.
fn claim(tx: &mut Tx<'_>, id: FlowRunId, agent: &str, jobs: &Jobs) -> Result<Option<FlowRun>> {
    let run = read(tx.db, id)?;
    let pending = ProposedState {
        worker: Some(jobs.worker().to_owned()).filter(|name| !name.is_empty()),
        ..ProposedState::new(StateType::Pending)
    };
    let job = jobs.of(&run);
    if run.work_queue_id.is_some() && job.is_none() {
        // It became due, or was changed, since that was worked out.
        tx.entail(Effect::WakeAgents);
        return Ok(None);
    }
    let policy = Policy::Normal(Generation::V3);
    let decision = propose_state::for_flow_run(tx, &run, pending, policy, Client::default())?;
    if decision.outcome != Outcome::Accepted {
        return Ok(None);
    }
    claims::take(tx.db, id, agent, tx.now)?;
    match job {
        Some(Ok(job)) => claims::settle_job(tx.db, id, job)?,
        Some(Err(why)) => return refuse(tx, id, why).map(|()| None),
        None => {}
    }
    read(tx.db, id).map(Some)
}

/// Ends a run that was taken and cannot be made.
fn refuse(tx: &mut Tx<'_>, id: FlowRunId, why: &str) -> Result<()> {
    let run = read(tx.db, id)?;
    let crashed = ProposedState::new(StateType::Crashed)
        .named("Crashed")
        .because(format!("Submission failed. {why}"));
    let forced = Policy::Forced(Generation::V3);
    propose_state::for_flow_run(tx, &run, crashed, forced, Client::default())?;
    claims::close_output(tx.db, id, EMBEDDED)
}
