//! From a run to the description of its process. Pure: no engine, no file, no environment.
//!
//! The settings are those of the 2.0a7 generation's flow runners.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::RunnerError;
use crate::domain::flow_run::FlowRun;
use crate::domain::ids::FlowRunId;

/// The label that says which run a container is for.
pub const RUN_LABEL: &str = "io.prefect.flow-run-id";
/// The label that says which daemon made it.
pub const INSTANCE_LABEL: &str = "io.prefectd.instance";

/// The image of a deployment whose client sent none.
const DEFAULT_IMAGE: &str = "prefecthq/prefect:2.0a7-python3.9";
/// How a container reaches the machine that it runs on.
const HOST: &str = "host.docker.internal";
/// The longest name that a container gets.
const LONGEST_NAME: usize = 250;

/// What all runs of this daemon share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunnerSettings {
    /// Names this daemon's state directory among others on the machine.
    pub instance: String,
    /// Where the API is, such as `http://127.0.0.1:4200/api/`; absent under an ephemeral
    /// API, which lives within one process.
    pub api_url: Option<String>,
    /// The interpreter of subprocess runs that name no environment.
    pub python: String,
}

/// A process to be made for a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// The run.
    pub flow_run_id: FlowRunId,
    /// Its name.
    pub name: String,
    /// Whether what it prints also goes to the daemon's own log.
    pub stream_output: bool,
    /// What to make.
    pub kind: JobKind,
}

/// What to make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JobKind {
    /// A container.
    Container(Container),
    /// A process of this machine.
    Process(Process),
}

/// A container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Container {
    /// What it is called, unless that name is taken.
    pub name: String,
    /// Its image.
    pub image: String,
    /// Its command.
    pub command: Vec<String>,
    /// Its environment.
    pub env: BTreeMap<String, String>,
    /// The networks that it joins; none means the engine's default.
    pub networks: Vec<String>,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Its mounts, as `source:path[:options]`.
    pub volumes: Vec<String>,
    /// Names beyond DNS, as `name:address`.
    pub extra_hosts: Vec<String>,
    /// Whether it is removed once it has ended.
    pub auto_remove: bool,
}

/// A process of this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Process {
    /// Program and arguments.
    pub command: Vec<String>,
    /// Laid over the daemon's environment.
    pub env: BTreeMap<String, String>,
    /// Taken out of the daemon's environment.
    pub unset: Vec<String>,
    /// A folder put before the others on `PATH`.
    pub path_first: Option<String>,
}

#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
struct DockerConfig {
    image: Option<String>,
    env: BTreeMap<String, String>,
    networks: Vec<String>,
    labels: Option<BTreeMap<String, String>>,
    auto_remove: bool,
    volumes: Vec<String>,
    stream_output: bool,
}

impl Default for DockerConfig {
    fn default() -> Self {
        Self {
            image: None,
            env: BTreeMap::new(),
            networks: Vec::new(),
            labels: None,
            auto_remove: false,
            volumes: Vec::new(),
            stream_output: true,
        }
    }
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct SubprocessConfig {
    env: BTreeMap<String, String>,
    stream_output: bool,
    condaenv: Option<String>,
    virtualenv: Option<String>,
}

/// Describes the process of a run, or says why there can be none.
pub fn job(run: &FlowRun, settings: &RunnerSettings) -> Result<Job, RunnerError> {
    match run.infrastructure.kind.as_deref() {
        Some("docker") => container(run, settings),
        None | Some("subprocess" | "universal") => process(run, settings),
        Some(other) => Err(RunnerError(format!(
            "This agent runs flow runners of type 'docker' and 'subprocess', not {other:?}. \
             Deploy the flow with one of these."
        ))),
    }
}

fn config<T: for<'de> Deserialize<'de> + Default>(run: &FlowRun) -> Result<T, RunnerError> {
    let Some(config) = &run.infrastructure.config else {
        return Ok(T::default());
    };
    serde_json::from_value(config.clone().into())
        .map_err(|error| RunnerError(format!("The flow runner's settings are wrong: {error}.")))
}

fn container(run: &FlowRun, settings: &RunnerSettings) -> Result<Job, RunnerError> {
    let config: DockerConfig = config(run)?;
    let own_api = config.env.get("PREFECT_ORION_HOST").cloned();
    if own_api.is_none() && settings.api_url.is_none() {
        return Err(RunnerError(
            "An ephemeral API cannot serve a container. Start prefectd (systemctl start prefectd) \
             and point PREFECT_ORION_HOST to it."
                .to_owned(),
        ));
    }
    if let Some(bad) = config.volumes.iter().find(|volume| !volume.contains(':')) {
        return Err(RunnerError(format!(
            "The volume {bad:?} is not of the form 'path:container_path'."
        )));
    }
    let on_host = config.networks.iter().any(|network| network == "host");
    let api = settings.api_url.as_ref().map(|url| match on_host {
        true => url.clone(),
        false => url.replace("localhost", HOST).replace("127.0.0.1", HOST),
    });
    let local = own_api.as_deref().is_none_or(|url| {
        ["localhost", "127.0.0.1", HOST]
            .iter()
            .any(|name| url.contains(name))
    });
    let extra_hosts = match local && !on_host {
        true => vec![format!("{HOST}:host-gateway")],
        false => Vec::new(),
    };
    let mut labels = config.labels.unwrap_or_default();
    labels.insert(RUN_LABEL.to_owned(), run.id.to_string());
    labels.insert(INSTANCE_LABEL.to_owned(), settings.instance.clone());
    Ok(Job {
        flow_run_id: run.id,
        name: run.name.clone(),
        stream_output: config.stream_output,
        kind: JobKind::Container(Container {
            name: container_name(run),
            image: config.image.unwrap_or_else(|| DEFAULT_IMAGE.to_owned()),
            command: engine("python", run),
            env: with_api(config.env, api.as_deref()),
            networks: config.networks,
            labels,
            volumes: config.volumes,
            extra_hosts,
            auto_remove: config.auto_remove,
        }),
    })
}

fn process(run: &FlowRun, settings: &RunnerSettings) -> Result<Job, RunnerError> {
    let config: SubprocessConfig = config(run)?;
    let env = with_api(config.env, settings.api_url.as_deref());
    let process = match (config.condaenv, config.virtualenv) {
        (Some(_), Some(_)) => {
            return Err(RunnerError(
                "The flow runner names both a conda environment and a virtualenv; give one."
                    .to_owned(),
            ));
        }
        (Some(conda), None) => in_conda(run, &conda, env),
        (None, Some(venv)) => in_virtualenv(run, &venv, env),
        (None, None) => Process {
            command: engine(&settings.python, run),
            env,
            unset: Vec::new(),
            path_first: None,
        },
    };
    Ok(Job {
        flow_run_id: run.id,
        name: run.name.clone(),
        stream_output: config.stream_output,
        kind: JobKind::Process(process),
    })
}

/// By path when it looks like one, else by name.
fn in_conda(run: &FlowRun, conda: &str, env: BTreeMap<String, String>) -> Process {
    let by = match conda.starts_with(['/', '~']) {
        true => "--prefix",
        false => "--name",
    };
    let mut command: Vec<String> = ["conda", "run", by, conda].map(str::to_owned).into();
    command.extend(engine("python", run));
    Process {
        command,
        env,
        unset: Vec::new(),
        path_first: None,
    }
}

/// What activating the environment would set.
fn in_virtualenv(run: &FlowRun, venv: &str, mut env: BTreeMap<String, String>) -> Process {
    env.entry("VIRTUAL_ENV".to_owned())
        .or_insert_with(|| venv.to_owned());
    Process {
        command: engine(&format!("{venv}/bin/python"), run),
        env,
        unset: vec!["PYTHONHOME".to_owned()],
        path_first: Some(format!("{venv}/bin")),
    }
}

/// The command that executes a run.
fn engine(python: &str, run: &FlowRun) -> Vec<String> {
    let id = run.id.to_string();
    [python, "-m", "prefect.engine", &id]
        .map(str::to_owned)
        .into()
}

/// The API's address under both generations' names; what the user set stays.
fn with_api(mut env: BTreeMap<String, String>, api: Option<&str>) -> BTreeMap<String, String> {
    if let Some(api) = api {
        let modern = api.trim_end_matches('/').to_owned();
        env.entry("PREFECT_ORION_HOST".to_owned())
            .or_insert_with(|| api.to_owned());
        env.entry("PREFECT_API_URL".to_owned()).or_insert(modern);
    }
    env.entry("PYTHONUNBUFFERED".to_owned())
        .or_insert_with(|| "1".to_owned());
    env
}

/// The run's name in the letters that the engine allows, or the run's id when none is left.
fn container_name(run: &FlowRun) -> String {
    let mut name = String::new();
    for letter in run.name.chars() {
        if letter.is_ascii_alphanumeric() || matches!(letter, '_' | '.' | '-') {
            name.push(letter);
        } else if !name.ends_with('-') {
            name.push('-');
        }
    }
    name.truncate(LONGEST_NAME);
    let name = name
        .trim_start_matches(['_', '-', '.'])
        .trim_end_matches('-');
    match name.len() {
        // The engine asks for two letters at least.
        0 | 1 => run.id.to_string(),
        _ => name.to_owned(),
    }
}

#[cfg(test)]
mod tests;
