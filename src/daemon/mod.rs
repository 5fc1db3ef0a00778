//! The only assembler: builds every part, starts them, waits, and stops them in order.

mod agent;
mod bridge;
mod listeners;
mod premises;
mod relay;
mod shutdown;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::api::{self, About, Ctx};
use crate::app::App;
use crate::clock::{Clock, SharedClock, SystemClock};
use crate::config::{Flags, Settings};
use crate::domain::agent::EMBEDDED;
use crate::fault;
use crate::runners::docker::DockerRunner;
use crate::services;
use crate::state_dir;
use crate::storage::Store;
use crate::storage::blobs::Blobs;

/// How long requests under way have to finish once the daemon stops.
const DRAIN: Duration = Duration::from_secs(10);

/// Runs the daemon until it is told to stop. An error means that it could not start.
pub async fn run(settings: Settings, flags: Flags) -> anyhow::Result<()> {
    let _lock = state_dir::take(&settings.state_dir)?;
    let stop = CancellationToken::new();
    shutdown::watch_signals(stop.clone(), flags)?;

    let clock: SharedClock = Arc::new(SystemClock);
    let started = SystemClock.now();
    let app = open_app(&settings, clock.clone())?;
    let instance = instance_id(&settings.state_dir)?;

    let unix = listeners::bind_unix(&settings.socket)?;
    let tcp = listeners::bind_tcp(&settings.listen).await?;
    let bound: Vec<SocketAddr> = tcp.iter().filter_map(|one| one.local_addr().ok()).collect();
    let api = bound.first().copied();
    let for_processes = api.and_then(relay::beside);
    let docker = DockerRunner::new(&instance, EMBEDDED)?;
    let agent = match settings.embedded_agent {
        true => Some(agent::assemble(
            &app,
            &docker,
            &settings,
            &agent::Place {
                instance: instance.clone(),
                api_url: api.map(api_url),
                for_processes: for_processes.or(api).map(api_url),
            },
            clock,
        )?),
        false => None,
    };
    let about = About::new(
        started,
        settings.state_dir.clone(),
        settings.socket.clone(),
        instance,
    );
    let ctx = Ctx {
        app: app.clone(),
        about: about.clone(),
        premises: Arc::new(premises::Surroundings {
            docker: docker.clone(),
            state_dir: settings.state_dir.clone(),
            bridge_port: bound
                .first()
                .map(SocketAddr::port)
                .filter(|_| settings.docker_bridge),
        }),
    };
    let service = api::service(ctx);
    let relay = relay::Relay::new(&settings.state_dir, &settings.socket, about.clone());
    let relayed = relay.bind()?;

    let tasks = TaskTracker::new();
    let behind_relay = relay.service(service.clone());
    listeners::Serving::new(behind_relay, stop.clone(), tasks.clone()).unix(relayed);
    let serving = listeners::Serving::new(service, stop.clone(), tasks.clone());
    tracing::info!("listening on {}", settings.socket.display());
    serving.unix(unix);
    for listener in tcp {
        serve_tcp(&serving, &about, listener)?;
    }
    if settings.docker_bridge
        && let Some(port) = api.map(|api| api.port())
    {
        tasks.spawn(bridge::keep(docker, port, relay.clone(), stop.clone()));
    }
    tasks.spawn(relay.clone().keep(stop.clone()));
    if let Some(agent) = agent {
        for_processes.inspect(|address| relay.listen(*address));
        tasks.spawn(agent.work(stop.clone()));
    }
    if settings.services {
        tasks.spawn(services::scheduler(app.clone(), stop.clone()));
        tasks.spawn(services::late_runs(app.clone(), stop.clone()));
        tasks.spawn(services::leases(app.clone(), stop.clone()));
        tasks.spawn(services::retention(
            app.clone(),
            settings.retention,
            stop.clone(),
        ));
    }
    if let Some(point) = fault::wanted() {
        tracing::warn!("PREFECTD_FAULT is set: this daemon will abort at {point}");
    }
    // No notification socket means that nobody waits for the word.
    let _ = sd_notify::notify(&[sd_notify::NotifyState::Ready]);
    tracing::info!("ready");

    stop.cancelled().await;
    tracing::info!("stopping");
    if app.count_claimed_runs(EMBEDDED).await? == 0 {
        relay.dismiss().await;
    }
    let _ = sd_notify::notify(&[sd_notify::NotifyState::Stopping]);
    tasks.close();
    if tokio::time::timeout(DRAIN, tasks.wait()).await.is_err() {
        tracing::warn!("some requests did not finish in time");
    }
    // Only the owner of the socket removes it; a failure leaves a file that nobody serves.
    let _ = std::fs::remove_file(&settings.socket);
    tokio::task::spawn_blocking(move || app.close()).await?;
    tracing::info!("stopped");
    Ok(())
}

fn serve_tcp(
    serving: &listeners::Serving,
    about: &About,
    listener: tokio::net::TcpListener,
) -> anyhow::Result<()> {
    let url = format!("http://{}", listener.local_addr()?);
    tracing::info!("listening on {url}");
    about.add_listener(url);
    serving.tcp(listener);
    Ok(())
}

fn open_app(settings: &Settings, clock: SharedClock) -> anyhow::Result<App> {
    let database = state_dir::database(&settings.state_dir);
    let store = Store::open(&database)
        .with_context(|| format!("cannot open the database {}", database.display()))?;
    let blobs = Blobs::open(&state_dir::blobs(&settings.state_dir))?;
    Ok(App::new(store, blobs, clock, settings.agent_lease))
}

/// Names this state directory among all on the machine; made once.
fn instance_id(state_dir: &Path) -> anyhow::Result<String> {
    let path = state_dir.join("instance-id");
    if let Ok(known) = std::fs::read_to_string(&path)
        && !known.trim().is_empty()
    {
        return Ok(known.trim().to_owned());
    }
    let fresh = uuid::Uuid::new_v4().to_string();
    std::fs::write(&path, &fresh).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(fresh)
}

/// The API's address as runs on this machine reach it, in the 2.0a7 generation's form.
fn api_url(mut addr: SocketAddr) -> String {
    if addr.ip().is_unspecified() {
        addr.set_ip(std::net::Ipv4Addr::LOCALHOST.into());
    }
    format!("http://{addr}/api/")
}
