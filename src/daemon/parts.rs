//! What the daemon is made of, put together and set to work.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use axum::extract::Request;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::Layer;
use tower::util::MapRequestLayer;

use super::{
    advertised, agent, bridge, health, host_probe, listeners, names, peers, relay, systemd,
};
use crate::api::{self, About, ApiState, Gate, Rules, Sites, Sockets};
use crate::app::App;
use crate::clock::SharedClock;
use crate::config::Settings;
use crate::domain::agent::EMBEDDED;
use crate::domain::time::Timestamp;
use crate::fault;
use crate::pages;
use crate::runners::docker::DockerRunner;
use crate::runners::swarm::SwarmRunner;
use crate::services;
use crate::services::agent::Agent;
use crate::state_dir;

/// What goes on beside the requests, and ends with the daemon.
pub(super) struct Tasks {
    pub all: TaskTracker,
    /// Tells them to end.
    pub stop: CancellationToken,
}

impl Tasks {
    /// Starts what is made of a token that tells it to end.
    fn start<T>(&self, task: impl FnOnce(CancellationToken) -> T)
    where
        T: Future<Output = ()> + Send + 'static,
    {
        self.all.spawn(task(self.stop.clone()));
    }
}

/// Where requests come in.
pub(super) struct Entrances {
    pub control: listeners::Control,
    tcp: Vec<tokio::net::TcpListener>,
    /// Where clients on TCP find the API, if anywhere.
    api: Option<SocketAddr>,
    /// The port that containers find it at, if they are to.
    bridge_port: Option<u16>,
}

impl Entrances {
    /// Takes over what systemd hands over, and binds the rest.
    pub async fn open(inherited: systemd::Inherited, settings: &Settings) -> anyhow::Result<Self> {
        let control = listeners::Control::take(inherited.control, &settings.socket)?;
        let tcp = listeners::tcp(inherited.http, &settings.listen).await?;
        let api = tcp.iter().find_map(|one| one.local_addr().ok());
        let bridge_port = api.map(|api| api.port()).filter(|_| settings.docker_bridge);
        Ok(Self {
            control,
            tcp,
            api,
            bridge_port,
        })
    }

    /// Where processes of this machine find the relay, if there is a place for it.
    fn for_processes(&self) -> Option<SocketAddr> {
        self.api.and_then(relay::beside)
    }
}

/// What the daemon is made of.
pub(super) struct Parts {
    pub app: App,
    about: About,
    docker: DockerRunner,
    swarm: SwarmRunner,
    advertised: Option<String>,
    pub relay: relay::Relay,
    pub agent: Option<Arc<Agent>>,
    for_processes: Option<SocketAddr>,
    api: Option<SocketAddr>,
    bridge_port: Option<u16>,
}

impl Parts {
    /// Puts all together; nothing is started yet.
    pub fn assemble(
        app: App,
        settings: &Settings,
        entrances: &Entrances,
        clock: SharedClock,
        started: Timestamp,
    ) -> anyhow::Result<Self> {
        let instance = instance_id(&settings.state_dir)?;
        let docker = DockerRunner::new(&instance, EMBEDDED)?;
        let swarm = SwarmRunner::new(&instance, EMBEDDED, settings.agent.stop_grace)?;
        let socket = &entrances.control.path;
        let state_dir = &settings.state_dir;
        let about = About::new(started, state_dir.clone(), socket.clone(), instance.clone());
        let for_processes = entrances.for_processes();
        let wanted = relay::Wanted {
            processes: for_processes.is_some(),
            containers: entrances.bridge_port.is_some(),
            max_body: settings.document_max_bytes.saturating_add(relay::HEADROOM),
        };
        let relay = relay::Relay::new(state_dir, socket, about.clone(), wanted);
        let elsewhere = settings.advertise.as_ref().zip(entrances.api);
        let environment = agent::RunEnvironment {
            instance,
            for_containers: entrances.api.map(api_url),
            elsewhere: elsewhere.map(|(it, api)| it.api_url(api.port())),
            for_processes: for_processes.or(entrances.api).map(api_url),
        };
        let agent = if settings.embedded_agent {
            let engines = (&docker, &swarm);
            let agent = agent::assemble(&app, engines, settings, &environment, &relay, clock)?;
            Some(agent)
        } else {
            None
        };
        Ok(Self {
            app,
            about,
            docker,
            swarm,
            advertised: environment.elsewhere,
            relay,
            agent,
            for_processes,
            api: entrances.api,
            bridge_port: entrances.bridge_port,
        })
    }

    /// The API over the app; nothing passes but by the rules.
    pub fn gated_api(
        &self,
        settings: &Settings,
        rules: Rules,
        in_force: watch::Receiver<host_probe::InForce>,
        tasks: &Tasks,
    ) -> impl listeners::Answering + use<> {
        let peers = peers::LocalPeers::new(&self.docker, self.about.instance());
        let own_uid = nix::unistd::geteuid().as_raw();
        let gate = Gate::new(self.app.clone(), rules, own_uid, Arc::new(peers));
        let host = host_probe::ThisHost {
            docker: self.docker.clone(),
            swarm: self.swarm.clone(),
            advertised: self.advertised.clone(),
            state_dir: settings.state_dir.clone(),
            bridge_port: self.bridge_port,
            in_force,
        };
        let state = ApiState {
            app: self.app.clone(),
            about: self.about.clone(),
            host: Arc::new(host),
            gate,
            compat: api::Compat::default(),
            sockets: Sockets::new(tasks.stop.clone(), tasks.all.clone()),
            bundle: api::Bundle {
                folder: state_dir::ui(&settings.state_dir),
                is_at_root: settings.prefect_at_root,
            },
        };
        let is_at_root = settings.prefect_at_root;
        let placed =
            MapRequestLayer::new(move |request: Request| pages::placed(request, is_at_root));
        placed.layer(api::service(
            Arc::new(state),
            sites(settings),
            pages::pages(is_at_root),
        ))
    }

    /// Starts what goes on by itself.
    pub fn start_loops(&self, settings: &Settings, tasks: &Tasks) {
        if let Some(port) = self.bridge_port {
            let (docker, relay) = (self.docker.clone(), self.relay.clone());
            tasks.start(|stop| bridge::keep(docker, port, relay, stop));
        }
        if let Some((advertised, api)) = settings.advertise.clone().zip(self.api) {
            let wanted = advertised::Wanted {
                advertised,
                api,
                listen: settings.listen.clone(),
            };
            tasks.start(|stop| advertised::keep(wanted, self.relay.clone(), stop));
        }
        tasks.start(|stop| self.relay.clone().keep(stop));
        if let Some(agent) = self.agent.clone() {
            self.for_processes
                .inspect(|address| self.relay.listen(*address));
            tasks.start(|stop| agent.work(stop));
        }
        tasks.start(|stop| services::removals(self.app.clone(), stop));
        if settings.services {
            start_services(&self.app, settings, tasks);
        }
        if let Some(point) = fault::wanted() {
            tracing::warn!("PREFECTD_FAULT is set: this daemon will fail at {point}");
        }
    }

    /// Has systemd hear how the daemon is; answers what it is told.
    pub fn tell_health(&self, tasks: &Tasks) -> Arc<systemd::StatusLine> {
        let line = Arc::new(systemd::StatusLine::default());
        let health = health::Health {
            app: self.app.clone(),
            has_agent: self.agent.is_some(),
            line: Arc::clone(&line),
        };
        tasks.start(|stop| health.keep(stop));
        line
    }
}

/// Has every entrance answer by `service`.
pub(super) fn serve(
    parts: &Parts,
    entrances: Entrances,
    service: impl listeners::Answering,
    tasks: &Tasks,
) -> anyhow::Result<()> {
    use listeners::{RELAY_PLACES, SOCKET_PLACES, Serving, TCP_PLACES};
    let (stop, all) = (|| tasks.stop.clone(), || tasks.all.clone());
    let on_relay = parts.relay.service(service.clone());
    let relayed = parts.relay.bind()?;
    Serving::new(on_relay, stop(), all(), RELAY_PLACES).unix(relayed);
    tracing::info!("listening on {}", entrances.control.path.display());
    let on_tcp = Serving::new(service.clone(), stop(), all(), TCP_PLACES);
    for listener in entrances.tcp {
        serve_tcp(&on_tcp, &parts.about, listener)?;
    }
    if let Some(api) = entrances.api {
        // Without it the client works on a database of its own, and never says so.
        let url = api_url(api);
        tracing::info!(
            "for the Prefect client: export PREFECT_API_URL={}",
            url.trim_end_matches('/')
        );
        tracing::info!("for the Prefect client 2.0a7: export PREFECT_ORION_HOST={url}");
    }
    // Last: whoever asks on the socket is told of all listeners.
    let on_socket = Serving::new(service, stop(), all(), SOCKET_PLACES);
    on_socket.unix(entrances.control.listener);
    Ok(())
}

/// Starts the loops beside the agent.
fn start_services(app: &App, settings: &Settings, tasks: &Tasks) {
    tasks.start(|stop| services::scheduler(app.clone(), stop));
    tasks.start(|stop| services::late_runs(app.clone(), stop));
    tasks.start(|stop| services::leases(app.clone(), stop));
    tasks.start(|stop| services::deadlines(app.clone(), stop));
    tasks.start(|stop| services::foreman(app.clone(), stop));
    tasks.start(|stop| services::automations(app.clone(), stop));
    let retention = settings.retention;
    tasks.start(|stop| services::retention(app.clone(), retention, stop));
}

/// What the settings say of browsers, and this machine's own names.
fn sites(settings: &Settings) -> Sites {
    let hosts = settings.hosts.iter().cloned();
    let advertised = settings.advertise.iter().map(|it| it.host.clone());
    Sites {
        hosts: hosts.chain(advertised).chain(names::own_names()).collect(),
        origins: settings.cors_origins.clone(),
    }
}

fn serve_tcp(
    serving: &listeners::Serving<impl listeners::Answering>,
    about: &About,
    listener: tokio::net::TcpListener,
) -> anyhow::Result<()> {
    let url = format!("http://{}", listener.local_addr()?);
    tracing::info!("listening on {url}");
    about.add_listener(url);
    serving.tcp(listener);
    Ok(())
}

/// The file that names a state directory.
pub(super) const INSTANCE: &str = "instance-id";

/// Names this state directory among all on the machine; made once.
fn instance_id(state_dir: &Path) -> anyhow::Result<String> {
    let path = state_dir.join(INSTANCE);
    if let Ok(known) = std::fs::read_to_string(&path)
        && !known.trim().is_empty()
    {
        return Ok(known.trim().to_owned());
    }
    let fresh = uuid::Uuid::new_v4().to_string();
    state_dir::write_own(&path, &fresh)
        .with_context(|| format!("cannot write {}", path.display()))?;
    Ok(fresh)
}

/// The API's address as runs on this machine reach it, in the 2.0a7 generation's form.
fn api_url(mut addr: SocketAddr) -> String {
    if addr.ip().is_unspecified() {
        addr.set_ip(std::net::Ipv4Addr::LOCALHOST.into());
    }
    format!("http://{addr}/api/")
}
