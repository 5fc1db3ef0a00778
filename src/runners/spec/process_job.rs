//! From a job of a work pool of type `process` to the description of a process of this machine.
//!
//! The settings are those of the process worker of Prefect 3.9.1, after the pool's template was
//! filled in.

use super::*;

/// What is not known here is passed over, as by the worker.
#[derive(Default, Deserialize)]
#[serde(default)]
struct ProcessJob {
    command: Option<String>,
    #[serde(deserialize_with = "maybe_texts")]
    env: Option<BTreeMap<String, String>>,
    stream_output: Option<bool>,
    working_dir: Option<PathBuf>,
}

pub(super) fn job(run: &FlowRun, settings: &RunnerSettings) -> Result<Job, RunnerError> {
    let config: ProcessJob = config(run.infrastructure.config.clone().unwrap_or_default())?;
    let mut env = config.env.unwrap_or_default();
    let own = env.get("PREFECT_API_URL").cloned();
    let api = own.or_else(|| settings.api_in_process());
    let api = api.as_deref();
    let direct = direct(api);
    if let Some(api) = api {
        let api = api.trim_end_matches('/').to_owned();
        env = docker_job::with_api_3(env, &api, settings);
    }
    let command = match config.command.as_deref().map(str::trim) {
        None | Some("") => [&settings.python, "-m", "prefect.engine"]
            .map(str::to_owned)
            .into(),
        given => docker_job::command(given)?,
    };
    let folder = match config.working_dir {
        Some(folder) if folder.is_absolute() => Folder::Given(folder),
        Some(folder) => {
            return Err(RunnerError::Refused(format!(
                "The job's working_dir {folder:?} is not an absolute path."
            )));
        }
        None => Folder::Fresh,
    };
    Ok(Job {
        flow_run_id: run.id,
        name: run.name.clone(),
        stream_output: config.stream_output.unwrap_or(true),
        time_limit: None,
        kind: JobKind::Process(Process {
            command,
            env,
            unset: Vec::new(),
            path_first: None,
            direct,
            folder,
        }),
    })
}
