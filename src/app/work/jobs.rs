//! What the runs of pools are made of, when this daemon's agent takes them.
//!
//! How long that takes is in the hands of whoever wrote a pool's template. So it is worked out
//! before a run is taken and not by the transaction that takes it, of all that is stored once the
//! run is due.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use serde_json::Value;

use super::gather::{Source, gather};
use crate::app::App;
use crate::domain::JsonMap;
use crate::domain::access::is_secret_name;
use crate::domain::deployment::Deployment;
use crate::domain::error::{Error, Result};
use crate::domain::flow::Flow;
use crate::domain::flow_run::FlowRun;
use crate::domain::ids::FlowRunId;
use crate::domain::template::{Blocks, MOST_BLOCKS, MOST_VARIABLES, Surroundings};
use crate::domain::time::Timestamp;
use crate::domain::work::WorkPool;
use crate::domain::work::block::InfrastructureBlock;
use crate::domain::work::job::{DeploymentOrigin, Origin, job};
use crate::storage::claims::{self, SettledJob};
use crate::storage::seal::Seal;

/// Names of this program's own environment that are nobody else's.
const OWN: [&str; 3] = ["PREFECTD", "LISTEN_", "CREDENTIALS_"];

/// What runs would be made of.
#[derive(Default)]
pub(super) struct Jobs {
    worker: String,
    of: HashMap<FlowRunId, Job>,
}

/// What a run would be made of; why there is no such thing is an answer, too.
struct Job {
    /// When the run had last changed.
    seen: Timestamp,
    made: Result<SettledJob, String>,
}

impl Jobs {
    /// The worker that would make them.
    pub fn worker(&self) -> &str {
        &self.worker
    }

    /// That of a run; none where that has changed since, or was not looked at.
    pub fn of(&self, run: &FlowRun) -> Option<&Result<SettledJob, String>> {
        let job = self.of.get(&run.id)?;
        (job.seen == run.updated).then_some(&job.made)
    }
}

impl App {
    /// What those runs of pools would be made of that this daemon's agent could take now, up to
    /// `limit` of each pool, if it were a worker of that name.
    pub(super) async fn next_jobs(
        &self,
        containers: bool,
        limit: u64,
        worker: String,
    ) -> Result<Jobs> {
        let now = self.now();
        let app = self.clone();
        let gathered = self
            .read(move |db| gather(db, &app, now, containers, limit))
            .await?;
        if gathered.is_empty() {
            return Ok(Jobs::default());
        }
        let resolve = move || {
            let of = gathered.into_iter().map(|parts| {
                let seen = parts.run.updated;
                let made = parts.job(&worker);
                (parts.run.id, Job { seen, made })
            });
            let of = of.collect();
            Jobs { worker, of }
        };
        let resolved = tokio::task::spawn_blocking(resolve).await;
        resolved.map_err(Error::internal)
    }

    /// A run with the settings of its job, where they lie under seal. What does not open stays as
    /// it is, and nothing is made of it.
    pub fn opened(&self, mut run: FlowRun) -> FlowRun {
        match claims::unsealed(|| self.seal(), &run) {
            Ok(Some(config)) => run.infrastructure.config = Some(config),
            Ok(None) => {}
            Err(error) => {
                tracing::error!(flow_run.id = %run.id, %error, "a job does not open");
            }
        }
        run
    }
}

/// All that a job is made of.
pub(super) struct Parts {
    pub run: FlowRun,
    pub flow: Option<Flow>,
    pub deployment: Option<Arc<Source<Deployment>>>,
    pub pool: Arc<Source<WorkPool>>,
    pub variables: BTreeMap<String, Value>,
    /// What it has of blocks, if anything; or why that is not there.
    pub blocks: Result<Option<OfBlocks>, String>,
    /// Whether it refers to more variables or blocks than a job may.
    pub refers_to_too_many: bool,
}

/// What a job has of blocks, and what seals that.
pub(super) struct OfBlocks {
    pub seal: Arc<Seal>,
    /// The values of those that it refers to.
    pub values: Blocks,
    /// What its deployment says that its runs run on.
    pub infrastructure: Option<InfrastructureBlock>,
}

impl Parts {
    fn job(&self, worker: &str) -> Result<SettledJob, String> {
        if self.refers_to_too_many {
            return Err(format!(
                "The job refers to more than {MOST_VARIABLES} variables or {MOST_BLOCKS} blocks."
            ));
        }
        let blocks = self.blocks.as_ref().map_err(String::clone)?;
        let no_blocks = Blocks::default();
        let surroundings = Surroundings {
            variables: &self.variables,
            environment: &environment,
            blocks: blocks.as_ref().map_or(&no_blocks, |it| &it.values),
        };
        let block = { blocks.as_ref() }.and_then(|it| it.infrastructure.as_ref());
        let none = JsonMap::new();
        let deployment = self.deployment.as_ref().map(|source| &source.it);
        let origin = Origin {
            run: self.run.id,
            run_name: &self.run.name,
            run_variables: self.run.job_variables.as_ref().unwrap_or(&none),
            flow: self.run.flow_id,
            flow_name: self.flow.as_ref().map_or("", |flow| flow.name.as_str()),
            deployment: deployment.map(|deployment| DeploymentOrigin {
                id: deployment.id,
                name: &deployment.name,
                updated: deployment.updated,
                variables: &deployment.job_variables,
                block,
            }),
            pool: &self.pool.it,
            worker,
        };
        let made = job(&origin, &surroundings).map(SettledJob::from);
        let made = made.map_err(|error| error.to_string())?;
        match blocks {
            Some(OfBlocks { seal, .. }) => {
                { made.sealed(seal, self.run.id) }.map_err(|error| error.to_string())
            }
            None => Ok(made),
        }
    }
}

/// A variable of this program's environment, which a template may name, but for its own and what
/// may be a secret.
pub(super) fn environment(name: &str) -> Option<String> {
    let is_own = OWN.iter().any(|own| name.starts_with(own));
    match is_own || is_secret_name(name, &[]) {
        true => None,
        false => std::env::var(name).ok(),
    }
}
