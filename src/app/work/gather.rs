//! What the jobs of runs of pools are made of, read from the store.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use serde_json::Value;
use uuid::Uuid;

use super::jobs::{OfBlocks, Parts};
use crate::app::App;
use crate::app::blocks::{documents, values_of};
use crate::domain::JsonMap;
use crate::domain::deployment::Deployment;
use crate::domain::error::{Error, Result};
use crate::domain::flow_run::FlowRun;
use crate::domain::ids::{BlockDocumentId, DeploymentId, FlowRunId, WorkPoolId};
use crate::domain::template::{
    Blocks, BlocksNamed, MOST_BLOCKS, MOST_VARIABLES, blocks_named, variables_named,
};
use crate::domain::time::Timestamp;
use crate::domain::work::block::{BlockKind, InfrastructureBlock};
use crate::domain::work::{PoolKind, WorkPool, WorkQueue, turn};
use crate::storage::claims::{self, Taker};
use crate::storage::seal::Seal;
use crate::storage::{Connection, rows, variables};

/// Something that job variables come from, and what these refer to.
pub(super) struct Source<T> {
    pub it: T,
    named: Named,
}

/// The stored variables and the blocks that values refer to.
#[derive(Clone, Default)]
struct Named {
    variables: BTreeSet<String>,
    blocks: BlocksNamed,
}

impl Named {
    fn of(values: &JsonMap) -> Self {
        Self {
            variables: variables_named(values.values()),
            blocks: blocks_named(values.values()),
        }
    }

    fn extend(&mut self, others: &Self) {
        self.variables.extend(others.variables.iter().cloned());
        self.blocks.extend(others.blocks.iter().cloned());
    }

    fn is_too_many(&self) -> bool {
        self.variables.len() > MOST_VARIABLES || self.blocks.len() > MOST_BLOCKS
    }
}

/// The runs of pools that are due, with all that their jobs are made of.
pub(super) fn gather(
    db: &Connection,
    app: &App,
    now: Timestamp,
    containers: bool,
    limit: u64,
) -> Result<Vec<Parts>> {
    let range = (Timestamp::from_micros(i64::MIN), now);
    let queues = claims::due_queues(db, now, containers)?;
    let due = turn::of_pools(&queues, limit, |queue, most| {
        claims::due_of_queue(db, (queue, Taker::Ours), range, most)
    })?;
    let mut gatherer = Gatherer {
        db,
        app,
        pools: HashMap::new(),
        deployments: HashMap::new(),
    };
    let gathered = due.into_iter().flatten().map(|(id, _)| gatherer.parts(id));
    gathered.filter_map(Result::transpose).collect()
}

/// Reads each pool and each deployment once.
struct Gatherer<'db> {
    db: &'db Connection,
    app: &'db App,
    pools: HashMap<WorkPoolId, Option<Arc<Source<WorkPool>>>>,
    deployments: HashMap<DeploymentId, Option<Arc<Source<Deployment>>>>,
}

impl Gatherer<'_> {
    /// None where the run, its queue or its pool has gone.
    fn parts(&mut self, id: FlowRunId) -> Result<Option<Parts>> {
        let Some(run): Option<FlowRun> = rows::by_id(self.db, id)? else {
            return Ok(None);
        };
        let queue = run.work_queue_id.map(|id| rows::by_id(self.db, id));
        let queue: Option<WorkQueue> = queue.transpose()?.flatten();
        let pool = queue.map(|queue| self.pool(queue.work_pool_id));
        let Some(pool) = pool.transpose()?.flatten() else {
            return Ok(None);
        };
        let deployment = run.deployment_id.map(|id| self.deployment(id));
        let deployment = deployment.transpose()?.flatten();
        let mut named = pool.named.clone();
        deployment.iter().for_each(|it| named.extend(&it.named));
        run.job_variables
            .iter()
            .for_each(|own| named.extend(&Named::of(own)));
        let refers_to_too_many = named.is_too_many();
        if refers_to_too_many {
            named = Named::default();
        }
        let infrastructure = { deployment.as_ref() }
            .and_then(|source| source.it.infrastructure_document_id)
            .filter(|_| pool.it.kind == PoolKind::Agent);
        let blocks = self.blocks(named.blocks, infrastructure);
        Ok(Some(Parts {
            flow: rows::by_id(self.db, run.flow_id)?,
            variables: stored(self.db, named.variables)?,
            blocks: blocks.map_err(|error| error.to_string()),
            run,
            deployment,
            pool,
            refers_to_too_many,
        }))
    }

    /// Those that are there, and what says what the run runs on.
    fn blocks(&self, named: BlocksNamed, infrastructure: Option<Uuid>) -> Result<Option<OfBlocks>> {
        if named.is_empty() && infrastructure.is_none() {
            return Ok(None);
        }
        let seal = self.app.seal()?;
        let mut values = Blocks::default();
        for name in named {
            if let Some(of_block) = values_of(self.db, &seal, &name)? {
                values.0.insert(name, of_block);
            }
        }
        let infrastructure = infrastructure.map(|id| self.infrastructure(&seal, id));
        Ok(Some(OfBlocks {
            infrastructure: infrastructure.transpose()?,
            values,
            seal,
        }))
    }

    /// An infrastructure block.
    ///
    /// # Errors
    /// Also where it is none that something is made of here, which is no such run's.
    fn infrastructure(&self, seal: &Seal, id: Uuid) -> Result<InfrastructureBlock> {
        let id = BlockDocumentId::from_uuid(id);
        let block = documents::by_id(self.db, seal, id)?
            .ok_or_else(|| Error::refused("The infrastructure block of the deployment is gone."))?;
        let slug = &block.kind.new.slug;
        let kind = BlockKind::of_slug(slug).ok_or_else(|| {
            Error::refused(format!(
                "The daemon's agent makes nothing of infrastructure blocks of the type {slug:?}."
            ))
        })?;
        let data = block.data(true);
        Ok(InfrastructureBlock { kind, data })
    }

    fn pool(&mut self, id: WorkPoolId) -> Result<Option<Arc<Source<WorkPool>>>> {
        if let Some(known) = self.pools.get(&id) {
            return Ok(known.clone());
        }
        let found = rows::by_id(self.db, id)?.map(|it: WorkPool| {
            let named = Named::of(&it.base_job_template);
            Arc::new(Source { it, named })
        });
        self.pools.insert(id, found.clone());
        Ok(found)
    }

    fn deployment(&mut self, id: DeploymentId) -> Result<Option<Arc<Source<Deployment>>>> {
        if let Some(known) = self.deployments.get(&id) {
            return Ok(known.clone());
        }
        let found = rows::by_id(self.db, id)?.map(|it: Deployment| {
            let named = Named::of(&it.job_variables);
            Arc::new(Source { it, named })
        });
        self.deployments.insert(id, found.clone());
        Ok(found)
    }
}

/// The values of those that are there.
fn stored(
    db: &Connection,
    named: impl IntoIterator<Item = String>,
) -> Result<BTreeMap<String, Value>> {
    let mut values = BTreeMap::new();
    for name in named {
        if let Some(variable) = variables::by_name(db, &name)? {
            values.insert(name, variable.value);
        }
    }
    Ok(values)
}
