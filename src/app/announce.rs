//! Tells the log, once, that a run has crashed: whoever said so, it came by here.

use super::deployments::path;
use super::propose_state::Decision;
use crate::domain::alert;
use crate::domain::error::Result;
use crate::domain::flow_run::FlowRun;
use crate::domain::state::StateType;
use crate::storage::Connection;

/// A run that has crashed.
pub(super) struct Crash {
    id: String,
    name: String,
    deployment: Option<String>,
    container: Option<String>,
    message: String,
}

/// What there is to tell of a decision about `run`, to be told once it is committed.
pub(super) fn crash(db: &Connection, run: &FlowRun, decision: &Decision) -> Result<Option<Crash>> {
    let Some(state) = &decision.state else {
        return Ok(None);
    };
    if state.kind != StateType::Crashed {
        return Ok(None);
    }
    let deployment = run.deployment_id.map(|id| path(db, id)).transpose()?;
    let made = run
        .claim
        .as_ref()
        .and_then(|claim| claim.infrastructure_id.as_deref());
    let container = made.and_then(|made| made.strip_prefix("docker:"));
    Ok(Some(Crash {
        id: run.id.to_string(),
        name: run.name.clone(),
        deployment,
        container: container.map(str::to_owned),
        message: state.message.clone().unwrap_or_default(),
    }))
}

/// Tells it.
pub(super) fn tell(crash: Option<&Crash>) {
    let Some(crash) = crash else { return };
    tracing::error!(
        message_id = alert::RUN_CRASHED,
        prefect.flow_run_id = crash.id,
        prefect.flow_run_name = crash.name,
        prefect.deployment = crash.deployment,
        container.id = crash.container,
        "flow run '{}' has crashed: {}",
        crash.name,
        crash.message
    );
}
