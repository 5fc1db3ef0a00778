//! The daemon's end of the relay: starts it, tells it where to listen, hears how it stands.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use anyhow::Context;
use axum::Json;
use axum::Router;
use axum::extract::{Request, State};
use axum::http::HeaderValue;
use axum::routing::post;
use tokio::net::UnixListener;
use tokio::process::Command;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tower::Service;

use super::kept::Kept;
use super::listeners::Answering;
use super::reachable::Whose;
use super::sockets;
use crate::api::caller::{End, Route};
use crate::api::{About, Caller};
use crate::relay::{Came, FLAG, ORDERS, Orders, PEER, Report, channel_path, take_lock};

/// How often a relay is told what it knows already, and looked for.
const EVERY: Duration = Duration::from_secs(1);
/// How often to look whether a relay that was told to leave has left.
pub(super) const LEAVING: Duration = Duration::from_millis(5);
/// How much more than the largest document a relay carries, so that it is the daemon that
/// says what is too large, in bytes.
pub(super) const HEADROOM: u64 = 1024 * 1024;
/// How many relays are started within [`EVERY`] at most.
const STARTS: u32 = 5;
/// Where processes of this machine reach the relay; the port is the API's.
const FOR_PROCESSES: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2));

/// The relay of this daemon; clones mean the same one.
#[derive(Clone)]
pub(super) struct Relay {
    socket: PathBuf,
    lock: PathBuf,
    orders: Arc<watch::Sender<Orders>>,
    report: Arc<watch::Sender<Report>>,
    about: About,
    kept: Kept,
    wanted: Wanted,
    /// Where other hosts are served.
    elsewhere: Arc<Mutex<Vec<SocketAddr>>>,
}

/// For whom a relay is to listen, and what it carries.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted {
    /// Whether for processes of this machine.
    pub processes: bool,
    /// Whether for containers.
    pub containers: bool,
    /// The largest body, in bytes.
    pub max_body: u64,
}

/// Where processes reach the relay of an API that listens at `api`. Only beside 127.0.0.1 is
/// there such a place.
pub(super) fn beside(api: SocketAddr) -> Option<SocketAddr> {
    let is_loopback = api.ip() == IpAddr::V4(Ipv4Addr::LOCALHOST);
    is_loopback.then(|| SocketAddr::new(FOR_PROCESSES, api.port()))
}

impl Relay {
    /// Of the daemon with that state directory and socket.
    pub fn new(state_dir: &Path, socket: &Path, about: About, wanted: Wanted) -> Self {
        let mut beside = socket.as_os_str().to_owned();
        beside.push(".relay");
        Self {
            socket: beside.into(),
            lock: state_dir.join("relay.lock"),
            orders: Arc::new(watch::Sender::new(Orders {
                max_body: Some(wanted.max_body),
                ..Orders::default()
            })),
            report: Arc::default(),
            about,
            kept: Kept::default(),
            wanted,
            elsewhere: Arc::default(),
        }
    }

    /// Waits until the relay listens for those; at once where it is not meant to.
    pub async fn listens_for(&self, whose: Whose) {
        let is_wanted = match whose {
            Whose::Processes => self.wanted.processes,
            Whose::Containers => self.wanted.containers,
            // Where none is wanted there, the operator's listeners serve them.
            Whose::Elsewhere => !self.elsewhere().is_empty(),
        };
        if !is_wanted {
            return;
        }
        let mut reports = self.report.subscribe();
        let listens = reports.wait_for(|report| {
            let elsewhere = self.elsewhere();
            let whose_is = |one: &SocketAddr| match one {
                one if elsewhere.contains(one) => Whose::Elsewhere,
                one if one.ip() == FOR_PROCESSES => Whose::Processes,
                _ => Whose::Containers,
            };
            report.bound.iter().any(|one| whose_is(one) == whose)
        });
        // Its sender is here.
        drop(listens.await);
    }

    /// Takes the sockets' files away once nobody is served any more.
    pub fn remove_sockets(&self) {
        for path in [self.socket.clone(), channel_path(&self.socket)] {
            // A failure leaves a file that the next daemon replaces.
            let _ = std::fs::remove_file(path);
        }
    }

    /// Binds the sockets at which the relay finds this daemon. What comes in there is believed
    /// when it says where it came from, so they are for this daemon's user alone.
    pub fn bind(&self) -> anyhow::Result<UnixListener> {
        let bound = sockets::bind(&self.socket, sockets::For::Owner)?;
        self.kept.serve(&channel_path(&self.socket))?;
        Ok(bound)
    }

    /// What answers there: the API, and the relay's own question.
    pub fn service(&self, api: impl Answering) -> impl Answering {
        // What is handed on goes to the API whatever its path: the orders are the relay's own.
        let own = Router::new()
            .route(ORDERS, post(orders))
            .with_state(self.clone());
        let callers = Callers::default();
        tower::service_fn(move |mut request: Request| {
            let came = request.headers_mut().remove(PEER);
            let (mut own, mut api) = (own.clone(), api.clone());
            let caller = came.map(|came| callers.of(&came));
            async move {
                let Some(caller) = caller else {
                    return own.call(request).await;
                };
                request.extensions_mut().insert(caller);
                api.call(request).await
            }
        })
    }

    /// Has the relay listen at an address, too.
    pub fn listen(&self, address: SocketAddr) {
        self.orders.send_if_modified(|orders| {
            let is_new = !orders.listen.contains(&address);
            if is_new {
                orders.listen.push(address);
            }
            is_new
        });
    }

    /// Has it listen at an address at which other hosts call, too.
    pub fn listen_elsewhere(&self, address: SocketAddr) {
        self.elsewhere().push(address);
        self.listen(address);
    }

    fn elsewhere(&self) -> std::sync::MutexGuard<'_, Vec<SocketAddr>> {
        // Each change is one call.
        self.elsewhere
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Sees to it that there is a relay, until `stop`.
    pub async fn keep(self, stop: CancellationToken) {
        let mut told = String::new();
        let mut starts = 0;
        while !stop.is_cancelled() {
            match self.start_missing() {
                Ok(started) => starts += u32::from(started),
                Err(error) => {
                    let error = format!("{error:#}");
                    if error != told {
                        tracing::error!("runs cannot reach the API: {error}");
                        told = error;
                    }
                }
            }
            tokio::select! {
                () = stop.cancelled() => {}
                () = self.kept.relay_gone(), if starts < STARTS => self.released().await,
                () = tokio::time::sleep(EVERY) => starts = 0,
            }
        }
    }

    /// Waits until a relay that is gone has left its lock.
    async fn released(&self) {
        let free = async {
            while take_lock(&self.lock).is_ok_and(|lock| lock.is_none()) {
                tokio::time::sleep(LEAVING).await;
            }
        };
        let _ = tokio::time::timeout(EVERY, free).await;
    }

    /// Tells the relay to end, and gives it a moment to do so: the next daemon would take one
    /// that is about to leave for one that stays.
    pub async fn dismiss(&self) {
        self.orders.send_modify(|orders| orders.leave = true);
        self.released().await;
    }

    /// Starts a relay if there is none; answers whether it did.
    fn start_missing(&self) -> anyhow::Result<bool> {
        if self.orders.borrow().listen.is_empty() || take_lock(&self.lock)?.is_none() {
            return Ok(false);
        }
        let program = std::env::current_exe().context("cannot find this program")?;
        let mut command = std::process::Command::new(&program);
        command
            .arg(FLAG)
            .args([&self.socket, &self.lock])
            .env_remove("NOTIFY_SOCKET")
            .env_remove("WATCHDOG_USEC")
            .env_remove("LISTEN_FDS")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // What ends the daemon's group does not end it.
            .process_group(0);
        let mut command = Command::from(command);
        let mut child = command
            .kill_on_drop(false)
            .spawn()
            .with_context(|| format!("cannot start {}", program.display()))?;
        // Somebody has to hear of its end, or it stays as a zombie.
        tokio::spawn(async move { child.wait().await });
        Ok(true)
    }

    fn heard(&self, report: Report) {
        for news in &report.news {
            tracing::error!("the relay {news}");
        }
        let before = self.report.send_replace(report.clone());
        if before.pid != 0 && before.pid != report.pid {
            tracing::warn!(
                "process {} goes on as the relay in the place of {}",
                report.pid,
                before.pid
            );
        }
        for address in report
            .bound
            .iter()
            .filter(|one| !before.bound.contains(one))
        {
            tracing::info!(
                "runs reach the API at http://{address}, by process {}",
                report.pid
            );
            if address.ip() != FOR_PROCESSES {
                self.about.add_listener(format!("http://{address}"));
            }
        }
        for (address, error) in report
            .trouble
            .iter()
            .filter(|one| !before.trouble.contains(one))
        {
            tracing::error!("runs cannot reach the API at {address}: {error}");
        }
    }
}

/// Answers a relay as soon as it has something to do, or after a while.
async fn orders(State(relay): State<Relay>, Json(report): Json<Report>) -> Json<Orders> {
    relay.heard(report.clone());
    if report.is_kept && is_of_another_program(report.pid) {
        tracing::info!(
            "the relay, process {}, gives way to this version's",
            report.pid
        );
        return Json(Orders {
            leave: true,
            ..relay.orders.borrow().clone()
        });
    }
    let mut orders = relay.orders.subscribe();
    let news = orders.wait_for(|orders| {
        orders.leave || orders.listen.iter().any(|one| !report.bound.contains(one))
    });
    let is_stuck = !report.trouble.is_empty();
    if is_stuck {
        tokio::time::sleep(EVERY).await;
    } else {
        drop(tokio::time::timeout(EVERY, news).await);
    }
    let told = relay.orders.borrow().clone();
    Json(told)
}

/// Whether a process runs another program than this one, such as the one before an upgrade.
fn is_of_another_program(pid: u32) -> bool {
    let file = |process: &str| {
        let program = std::fs::metadata(format!("/proc/{process}/exe")).ok()?;
        Some((program.dev(), program.ino()))
    };
    let its = file(&pid.to_string());
    its.is_some() && its != file("self")
}

/// The connections of a relay, so that who is behind one is found out once.
#[derive(Clone, Default)]
struct Callers(Arc<Mutex<HashMap<Route, Caller>>>);

/// How many connections are remembered.
const REMEMBERED: usize = 1024;

impl Callers {
    /// Who is at the other end, by what the relay says. What it does not say right is nobody.
    fn of(&self, came: &HeaderValue) -> Caller {
        let came = came
            .to_str()
            .ok()
            .and_then(|text| text.parse::<Came>().ok());
        let Some(Came { from, to, micros }) = came else {
            return Caller::nobody();
        };
        let route = Route {
            from,
            to,
            accepted: SystemTime::UNIX_EPOCH + Duration::from_micros(micros),
        };
        let mut callers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if callers.len() >= REMEMBERED {
            callers.clear();
        }
        let caller = callers.entry(route);
        let end = if to.ip().is_loopback() {
            End::Loopback(route)
        } else {
            End::Bridge(route)
        };
        caller.or_insert_with(|| Caller::relayed(end)).clone()
    }
}
