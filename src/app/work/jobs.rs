//! What the runs of pools are made of, when this daemon's agent takes them.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::app::tx::Tx;
use crate::domain::JsonMap;
use crate::domain::access::is_secret_name;
use crate::domain::deployment::Infrastructure;
use crate::domain::error::Result;
use crate::domain::flow_run::FlowRun;
use crate::domain::template::{MOST_VARIABLES, Surroundings, variables_named};
use crate::domain::work::job::{DeploymentOrigin, Origin, job};
use crate::storage::{Connection, rows, variables};

/// Names of this program's own environment that are nobody else's.
const OWN: [&str; 3] = ["PREFECTD", "LISTEN_", "CREDENTIALS_"];

/// What a run of a pool is made of; why there is no such thing is an answer, too. None where its
/// queue or its pool has gone.
pub(super) fn of_run(
    tx: &Tx<'_>,
    run: &FlowRun,
    worker: &str,
) -> Result<Option<Result<Infrastructure, String>>> {
    let Some(id) = run.work_queue_id else {
        return Ok(None);
    };
    let queue = rows::by_id(tx.db, id)?;
    let pool = queue.map(|queue| rows::by_id(tx.db, queue.work_pool_id));
    let Some(pool) = pool.transpose()?.flatten() else {
        return Ok(None);
    };
    let flow = rows::by_id(tx.db, run.flow_id)?;
    let deployment = run.deployment_id.map(|id| rows::by_id(tx.db, id));
    let deployment = deployment.transpose()?.flatten();
    let none = JsonMap::new();
    let own = run.job_variables.as_ref().unwrap_or(&none);
    let of_deployment = deployment.as_ref().map_or(&none, |it| &it.job_variables);
    let given = [&pool.base_job_template, of_deployment, own];
    let named = variables_named(given.into_iter().flat_map(JsonMap::values));
    if named.len() > MOST_VARIABLES {
        let words = format!("The job refers to more than {MOST_VARIABLES} variables.");
        return Ok(Some(Err(words)));
    }
    let variables = stored(tx.db, named)?;
    let surroundings = Surroundings {
        variables: &variables,
        environment: &environment,
    };
    let origin = Origin {
        run: run.id,
        run_name: &run.name,
        run_variables: own,
        flow: run.flow_id,
        flow_name: flow.as_ref().map_or("", |flow| flow.name.as_str()),
        deployment: deployment.as_ref().map(|deployment| DeploymentOrigin {
            id: deployment.id,
            name: &deployment.name,
            updated: deployment.updated,
            variables: &deployment.job_variables,
        }),
        pool: &pool,
        worker,
    };
    let made = job(&origin, &surroundings);
    Ok(Some(made.map_err(|error| error.to_string())))
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

/// A variable of this program's environment, which a template may name, but for its own and what
/// may be a secret.
fn environment(name: &str) -> Option<String> {
    let is_own = OWN.iter().any(|own| name.starts_with(own));
    match is_own || is_secret_name(name, &[]) {
        true => None,
        false => std::env::var(name).ok(),
    }
}
