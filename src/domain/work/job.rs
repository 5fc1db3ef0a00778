//! What a run of a work pool is made of: the pool's template, filled in with the job variables
//! of its deployment and its own, and what the run is told of where it came from.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::block::InfrastructureBlock;
use super::{PoolKind, WorkPool};
use crate::domain::JsonMap;
use crate::domain::deployment::Infrastructure;
use crate::domain::ids::{DeploymentId, FlowId, FlowRunId};
use crate::domain::runner::RunnerKind;
use crate::domain::template::{Surroundings, TemplateError, named, resolve};
use crate::domain::time::Timestamp;

/// The version of Prefect whose workers this one does the work of.
const VERSION: &str = "3.9.1";

/// In the place of a job's settings that hold values of blocks: the settings under seal.
pub const SEALED: &str = "sealed_job";

/// Where a job comes from.
#[derive(Clone, Debug, PartialEq)]
pub struct Origin<'a> {
    /// The run.
    pub run: FlowRunId,
    /// Its name.
    pub run_name: &'a str,
    /// Its own job variables.
    pub run_variables: &'a JsonMap,
    /// Its flow.
    pub flow: FlowId,
    /// Its flow's name.
    pub flow_name: &'a str,
    /// Its deployment.
    pub deployment: Option<DeploymentOrigin<'a>>,
    /// The pool.
    pub pool: &'a WorkPool,
    /// The worker's name.
    pub worker: &'a str,
}

/// The deployment that a job comes from.
#[derive(Clone, Debug, PartialEq)]
pub struct DeploymentOrigin<'a> {
    /// Its id.
    pub id: DeploymentId,
    /// Its name.
    pub name: &'a str,
    /// When it last changed.
    pub updated: Timestamp,
    /// Its job variables.
    pub variables: &'a JsonMap,
    /// The block that says what its runs run on, where agents of Prefect 2 would make that.
    pub block: Option<&'a InfrastructureBlock>,
}

/// What the run of a job is made of. `command` and `image` may be absent: whoever makes it has a
/// default. The labels of where it came from are apart, as `attribution`, under its own.
///
/// # Errors
/// Why there is no such job.
pub fn job(
    origin: &Origin<'_>,
    surroundings: &Surroundings<'_>,
) -> Result<Infrastructure, TemplateError> {
    let none = JsonMap::new();
    let deployment = origin.deployment.as_ref().map_or(&none, |it| it.variables);
    let block = origin.deployment.as_ref().and_then(|it| it.block);
    let (kind, mut config) = match block.filter(|_| origin.pool.kind == PoolKind::Agent) {
        Some(block) => block.job(deployment, origin.run_variables)?,
        None => of_template(origin, deployment, surroundings)?,
    };
    name(&mut config, origin, surroundings)?;
    let env = environment(origin, config.remove("env"));
    config.insert("env".to_owned(), env);
    config.insert("attribution".to_owned(), attribution(origin));
    Ok(Infrastructure {
        kind: Some(kind),
        config: Some(config),
    })
}

/// As what a job of the pool's template is made, and its settings.
fn of_template(
    origin: &Origin<'_>,
    deployment: &JsonMap,
    surroundings: &Surroundings<'_>,
) -> Result<(RunnerKind, JsonMap), TemplateError> {
    let run = origin.run_variables;
    let config = match origin.pool.base_job_template.is_empty() {
        // As a template whose job is all of its variables.
        true => resolve(&plain(deployment, run), deployment, run, surroundings)?,
        false => resolve(
            &origin.pool.base_job_template,
            deployment,
            run,
            surroundings,
        )?,
    };
    Ok((kind(&origin.pool.kind, &config), config))
}

/// The image that jobs of a pool's template and a deployment are made from where their runs say
/// nothing; none where that is left to whoever makes them.
///
/// # Errors
/// Why the template cannot be filled in.
pub fn image(
    template: &JsonMap,
    deployment: &JsonMap,
    surroundings: &Surroundings<'_>,
) -> Result<Option<String>, TemplateError> {
    let none = JsonMap::new();
    let mut template = match template.is_empty() {
        true => plain(deployment, &none),
        false => template.clone(),
    };
    // The rest of the job may refer to blocks, which an image hardly does.
    if let Some(Value::Object(job)) = template.get_mut("job_configuration") {
        job.retain(|name, _| name == "image");
    }
    let variables = template.get_mut("variables");
    if let Some(Value::Object(properties)) = variables.and_then(|it| it.get_mut("properties")) {
        properties.remove("env");
    }
    let mut job = resolve(&template, deployment, &none, surroundings)?;
    Ok(match job.remove("image") {
        Some(Value::String(image)) if !image.is_empty() => Some(image),
        _ => None,
    })
}

/// The labels of a job as the engine takes them: `prefect.io/flow-run-id` is
/// `io.prefect.flow-run-id`.
pub fn engine_labels(
    labels: impl IntoIterator<Item = (String, String)>,
) -> BTreeMap<String, String> {
    let turned = |name: String| match name.split_once('/') {
        Some((space, key)) => {
            let parts: Vec<_> = space.split('.').rev().collect();
            format!("{}.{key}", parts.join("."))
        }
        None => name,
    };
    labels
        .into_iter()
        .map(|(name, value)| (turned(name), value))
        .collect()
}

/// A pool for agents has jobs of both kinds.
fn kind(pool: &PoolKind, config: &JsonMap) -> RunnerKind {
    match pool {
        PoolKind::Docker => RunnerKind::DockerJob,
        PoolKind::Swarm => RunnerKind::SwarmJob,
        PoolKind::Agent if config.contains_key("image") => RunnerKind::DockerJob,
        PoolKind::Process | PoolKind::Agent | PoolKind::Other(_) => RunnerKind::ProcessJob,
    }
}

/// A template whose job is all of these variables.
fn plain(deployment: &JsonMap, run: &JsonMap) -> JsonMap {
    let names = deployment.keys().chain(run.keys());
    let names = names.map(|name| name.split(['.', '[']).next().unwrap_or(name));
    let job: JsonMap = names
        .map(|name| (name.to_owned(), format!("{{{{ {name} }}}}").into()))
        .collect();
    JsonMap::from_iter([("job_configuration".to_owned(), job.into())])
}

/// Settles the name, which may refer to the flow and the run.
fn name(
    config: &mut JsonMap,
    origin: &Origin<'_>,
    surroundings: &Surroundings<'_>,
) -> Result<(), TemplateError> {
    let Some(Value::String(name)) = config.get("name") else {
        return Ok(());
    };
    let ctx = json!({
        "flow": { "id": origin.flow.to_string(), "name": origin.flow_name },
        "flow_run": { "id": origin.run.to_string(), "name": origin.run_name },
    });
    match named(name, ctx, surroundings)? {
        Some(name) => drop(config.insert("name".to_owned(), name.into())),
        None => drop(config.remove("name")),
    }
    Ok(())
}

/// The job's own environment over what a run is told of where it came from, but for which run it
/// is and which worker made it. A variable that is null is taken away.
fn environment(origin: &Origin<'_>, own: Option<Value>) -> Value {
    let mut env = JsonMap::new();
    let mut tell = |name: &str, value: String| env.insert(name.to_owned(), value.into());
    tell("PREFECT__FLOW_ID", origin.flow.to_string());
    tell("PREFECT__FLOW_NAME", origin.flow_name.to_owned());
    if let Some(deployment) = &origin.deployment {
        tell("PREFECT__DEPLOYMENT_ID", deployment.id.to_string());
        tell("PREFECT__DEPLOYMENT_NAME", deployment.name.to_owned());
    }
    if let Some(Value::Object(own)) = own {
        env.extend(own);
    }
    // By these the run is known here, and the worker that made it.
    for (name, value) in [
        ("PREFECT__FLOW_RUN_ID", origin.run.to_string()),
        ("PREFECT__WORKER_NAME", origin.worker.to_owned()),
    ] {
        env.insert(name.to_owned(), value.into());
    }
    env.retain(|_, value| !value.is_null());
    env.into()
}

/// Labels that say where a job came from.
fn attribution(origin: &Origin<'_>) -> Value {
    let mut labels = JsonMap::new();
    let mut tell = |name: &str, value: String| {
        labels.insert(format!("prefect.io/{name}"), value.into());
    };
    tell("flow-run-id", origin.run.to_string());
    tell("flow-run-name", origin.run_name.to_owned());
    tell("version", VERSION.to_owned());
    tell("work-pool-name", origin.pool.name.clone());
    tell("work-pool-id", origin.pool.id.to_string());
    tell("worker-name", origin.worker.to_owned());
    tell("flow-id", origin.flow.to_string());
    tell("flow-name", origin.flow_name.to_owned());
    if let Some(deployment) = &origin.deployment {
        tell("deployment-id", deployment.id.to_string());
        tell("deployment-name", deployment.name.to_owned());
        if let Some(updated) = deployment.updated.utc() {
            tell("deployment-updated", updated.to_rfc3339());
        }
    }
    labels.into()
}
