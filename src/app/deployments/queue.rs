//! The work queue that takes a deployment's runs, by its names.

use crate::app::tx::Tx;
use crate::app::work::queues;
use crate::domain::deployment::{Deployment, QueueNames};
use crate::domain::error::{Error, Result};
use crate::domain::ids::WorkQueueId;
use crate::domain::patch::Patch;

/// The queue of these names; see [`queues::named`].
pub(super) fn named(tx: &mut Tx<'_>, names: Patch<QueueNames>) -> Result<Patch<WorkQueueId>> {
    match names {
        Patch::Keep => Ok(Patch::Keep),
        Patch::Clear => Ok(Patch::Clear),
        Patch::Set(QueueNames { pool, queue }) => {
            queues::named(tx, pool.as_deref(), queue.as_deref()).map(Patch::from)
        }
    }
}

/// The queue that takes a run of a deployment: the deployment's, or the one of that name in the
/// same pool.
pub(super) fn of_run(
    tx: &mut Tx<'_>,
    deployment: &Deployment,
    name: Option<&str>,
) -> Result<Option<WorkQueueId>> {
    match (name, &deployment.work_pool_name) {
        (None, _) => Ok(deployment.work_queue_id),
        (Some(name), Some(pool)) => queues::named(tx, Some(pool), Some(name)),
        (Some(name), None) => Err(Error::refused(format!(
            "Cannot create flow run in work queue {name} because deployment {} is not associated \
             with a work pool. Please remove work_pool_name and try again.",
            deployment.id
        ))),
    }
}
