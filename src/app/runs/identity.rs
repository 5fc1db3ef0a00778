//! Runs that ask for something: who they are, and what is theirs.

use std::collections::HashSet;

use crate::app::App;
use crate::domain::access::{PeerIdentity, RunIdentity, RunKeyDigest, Targets, executes};
use crate::domain::error::{Error, Result};
use crate::domain::flow_run::FlowRun;
use crate::domain::ids::{ArtifactId, FlowRunId};
use crate::domain::time::Timestamp;
use crate::storage::{Connection, artifacts, flow_runs, rows, run_keys, task_runs};

impl App {
    /// Whether `peer` is what executes the run, and whether the run has ended; `None` when
    /// there is no such run.
    pub async fn run_identity(
        &self,
        id: FlowRunId,
        peer: PeerIdentity,
    ) -> Result<Option<RunIdentity>> {
        let now = self.now();
        self.read(move |db| {
            let Some(run) = rows::by_id(db, id)? else {
                return Ok(None);
            };
            let claim = run.claim.as_ref();
            let recorded = claim.and_then(|claim| claim.infrastructure_id.as_deref());
            let is_its_own = executes(&peer, claim.is_some(), recorded);
            Ok(Some(identity(&run, is_its_own, now)))
        })
        .await
    }

    /// The run that a key speaks for; `None` when there is no such key.
    pub async fn run_of_key(&self, key: RunKeyDigest) -> Result<Option<RunIdentity>> {
        let now = self.now();
        self.read(move |db| {
            let Some(key) = run_keys::find(db, &key)? else {
                return Ok(None);
            };
            let run = rows::by_id(db, key.flow_run)?;
            Ok(run.map(|run| identity(&run, key.is_in_force(run.claim.as_ref()), now)))
        })
        .await
    }

    /// Whether all the targets are that run or were begun by it.
    pub async fn are_all_of(&self, id: FlowRunId, targets: Targets) -> Result<bool> {
        self.read(move |db| all_within(db, id, &targets)).await
    }

    /// Those of `runs` that are that run or were begun by it.
    pub async fn those_of(
        &self,
        id: FlowRunId,
        runs: HashSet<FlowRunId>,
    ) -> Result<HashSet<FlowRunId>> {
        self.read(move |db| {
            let mut own = HashSet::new();
            for run in runs {
                if run == id || flow_runs::is_within(db, run, id)? {
                    own.insert(run);
                }
            }
            Ok(own)
        })
        .await
    }
}

fn identity(run: &FlowRun, is_its_own: bool, now: Timestamp) -> RunIdentity {
    let state = run.state.as_ref().filter(|state| state.kind.is_terminal());
    RunIdentity {
        id: run.id,
        deployment: run.deployment_id,
        is_its_own,
        ended: state.map(|state| state.timestamp),
        now,
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
    for id in &targets.artifacts {
        match run_that_left(db, *id)? {
            Some(run) if is_within(run)? => {}
            _ => return Ok(false),
        }
    }
    for id in &targets.flow_runs {
        if !is_within(*id)? {
            return Ok(false);
        }
    }
    for id in &targets.task_runs {
        match task_runs::flow_run_of(db, *id)? {
            Some(run) if is_within(run)? => {}
            // Its event has yet to come; a line that names it is the run's that it names as well.
            None if !targets.flow_runs.is_empty() => {}
            _ => return Ok(false),
        }
    }
    Ok(true)
}

/// The flow run that left an artifact, itself or by a task run.
fn run_that_left(db: &Connection, id: ArtifactId) -> Result<Option<FlowRunId>> {
    match artifacts::runs_of(db, id)? {
        Some((Some(run), _)) => Ok(Some(run)),
        Some((None, Some(task))) => task_runs::flow_run_of(db, task),
        _ => Ok(None),
    }
}
