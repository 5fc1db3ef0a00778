//! `prefectctl agent start`: the agent as a program of its own, on this machine or another.

mod control_plane;
mod ephemeral;
mod folder;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::args::AgentStart;
use super::client::{Client, Target};
use super::failure::{Failure, Result};
use crate::api::v3::wire::Status;
use crate::clock::SystemClock;
use crate::config::{Flags, Settings, default_agent_dir};
use crate::domain::access::Secret;
use crate::domain::agent::{AgentReport, Identity};
use crate::domain::container::Placement;
use crate::logging;
use crate::runners::RunnerSettings;
use crate::runners::docker::DockerRunner;
use crate::runners::subprocess::SubprocessRunner;
use crate::services::agent::{Agent, ControlPlane, Runners};
use control_plane::HttpControlPlane;
use folder::AgentFolder;

/// How often to look for an API that does not answer.
const RETRY: Duration = Duration::from_secs(1);
/// How many names are tried before giving up.
const NAMES: u32 = 100;

/// Works until it is told to stop. `is_named` tells whether somebody said where the API is.
pub async fn start(
    target: Target,
    key: Option<Secret>,
    is_named: bool,
    start: AgentStart,
) -> Result<()> {
    if !is_named && !ephemeral::is_served(&target).await {
        return Err(ephemeral::become_one(&start));
    }
    let (settings, base) = settings(&start)?;
    logging::start("prefectd-agent", settings.log_format, &settings.log_level)
        .map_err(|error| Failure::usage(format!("{error:#}")))?;
    let stop = CancellationToken::new();
    watch_signals(stop.clone())?;
    tokio::select! {
        () = stop.cancelled() => return Ok(()),
        begun = begin(&target, key.as_ref(), &base, &start, settings) => {
            let (agent, control_plane, _place) = begun?;
            let lease = control_plane.keep_lease();
            tokio::select! {
                () = agent.work(stop.clone()) => {}
                () = lease => {}
            }
        }
    }
    tracing::info!(
        "stopped; runs under way go on, and end as Crashed unless this agent is started again soon"
    );
    Ok(())
}

fn settings(start: &AgentStart) -> Result<(Settings, PathBuf)> {
    let told = |error: crate::config::ConfigError| Failure::usage(error.to_string());
    let base = match &start.state_dir {
        Some(given) => given.clone(),
        None => default_agent_dir().map_err(told)?,
    };
    let flags = Flags {
        config: start.config.clone(),
        state_dir: Some(base.clone()),
        socket: Some(base.join("unused.sock")),
        log_format: start.log_format,
        log_level: start.log_level.clone(),
        ..Flags::default()
    };
    let mut settings = Settings::load(flags).map_err(told)?;
    if let Some(slots) = start.slots {
        settings.agent.slots = slots;
    }
    Ok((settings, base))
}

fn watch_signals(stop: CancellationToken) -> Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        stop.cancel();
    });
    Ok(())
}

/// Finds the API, takes a name there, and puts the agent together.
async fn begin(
    target: &Target,
    key: Option<&Secret>,
    base: &Path,
    start: &AgentStart,
    settings: Settings,
) -> Result<(Arc<Agent>, Arc<HttpControlPlane>, AgentFolder)> {
    let status = api(target, key).await?;
    let host = host()?;
    let (folder, control_plane) =
        introduce(target, key, base, start, &host, settings.agent.slots).await?;
    let api_url = api_url(target, &status)?;
    tracing::info!("agent '{}' works for {api_url}", folder.name);
    let instance = status.instance;
    let told = |error: crate::runners::RunnerError| Failure::new(error.to_string());
    let processes = SubprocessRunner::new(
        &folder.path.join("runs"),
        &format!("{instance}/{}", folder.name),
        Arc::new(SystemClock),
    );
    let runners = Runners {
        containers: Arc::new(DockerRunner::new(&instance, &folder.name).map_err(told)?),
        processes: Arc::new(processes.map_err(told)?),
    };
    let runner_settings = RunnerSettings {
        home: std::env::home_dir(),
        instance,
        agent: folder.name.clone(),
        api_url: Some(api_url.clone()),
        container_api_url: Some(api_url),
        // A swarm is the daemon's own agent's.
        advertised_api_url: None,
        placement: Placement::Engine,
        key: None,
        python: settings.python,
        containers: settings.containers,
    };
    let identity = Identity {
        id: folder.identity.clone(),
        host,
    };
    let control_plane = Arc::new(control_plane);
    let agent = Agent::new(
        Arc::clone(&control_plane) as Arc<dyn ControlPlane>,
        runners,
        runner_settings,
        identity,
        settings.agent,
    );
    Ok((agent, control_plane, folder))
}

/// What the daemon says of itself, as soon as it answers.
async fn api(target: &Target, key: Option<&Secret>) -> Result<Status> {
    let client = Client::new(target.clone(), key);
    let mut told = false;
    loop {
        match client.get("/prefectd/status").await {
            Err(failure) if control_plane::is_passing(&failure) => {
                if !told {
                    tracing::warn!("{failure}; trying again until it answers");
                }
                told = true;
                tokio::time::sleep(RETRY).await;
            }
            answer => return answer,
        }
    }
}

/// Takes the wanted name, or the machine's with the first number that is free.
async fn introduce(
    target: &Target,
    key: Option<&Secret>,
    base: &Path,
    start: &AgentStart,
    host: &str,
    slots: u64,
) -> Result<(AgentFolder, HttpControlPlane)> {
    let mut refusal = None;
    for number in 1..=NAMES {
        let name = match (&start.name, number) {
            (Some(name), _) => name.clone(),
            (None, 1) => host.to_owned(),
            (None, _) => format!("{host}-{number}"),
        };
        let Some(folder) = folder::take(base, &name)? else {
            let line =
                format!("an agent {name:?} runs on this machine already; give another --name");
            refusal = Some(Failure::new(line));
            if start.name.is_some() {
                break;
            }
            continue;
        };
        let control_plane = HttpControlPlane::new(Client::new(target.clone(), key), &name);
        let report = AgentReport {
            identity: folder.identity.clone(),
            host: host.to_owned(),
            pid: std::process::id(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            slots,
            ..AgentReport::default()
        };
        match control_plane.introduce(report).await {
            Err(taken) if taken.status() == Some(409) => refusal = Some(taken),
            Err(failure) => return Err(failure),
            Ok(_) => return Ok((folder, control_plane)),
        }
        if start.name.is_some() {
            break;
        }
    }
    Err(refusal.unwrap_or_else(|| Failure::new("no name is free; give one with --name")))
}

fn host() -> Result<String> {
    let host = nix::unistd::gethostname().map_err(std::io::Error::from)?;
    Ok(host.to_string_lossy().into_owned())
}

/// Where runs of this agent find the API, in the 2.0a7 generation's form.
fn api_url(target: &Target, status: &Status) -> Result<String> {
    let base = match target {
        Target::Url(url) => Some(url.as_str()),
        Target::Socket(_) => status.listeners.first().map(String::as_str),
    };
    let base = base.ok_or_else(|| {
        Failure::new("prefectd listens on no TCP address, so that no run could reach it")
    })?;
    Ok(format!("{base}/api/"))
}
