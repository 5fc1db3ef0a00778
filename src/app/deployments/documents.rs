//! The blocks that a deployment refers to.

use crate::app::tx::Tx;
use crate::domain::deployment::DeploymentChanges;
use crate::domain::error::{Error, Result};
use crate::domain::ids::BlockDocumentId;
use crate::domain::patch::Patch;
use crate::storage::rows;

/// Refuses changes that refer to blocks that are not there; `doing` is what is done by them.
pub(super) fn check(tx: &Tx<'_>, doing: &str, changes: &DeploymentChanges) -> Result<()> {
    let documents = [
        ("storage", &changes.storage_document_id),
        ("infrastructure", &changes.infrastructure_document_id),
    ];
    for (what, id) in documents {
        if let Patch::Set(id) = id
            && !rows::exists(tx.db, BlockDocumentId::from_uuid(*id))?
        {
            return Err(Error::conflict(format!(
                "Error {doing} deployment. Could not find {what} block with id: {id}. This usually \
                 occurs when applying a deployment specification that was built against a \
                 different Prefect database / workspace."
            )));
        }
    }
    Ok(())
}
