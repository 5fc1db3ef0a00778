//! Verbs on deployments.

mod documents;
pub(super) mod flow;
mod queue;
mod runs;
pub(super) mod schedules;
mod values;
mod write;

use self::schedules::forget_some;
use self::write::SLICE;
use super::App;
use super::budget::Budget;
use super::events::emit;
use super::tx::{Effect, Tx};
use crate::domain::deployment::{Around, Deployment};
use crate::domain::error::{Error, Result};
use crate::domain::event::lifecycle;
use crate::domain::filter::{Filters, Page, Sort};
use crate::domain::ids::DeploymentId;
use crate::storage::removal::Removal;
use crate::storage::{Connection, deployments, events, flows, rows};

impl App {
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
        self.scan(move |db| ids.iter().map(|id| deployments::around(db, *id)).collect())
            .await
    }

    /// A page of deployments.
    pub async fn deployments(
        &self,
        filters: Filters,
        sort: Sort,
        page: Page,
    ) -> Result<Vec<Deployment>> {
        self.find(move |db| rows::page(db, &filters, sort, page))
            .await
    }

    /// How many deployments match.
    pub fn count_deployments(&self, filters: Filters) -> impl Future<Output = Result<u64>> + Send {
        self.count::<Deployment>(filters)
    }

    /// Follows the deployment's schedules, making their next runs at once, or stops to and
    /// removes those that have not begun.
    pub async fn set_schedule_active(&self, id: DeploymentId, active: bool) -> Result<()> {
        self.write(move |tx| {
            // As on the reference no event tells of it.
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
        self.follow(id).await
    }

    /// Removes a deployment and its runs that have not begun; the others stay.
    pub async fn delete_deployment(&self, id: DeploymentId) -> Result<()> {
        self.remove(Removal::Deployment(id)).await
    }
}

/// Tells of a deployment.
pub(in crate::app) fn tell(tx: &mut Tx<'_>, word: &str, deployment: &Deployment) -> Result<()> {
    let belongs_to = events::deployment_belongs_to(tx.db, deployment)?;
    let event = lifecycle::deployment(word, deployment, belongs_to, tx.now);
    emit(tx, event)
}

/// Tells what of a deployment is not as before, if anything.
fn tell_changes(tx: &mut Tx<'_>, before: &Deployment) -> Result<()> {
    let after = read(tx.db, before.id)?;
    let changes = lifecycle::deployment_changes(before, &after);
    if changes.is_empty() {
        return Ok(());
    }
    let belongs_to = events::deployment_belongs_to(tx.db, &after)?;
    let event = lifecycle::deployment("updated", &after, belongs_to, tx.now);
    emit(tx, lifecycle::updated(event, changes))
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
