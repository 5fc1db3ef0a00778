//! Where requests come in: a Unix socket and TCP, one service behind both.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, bail};
use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, UnixListener};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::Service;
use tower::util::BoxCloneSyncService;

/// How long a client may take to send a request's head.
const HEAD: Duration = Duration::from_secs(30);
/// How long to wait after a failed accept, which means that descriptors ran out.
const BREATH: Duration = Duration::from_millis(100);

type Answering = BoxCloneSyncService<Request, Response, Infallible>;

/// Serves listeners until the daemon stops; clones share that.
#[derive(Clone)]
pub(super) struct Serving {
    service: Answering,
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl Serving {
    /// Answers by `service` until `stop`; `tasks` are done once all requests are.
    pub fn new<S>(service: S, stop: CancellationToken, tasks: TaskTracker) -> Self
    where
        S: Service<Request, Response = Response, Error = Infallible, Future: Send>
            + Clone
            + Send
            + Sync
            + 'static,
    {
        Self {
            service: BoxCloneSyncService::new(service),
            stop,
            tasks,
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
                        Ok((stream, _)) => serving.connection(stream),
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
                        Ok((stream, _)) => {
                            // Small answers should not wait for each other.
                            let _ = stream.set_nodelay(true);
                            serving.connection(stream);
                        }
                        Err(error) => pause(&error).await,
                    },
                }
            }
        });
    }

    fn connection(&self, stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static) {
        let service = self.service.clone();
        let stop = self.stop.clone();
        self.tasks.spawn(async move {
            let service =
                tower::ServiceExt::<Request>::map_request(service, |request: Request<Incoming>| {
                    request.map(Body::new)
                });
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(HEAD)
                .serve_connection(TokioIo::new(stream), TowerToHyperService::new(service));
            let mut connection = std::pin::pin!(connection);
            // A connection that breaks concerns only its client.
            tokio::select! {
                _ = connection.as_mut() => {}
                () = stop.cancelled() => {
                    connection.as_mut().graceful_shutdown();
                    let _ = connection.await;
                }
            }
        });
    }
}

async fn pause(error: &std::io::Error) {
    tracing::warn!(%error, "a connection could not be accepted");
    tokio::time::sleep(BREATH).await;
}

/// Binds the Unix socket with mode 0660. One that a dead daemon left is replaced; one that
/// answers belongs to somebody.
pub(super) fn bind_unix(path: &Path) -> anyhow::Result<UnixListener> {
    let shown = path.display();
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)
            .with_context(|| format!("cannot create {}", folder.display()))?;
    }
    if std::os::unix::net::UnixStream::connect(path).is_ok() {
        bail!("the socket {shown} is served by another process; give another --socket");
    }
    if path.exists() {
        std::fs::remove_file(path).with_context(|| format!("cannot replace {shown}"))?;
    }
    let listener = UnixListener::bind(path).with_context(|| format!("cannot bind {shown}"))?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o660))?;
    Ok(listener)
}

/// Binds every address, or fails.
pub(super) async fn bind_tcp(addresses: &[SocketAddr]) -> anyhow::Result<Vec<TcpListener>> {
    let mut bound = Vec::new();
    for address in addresses {
        let listener = TcpListener::bind(address)
            .await
            .with_context(|| format!("cannot listen on {address}; give another --listen"))?;
        bound.push(listener);
    }
    Ok(bound)
}
