//! Who is behind an address, for the gate: asks the engine and the kernel.

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use crate::api::PeerLookup;
use crate::api::caller::Route;
use crate::domain::access::PeerIdentity;
use crate::domain::error::{Error, Kind, Result};
use crate::domain::ids::FlowRunId;
use crate::runners::docker::{DockerRunner, PeerContainers};
use crate::runners::peer_process::run_behind;

/// This machine's containers and processes.
pub(super) struct LocalPeers {
    containers: PeerContainers,
    instance: String,
}

impl LocalPeers {
    /// By that engine, for the daemon whose state directory `instance` names.
    pub fn new(docker: &DockerRunner, instance: &str) -> Self {
        Self {
            containers: docker.peer_containers(),
            instance: instance.to_owned(),
        }
    }
}

impl PeerLookup for LocalPeers {
    fn container(&self, route: Route) -> BoxFuture<'_, Result<Option<PeerIdentity>>> {
        async move {
            let address = route.from.ip().to_canonical();
            let owner = self.containers.of(address, route.accepted).await;
            owner.map_err(|error| Error::new(Kind::Unavailable, error.to_string()))
        }
        .boxed()
    }

    fn process(&self, route: Route) -> BoxFuture<'_, Option<FlowRunId>> {
        let instance = self.instance.clone();
        let look = move || run_behind(route.from, route.to, &instance);
        // A look that panicked has seen nothing.
        async move { tokio::task::spawn_blocking(look).await.ok().flatten() }.boxed()
    }
}
