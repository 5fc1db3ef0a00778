//! The embedded agent, put together.

use std::sync::Arc;

use super::reachable::{Reachable, Whose};
use super::relay::Relay;
use crate::app::App;
use crate::clock::SharedClock;
use crate::config::Settings;
use crate::domain::agent::{EMBEDDED, Identity};
use crate::runners::docker::DockerRunner;
use crate::runners::placed::Placed;
use crate::runners::subprocess::SubprocessRunner;
use crate::runners::swarm::SwarmRunner;
use crate::runners::{Runner, RunnerSettings};
use crate::services::agent::{Agent, LocalControlPlane, Runners};

/// What the runs of this daemon are told, and how they are known again.
pub(super) struct RunEnvironment {
    /// Names its state directory.
    pub instance: String,
    /// Where containers of this machine reach it, as this machine does.
    pub for_containers: Option<String>,
    /// Where other hosts reach it, if they are to.
    pub elsewhere: Option<String>,
    /// Where runs of this machine reach it, whoever serves at the moment.
    pub for_processes: Option<String>,
}

pub(super) fn assemble(
    app: &App,
    (docker, swarm): (&DockerRunner, &SwarmRunner),
    settings: &Settings,
    environment: &RunEnvironment,
    relay: &Relay,
    clock: SharedClock,
) -> anyhow::Result<Arc<Agent>> {
    // Without a place on the bridge containers reach it where everybody does.
    let everywhere = environment.elsewhere.clone();
    let everywhere = everywhere.filter(|_| !settings.docker_bridge);
    let for_containers = everywhere.or_else(|| environment.for_containers.clone());
    let runner_settings = RunnerSettings {
        home: std::env::home_dir(),
        instance: environment.instance.clone(),
        agent: EMBEDDED.to_owned(),
        container_api_url: for_containers.filter(|_| !settings.ephemeral),
        api_url: environment.for_processes.clone(),
        advertised_api_url: environment.elsewhere.clone(),
        placement: settings.placement,
        key: None,
        python: settings.python.clone(),
        containers: settings.containers.clone(),
    };
    let folder = settings.state_dir.join("runs");
    let processes = SubprocessRunner::new(&folder, &environment.instance, clock)?;
    let reachable = |inner: Arc<dyn Runner>, whose| {
        Arc::new(Reachable {
            inner,
            relay: relay.clone(),
            whose,
        })
    };
    let placement = settings.placement;
    let containers = Placed {
        engine: reachable(Arc::new(docker.clone()), Whose::Containers),
        cluster: reachable(Arc::new(swarm.clone()), Whose::Elsewhere),
        placement,
    };
    let runners = Runners {
        containers: Arc::new(containers),
        processes: reachable(Arc::new(processes), Whose::Processes),
    };
    let identity = Identity {
        id: environment.instance.clone(),
        host: nix::unistd::gethostname()?.to_string_lossy().into_owned(),
    };
    let control_plane = Arc::new(LocalControlPlane::new(app.clone(), EMBEDDED));
    let wanted = settings.agent.clone();
    Ok(Agent::new(
        control_plane,
        runners,
        runner_settings,
        identity,
        wanted,
    ))
}
