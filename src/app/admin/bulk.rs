//! Verbs that do the same to many things, one after the other, each in its own transactions: others
//! write in between, and what one is refused harms none of the rest.

use crate::app::App;
use crate::app::runs::propose_state::Decision;
use crate::domain::deployment::Deployment;
use crate::domain::error::{Kind, Result};
use crate::domain::filter::{Filters, Page, Sort};
use crate::domain::flow::Flow;
use crate::domain::flow_run::FlowRun;
use crate::domain::ids::{DeploymentId, FlowId, FlowRunId, StateId};
use crate::domain::rules::{Client, Policy};
use crate::domain::state::ProposedState;
use crate::storage::removal::Removal;
use crate::storage::rows::{self, Filtered};

impl App {
    /// Removes up to `most` flows that match with their deployments and runs; answers which.
    pub async fn delete_flows(&self, filters: Filters, most: u64) -> Result<Vec<FlowId>> {
        let found = self.first::<Flow>(filters, Sort::NAME, most).await?;
        let ids = found.into_iter().map(|flow| flow.id).collect();
        self.remove_each(ids, Removal::Flow).await
    }

    /// Removes up to `most` deployments that match, and their runs that have not begun; answers
    /// which.
    pub async fn delete_deployments(
        &self,
        filters: Filters,
        most: u64,
    ) -> Result<Vec<DeploymentId>> {
        let found = self.first::<Deployment>(filters, Sort::NAME, most).await?;
        let ids = found.into_iter().map(|deployment| deployment.id).collect();
        self.remove_each(ids, Removal::Deployment).await
    }

    /// Removes up to `most` flow runs that match, the newest first; answers which.
    pub async fn delete_flow_runs(&self, filters: Filters, most: u64) -> Result<Vec<FlowRunId>> {
        let found = self.first::<FlowRun>(filters, Sort::NEWEST, most).await?;
        let ids = found.into_iter().map(|run| run.id).collect();
        self.remove_each(ids, Removal::FlowRun).await
    }

    /// Proposes a state for up to `most` flow runs that match, the newest first; answers what
    /// became of each.
    pub async fn propose_flow_run_states(
        &self,
        filters: Filters,
        most: u64,
        proposed: ProposedState,
        policy: Policy,
        client: Client,
    ) -> Result<Vec<(FlowRunId, Result<Decision>)>> {
        let mut decided = Vec::new();
        for run in self.first::<FlowRun>(filters, Sort::NEWEST, most).await? {
            // A state is one run's: what the client or the request is known by would be that of all.
            let proposed = ProposedState {
                id: Some(StateId::new()),
                ..proposed.clone()
            };
            let decision = self.propose_flow_run_state(run.id, proposed, policy, client);
            decided.push((run.id, decision.await));
        }
        Ok(decided)
    }

    async fn first<R>(&self, filters: Filters, sort: Sort, most: u64) -> Result<Vec<R>>
    where
        R: Filtered + Send + 'static,
    {
        let page = Page {
            limit: most,
            offset: 0,
        };
        self.find(move |db| rows::page(db, &filters, sort, page))
            .await
    }

    /// Takes each away, and answers which were there.
    pub(in crate::app) async fn remove_each<K: Copy>(
        &self,
        ids: Vec<K>,
        what: impl Fn(K) -> Removal,
    ) -> Result<Vec<K>> {
        let mut removed = Vec::with_capacity(ids.len());
        for id in ids {
            match self.remove(what(id)).await {
                Ok(()) => removed.push(id),
                // Somebody else has removed it meanwhile.
                Err(error) if error.kind() == Kind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Ok(removed)
    }
}
