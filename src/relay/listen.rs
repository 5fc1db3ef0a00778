//! Where a relay listens.
//!
//! Beside each TCP address it holds an abstract Unix socket of the same name. A relay that
//! finds its address taken calls there, and a holder whose daemon is gone gives way.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::SystemTime;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio::sync::Notify;
use tokio_util::task::AbortOnDropHandle;

use super::carry::Carrier;
use super::{Came, Report};

/// The listeners of one relay.
pub(super) struct Listeners {
    carrier: Arc<Carrier>,
    bound: BTreeMap<SocketAddr, [AbortOnDropHandle<()>; 2]>,
    trouble: BTreeMap<SocketAddr, String>,
    wanted: Arc<Notify>,
}

impl Listeners {
    /// None yet.
    pub fn new(carrier: Arc<Carrier>) -> Self {
        Self {
            carrier,
            bound: BTreeMap::new(),
            trouble: BTreeMap::new(),
            wanted: Arc::default(),
        }
    }

    /// How they stand.
    pub fn report(&self) -> Report {
        Report {
            pid: std::process::id(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            bound: self.bound.keys().copied().collect(),
            trouble: self.trouble.clone().into_iter().collect(),
        }
    }

    /// Listens at these addresses and no others. What cannot be bound now is tried again
    /// the next time.
    pub async fn follow(&mut self, addresses: &[SocketAddr]) {
        self.bound.retain(|held, _| addresses.contains(held));
        self.trouble.clear();
        for address in addresses {
            if self.bound.contains_key(address) {
                continue;
            }
            match bind(*address).await {
                Ok((tcp, door)) => {
                    let tasks = [
                        AbortOnDropHandle::new(tokio::spawn(accept(tcp, self.carrier.clone()))),
                        AbortOnDropHandle::new(tokio::spawn(answer(door, self.wanted.clone()))),
                    ];
                    self.bound.insert(*address, tasks);
                }
                Err(error) => {
                    // A holder without a daemon is gone by the next time.
                    let _ = UnixStream::connect(door(*address)).await;
                    self.trouble.insert(*address, error.to_string());
                }
            }
        }
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

async fn accept(listener: TcpListener, carrier: Arc<Carrier>) {
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                // Small answers should not wait for each other.
                let _ = stream.set_nodelay(true);
                if let Ok((stream, aside)) = twice(stream) {
                    tokio::spawn(connection(stream, aside, peer, carrier.clone()));
                }
            }
            // Descriptors ran out.
            Err(_) => tokio::time::sleep(super::RETRY).await,
        }
    }
}

/// One connection under two handles.
fn twice(stream: TcpStream) -> std::io::Result<(TcpStream, TcpStream)> {
    let stream = stream.into_std()?;
    let aside = TcpStream::from_std(stream.try_clone()?)?;
    Ok((TcpStream::from_std(stream)?, aside))
}

async fn connection(stream: TcpStream, aside: TcpStream, peer: SocketAddr, carrier: Arc<Carrier>) {
    let Ok(to) = stream.local_addr() else {
        return;
    };
    let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let micros = since_epoch.unwrap_or_default().as_micros();
    let came = Came {
        from: peer,
        to,
        micros: u64::try_from(micros).unwrap_or(u64::MAX),
    };
    let service = service_fn(|request| carrier.carry(request, came, &aside));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .serve_connection(TokioIo::new(stream), service);
    // A connection that breaks concerns only its client.
    let _ = connection.await;
}

async fn answer(door: UnixListener, wanted: Arc<Notify>) {
    while door.accept().await.is_ok() {
        wanted.notify_waiters();
    }
}
