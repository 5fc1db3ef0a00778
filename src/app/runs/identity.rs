//! How a run stands that asks for something.

use std::collections::HashSet;

use crate::app::App;
use crate::domain::access::{Neighbour, Standing, Targets, executes};
use crate::domain::error::{Error, Result};
use crate::domain::ids::FlowRunId;
use crate::storage::{Connection, flow_runs, task_runs};

impl App {
    /// Whether `neighbour` is what executes the run, whether the run has ended, and whether it
    /// aims at nothing but itself and what it began; `None` when there is no such run.
    pub async fn standing(
        &self,
        id: FlowRunId,
        neighbour: Neighbour,
        targets: Targets,
    ) -> Result<Option<Standing>> {
        let now = self.now();
        self.read(move |db| {
            let Some(run) = flow_runs::by_id(db, id)? else {
                return Ok(None);
            };
            let claim = run.claim.as_ref();
            let recorded = claim.and_then(|claim| claim.infrastructure_id.as_deref());
            let state = run.state.as_ref().filter(|state| state.kind.is_terminal());
            Ok(Some(Standing {
                is_its_own: executes(&neighbour, claim.is_some(), recorded),
                ended: state.map(|state| state.timestamp),
                now,
                aims_at_its_own: all_within(db, id, &targets)?,
            }))
        })
        .await
    }
}

/// Each run is looked up once, however many of its task runs are targets.
fn all_within(db: &Connection, ancestor: FlowRunId, targets: &Targets) -> Result<bool> {
    let mut within = HashSet::from([ancestor]);
    let mut is_within = |id: FlowRunId| {
        if within.contains(&id) {
            return Ok(true);
        }
        let is_within = flow_runs::is_within(db, id, ancestor)?;
        if is_within {
            within.insert(id);
        }
        Ok::<_, Error>(is_within)
    };
    for id in &targets.flow_runs {
        if !is_within(*id)? {
            return Ok(false);
        }
    }
    for id in &targets.task_runs {
        match task_runs::flow_run_of(db, *id)? {
            Some(run) if is_within(run)? => {}
            _ => return Ok(false),
        }
    }
    Ok(true)
}
