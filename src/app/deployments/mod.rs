//! Verbs on deployments.

pub(super) mod flow;
pub(super) mod schedules;

use std::time::Duration;

use uuid::Uuid;

use self::schedules::{Missing, Outlook, Plan, Range, forget_some, insert_runs};
use super::App;
use super::budget::Budget;
use super::request::Repeat;
use super::runs::flow_runs::create_run;
use super::tx::{Effect, Tx};
use crate::domain::container::labels;
use crate::domain::deployment::{Around, Deployment, NewDeployment};
use crate::domain::error::{Error, Result};
use crate::domain::filter::{Filters, Page, Sort};
use crate::domain::flow::Created;
use crate::domain::flow_run::{DeploymentRunRequest, FlowRun, NewFlowRun};
use crate::domain::ids::DeploymentId;
use crate::domain::weight;
use crate::storage::removal::Removal;
use crate::storage::{Connection, Job, deployments, flows, rows};

/// For how long one transaction takes away runs of schedules.
const SLICE: Duration = Duration::from_millis(10);

impl App {
    /// Creates a deployment, or lays the new one over the flow's deployment of that name.
    ///
    /// Fails as a conflict when the flow does not exist.
    pub async fn create_deployment(&self, new: NewDeployment) -> Result<Created<Deployment>> {
        if let Some(infrastructure) = &new.infrastructure {
            labels::check_settings(infrastructure).map_err(Error::invalid)?;
        }
        let mut is_over = false;
        let mut plans = Vec::new();
        for schedule in &new.schedules {
            let rule = || schedule.rule.clone();
            is_over |= self.check_schedule(rule()).await? == Outlook::NoneLeft;
            let plan = self.plan(rule(), Range::default()).await?;
            plans.push(plan.unwrap_or_else(|_| Plan::nothing(rule())));
        }
        let first = plans.clone();
        let job = Job::prompt(weight::of_map(&new.parameters));
        let upserted = self.write_as(job, move |tx| upsert_with_runs(tx, &new, &first));
        let Upserted { created, is_clear } = upserted.await?;
        let deployment = created.get();
        if is_over {
            tracing::warn!(deployment = %deployment.name, id = %deployment.id, "its schedule has no date left");
        }
        if !is_clear {
            self.forget_runs(deployment.id).await?;
        }
        self.inner.schedules.forget(deployment);
        if deployment.is_schedule_active {
            for (schedule, plan) in deployment.schedules.iter().zip(plans) {
                self.make_planned(deployment, schedule, plan, Missing::All)
                    .await?;
            }
        }
        Ok(created)
    }

    /// The deployment with that id.
    pub async fn deployment(&self, id: DeploymentId) -> Result<Deployment> {
        self.by_key(move |db| read(db, id)).await
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
        self.scan(move |db| {
            ids.into_iter()
                .map(|id| deployments::around(db, id))
                .collect()
        })
        .await
    }

    /// A page of deployments, by name.
    pub async fn deployments(&self, filters: Filters, page: Page) -> Result<Vec<Deployment>> {
        self.find(move |db| rows::page(db, &filters, Sort::NAME, page))
            .await
    }

    /// How many deployments match.
    pub async fn count_deployments(&self, filters: Filters) -> Result<u64> {
        self.find(move |db| rows::count::<Deployment>(db, &filters))
            .await
    }

    /// Follows the deployment's schedules, making their next runs at once, or stops to and
    /// removes those that have not begun.
    pub async fn set_schedule_active(&self, id: DeploymentId, active: bool) -> Result<()> {
        self.write(move |tx| {
            if !deployments::set_schedule_active(tx.db, id, active, tx.now)? {
                return Err(unknown());
            }
            match active {
                true => tx.entail(Effect::WakeAgents),
                false => {
                    forget_some(tx, id, &Budget::of(SLICE))?;
                }
            }
            Ok(())
        })
        .await?;
        // By what it is now: a request that comes again may be late.
        let deployment = self.deployment(id).await?;
        self.inner.schedules.forget(&deployment);
        match deployment.is_schedule_active {
            // Where its dates take too long to find, the scheduler says so.
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
        self.write_as(Job::prompt(bytes), move |tx| {
            create_run(tx, run_of(read(tx.db, id)?, request))
        })
        .await
    }
}

/// A deployment that was stored, and whether no run of an earlier schedule is left.
struct Upserted {
    created: Created<Deployment>,
    is_clear: bool,
}

impl Repeat for Upserted {
    fn made(&self) -> Option<Vec<Uuid>> {
        Some(vec![self.created.get().id.uuid()])
    }

    /// Whether all runs are gone that should be is seen by going on.
    fn again(tx: &mut Tx<'_>, made: &[Uuid]) -> Result<Self> {
        let id = made.first().copied().map(DeploymentId::from_uuid);
        Ok(Self {
            created: id
                .map_or_else(|| Err(unknown()), |id| read(tx.db, id))
                .map(Created::Known)?,
            is_clear: false,
        })
    }
}

/// Stores a deployment with runs of its first schedule.
fn upsert_with_runs(tx: &mut Tx<'_>, new: &NewDeployment, plans: &[Plan]) -> Result<Upserted> {
    let created = upsert(tx, new)?;
    let deployment = created.get();
    // Runs that an earlier schedule made are no longer wanted.
    let is_clear = forget_some(tx, deployment.id, &Budget::of(SLICE))?;
    // The others' come in transactions of their own.
    let first = deployment.schedules.first().zip(plans.first());
    if let Some((schedule, plan)) = first.filter(|_| is_clear) {
        insert_runs(tx, deployment, schedule, plan)?;
    }
    if !deployment.schedules.is_empty() {
        // Runs may be due earlier than the agents would look by themselves.
        tx.entail(Effect::WakeAgents);
    }
    Ok(Upserted { created, is_clear })
}

/// Stores a deployment, over the flow's deployment of that name where there is one.
fn upsert(tx: &Tx<'_>, new: &NewDeployment) -> Result<Created<Deployment>> {
    let (db, now) = (tx.db, tx.now);
    if !rows::exists(db, new.flow_id)? {
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
        policy: request.policy,
        tags,
        labels: request.labels,
        parent_task_run_id: request.parent_task_run_id,
        infrastructure: request.infrastructure.unwrap_or(deployment.infrastructure),
        job_variables: request.job_variables,
        work_queue_id: None,
        deployment_version: None,
        auto_scheduled: false,
        created_by: request.created_by,
        state: request.state,
    }
}

fn read(db: &Connection, id: DeploymentId) -> Result<Deployment> {
    rows::by_id(db, id)?.ok_or_else(unknown)
}

pub(super) fn path(db: &Connection, id: DeploymentId) -> Result<String> {
    let deployment = read(db, id)?;
    let flow = rows::by_id(db, deployment.flow_id)?.ok_or_else(unknown)?;
    Ok(format!("{}/{}", flow.name, deployment.name))
}

fn unknown() -> Error {
    Error::not_found("Deployment")
}
