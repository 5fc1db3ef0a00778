//! From a run to the description of a process of this machine.

use std::path::Path;

use super::*;

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct SubprocessConfig {
    #[serde(deserialize_with = "texts")]
    env: BTreeMap<String, String>,
    stream_output: bool,
    condaenv: Option<String>,
    virtualenv: Option<String>,
    time_limit_seconds: Option<f64>,
}

pub(super) fn job(run: &FlowRun, settings: &RunnerSettings) -> Result<Job, RunnerError> {
    let config: SubprocessConfig = config(run.infrastructure.config.clone().unwrap_or_default())?;
    let api = settings.api_in_process();
    let api = api.as_deref();
    let (direct, env) = (direct(api), with_api(config.env, api, settings));
    let home = |path: String| expanded(&path, settings.home.as_deref());
    let condaenv = config.condaenv.filter(|name| !name.is_empty());
    let virtualenv = config.virtualenv.filter(|path| !path.is_empty());
    let process = match (condaenv, virtualenv) {
        (Some(_), Some(_)) => {
            return Err(RunnerError::Refused(
                "The flow runner names both a conda environment and a virtualenv; give one."
                    .to_owned(),
            ));
        }
        (Some(conda), None) => in_conda(run, &home(conda)?, env),
        (None, Some(venv)) => in_virtualenv(run, &home(venv)?, env),
        (None, None) => Process {
            command: engine(&settings.python, run),
            env,
            unset: Vec::new(),
            path_first: None,
            direct: Vec::new(),
            folder: Folder::Inherited,
        },
    };
    let process = Process { direct, ..process };
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
    let by = if conda.starts_with(['/', '~']) {
        "--prefix"
    } else {
        "--name"
    };
    let mut command: Vec<String> = ["conda", "run", by, conda].map(str::to_owned).into();
    command.extend(engine("python", run));
    Process {
        command,
        env,
        unset: Vec::new(),
        path_first: None,
        direct: Vec::new(),
        folder: Folder::Inherited,
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
        direct: Vec::new(),
        folder: Folder::Inherited,
    }
}

/// A path with the home that `~` or `~user` stands for, as Python's `expanduser` has it, and
/// without slashes at its end.
fn expanded(path: &str, home: Option<&Path>) -> Result<String, RunnerError> {
    let Some(rest) = path.strip_prefix('~') else {
        return Ok(plain(path));
    };
    let (user, below) = rest.split_once('/').unwrap_or((rest, ""));
    let home = match user {
        "" => home.map(Path::to_owned),
        user => nix::unistd::User::from_name(user)
            .ok()
            .flatten()
            .map(|user| user.dir),
    };
    match home {
        Some(home) => Ok(plain(&home.join(below).to_string_lossy())),
        None => Err(RunnerError::Refused(format!(
            "The flow runner names {path:?}, and there is no such home on this machine."
        ))),
    }
}

fn plain(path: &str) -> String {
    match path.trim_end_matches('/') {
        "" => path.to_owned(),
        plain => plain.to_owned(),
    }
}
