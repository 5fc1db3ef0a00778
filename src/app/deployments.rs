//! Verbs on deployments.

use super::App;
use super::flow_runs::{create_run, may_become_due};
use super::schedules::{Missing, Outlook, Range, forget_some, insert_runs, slice_of};
use crate::domain::container::labels;
use crate::domain::deployment::{Around, Deployment, NewDeployment};
use crate::domain::error::{Error, Result};
use crate::domain::filter::{Filters, Page};
use crate::domain::flow::Created;
use crate::domain::flow_run::{DeploymentRunRequest, FlowRun, NewFlowRun};
use crate::domain::ids::DeploymentId;
use crate::domain::time::Timestamp;
use crate::domain::weight;
use crate::storage::removal::Removal;
use crate::storage::{Connection, deployments, flows};

impl App {
    /// Creates a deployment, or lays the new one over the flow's deployment of that name.
    ///
    /// Fails as a conflict when the flow does not exist.
    pub async fn create_deployment(&self, new: NewDeployment) -> Result<Created<Deployment>> {
        if let Some(infrastructure) = &new.infrastructure {
            labels::check_settings(infrastructure).map_err(Error::invalid)?;
        }
        let mut is_over = false;
        let mut plan = None;
        if let Some(schedule) = &new.schedule {
            is_over = self.check_schedule(schedule.clone()).await? == Outlook::NoneLeft;
            plan = self.plan(schedule.clone(), Range::default()).await?.ok();
        }
        let first = plan.clone();
        let bytes = weight::of_map(&new.parameters);
        let work = move |db: &Connection, now| {
            let created = lay_down(db, &new, now)?;
            // Runs that an earlier schedule made are no longer wanted.
            let is_clear = forget_some(db, created.get().id)?;
            if let Some(mut plan) = first.filter(|_| is_clear) {
                plan.dates.truncate(slice_of(created.get()));
                insert_runs(db, created.get(), &plan, now)?;
            }
            Ok((created, is_clear))
        };
        // Runs may be due earlier than the agents would look by themselves.
        let then = self
            .ring_if(|(created, _): &(Created<Deployment>, _)| created.get().schedule.is_some());
        let (created, is_clear) = self.write_then(bytes, work, then).await?;
        let deployment = created.get();
        if is_over {
            tracing::warn!(deployment = %deployment.name, id = %deployment.id, "its schedule has no date left");
        }
        if !is_clear {
            self.forget_runs(deployment.id).await?;
        }
        self.inner.schedules.forget(deployment.id);
        if let Some(plan) = plan.filter(|_| deployment.is_schedule_active) {
            self.make_planned(deployment, plan, Missing::All).await?;
        }
        Ok(created)
    }

    /// The deployment with that id.
    pub async fn deployment(&self, id: DeploymentId) -> Result<Deployment> {
        self.look_up(move |db| read(db, id)).await
    }

    /// A deployment's name for people, `FLOW/DEPLOYMENT`.
    pub async fn deployment_path(&self, id: DeploymentId) -> Result<String> {
        self.read(move |db| path(db, id)).await
    }

    /// A flow's deployment, both by name.
    pub async fn deployment_by_name(&self, flow: &str, name: &str) -> Result<Deployment> {
        let (flow, name) = (flow.to_owned(), name.to_owned());
        self.read(move |db| {
            let flow = flows::by_name(db, &flow)?.ok_or_else(unknown)?;
            deployments::by_key(db, flow.id, &name)?.ok_or_else(unknown)
        })
        .await
    }

    /// The runs around each of some deployments, in their order.
    pub async fn runs_around(&self, ids: Vec<DeploymentId>) -> Result<Vec<Around>> {
        self.read(move |db| {
            ids.into_iter()
                .map(|id| deployments::around(db, id))
                .collect()
        })
        .await
    }

    /// A page of deployments, by name.
    pub async fn deployments(&self, filters: Filters, page: Page) -> Result<Vec<Deployment>> {
        self.scan(move |db| deployments::page(db, &filters, page))
            .await
    }

    /// How many deployments match.
    pub async fn count_deployments(&self, filters: Filters) -> Result<u64> {
        self.scan(move |db| deployments::count(db, &filters)).await
    }

    /// Follows the deployment's schedule, making its next runs at once, or stops to and
    /// removes those that have not begun.
    pub async fn set_schedule_active(&self, id: DeploymentId, active: bool) -> Result<()> {
        let work = move |db: &Connection, now| {
            if !deployments::set_schedule_active(db, id, active, now)? {
                return Err(unknown());
            }
            if !active {
                forget_some(db, id)?;
            }
            Ok(())
        };
        self.write_once_then(0, work, self.ring_if(move |()| active))
            .await?;
        self.inner.schedules.forget(id);
        // By what it is now: a request that comes again may be late.
        let deployment = self.deployment(id).await?;
        match deployment.is_schedule_active {
            true => self
                .make_runs(&deployment, Range::default())
                .await
                .map(drop),
            false => self.forget_runs(id).await,
        }
    }

    /// Removes a deployment and its runs that have not begun; the others stay.
    pub async fn delete_deployment(&self, id: DeploymentId) -> Result<()> {
        self.remove(Removal::Deployment(id)).await
    }

    /// Creates a run of a deployment: its parameters under the request's, its tags and the
    /// request's, its infrastructure unless the request has its own.
    pub async fn create_run_of_deployment(
        &self,
        id: DeploymentId,
        request: DeploymentRunRequest,
    ) -> Result<Created<FlowRun>> {
        let bytes = weight::of_map(&request.parameters) + weight::of_map(&request.context);
        let work = move |db: &Connection, now| create_run(db, run_of(read(db, id)?, request), now);
        let then = self.ring_if(|created: &Created<FlowRun>| may_become_due(created.get()));
        self.write_once_then(bytes, work, then).await
    }
}

/// Stores a deployment, over the flow's deployment of that name where there is one.
fn lay_down(db: &Connection, new: &NewDeployment, now: Timestamp) -> Result<Created<Deployment>> {
    if !flows::exists(db, new.flow_id)? {
        return Err(Error::conflict(format!(
            "There is no flow {}.",
            new.flow_id
        )));
    }
    match deployments::by_key(db, new.flow_id, &new.name)? {
        Some(known) => {
            deployments::update(db, &known, new, now)?;
            read(db, known.id).map(Created::Known)
        }
        None => {
            let id = deployments::insert(db, new, now)?;
            read(db, id).map(Created::New)
        }
    }
}

fn run_of(deployment: Deployment, request: DeploymentRunRequest) -> NewFlowRun {
    let mut parameters = deployment.parameters;
    parameters.extend(request.parameters);
    let mut tags = deployment.tags;
    for tag in request.tags {
        if !tags.contains(&tag) {
            tags.push(tag);
        }
    }
    NewFlowRun {
        name: request.name,
        flow_id: deployment.flow_id,
        deployment_id: Some(deployment.id),
        flow_version: None,
        parameters,
        idempotency_key: request.idempotency_key,
        context: request.context,
        tags,
        parent_task_run_id: request.parent_task_run_id,
        infrastructure: request.infrastructure.unwrap_or(deployment.infrastructure),
        auto_scheduled: false,
        created_by: request.created_by,
        state: request.state,
    }
}

fn read(db: &Connection, id: DeploymentId) -> Result<Deployment> {
    deployments::by_id(db, id)?.ok_or_else(unknown)
}

pub(super) fn path(db: &Connection, id: DeploymentId) -> Result<String> {
    let deployment = read(db, id)?;
    let flow = flows::by_id(db, deployment.flow_id)?.ok_or_else(unknown)?;
    Ok(format!("{}/{}", flow.name, deployment.name))
}

fn unknown() -> Error {
    Error::not_found("Deployment")
}
