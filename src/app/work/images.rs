//! The images that containers of runs are made from, as far as deployments and pools tell.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use serde_json::Value;

use super::jobs::environment;
use crate::app::App;
use crate::domain::JsonMap;
use crate::domain::error::{Error, Result};
use crate::domain::template::{Blocks, MOST_VARIABLES, Surroundings, variables_named};
use crate::domain::time::Timestamp;
use crate::domain::work::job::image;
use crate::domain::work::{PoolKind, WorkPool};
use crate::storage::{Connection, deployments, rows, variables};

/// So many different ways to name an image are looked at, those of the deployments that changed
/// last.
const MOST: usize = 200;

/// What the image of deployments of a pool comes from.
struct Parts {
    template: Arc<JsonMap>,
    job_variables: JsonMap,
    variables: BTreeMap<String, Value>,
    changed: Timestamp,
}

impl App {
    /// The images of deployments, as far as the last few hundred of them tell: those that they name, and those that the templates of
    /// their docker pools come to, where they come to none that of pools by `default`. Each once,
    /// that of the deployment that changed last first.
    pub async fn images_in_use(&self, default: String) -> Result<Vec<String>> {
        let (mut named, parts) = self
            .scan(|db| {
                let of_pools = gathered(db, &PoolKind::Docker)?;
                Ok((deployments::images(db, MOST)?, of_pools))
            })
            .await?;
        // What filling templates in takes is in the hands of whoever wrote them.
        let resolved = tokio::task::spawn_blocking(move || {
            let of_pools = parts.iter().filter_map(|parts| parts.image(&default));
            named.extend(of_pools);
            newest_first(named)
        });
        resolved.await.map_err(Error::internal)
    }

    /// The same of what is always on the cluster: the runs of its own pools.
    pub async fn images_on_cluster(&self, default: String) -> Result<Vec<String>> {
        let parts = self.scan(|db| gathered(db, &PoolKind::Swarm)).await?;
        let resolved = tokio::task::spawn_blocking(move || {
            newest_first(parts.iter().filter_map(|it| it.image(&default)).collect())
        });
        resolved.await.map_err(Error::internal)
    }
}

impl Parts {
    /// None where the template cannot be filled in, which every run of it tells.
    fn image(&self, default: &str) -> Option<(String, Timestamp)> {
        let surroundings = Surroundings {
            variables: &self.variables,
            environment: &environment,
            blocks: &Blocks::default(),
        };
        let image = image(&self.template, &self.job_variables, &surroundings).ok()?;
        let image = image.unwrap_or_else(|| default.to_owned());
        Some((image, self.changed))
    }
}

/// Of deployments to pools of a kind.
fn gathered(db: &Connection, kind: &PoolKind) -> Result<Vec<Parts>> {
    let mut pools = HashMap::new();
    let mut gathered = Vec::new();
    for (pool, job_variables, changed) in deployments::pool_jobs(db, kind, MOST)? {
        let template = match pools.get(&pool) {
            Some(known) => Arc::clone(known),
            None => {
                let found: Option<WorkPool> = rows::by_id(db, pool)?;
                let template = found.map(|pool| pool.base_job_template);
                let template = Arc::new(template.unwrap_or_default());
                pools.insert(pool, Arc::clone(&template));
                template
            }
        };
        let values = template.values().chain(job_variables.values());
        gathered.push(Parts {
            variables: stored(db, values)?,
            template,
            job_variables,
            changed,
        });
    }
    Ok(gathered)
}

/// The stored variables that values refer to, up to as many as a job may refer to.
fn stored<'v>(
    db: &Connection,
    values: impl Iterator<Item = &'v Value>,
) -> Result<BTreeMap<String, Value>> {
    let mut found = BTreeMap::new();
    for name in variables_named(values).into_iter().take(MOST_VARIABLES) {
        if let Some(variable) = variables::by_name(db, &name)? {
            found.insert(name, variable.value);
        }
    }
    Ok(found)
}

fn newest_first(mut named: Vec<(String, Timestamp)>) -> Vec<String> {
    named.sort_by(|(one, at), (other, then)| then.cmp(at).then_with(|| one.cmp(other)));
    let mut known = HashSet::new();
    named.retain(|(image, _)| known.insert(image.clone()));
    named.into_iter().map(|(image, _)| image).collect()
}
