//! The same port on the gateway of Docker's default bridge.
//!
//! A container's `host.docker.internal` is that gateway, so an API on 127.0.0.1 alone is
//! never reached from a container. Bound there too, it is reached by containers, and still
//! not by the network.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::listeners::Serving;
use crate::api::About;
use crate::runners::docker::DockerRunner;

/// How long to wait before asking again for a bridge that was not there.
const RETRY: Duration = Duration::from_secs(1);

/// Looks for the bridge.
pub(super) struct Bridge {
    docker: DockerRunner,
    port: u16,
}

impl Bridge {
    /// Will listen on that port.
    pub fn new(docker: DockerRunner, port: u16) -> Self {
        Self { docker, port }
    }

    /// Tries until the bridge is bound, since the engine may start after the daemon.
    pub async fn keep(self, serving: Serving, about: About, stop: CancellationToken) {
        let mut told = String::new();
        loop {
            match self.bind().await {
                Ok(listener) => {
                    if let Err(error) = super::serve_tcp(&serving, &about, listener) {
                        tracing::error!(%error, "Docker's bridge cannot be served");
                    }
                    return;
                }
                // The same trouble is told once.
                Err(error) if error != told => {
                    tracing::info!("not on Docker's bridge yet: {error}");
                    told = error;
                }
                Err(_) => {}
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(RETRY) => {}
            }
        }
    }

    async fn bind(&self) -> Result<TcpListener, String> {
        let gateway = self.docker.bridge_gateway().await;
        let gateway = gateway.map_err(|error| error.to_string())?;
        let gateway = gateway.ok_or("the engine has no default bridge")?;
        let address = SocketAddr::new(gateway, self.port);
        TcpListener::bind(address)
            .await
            .map_err(|error| format!("cannot listen on {address}: {error}"))
    }
}
