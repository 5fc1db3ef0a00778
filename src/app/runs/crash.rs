//! Tells the log, once, that a run has crashed: whoever said so, it came by here.

use super::propose_state::Decision;
use crate::app::deployments;
use crate::app::tx::{Effect, Tx};
use crate::domain::alert;
use crate::domain::error::Result;
use crate::domain::flow_run::FlowRun;
use crate::domain::runner::container_of;
use crate::domain::state::StateType;

/// A run that has crashed.
pub(in crate::app) struct Crash {
    id: String,
    name: String,
    deployment: Option<String>,
    container: Option<String>,
    message: String,
}

/// Has the crash told that a decision about `run` is, if it is one.
pub(super) fn entail(tx: &mut Tx<'_>, run: &FlowRun, decision: &Decision) -> Result<()> {
    let state = decision.state.as_ref();
    let Some(state) = state.filter(|state| state.kind == StateType::Crashed) else {
        return Ok(());
    };
    let path = |id| deployments::path(tx.db, id);
    let claim = run.claim.as_ref();
    let made = claim.and_then(|claim| claim.infrastructure_id.as_deref());
    let container = made.and_then(container_of);
    let crash = Crash {
        id: run.id.to_string(),
        name: run.name.clone(),
        deployment: run.deployment_id.map(path).transpose()?,
        container: container.map(str::to_owned),
        message: state.message.clone().unwrap_or_default(),
    };
    tx.entail(Effect::TellCrash(crash));
    Ok(())
}

impl Crash {
    /// Tells it.
    pub fn tell(&self) {
        tracing::error!(
            message_id = alert::RUN_CRASHED,
            prefect.flow_run_id = self.id,
            prefect.flow_run_name = self.name,
            prefect.deployment = self.deployment,
            container.id = self.container,
            "flow run '{}' has crashed: {}",
            self.name,
            self.message
        );
    }
}
