//! The names of what runs belong to.

use std::collections::{HashMap, HashSet};

use super::show::{Html, short};
use crate::api::redaction::{Reader, Redact};
use crate::app::App;
use crate::domain::error::Result;
use crate::domain::filter::{Criterion, Filters, Page, Sort, deployment, flow};
use crate::domain::flow_run::FlowRun;
use crate::domain::ids::{DeploymentId, FlowId};

/// Names of flows and of deployments, by their ids.
#[derive(Default)]
pub struct Names {
    flows: HashMap<FlowId, String>,
    deployments: HashMap<DeploymentId, String>,
}

impl Names {
    /// Of what these runs belong to.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub async fn of(app: &App, runs: &[FlowRun]) -> Result<Self> {
        let flows = runs.iter().map(|run| run.flow_id).collect();
        let deployments = runs.iter().filter_map(|run| run.deployment_id).collect();
        Self::known(app, flows, deployments).await
    }

    /// Of these flows and deployments.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub async fn known(
        app: &App,
        flows: HashSet<FlowId>,
        deployments: HashSet<DeploymentId>,
    ) -> Result<Self> {
        let mut names = Self::default();
        let page = |number: usize| Page {
            limit: number as u64,
            offset: 0,
        };
        if !flows.is_empty() {
            let page = page(flows.len());
            let ids = flow::ID.is_one_of_ids(flows.into_iter().map(FlowId::uuid));
            let found = app.flows(about_flows(ids), Sort::NAME, page).await?;
            names.flows = found.into_iter().map(|flow| (flow.id, flow.name)).collect();
        }
        if !deployments.is_empty() {
            let page = page(deployments.len());
            let ids = deployments.into_iter().map(DeploymentId::uuid);
            let ids = deployment::ID.is_one_of_ids(ids);
            let found = app.deployments(about_deployments(ids), Sort::NAME, page);
            let found = found.await?.into_iter();
            names.deployments = found.map(|found| (found.id, found.name)).collect();
        }
        Ok(names)
    }

    /// A flow's name; empty where it has gone.
    pub fn flow(&self, id: FlowId) -> Html {
        self.flows
            .get(&id)
            .map(|name| short(name))
            .unwrap_or_default()
    }

    /// A deployment's name; absent where it has gone.
    pub fn deployment(&self, id: DeploymentId) -> Option<Html> {
        self.deployments.get(&id).map(|name| short(name))
    }

    /// A link to a run's deployment, or to its flow where it has none.
    pub fn origin(&self, run: &FlowRun) -> Origin {
        let flow = self.flow(run.flow_id);
        let deployment = run.deployment_id;
        match deployment.and_then(|id| Some((id, self.deployment(id)?))) {
            Some((id, name)) => Origin {
                href: format!("/deployments/deployment/{id}"),
                flow,
                deployment: Some(name),
            },
            None => Origin {
                href: format!("/flows/flow/{}", run.flow_id),
                flow,
                deployment: None,
            },
        }
    }
}

impl Redact for Names {
    fn redact(&mut self, reader: &Reader<'_>) {
        let mask = reader.of_nobody();
        let all = self.flows.values_mut().chain(self.deployments.values_mut());
        all.for_each(|name| mask.over(name));
    }
}

/// What a run is of.
#[derive(Clone, Debug)]
pub struct Origin {
    /// Its page.
    pub href: String,
    /// The flow's name.
    pub flow: Html,
    /// The deployment's.
    pub deployment: Option<Html>,
}

/// Asked of flows.
pub fn about_flows(criterion: Criterion) -> Filters {
    Filters {
        flows: Some(vec![criterion].into()),
        ..Filters::default()
    }
}

/// Asked of deployments.
pub fn about_deployments(criterion: Criterion) -> Filters {
    Filters {
        deployments: Some(vec![criterion].into()),
        ..Filters::default()
    }
}
