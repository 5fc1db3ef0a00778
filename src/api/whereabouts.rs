//! Where a run is, as far as only the cluster knows.

use super::ApiState;
use crate::domain::error::Result;
use crate::domain::flow_run::FlowRun;
use crate::domain::ids::FlowRunId;
use crate::domain::node::OnCluster;
use crate::domain::why::Why;

impl ApiState {
    /// Why a run is not further than it is, with the cluster's word where it is on one.
    ///
    /// # Errors
    /// Where there is no such run, or the store cannot be read.
    pub async fn why(&self, id: FlowRunId) -> Result<Why> {
        let why = self.app.why(id).await?;
        if !why.is_about_its_place() {
            return Ok(why);
        }
        let run = self.app.flow_run(id).await?;
        let place = self.on_cluster(&run).await;
        Ok(match place {
            Some(place) => why.on_cluster(&place),
            None => why,
        })
    }

    /// Where on a cluster a run is, or was when it ended; nothing where it is on none, or the
    /// cluster does not say.
    pub async fn on_cluster(&self, run: &FlowRun) -> Option<OnCluster> {
        let claimed = run.claim.as_ref();
        let made = claimed.and_then(|claim| claim.infrastructure_id.clone());
        self.host
            .on_cluster(made.or_else(|| run.infrastructure_pid.clone()))
            .await
    }
}
