//! The only assembler: builds every part, starts them, waits, and stops them in order.

mod agent;
mod answered;
mod bridge;
mod health;
mod host_probe;
mod kept;
mod listeners;
mod local_users;
mod names;
mod opening;
mod peers;
mod places;
mod reachable;
mod relay;
mod reload;
mod shutdown;
mod sockets;
mod systemd;
mod unread;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::api::{self, About, ApiState, Gate, Rules, Sites};
use crate::app::App;
use crate::clock::{Clock, SharedClock, SystemClock};
use crate::config::{self, Flags, Settings};
use crate::domain::agent::EMBEDDED;
use crate::domain::alert;
use crate::fault;
use crate::runners::docker::DockerRunner;
use crate::services;
use crate::state_dir;

/// How long requests under way have to finish once the daemon stops.
const DRAIN: Duration = Duration::from_secs(10);

/// Runs the daemon until it is told to stop. An error means that it could not start.
///
/// Long, and in one piece: what there is to read here is the order of the steps.
pub async fn run(settings: Settings, flags: Flags) -> anyhow::Result<()> {
    let inherited = systemd::Inherited::take()?;
    // What is kept for the relay takes two for each client.
    crate::relay::raise_descriptors();
    let _lock = state_dir::take(&settings.state_dir)?;
    let rules = access_rules(&settings)?;
    let stop = CancellationToken::new();
    let signals = shutdown::Signals::install()?;

    let clock: SharedClock = Arc::new(SystemClock);
    let started = SystemClock.now();
    let opening = opening::open_app(settings.clone(), clock.clone());
    let app = systemd::patiently("opening the database", opening).await?;
    let instance = instance_id(&settings.state_dir)?;

    let unix = listeners::Control::take(inherited.control, &settings.socket)?;
    let tcp = listeners::tcp(inherited.http, &settings.listen).await?;
    let bound: Vec<SocketAddr> = tcp.iter().filter_map(|one| one.local_addr().ok()).collect();
    let api = bound.first().copied();
    let for_processes = api.and_then(relay::beside);
    let docker = DockerRunner::new(&instance, EMBEDDED)?;
    let about = About::new(
        started,
        settings.state_dir.clone(),
        unix.path.clone(),
        instance,
    );
    let bridge_port = api.map(|api| api.port()).filter(|_| settings.docker_bridge);
    let relay_wanted = relay::Wanted {
        processes: for_processes.is_some(),
        containers: bridge_port.is_some(),
        max_body: settings.document_max_bytes.saturating_add(relay::HEADROOM),
    };
    let relay = relay::Relay::new(&settings.state_dir, &unix.path, about.clone(), relay_wanted);
    let agent = match settings.embedded_agent {
        true => Some(agent::assemble(
            &app,
            &docker,
            &settings,
            &agent::Place {
                instance: about.instance().to_owned(),
                api_url: api.map(api_url),
                for_processes: for_processes.or(api).map(api_url),
            },
            &relay,
            clock,
        )?),
        false => None,
    };
    let (in_force, told) = watch::channel(host_probe::InForce {
        told: config::effective(&flags, &settings)?,
        settings: settings.clone(),
    });
    let surroundings = host_probe::Surroundings {
        docker: docker.clone(),
        state_dir: settings.state_dir.clone(),
        bridge_port,
        in_force: told,
    };
    let service = gated_api(&app, &about, surroundings, rules, sites(&settings));
    let relayed = relay.bind()?;

    let tasks = TaskTracker::new();
    let behind_relay = relay.service(service.clone());
    let serve = |most| listeners::Serving::new(service.clone(), stop.clone(), tasks.clone(), most);
    let (on_socket, on_tcp) = (
        serve(listeners::SOCKET_PLACES),
        serve(listeners::TCP_PLACES),
    );
    let most = listeners::RELAY_PLACES;
    listeners::Serving::new(behind_relay, stop.clone(), tasks.clone(), most).unix(relayed);
    tracing::info!("listening on {}", unix.path.display());
    for listener in tcp {
        serve_tcp(&on_tcp, &about, listener)?;
    }
    if let Some(api) = api {
        // Without it the client works on a database of its own, and never says so.
        let url = api_url(api);
        tracing::info!("for the Prefect client: export PREFECT_ORION_HOST={url}");
    }
    // Last: whoever asks on the socket is told of all listeners.
    on_socket.unix(unix.listener);
    if let Some(port) = bridge_port {
        tasks.spawn(bridge::keep(docker, port, relay.clone(), stop.clone()));
    }
    tasks.spawn(relay.clone().keep(stop.clone()));
    if let Some(agent) = agent.clone() {
        for_processes.inspect(|address| relay.listen(*address));
        tasks.spawn(agent.work(stop.clone()));
    }
    tasks.spawn(services::removals(app.clone(), stop.clone()));
    if settings.services {
        start_services(&tasks, &app, &settings, &stop);
    }
    if let Some(point) = fault::wanted() {
        tracing::warn!("PREFECTD_FAULT is set: this daemon will fail at {point}");
    }
    let line = Arc::new(systemd::StatusLine::default());
    let health = health::Health {
        app: app.clone(),
        has_agent: agent.is_some(),
        line: Arc::clone(&line),
    };
    tasks.spawn(health.keep(stop.clone()));
    let reload = reload::Reload {
        flags,
        in_force,
        agent,
        line,
    };
    tokio::spawn(signals.obey(reload, stop.clone()));
    systemd::ready();
    tracing::info!(message_id = alert::STARTED, "ready");

    stop.cancelled().await;
    systemd::stopping();
    tracing::info!("stopping");
    wind_down(app, &relay, &tasks, unix.ours).await
}

/// The API over the app; nothing passes but by the rules.
fn gated_api(
    app: &App,
    about: &About,
    surroundings: host_probe::Surroundings,
    rules: Rules,
    sites: Sites,
) -> impl listeners::Answering {
    let peers = peers::ThisMachine::new(&surroundings.docker, about.instance());
    let own_uid = nix::unistd::geteuid().as_raw();
    let gate = Gate::new(app.clone(), rules, own_uid, Arc::new(peers));
    let state = ApiState {
        app: app.clone(),
        about: about.clone(),
        host: Arc::new(surroundings),
        gate,
    };
    api::service(Arc::new(state), sites)
}

/// Starts the loops beside the agent; they end with `stop`.
fn start_services(tasks: &TaskTracker, app: &App, settings: &Settings, stop: &CancellationToken) {
    tasks.spawn(services::scheduler(app.clone(), stop.clone()));
    tasks.spawn(services::late_runs(app.clone(), stop.clone()));
    tasks.spawn(services::leases(app.clone(), stop.clone()));
    tasks.spawn(services::retention(
        app.clone(),
        settings.retention,
        stop.clone(),
    ));
}

/// Stops in order: the relay unless runs need it, requests under way, the socket, the database.
async fn wind_down(
    app: App,
    relay: &relay::Relay,
    tasks: &TaskTracker,
    socket: Option<PathBuf>,
) -> anyhow::Result<()> {
    match app.count_claimed_runs(EMBEDDED).await {
        Ok(0) => relay.dismiss().await,
        Ok(_) => {}
        Err(error) => tracing::warn!(%error, "the relay stays: runs may need it"),
    }
    tasks.close();
    if tokio::time::timeout(DRAIN, tasks.wait()).await.is_err() {
        tracing::warn!("some requests did not finish in time");
    }
    if let Some(ours) = socket {
        // A failure leaves a file that nobody serves.
        let _ = std::fs::remove_file(ours);
    }
    relay.remove_sockets();
    tokio::task::spawn_blocking(move || app.close()).await?;
    tracing::info!(message_id = alert::STOPPED, "stopped");
    Ok(())
}

/// What the settings say of access, with the secrets that they name.
fn access_rules(settings: &Settings) -> anyhow::Result<Rules> {
    let auth = &settings.auth;
    let rules = Rules {
        groups: auth.groups.clone(),
        api_key: auth.api_key()?,
        basic: auth.basic()?,
        secret_words: auth.secret_env.clone(),
    };
    let needs_key = rules.api_key.is_some() || rules.basic.is_some();
    if !rules.groups.are_open() && !needs_key {
        tracing::warn!(
            "auth.operators and auth.viewers bind the Unix socket only: TCP is open to every \
             user of this machine until auth.api_key_file or auth.basic_file is set"
        );
    }
    Ok(rules)
}

/// What the settings say of browsers, and this machine's own names.
fn sites(settings: &Settings) -> Sites {
    let hosts = settings.hosts.iter().cloned();
    Sites {
        hosts: hosts.chain(names::own_names()).collect(),
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
const INSTANCE: &str = "instance-id";

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
