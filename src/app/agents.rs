//! Verbs of agents: taking runs, and telling what became of them.

use super::flow_runs::read;
use super::{App, Force, Outcome, propose_state};
use crate::domain::error::{Kind, Result};
use crate::domain::flow_run::FlowRun;
use crate::domain::ids::FlowRunId;
use crate::domain::state::{ProposedState, StateType};
use crate::domain::time::Timestamp;
use crate::storage::{Connection, claims};

impl App {
    /// Takes up to `limit` due runs of deployments, the longest due first: each goes to
    /// Pending and carries the agent's claim, all in one transaction. No other agent gets
    /// any of them. Without `containers`, runs in containers are left where they are.
    pub async fn claim_due_runs(
        &self,
        agent: &str,
        containers: bool,
        limit: u64,
    ) -> Result<Vec<FlowRun>> {
        let agent = agent.to_owned();
        self.write(move |db, now| {
            claims::due(db, now, containers, limit)?
                .into_iter()
                .filter_map(|id| claim(db, id, &agent, now).transpose())
                .collect()
        })
        .await
    }

    /// The runs that an agent holds and that have not ended, oldest first.
    pub async fn claimed_runs(&self, agent: &str) -> Result<Vec<FlowRun>> {
        let agent = agent.to_owned();
        self.read(move |db| claims::in_hand(db, &agent)).await
    }

    /// How many slots an agent uses, counted from the runs themselves.
    pub async fn count_claimed_runs(&self, agent: &str) -> Result<u64> {
        let agent = agent.to_owned();
        self.read(move |db| claims::count(db, &agent)).await
    }

    /// Gives back a run that was taken and not submitted: Scheduled for now, free for any
    /// agent. False when it is no longer Pending.
    pub async fn release_claim(&self, id: FlowRunId) -> Result<bool> {
        self.write(move |db, now| {
            let run = read(db, id)?;
            let pending = run
                .state
                .as_ref()
                .is_some_and(|s| s.kind == StateType::Pending);
            if !pending || run.claim.is_none() {
                return Ok(false);
            }
            claims::release(db, id)?;
            let again = ProposedState::scheduled(now).because("Given back by its agent.");
            propose_state::for_flow_run(db, &run, again, Force::Yes, now)?;
            Ok(true)
        })
        .await
    }

    /// Notes what the agent made for a run.
    pub async fn record_infrastructure(&self, id: FlowRunId, what: String) -> Result<()> {
        self.write(move |db, now| claims::record_infrastructure(db, id, &what, now))
            .await
    }

    /// Ends a run unless it has ended already, or was scheduled anew meanwhile; a terminal
    /// state is never overwritten. False when there was nothing to end.
    pub async fn end_run(&self, id: FlowRunId, end: ProposedState) -> Result<bool> {
        let ended = self
            .write(move |db, now| {
                let run = match read(db, id) {
                    Err(gone) if gone.kind() == Kind::NotFound => return Ok(false),
                    run => run?,
                };
                let kind = run.state.as_ref().map(|state| state.kind);
                if kind.is_some_and(|kind| kind.is_terminal() || kind == StateType::Scheduled) {
                    return Ok(false);
                }
                propose_state::for_flow_run(db, &run, end, Force::Yes, now)?;
                Ok(true)
            })
            .await;
        self.inner.agent_bell.ring();
        ended
    }

    /// When the next run of a deployment is due; a past time means now.
    pub async fn next_due(&self) -> Result<Option<Timestamp>> {
        self.read(claims::next_due).await
    }
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
