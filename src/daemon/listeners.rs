//! Where requests come in: a Unix socket and TCP, one service behind both.

use std::convert::Infallible;
use std::net::TcpListener as StdTcpListener;
use std::net::{IpAddr, SocketAddr};
use std::os::unix::net::UnixListener as StdUnixListener;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use anyhow::Context;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderValue, header};
use axum::response::Response;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::{Service, ServiceExt};

use super::answered::Answered;
use super::local_users::LocalUsers;
use super::slots::{ConnectionSlot, ConnectionSlots};
use super::sockets;
use super::unread::Unread;
use crate::api::Caller;
use crate::api::caller::{End, Route};

/// How many connections there may be to the Unix socket, to the TCP listeners, and from the
/// relay. Each has slots of its own, so that none locks out the others; together they are below
/// the usual limit of descriptors, of which the database, the engine and processes need some.
pub(super) const SOCKET_PLACES: usize = 128;
/// See [`SOCKET_PLACES`]. Half of them at most for one address of another machine.
pub(super) const TCP_PLACES: usize = 512;
/// See [`SOCKET_PLACES`].
pub(super) const RELAY_PLACES: usize = 192;
/// How long a client may take to send a request's head, and how long a connection is kept on
/// which no request comes.
const HEAD: Duration = Duration::from_secs(30);
/// The most of a request's head that is held.
const HEAD_BYTES: usize = 64 * 1024;
/// What those beyond that are told. Clients before API 0.8.4 come again after this, and not after a
/// 503; later ones after either.
const FULL: &[u8] = b"HTTP/1.1 429 Too Many Requests\r\nretry-after: 1\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
/// How long a connection without a request is kept once the daemon stops: a request that is
/// on its way is answered, and only then told to come again elsewhere.
const LINGER: Duration = Duration::from_millis(250);
/// How long to wait after a failed accept, which means that descriptors ran out.
const BACKOFF: Duration = Duration::from_millis(100);

/// What answers requests; each connection has its clone.
pub(super) trait Answering:
    Service<Request, Response = Response, Error = Infallible, Future: Send>
    + Clone
    + Send
    + Sync
    + 'static
{
}

impl<S> Answering for S where
    S: Service<Request, Response = Response, Error = Infallible, Future: Send>
        + Clone
        + Send
        + Sync
        + 'static
{
}

/// Serves listeners until the daemon stops; clones share that.
#[derive(Clone)]
pub(super) struct Serving<S> {
    service: S,
    stop: CancellationToken,
    tasks: TaskTracker,
    slots: ConnectionSlots,
    users: LocalUsers,
}

impl<S: Answering> Serving<S> {
    /// Answers by `service` until `stop`; `tasks` are done once all requests are. `most` is how
    /// many connections there may be at once.
    pub fn new(service: S, stop: CancellationToken, tasks: TaskTracker, most: usize) -> Self {
        Self {
            service,
            stop,
            tasks,
            slots: ConnectionSlots::new(most),
            users: LocalUsers::default(),
        }
    }

    /// Serves a Unix socket.
    pub fn unix(&self, listener: UnixListener) {
        let serving = self.clone();
        self.tasks.spawn(async move {
            loop {
                tokio::select! {
                    () = serving.stop.cancelled() => return,
                    accepted = listener.accept() => match accepted {
                        Ok((stream, _)) => serving.local(stream),
                        Err(error) => pause(&error).await,
                    },
                }
            }
        });
    }

    /// Serves a TCP listener.
    pub fn tcp(&self, listener: TcpListener) {
        let serving = self.clone();
        self.tasks.spawn(async move {
            loop {
                tokio::select! {
                    () = serving.stop.cancelled() => return,
                    accepted = listener.accept() => match accepted {
                        Ok((stream, _)) => serving.remote(stream),
                        Err(error) => pause(&error).await,
                    },
                }
            }
        });
    }

    /// A connection to the Unix socket, by whomever the kernel says.
    fn local(&self, stream: UnixStream) {
        let users = self.users.clone();
        let credentials = stream.peer_cred();
        self.connection(stream, None, async move {
            // Without credentials there is no peer any more.
            let peer = users.peer(credentials.ok()?).await;
            Some(Caller::new(End::Socket(peer)))
        });
    }

    fn remote(&self, stream: TcpStream) {
        // Small answers should not wait for each other.
        let _ = stream.set_nodelay(true);
        let (Ok(from), Ok(to)) = (stream.peer_addr(), stream.local_addr()) else {
            return;
        };
        let route = Route {
            from,
            to,
            accepted: SystemTime::now(),
        };
        let (end, elsewhere) = if from.ip().to_canonical().is_loopback() {
            (End::Loopback(route), None)
        } else {
            (End::Network(route), Some(from.ip()))
        };
        let caller = std::future::ready(Some(Caller::new(end)));
        self.connection(stream, elsewhere, caller);
    }

    /// Serves a connection, if there is a slot for it and anybody at its other end. `from` is
    /// the address of another machine.
    fn connection(
        &self,
        stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
        from: Option<IpAddr>,
        caller: impl Future<Output = Option<Caller>> + Send + 'static,
    ) {
        let slot = self.slots.take(from);
        let serving = self.clone();
        self.tasks.spawn(async move {
            let Some(slot) = slot.await else {
                return turn_away(stream).await;
            };
            let talk = async {
                if let Some(caller) = caller.await {
                    serving.talk(stream, caller, &slot).await;
                }
            };
            tokio::select! {
                () = talk => {}
                () = slot.wanted() => {}
            }
        });
    }

    async fn talk(
        &self,
        stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
        caller: Caller,
        slot: &ConnectionSlot,
    ) {
        // Its own, since each look at a token locks it.
        let stop = self.stop.child_token();
        let ending = stop.clone();
        let (asked, answered) = (slot.use_of(), slot.use_of());
        let service = self
            .service
            .clone()
            .map_request(move |request: Request<Incoming>| {
                let mut request = request.map(Body::new);
                request.extensions_mut().insert(caller.clone());
                asked.begins();
                request
            })
            .map_response(move |response: Response| {
                let response = Answered::watch(response, &answered);
                if ending.is_cancelled() {
                    farewell(response)
                } else {
                    response
                }
            });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD)
            .max_buf_size(HEAD_BYTES)
            .serve_connection(
                TokioIo::new(Unread::new(stream)),
                TowerToHyperService::new(service),
            )
            .with_upgrades();
        let mut connection = std::pin::pin!(connection);
        // A connection that breaks concerns only its client.
        tokio::select! {
            biased;
            _ = connection.as_mut() => {}
            () = stop.cancelled() => {
                let answered = tokio::time::timeout(LINGER, connection.as_mut()).await;
                if answered.is_err() {
                    connection.as_mut().graceful_shutdown();
                    let _ = connection.await;
                }
            }
        }
    }
}

/// Tells a client that there is no slot for it. Best effort: it may not listen.
async fn turn_away(mut stream: impl AsyncWrite + Unpin) {
    tracing::warn!("there are too many connections already; one was sent away");
    let _ = tokio::time::timeout(BACKOFF, stream.write_all(FULL)).await;
}

/// Has the client open another connection for its next request.
fn farewell(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}

async fn pause(error: &std::io::Error) {
    tracing::warn!(%error, "a connection could not be accepted");
    tokio::time::sleep(BACKOFF).await;
}

/// The Unix socket.
pub(super) struct Control {
    /// What is served.
    pub listener: UnixListener,
    /// Where clients find it.
    pub path: PathBuf,
    /// The file to remove in the end; none when systemd owns it.
    pub ours: Option<PathBuf>,
}

impl Control {
    /// Takes over the one that was handed over, or else binds `path`.
    pub fn take(inherited: Option<StdUnixListener>, path: &Path) -> anyhow::Result<Self> {
        let Some(inherited) = inherited else {
            return Ok(Self {
                listener: sockets::bind(path, sockets::For::Group)?,
                path: path.to_owned(),
                ours: Some(path.to_owned()),
            });
        };
        let address = inherited.local_addr()?;
        Ok(Self {
            path: address.as_pathname().unwrap_or(path).to_owned(),
            listener: UnixListener::from_std(inherited)?,
            ours: None,
        })
    }
}

/// Takes over what was handed over, or else binds every address, or fails.
pub(super) async fn tcp(
    inherited: Vec<StdTcpListener>,
    addresses: &[SocketAddr],
) -> anyhow::Result<Vec<TcpListener>> {
    if !inherited.is_empty() {
        let taken = inherited.into_iter().map(TcpListener::from_std);
        return Ok(taken.collect::<Result<_, _>>()?);
    }
    let mut bound = Vec::new();
    for address in addresses {
        let listener = TcpListener::bind(address)
            .await
            .with_context(|| format!("cannot listen on {address}; give another --listen"))?;
        bound.push(listener);
    }
    Ok(bound)
}

#[cfg(test)]
mod tests {
    use std::future::ready;

    use tokio::io::{AsyncReadExt, duplex};

    use super::*;

    #[tokio::test]
    async fn who_finds_no_place_is_told_so_at_once() {
        let answer = tower::service_fn(|_: Request| std::future::pending());
        let serving = Serving::new(answer, CancellationToken::new(), TaskTracker::new(), 1);
        let (mut first, served) = duplex(1024);
        serving.connection(served, None, ready(Some(Caller::nobody())));
        let asked = b"GET / HTTP/1.1\r\nhost: h\r\n\r\n";
        first.write_all(asked).await.unwrap();
        tokio::time::sleep(Duration::from_millis(50)).await;
        let (mut second, turned_away) = duplex(1024);
        serving.connection(turned_away, None, ready(Some(Caller::nobody())));
        let mut told = String::new();
        second.read_to_string(&mut told).await.unwrap();
        assert!(told.starts_with("HTTP/1.1 429 ") && told.contains("retry-after: 1"));
    }
}
