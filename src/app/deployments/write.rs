//! Verbs that create and change deployments.

use std::time::Duration;

use uuid::Uuid;

use super::schedules::{Missing, Outlook, Plan, Range, forget_some, insert_runs};
use super::{documents, queue, read, tell, tell_changes, unknown};
use crate::app::App;
use crate::app::budget::Budget;
use crate::app::request::Repeat;
use crate::app::tx::{Effect, Tx};
use crate::domain::JsonMap;
use crate::domain::concurrency_limit::ConcurrencyLimit;
use crate::domain::container::labels;
use crate::domain::deployment::{
    Deployment, DeploymentChanges, DeploymentUpdate, NewDeployment, QueueNames, schedules,
};
use crate::domain::error::{Error, Result};
use crate::domain::event::Happened;
use crate::domain::flow::{Created, Flow};
use crate::domain::ids::{DeploymentId, LimitId};
use crate::domain::parameters::hydration::Dry;
use crate::domain::parameters::{self, Required, Unfit};
use crate::domain::patch::Patch;
use crate::domain::schedule::Schedule;
use crate::domain::weight;
use crate::domain::work::AGENT_POOL;
use crate::storage::{Job, deployments, rows};

/// For how long one transaction takes away runs of schedules.
pub(super) const SLICE: Duration = Duration::from_millis(10);
/// The most schedules of a deployment.
const MOST_SCHEDULES: usize = 100;
/// The label that names a deployment's flow.
const FLOW_LABEL: &str = "prefect.flow.id";

impl App {
    /// Creates a deployment, or lays the new one over the flow's deployment of that name.
    ///
    /// Fails as a conflict when the flow does not exist, as not found when its pool does not,
    /// and as invalid when its parameters do not conform to the schema that it brings, or its job
    /// variables not to those of its pool.
    pub async fn create_deployment(&self, new: NewDeployment) -> Result<Created<Deployment>> {
        check_infrastructure(&new.changes)?;
        check_count(new.schedules.len())?;
        self.check_given_parameters(&new.changes).await?;
        self.check_given_job(&new.changes).await?;
        let mut is_over = false;
        let ahead = new.changes.ahead();
        let mut plans = Vec::new();
        for schedule in &new.schedules {
            let rule = || schedule.rule.clone();
            is_over |= self.check_schedule(rule()).await? == Outlook::NoneLeft;
            let plan = self.plan(rule(), Range::default(), ahead).await?;
            plans.push(plan.unwrap_or_else(|_| Plan::nothing(rule())));
        }
        let first = plans.clone();
        let job = Job::prompt(weight(&new.changes));
        let upserted = self.write_as(job, move |tx| upsert_with_runs(tx, new, &first));
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

    /// Changes a deployment. The runs that its schedules have made and that have not begun are
    /// made anew. New parameters that say how their values are made give way to those.
    ///
    /// Fails as [`App::create_deployment`] does, but as a conflict when parameters do not conform,
    /// and as refused when a value is not made.
    pub async fn update_deployment(
        &self,
        id: DeploymentId,
        mut update: DeploymentUpdate,
    ) -> Result<()> {
        check_infrastructure(&update.changes)?;
        if let Some(given) = update.changes.parameters.take() {
            let made = self.hydrated(given).await?;
            update.changes.parameters = Some(made.map_err(not_made)?);
        }
        let schedules = update.schedules.iter().flatten();
        let rules: Vec<_> = schedules.filter_map(|it| it.update.rule.clone()).collect();
        check_count(rules.len())?;
        self.check_schedules(rules).await?;
        let known = self.deployment(id).await?;
        self.check_update(&known, &update.changes).await?;
        let job = Job::prompt(weight(&update.changes));
        self.write_as(job, move |tx| {
            let known = read(tx.db, id)?;
            let deployment = updated(tx, known, update)?;
            store(tx, &deployment)
        })
        .await?;
        self.follow(id).await
    }

    /// Follows a deployment's schedules as they are, making the next runs of those that are
    /// active at once; of others, removes the runs that have not begun.
    pub(super) async fn follow(&self, id: DeploymentId) -> Result<()> {
        self.forget_runs(id).await?;
        // By what it is now: a request that comes again may be late.
        let deployment = self.deployment(id).await?;
        self.inner.schedules.forget(&deployment);
        match deployment.is_schedule_active {
            // Where its dates take too long to find, the scheduler says so.
            true => self
                .make_runs(&deployment, Range::default())
                .await
                .map(drop),
            false => Ok(()),
        }
    }

    /// Refuses schedules that cannot be followed.
    pub(super) async fn check_schedules(&self, rules: Vec<Schedule>) -> Result<()> {
        for rule in rules {
            self.check_schedule(rule).await?;
        }
        Ok(())
    }

    /// As on the reference, only what says itself that it is enforced is checked here.
    async fn check_given_parameters(&self, changes: &DeploymentChanges) -> Result<()> {
        let Patch::Set(schema) = &changes.parameter_schema else {
            return Ok(());
        };
        if changes.enforces_schema != Some(true) {
            return Ok(());
        }
        let parameters = changes.parameters.clone().unwrap_or_default();
        let schema = schema.clone();
        let checked = self.compute(move || {
            parameters::check_schema(&schema)?;
            parameters::check_as_written(&parameters, &schema)
        });
        checked
            .await?
            .map_err(|unfit| Error::invalid(unfit.to_string()))
    }

    /// Of what says its pool; all there is for agents says nothing of variables.
    async fn check_given_job(&self, changes: &DeploymentChanges) -> Result<()> {
        match (&changes.queue, &changes.job_variables) {
            (
                Patch::Set(QueueNames {
                    pool: Some(pool), ..
                }),
                Some(variables),
            ) if pool != AGENT_POOL => self.check_job_of_deployment(pool, variables).await,
            _ => Ok(()),
        }
    }

    /// Checks the parameters that a deployment will have against the schema that it will have.
    async fn check_update(&self, known: &Deployment, changes: &DeploymentChanges) -> Result<()> {
        if !changes.enforces_schema.unwrap_or(known.enforces_schema) {
            return Ok(());
        }
        let schema = match &changes.parameter_schema {
            // One that says nothing changes nothing.
            Patch::Set(schema) if !schema.is_empty() => Some(schema),
            _ => known.parameter_schema.as_ref(),
        };
        let schema = schema.ok_or_else(no_schema)?.clone();
        let parameters = changes.parameters.as_ref().unwrap_or(&known.parameters);
        let checked = self.conforms(parameters.clone(), schema, Required::No);
        checked
            .await?
            .map_err(|unfit| unfit.while_doing("updating deployment"))
    }

    /// Whether parameters conform to a schema, found out where nobody waits for it.
    pub(in crate::app) async fn conforms(
        &self,
        parameters: JsonMap,
        schema: JsonMap,
        required: Required,
    ) -> Result<Result<(), Unfit>> {
        self.compute(move || {
            parameters::check_schema(&schema)?;
            parameters::check(&parameters, &schema, required)
        })
        .await
    }
}

fn not_made(dry: Dry) -> Error {
    Error::refused(format!("Error hydrating deployment parameters: {dry}"))
}

/// Told where parameters are to be checked and there is nothing to check them against.
pub(super) fn no_schema() -> Error {
    Error::conflict(
        "Error updating deployment: Cannot update parameters because parameter schema enforcement \
         is enabled and the deployment does not have a valid parameter schema.",
    )
}

fn check_infrastructure(changes: &DeploymentChanges) -> Result<()> {
    match &changes.infrastructure {
        Some(infrastructure) => labels::check_settings(infrastructure).map_err(Error::invalid),
        None => Ok(()),
    }
}

pub(super) fn check_count(schedules: usize) -> Result<()> {
    match schedules > MOST_SCHEDULES {
        true => Err(Error::invalid(format!(
            "A deployment has at most {MOST_SCHEDULES} schedules."
        ))),
        false => Ok(()),
    }
}

fn weight(changes: &DeploymentChanges) -> usize {
    let maps = [&changes.parameters, &changes.job_variables];
    let maps: usize = maps.into_iter().flatten().map(weight::of_map).sum();
    let schema = match &changes.parameter_schema {
        Patch::Set(schema) => weight::of_map(schema),
        Patch::Keep | Patch::Clear => 0,
    };
    maps + schema
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
fn upsert_with_runs(tx: &mut Tx<'_>, new: NewDeployment, plans: &[Plan]) -> Result<Upserted> {
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
fn upsert(tx: &mut Tx<'_>, new: NewDeployment) -> Result<Created<Deployment>> {
    let NewDeployment {
        name,
        flow_id,
        schedules: rules,
        enforces_schema,
        mut changes,
        by,
    } = new;
    let flow: Option<Flow> = rows::by_id(tx.db, flow_id)?;
    let flow = flow.ok_or_else(|| Error::conflict(format!("There is no flow {flow_id}.")))?;
    let known = deployments::by_key(tx.db, flow_id, &name)?;
    let is_new = known.is_none();
    let before = known.unwrap_or_else(|| {
        let id = DeploymentId::new();
        Deployment {
            created_by: by.clone(),
            enforces_schema,
            parameter_schema: enforces_schema.then(JsonMap::new),
            ..Deployment::new(id, flow_id, name, tx.now)
        }
    });
    documents::check(tx, "creating", &changes)?;
    changes.shared_limit = shared_limit(tx, &before, changes.shared_limit)?;
    let queue = queue::named(tx, changes.queue.clone())?;
    let labels = match (&changes.labels, is_new) {
        (None, false) => before.labels.clone(),
        (own, _) => labelled(&flow, own.clone().unwrap_or_default()),
    };
    let known = before.schedules.clone();
    let deployment = Deployment {
        schedules: schedules::replaced(before.id, &known, rules, tx.now)?,
        labels,
        ..before.changed(changes, queue, by, tx.now)
    };
    match is_new {
        true => {
            deployments::insert(tx.db, &deployment)?;
            let made = read(tx.db, deployment.id)?;
            tell(tx, Happened::Created.word(), &made)?;
            Ok(Created::New(made))
        }
        false => {
            let known = read(tx.db, deployment.id)?;
            deployments::update(tx.db, &deployment)?;
            tell_changes(tx, &known)?;
            read(tx.db, deployment.id).map(Created::Known)
        }
    }
}

/// The most deployments that share a limit: each is looked at when a slot comes free.
const MOST_SHARING: i64 = 100;

/// The limit that a deployment is to share, which has to be there. The deployment's own has its
/// id, and stays.
fn shared_limit(tx: &Tx<'_>, before: &Deployment, asked: Patch<LimitId>) -> Result<Patch<LimitId>> {
    let Patch::Set(id) = asked else {
        return Ok(asked);
    };
    if before.concurrency.limit.is_some() && id.uuid() == before.id.uuid() {
        return Ok(Patch::Keep);
    }
    let known: Option<ConcurrencyLimit> = rows::by_id(tx.db, id)?;
    let known = known.ok_or_else(|| Error::not_found("Concurrency limit"))?;
    if deployments::sharing(tx.db, known.id, before.id)? >= MOST_SHARING {
        return Err(Error::invalid(format!(
            "A concurrency limit is shared by at most {MOST_SHARING} deployments."
        )));
    }
    Ok(Patch::Set(known.id))
}

/// The labels of a deployment: its own over those of its flow.
fn labelled(flow: &Flow, own: JsonMap) -> JsonMap {
    let mut labels = flow.labels.clone();
    labels.insert(FLOW_LABEL.to_owned(), flow.id.to_string().into());
    labels.extend(own);
    labels
}

fn updated(tx: &mut Tx<'_>, known: Deployment, update: DeploymentUpdate) -> Result<Deployment> {
    let DeploymentUpdate {
        schedules: asked,
        mut changes,
        by,
    } = update;
    documents::check(tx, "updating", &changes)?;
    changes.shared_limit = shared_limit(tx, &known, changes.shared_limit)?;
    let queue = queue::named(tx, changes.queue.clone())?;
    let schedules = match asked {
        None => known.schedules.clone(),
        Some(asked) => schedules::changed(known.id, known.schedules.clone(), asked, tx.now)?,
    };
    check_count(schedules.len())?;
    Ok(Deployment {
        schedules,
        ..known.changed(changes, queue, by, tx.now)
    })
}

/// Stores a deployment that was changed, without the first of the runs that its schedules made.
pub(super) fn store(tx: &mut Tx<'_>, deployment: &Deployment) -> Result<()> {
    let known = read(tx.db, deployment.id)?;
    deployments::update(tx.db, deployment)?;
    tell_changes(tx, &known)?;
    forget_some(tx, deployment.id, &Budget::of(SLICE))?;
    tx.entail(Effect::WakeAgents);
    Ok(())
}
