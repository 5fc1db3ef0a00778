//! Verbs on automations.
//!
//! Their triggers see every event in the transaction that stores it (`triggers`), and what they
//! decide is noted in the same transaction as work to do. That is done afterwards, in order
//! (`actions`), by the verbs that anybody else uses.

mod acting;
mod actions;
mod context;
mod memory;
mod sending;
#[cfg(test)]
mod tests;
mod triggers;

use std::collections::BTreeSet;

use uuid::Uuid;

use super::App;
use super::events;
use super::request::Repeat;
use super::tx::{Effect, Tx};
use crate::domain::automation::{Action, Automation, MOST, NewAutomation, Plan, PlanUpdate, told};
use crate::domain::error::{Error, Kind, Result};
use crate::domain::filter::{Filters, Page, Sort};
use crate::domain::ids::{AutomationId, DeploymentId};
use crate::storage::removal::Removal;
use crate::storage::{Connection, automations, rows};

pub(in crate::app) use memory::Memory;
pub(in crate::app) use triggers::see;

/// The most characters of the name of a resource.
const LONGEST_RESOURCE: usize = 1000;

impl App {
    /// Creates an automation.
    ///
    /// Fails as invalid also where job variables do not fit those of a pool, and as not found where
    /// they are for a deployment that is not there.
    pub async fn create_automation(&self, new: NewAutomation) -> Result<Automation> {
        let plan = new.plan.checked()?;
        self.check_jobs(&plan.actions, "creating automation")
            .await?;
        let owner = new.owner;
        if owner
            .as_ref()
            .is_some_and(|owner| owner.len() > LONGEST_RESOURCE)
        {
            let words = format!("owner_resource has at most {LONGEST_RESOURCE} bytes.");
            return Err(Error::invalid(words));
        }
        self.write(move |tx| {
            if automations::count(tx.db)? >= MOST {
                let words = format!("There are {MOST} automations, and there can be no more.");
                return Err(Error::new(Kind::Conflict, words));
            }
            let id = automations::insert(tx.db, AutomationId::new(), &plan, tx.now)?;
            if let Some(owner) = &owner {
                automations::relate(tx.db, id, owner, true)?;
            }
            relate(tx, id, &plan)?;
            begin_anew(tx, id, "created")
        })
        .await
    }

    /// Checks what runs would be started with that actions begin.
    async fn check_jobs(&self, actions: &[Action], doing: &str) -> Result<()> {
        for action in actions {
            if let Action::RunDeployment(run) = action
                && let Some(id) = run.deployment_id
                && let Some(own) = run.job_variables.as_ref().filter(|own| !own.is_empty())
            {
                let deployment = self.deployment(DeploymentId::from_uuid(id)).await?;
                self.check_job_of_run(&deployment, Some(own), doing).await?;
            }
        }
        Ok(())
    }

    /// One automation.
    pub async fn automation(&self, id: AutomationId) -> Result<Automation> {
        self.read(move |db| read(db, id)).await
    }

    /// A page of automations.
    pub async fn automations(
        &self,
        filters: Filters,
        sort: Sort,
        page: Page,
    ) -> Result<Vec<Automation>> {
        self.scan(move |db| rows::page(db, &filters, sort, page))
            .await
    }

    /// How many automations match.
    pub async fn count_automations(&self, filters: Filters) -> Result<u64> {
        self.scan(move |db| rows::count::<Automation>(db, &filters))
            .await
    }

    /// The automations that have to do with a resource: that go with it, or act on it.
    pub async fn automations_of_resource(&self, resource: String) -> Result<Vec<Automation>> {
        self.scan(move |db| automations::of_resource(db, &resource, false))
            .await
    }

    /// Has an automation be like that. What its triggers have counted is forgotten.
    pub async fn replace_automation(&self, id: AutomationId, update: PlanUpdate) -> Result<()> {
        let update = update.checked()?;
        self.check_jobs(&update.actions, "updating automation")
            .await?;
        self.write(move |tx| {
            let known = read(tx.db, id)?;
            let plan = update.over(known.plan);
            automations::update(tx.db, id, &plan, tx.now)?;
            automations::unrelate(tx.db, id)?;
            relate(tx, id, &plan)?;
            begin_anew(tx, id, "updated").map(drop)
        })
        .await
    }

    /// Turns an automation on or off. What its triggers have counted is forgotten.
    pub async fn enable_automation(&self, id: AutomationId, enabled: bool) -> Result<()> {
        self.write(move |tx| {
            let known = read(tx.db, id)?;
            let is_same = known.plan.enabled == enabled;
            let plan = Plan {
                enabled,
                ..known.plan
            };
            plan.check().map_err(Error::invalid)?;
            automations::update(tx.db, id, &plan, tx.now)?;
            match is_same {
                true => tell(tx, &read(tx.db, id)?, "updated"),
                false => begin_anew(tx, id, "updated").map(drop),
            }
        })
        .await
    }

    /// Removes an automation. What it has decided already is done.
    pub async fn delete_automation(&self, id: AutomationId) -> Result<()> {
        self.remove(Removal::Automation(id)).await
    }

    /// Removes the automations that go with a resource.
    pub async fn delete_automations_of_resource(&self, resource: String) -> Result<()> {
        let owned = self.scan(move |db| automations::of_resource(db, &resource, true));
        let ids = owned.await?.into_iter().map(|known| known.id).collect();
        self.remove_each(ids, Removal::Automation).await?;
        Ok(())
    }
}

impl Repeat for Automation {
    fn made(&self) -> Option<Vec<Uuid>> {
        Some(vec![self.id.uuid()])
    }

    fn again(tx: &mut Tx<'_>, made: &[Uuid]) -> Result<Self> {
        let id = made.first().copied().map(AutomationId::from_uuid);
        id.map_or_else(|| Err(unknown()), |id| read(tx.db, id))
    }
}

/// Has an automation have to do with the deployments that it runs.
fn relate(tx: &Tx<'_>, id: AutomationId, plan: &Plan) -> Result<()> {
    let selected = plan.actions.iter().filter_map(|action| match action {
        Action::RunDeployment(run) => run.deployment_id,
        _ => None,
    });
    for deployment in selected.collect::<BTreeSet<_>>() {
        let resource = format!("prefect.deployment.{deployment}");
        automations::relate(tx.db, id, &resource, false)?;
    }
    Ok(())
}

/// Has the triggers of an automation begin to wait, and tells what became of it.
fn begin_anew(tx: &mut Tx<'_>, id: AutomationId, how: &str) -> Result<Automation> {
    automations::windows::forget(tx.db, id)?;
    let automation = read(tx.db, id)?;
    triggers::begin(tx, &automation)?;
    tell(tx, &automation, how)?;
    Ok(automation)
}

fn tell(tx: &mut Tx<'_>, automation: &Automation, how: &str) -> Result<()> {
    tx.automations.doubt();
    tx.entail(Effect::KeepAutomations);
    let event = told::changed(automation, how, tx.now);
    events::emit(tx, event)
}

/// Has an automation that is about to go look at nothing any more.
pub(in crate::app) fn turn_off(tx: &mut Tx<'_>, known: Automation) -> Result<()> {
    let plan = Plan {
        enabled: false,
        ..known.plan
    };
    automations::update(tx.db, known.id, &plan, tx.now)?;
    tx.automations.doubt();
    tx.entail(Effect::KeepAutomations);
    Ok(())
}

/// Removes an automation of which nothing else is left.
pub(in crate::app) fn delete(tx: &mut Tx<'_>, known: &Automation) -> Result<()> {
    rows::delete(tx.db, known.id)?;
    tell(tx, known, "deleted")
}

fn read(db: &Connection, id: AutomationId) -> Result<Automation> {
    rows::by_id(db, id)?.ok_or_else(unknown)
}

fn unknown() -> Error {
    Error::not_found("Automation")
}
