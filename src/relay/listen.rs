//! Where a relay listens.
//!
//! Beside each TCP address it holds an abstract Unix socket of the same name. A relay that
//! finds its address taken calls there, and a holder whose daemon is gone gives way.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use rustix::net::sockopt;
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio::sync::Notify;
use tokio_util::task::AbortOnDropHandle;

use super::carry::Carrier;
use super::registry::{Kept, Registry, TakenOver};
use super::slots::{ConnectionSlot, ConnectionSlots};
use super::stream::Journaled;
use super::{Came, Report};

/// How long a client may take to send a request's head, or to begin one.
const HEAD: Duration = Duration::from_secs(30);
/// The most of a request's head that is held.
const HEAD_BYTES: usize = 64 * 1024;
/// After how much silence a client is probed, how often, and how many times in vain.
const SILENT: Duration = Duration::from_secs(60);
const PROBED: Duration = Duration::from_secs(15);
const PROBES: u32 = 4;
/// What a client is told that has too many connections. Clients before API 0.8.4 come again after
/// this, and not after a 503; later ones after either.
const FULL: &[u8] = b"HTTP/1.1 429 Too Many Requests\r\nretry-after: 1\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";

/// What each connection needs.
struct Shared {
    carrier: Arc<Carrier>,
    registry: Arc<Registry>,
    slots: Arc<ConnectionSlots>,
}

/// The listeners of one relay.
pub(super) struct Listeners {
    shared: Arc<Shared>,
    bound: BTreeMap<SocketAddr, [AbortOnDropHandle<()>; 2]>,
    trouble: BTreeMap<SocketAddr, String>,
    wanted: Arc<Notify>,
}

impl Listeners {
    /// None yet.
    pub fn new(
        carrier: Arc<Carrier>,
        registry: Arc<Registry>,
        slots: Arc<ConnectionSlots>,
    ) -> Self {
        Self {
            shared: Arc::new(Shared {
                carrier,
                registry,
                slots,
            }),
            bound: BTreeMap::new(),
            trouble: BTreeMap::new(),
            wanted: Arc::default(),
        }
    }

    /// Goes on with what an earlier relay has left.
    pub async fn take_over(&mut self, taken: TakenOver) {
        for kept in taken.connections {
            let Some(permit) = self.shared.slots.any().await else {
                return;
            };
            match self.shared.slots.take(permit, kept.came.from.ip()) {
                Some(slot) => {
                    let shared = Arc::clone(&self.shared);
                    tokio::spawn(serve(shared, kept, slot));
                }
                None => kept.end(),
            }
        }
        for (address, tcp, door) in taken.listeners {
            let listener =
                TcpListener::from_std(tcp).and_then(|tcp| Ok((tcp, UnixListener::from_std(door)?)));
            if let Ok((tcp, door)) = listener {
                self.start(address, tcp, door);
            }
        }
    }

    /// How they stand.
    pub fn report(&self) -> Report {
        Report {
            pid: std::process::id(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            bound: self.bound.keys().copied().collect(),
            trouble: self.trouble.clone().into_iter().collect(),
            is_kept: self.shared.registry.is_kept(),
            news: Vec::new(),
        }
    }

    /// Listens at these addresses and no others. What cannot be bound now is tried again
    /// the next time.
    pub async fn follow(&mut self, addresses: &[SocketAddr]) {
        let registry = Arc::clone(&self.shared.registry);
        self.bound.retain(|held, _| {
            let stays = addresses.contains(held);
            if !stays {
                registry.left(*held);
            }
            stays
        });
        self.trouble.clear();
        for address in addresses {
            if self.bound.contains_key(address) {
                continue;
            }
            match bind(*address).await {
                Ok((tcp, door)) => {
                    let kept = registry.listener(*address, [tcp.as_fd(), door.as_fd()]);
                    if let Err(error) = kept {
                        self.trouble.insert(*address, error.to_string());
                    }
                    self.start(*address, tcp, door);
                }
                Err(error) => {
                    // A holder without a daemon is gone by the next time.
                    let _ = UnixStream::connect(door(*address)).await;
                    self.trouble.insert(*address, error.to_string());
                }
            }
        }
    }

    fn start(&mut self, address: SocketAddr, tcp: TcpListener, door: UnixListener) {
        let tasks = [
            AbortOnDropHandle::new(tokio::spawn(accept(tcp, Arc::clone(&self.shared)))),
            AbortOnDropHandle::new(tokio::spawn(answer(door, self.wanted.clone()))),
        ];
        self.bound.insert(address, tasks);
    }

    /// Waits until a relay of another daemon asks for an address. It asks again and again.
    pub async fn wanted_by_another(&self) {
        self.wanted.notified().await;
    }
}

/// The abstract name beside an address.
fn door(address: SocketAddr) -> String {
    format!("\0prefectd-relay:{address}")
}

async fn bind(address: SocketAddr) -> std::io::Result<(TcpListener, UnixListener)> {
    Ok((
        TcpListener::bind(address).await?,
        UnixListener::bind(door(address))?,
    ))
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    // Those for whom there is no slot wait to be accepted.
    while let Some(permit) = shared.slots.any().await {
        match listener.accept().await {
            Ok((stream, peer)) => match shared.slots.take(permit, peer.ip()) {
                // Best effort: it may not listen.
                None => drop(stream.try_write(FULL)),
                Some(slot) => welcome(&shared, stream, peer, slot),
            },
            // Descriptors ran out.
            Err(_) => tokio::time::sleep(super::RETRY).await,
        }
    }
}

fn welcome(shared: &Arc<Shared>, stream: TcpStream, from: SocketAddr, slot: ConnectionSlot) {
    // Small answers should not wait for each other.
    let _ = stream.set_nodelay(true);
    // Where the kernel cannot do it, a client that is gone is noticed when it is spoken to.
    let _ = keep_alive(&stream);
    let Ok(to) = stream.local_addr() else {
        return;
    };
    let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let micros = since_epoch.unwrap_or_default().as_micros();
    let micros = u64::try_from(micros).unwrap_or(u64::MAX);
    let came = Came { from, to, micros };
    if let Ok(kept) = shared.registry.connection(stream, came) {
        tokio::spawn(serve(Arc::clone(shared), kept, slot));
    }
}

/// Has the kernel notice a client that is gone without a word: one on a connection that has
/// switched protocols may be silent for as long as it likes, and has a slot meanwhile.
fn keep_alive(stream: &TcpStream) -> rustix::io::Result<()> {
    sockopt::set_socket_keepalive(stream, true)?;
    sockopt::set_tcp_keepidle(stream, SILENT)?;
    sockopt::set_tcp_keepintvl(stream, PROBED)?;
    sockopt::set_tcp_keepcnt(stream, PROBES)
}

/// Serves a connection, beginning with what is in its journal.
async fn serve(shared: Arc<Shared>, kept: Arc<Kept>, slot: ConnectionSlot) {
    let service = service_fn(|request| shared.carrier.carry(request, Arc::clone(&kept)));
    let stream = Journaled::new(Arc::clone(&kept), slot);
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .max_buf_size(HEAD_BYTES)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    // A connection that breaks concerns only its client.
    let _ = connection.await;
}

async fn answer(door: UnixListener, wanted: Arc<Notify>) {
    while door.accept().await.is_ok() {
        wanted.notify_waiters();
    }
}
