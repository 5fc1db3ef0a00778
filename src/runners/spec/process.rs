//! From a run to the description of a process of this machine.

use super::*;

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct SubprocessConfig {
    env: BTreeMap<String, String>,
    stream_output: bool,
    condaenv: Option<String>,
    virtualenv: Option<String>,
    time_limit_seconds: Option<f64>,
}

pub(super) fn job(run: &FlowRun, settings: &RunnerSettings) -> Result<Job, RunnerError> {
    let config: SubprocessConfig = config(run.infrastructure.config.clone().unwrap_or_default())?;
    let env = with_api(config.env, settings.api_url.as_deref());
    let process = match (config.condaenv, config.virtualenv) {
        (Some(_), Some(_)) => {
            return Err(RunnerError::Refused(
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
        time_limit: time_limit(config.time_limit_seconds)?,
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
