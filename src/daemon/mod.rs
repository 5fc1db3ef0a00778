//! The only assembler: builds every part, starts them, waits, and stops them in order.

mod advertised;
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
mod parts;
mod peers;
mod reachable;
mod relay;
mod reload;
mod shutdown;
mod slots;
mod sockets;
mod systemd;
mod unread;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::api::Rules;
use crate::app::App;
use crate::clock::{SharedClock, SystemClock};
use crate::config::{self, Flags, Settings};
use crate::domain::agent::EMBEDDED;
use crate::domain::alert;
use crate::state_dir;
use parts::{Entrances, Parts, Tasks};

/// How long requests under way have to finish once the daemon stops.
const DRAIN: Duration = Duration::from_secs(10);

/// Runs the daemon until it is told to stop. An error means that it could not start.
pub async fn run(settings: Settings, flags: Flags) -> anyhow::Result<()> {
    let inherited = systemd::Inherited::take()?;
    // What is kept for the relay takes two for each client.
    crate::relay::raise_descriptors();
    let _lock = state_dir::take(&settings.state_dir)?;
    let rules = access_rules(&settings)?;
    let stop = CancellationToken::new();
    let signals = shutdown::Signals::install()?;

    let clock: SharedClock = Arc::new(SystemClock);
    let started = clock.now();
    let opening = opening::open_app(settings.clone(), clock.clone());
    let app = systemd::patiently("opening the database", opening).await?;
    if let Err(error) = app.resume_tasks().await {
        tracing::warn!(%error, "background tasks that were told of wait for another start");
    }
    let entrances = Entrances::open(inherited, &settings).await?;
    let parts = Parts::assemble(app, &settings, &entrances, clock, started)?;
    let (in_force, told) = watch::channel(host_probe::InForce {
        told: config::effective(&flags, &settings)?,
        settings: settings.clone(),
    });

    let tasks = Tasks {
        all: TaskTracker::new(),
        stop: stop.clone(),
    };
    let socket = entrances.control.ours.clone();
    let service = parts.gated_api(&settings, rules, told, &tasks);
    parts::serve(&parts, entrances, service, &tasks)?;
    parts.start_loops(&settings, &tasks);
    let line = parts.tell_health(&tasks);
    let reload = reload::Reload {
        flags,
        in_force,
        agent: parts.agent.clone(),
        line,
    };
    tokio::spawn(signals.obey(reload, stop.clone()));
    systemd::ready();
    tracing::info!(message_id = alert::STARTED, "ready");

    stop.cancelled().await;
    systemd::stopping();
    tracing::info!("stopping");
    wind_down(parts.app, &parts.relay, &tasks.all, socket).await
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
