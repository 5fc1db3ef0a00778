//! The same port on the gateway of Docker's default bridge.
//!
//! A container's `host.docker.internal` is that gateway, so an API on 127.0.0.1 alone is
//! never reached from a container. Bound there too, it is reached by containers, and still
//! not by the network.

use std::net::SocketAddr;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::relay::Relay;
use crate::runners::docker::DockerRunner;

/// How long to wait before asking again for a bridge that was not there.
const RETRY: Duration = Duration::from_secs(1);

/// Looks for the bridge, since the engine may start after the daemon, and has the relay
/// listen on it at that port.
pub(super) async fn keep(docker: DockerRunner, port: u16, relay: Relay, stop: CancellationToken) {
    let mut told = String::new();
    loop {
        match gateway(&docker).await {
            Ok(gateway) => return relay.listen(SocketAddr::new(gateway, port)),
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

async fn gateway(docker: &DockerRunner) -> Result<std::net::IpAddr, String> {
    let gateway = docker.bridge_gateway().await;
    let gateway = gateway.map_err(|error| error.to_string())?;
    gateway.ok_or_else(|| "the engine has no default bridge".to_owned())
}
