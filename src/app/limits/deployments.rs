//! The limits of deployments among those by name. Each lies with its deployment, which it has its
//! id of, and changes and goes by a change of that.

use super::LimitKey;
use crate::app::App;
use crate::domain::concurrency_limit::{ConcurrencyLimit, DEPLOYMENT, LimitUpdate};
use crate::domain::deployment::{DeploymentChanges, DeploymentUpdate};
use crate::domain::error::{Error, Result};
use crate::domain::ids::{DeploymentId, LimitId};
use crate::domain::patch::Patch;
use crate::storage::{Connection, concurrency_limits};

/// The deployment whose limit that could be.
fn deployment(key: &LimitKey) -> Option<DeploymentId> {
    match key {
        LimitKey::Id(id) => Some(DeploymentId::from_uuid(id.uuid())),
        LimitKey::Name(name) => name.strip_prefix(DEPLOYMENT)?.parse().ok(),
    }
}

/// The limit of a deployment.
pub fn find(db: &Connection, key: &LimitKey) -> Result<Option<ConcurrencyLimit>> {
    match deployment(key) {
        Some(id) => concurrency_limits::of_deployment(db, id),
        None => Ok(None),
    }
}

impl App {
    /// Changes the limit of a deployment.
    pub(super) async fn update_limit_of(&self, id: LimitId, update: LimitUpdate) -> Result<()> {
        let LimitUpdate {
            name,
            slots,
            active,
            decay,
            taken: _,
            denied: _,
        } = update;
        if name.is_some() || active == Some(false) || decay.is_some_and(|decay| decay != 0.0) {
            let told = "Of a limit of a deployment only `limit` can be changed.";
            return Err(Error::invalid(told));
        }
        match slots {
            Some(slots) => self.limit_deployment(id, Patch::Set(slots)).await,
            None => Ok(()),
        }
    }

    /// Removes the limit of a deployment.
    pub(super) async fn delete_limit_of(&self, id: LimitId) -> Result<()> {
        self.limit_deployment(id, Patch::Clear).await
    }

    async fn limit_deployment(&self, id: LimitId, limit: Patch<i64>) -> Result<()> {
        let changes = DeploymentChanges {
            concurrency_limit: limit,
            ..DeploymentChanges::default()
        };
        let update = DeploymentUpdate {
            schedules: None,
            changes,
            by: None,
        };
        let deployment = DeploymentId::from_uuid(id.uuid());
        self.update_deployment(deployment, update).await
    }
}
