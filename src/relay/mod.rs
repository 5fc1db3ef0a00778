//! What runs speak to: a small process that outlives the daemon.
//!
//! The clients in runs give up when a connection is refused or breaks, and a flow that has
//! done its work is lost with the answer. So runs reach the API through a relay: it listens
//! where runs call, hands each request to the daemon, and asks again while no daemon
//! answers, telling the client now and then that it is still at it. A daemon that dies and comes back is a pause to them.
//!
//! ```text
//!  containers ─► gateway of Docker's bridge ─┐
//!                                            ├─ relay ─► the daemon's relay socket
//!  processes ──► 127.0.0.2 ──────────────────┘
//! ```
//!
//! The daemon starts the relay (`prefectd --relay`), tells it where to listen, and finds it
//! again after a restart. A request that is handed over twice carries the same
//! `Idempotency-Key`, by which the daemon knows what it has answered already. The relay knows
//! nothing of what it carries. It leaves when the daemon says so, when its daemon has been
//! gone for too long, or when another daemon needs its address and its own is gone.
//!
//! Nor do clients notice the death of a relay. The daemon keeps duplicates of its listening
//! sockets, of its clients' connections, and of what each has sent ([`journal`]), handed over
//! by a [`channel`]. It starts another relay at once, which takes all of that up. Only what
//! was half answered at that moment is lost. One relay follows another in the same way after
//! an upgrade.
//!
//! Connections, bytes and time are bounded (`slots`, `spool`, `room`): whoever calls here is not
//! known yet.

mod ahead;
mod carry;
pub mod channel;
mod disk;
mod events;
mod frames;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
mod heads;
pub mod journal;
mod listen;
mod news;
mod once;
mod patience;
mod refusal;
mod registry;
mod room;
mod slots;
mod spool;
mod stage;
mod stream;
mod switch;

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use nix::fcntl::{Flock, FlockArg, OFlag};
use serde::{Deserialize, Serialize};

use carry::Carrier;
use listen::Listeners;
use registry::Registry;
use slots::ConnectionSlots;

/// The first argument of a process that is a relay; a socket and a lock follow.
pub const FLAG: &str = "--relay";
/// The path at which the daemon tells a relay what to do; not reached by anybody else.
pub const ORDERS: &str = "/relay/orders";
/// The header that names the connection that a request came by; see [`Came`].
pub const PEER: &str = "x-prefectd-peer";
/// The header that names a request, so that it is answered once however often it is sent.
pub const KEY: &str = "idempotency-key";

/// The largest body that is carried, in bytes, unless the daemon takes larger ones.
pub const LEAST_BODY: u64 = 33 * 1024 * 1024;

/// How long a relay waits for a daemon; the clients of runs wait for seconds only.
const DAEMON_TIMEOUT: Duration = Duration::from_secs(60);
/// For how long an absent daemon is taken to be on its way back.
const RESTART: Duration = Duration::from_secs(2);
/// How long a daemon may take to answer a report, which it does within a second or so.
const ANSWER: Duration = Duration::from_secs(10);
/// How many files a process may have open where it is not known.
const LEAST_DESCRIPTORS: u64 = 256;
/// How many are enough.
const MOST_DESCRIPTORS: u64 = 8192;
/// How soon to ask a daemon again that did not answer.
const RETRY: Duration = Duration::from_millis(50);

/// The connection that a request came by: who called, where, and when it was accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Came {
    /// The caller's address.
    pub from: SocketAddr,
    /// The relay's.
    pub to: SocketAddr,
    /// When, in microseconds since the epoch.
    pub micros: u64,
}

impl std::fmt::Display for Came {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {} {}", self.from, self.to, self.micros)
    }
}

impl std::str::FromStr for Came {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let mut words = text.split(' ');
        let mut next = || words.next().ok_or(());
        let (from, to, micros) = (next()?, next()?, next()?);
        Ok(Self {
            from: from.parse().map_err(|_| ())?,
            to: to.parse().map_err(|_| ())?,
            micros: micros.parse().map_err(|_| ())?,
        })
    }
}

/// What a relay tells of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// Its process.
    pub pid: u32,
    /// Its version.
    pub version: String,
    /// Where it listens.
    pub bound: Vec<SocketAddr>,
    /// Where it cannot, and why.
    pub trouble: Vec<(SocketAddr, String)>,
    /// Whether the daemon keeps all that another relay needs to go on.
    #[serde(default)]
    pub is_kept: bool,
    /// What happened that somebody should hear of.
    #[serde(default)]
    pub news: Vec<String>,
}

/// What the daemon wants of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Orders {
    /// Where to listen.
    pub listen: Vec<SocketAddr>,
    /// Whether to end.
    pub leave: bool,
    /// The largest body that the daemon takes, in bytes, when that is more than
    /// [`LEAST_BODY`].
    #[serde(default)]
    pub max_body: Option<u64>,
}

/// Where the daemon keeps what a relay has, beside the socket `daemon` at which it answers it.
pub fn channel_path(daemon: &Path) -> PathBuf {
    let mut beside = daemon.as_os_str().to_owned();
    beside.push(".kept");
    beside.into()
}

/// Has this process open as many files as it may, and answers how many that is.
pub fn raise_descriptors() -> u64 {
    use nix::sys::resource::{Resource, getrlimit, setrlimit};
    let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE) else {
        return LEAST_DESCRIPTORS;
    };
    let wanted = hard.min(MOST_DESCRIPTORS).max(soft);
    match setrlimit(Resource::RLIMIT_NOFILE, wanted, hard) {
        Ok(()) => wanted,
        Err(_) => soft,
    }
}

/// The lock of the relay that works for a state directory, held while it lives.
pub fn take_lock(path: &Path) -> std::io::Result<Option<Flock<File>>> {
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .custom_flags(OFlag::O_NOFOLLOW.bits())
        .open(path)?;
    match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
        Ok(lock) => Ok(Some(lock)),
        Err((_, nix::errno::Errno::EWOULDBLOCK)) => Ok(None),
        Err((_, error)) => Err(error.into()),
    }
}

/// The relay's whole life. `words` are the socket of the daemon and the path of the lock.
pub fn run(words: impl IntoIterator<Item = OsString>) -> anyhow::Result<()> {
    let mut words = words.into_iter().map(PathBuf::from);
    let (Some(daemon), Some(lock)) = (words.next(), words.next()) else {
        anyhow::bail!("{FLAG} is for prefectd itself");
    };
    let Some(_lock) = take_lock(&lock)? else {
        return Ok(()); // another one works already
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(serve(&daemon, &lock));
    // The next relay goes on with the connections, so they are not ended one by one.
    std::mem::forget(runtime);
    Ok(())
}

/// Does what the daemon says until it is over.
async fn serve(daemon: &Path, lock: &Path) {
    let folder = lock.parent().unwrap_or(Path::new("."));
    let carrier = Arc::new(Carrier::new(daemon, folder));
    let registry = Registry::new(folder, &channel_path(daemon));
    let slots = ConnectionSlots::new(raise_descriptors());
    let mut listeners = Listeners::new(Arc::clone(&carrier), Arc::clone(&registry), slots);
    listeners.take_over(registry.take_over().await).await;
    tokio::spawn(registry.keep_told());
    let mut heard = Instant::now();
    // Without its lock the state directory is gone, and nobody comes back to it.
    while heard.elapsed() < DAEMON_TIMEOUT && lock.exists() {
        match carrier.ask(listeners.report()).await {
            Some(Orders { leave: true, .. }) => return,
            Some(orders) => {
                heard = Instant::now();
                listeners.follow(&orders.listen).await;
            }
            None => tokio::select! {
                () = tokio::time::sleep(RETRY) => {}
                () = listeners.wanted_by_another(), if heard.elapsed() > RESTART => return,
            },
        }
    }
}
